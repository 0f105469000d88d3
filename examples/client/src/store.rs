//! The session in a file for the next run: with `-c` and `--session FILE`.
//!
//! The file holds the length of the saved session in four bytes, the session, and the messages in
//! flight as PUBLISH packets of MQTT 5.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use client::Failure;
use client::outgoing::Outgoing;
use mqtt_sansio::v5::{self, Delivery, Message, Packet, Publish};
use mqtt_sansio::{Encode, Options, QoS, Session, Slot};

use crate::connection::Kept;

pub(crate) struct Store {
    path: PathBuf,
    changed: bool,
}

impl Store {
    /// Reads the file of an earlier run, if there is one.
    pub(crate) fn open(path: &Path, kept: &mut Kept) -> Result<(), Failure> {
        match fs::read(path) {
            Ok(bytes) => parse(&bytes, kept).map_err(|reason| Failure::Session {
                path: path.to_owned(),
                reason,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::of_file(path, error)),
        }
        kept.store = Some(Self {
            path: path.to_owned(),
            changed: false,
        });
        Ok(())
    }

    pub(crate) const fn changed(&mut self) {
        self.changed = true;
    }

    pub(crate) fn save_if_changed(
        &mut self,
        session: &Session<Vec<Slot>>,
        outgoing: &Outgoing<Rc<Message<Vec<u8>>>>,
    ) -> Result<(), Failure> {
        if !self.changed {
            return Ok(());
        }
        let saved = session.save_to_vec();
        let mut bytes = u32::try_from(saved.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes()
            .to_vec();
        bytes.extend(saved);
        for (packet_id, message) in outgoing.in_flight() {
            let dup = true;
            let publish = Publish {
                delivery: match message.qos {
                    QoS::AtMostOnce => Delivery::AtMostOnce,
                    QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
                    QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
                },
                retain: message.retain,
                topic: message.topic.as_ref(),
                properties: message.properties.as_ref(),
                payload: &message.payload[..],
            };
            // Encoding cannot fail for a message that was sent before.
            let _ = publish.encode(&mut bytes);
        }
        let written = self.write(&bytes);
        written.map_err(|error| Failure::of_file(&self.path, error))?;
        self.changed = false;
        Ok(())
    }

    /// Replaces the file as a whole: after a crash it has the old or the new content. To survive a loss
    /// of power, the directory would have to be synchronised too.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        // Appended to the whole name: `sess.a` and `sess.b` must not share it.
        let mut new = self.path.clone().into_os_string();
        new.push(".tmp");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(new, &self.path)
    }
}

fn parse(bytes: &[u8], kept: &mut Kept) -> Result<(), String> {
    let damaged = || "this is not what an earlier run has left".to_owned();
    let (len, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| damaged())?;
    let (saved, mut packets) = rest.split_at_checked(len).ok_or_else(damaged)?;
    kept.session = Session::restore(saved, Vec::new(), Vec::new()).map_err(|e| e.to_string())?;
    let options = Options::new().max_packet_size(u32::MAX);
    while let Some(packet) = v5::decode(&mut packets, &options).map_err(|e| e.to_string())? {
        let Packet::Publish(publish) = packet else {
            return Err(damaged());
        };
        if let Some(packet_id) = publish.delivery.packet_id() {
            let message = Rc::new(Message::from(publish).to_owned());
            kept.outgoing.restore(packet_id, message);
        }
    }
    Ok(())
}
