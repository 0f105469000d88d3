//! What goes into [`Client`](mqtt_sansio::v3::Client) and what comes out of it. Nothing here knows of
//! the socket.

use std::rc::Rc;

use mqtt_sansio::CommandError;
use mqtt_sansio::v3::{Action, Event, HandleError, Message, Packet};

use super::{Application, Connection};
use crate::Failure;
use crate::store::Store;

impl Connection {
    /// Bytes have come: takes the packets in them one by one.
    pub(super) fn receive(
        &mut self,
        mut bytes: &[u8],
        application: &mut impl Application,
    ) -> Result<(), Failure> {
        let now = self.now();
        loop {
            let packet = match self.decoder.decode(&mut bytes) {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.client.handle_decode_error(now, error);
                    return Ok(());
                }
            };
            if self.debug {
                eprintln!("received {packet:?}");
            }
            if matches!(packet, Packet::Publish(_)) && application.is_satisfied() {
                continue; // as if it had not come
            }
            match self.client.handle_packet(now, packet) {
                Ok(Some(event)) => {
                    match event {
                        Event::Connected { .. } => self.accepted = true,
                        // It will not be asked for again.
                        Event::AcceptedByPeer(packet_id) | Event::Delivered(packet_id) => {
                            self.outbox.remove(packet_id);
                        }
                        _ => {}
                    }
                    application.event(event)?;
                }
                Ok(None) => {}
                // The actions say so, and why.
                Err(HandleError::Peer(_) | HandleError::Ended) => return Ok(()),
                Err(HandleError::Blocked(what)) => return Err(Failure::Lost(what.to_string())),
            }
            self.act()?;
        }
    }

    /// Does what the connection asks for, and then publishes what has been waiting, as far as the
    /// window allows. All of it ends in `out`.
    pub(super) fn act(&mut self) -> Result<(), Failure> {
        loop {
            let mut lost = Vec::new();
            while let Some(action) = self.client.poll_action() {
                lost.extend(self.carry_out(action)?);
            }
            // What is lost is older than all that has been waiting.
            for message in lost.into_iter().rev() {
                self.queue.push_front(message);
            }
            let Some(message) = self.queue.front() else {
                return Ok(());
            };
            match self.client.publish(self.now(), &**message, &mut self.out) {
                Ok(packet_id) => {
                    let message = self.queue.pop_front();
                    if let (Some(packet_id), Some(message)) = (packet_id, message) {
                        self.outbox.keep(packet_id, message);
                    }
                }
                Err(error @ CommandError::Encode(_)) => return Err(error.into()),
                Err(_) => return Ok(()), // not now
            }
        }
    }

    /// Returns the message, if there is one to be published anew.
    fn carry_out(&mut self, action: Action) -> Result<Option<Rc<Message<Vec<u8>>>>, Failure> {
        match action {
            Action::Transmit(packet) => self.out.extend_from_slice(packet.as_bytes()),
            Action::Resend(packet_id) => match self.outbox.get(packet_id) {
                Some(message) => {
                    let now = self.now();
                    self.client
                        .resend(now, packet_id, &**message, &mut self.out)?;
                }
                None => self.client.forget(packet_id)?,
            },
            // The server knows nothing of it any more. If it had it, it is delivered; if it may
            // not have had it, once too often is better than never.
            Action::Lost {
                packet_id,
                received,
            } => {
                let message = self.outbox.remove(packet_id);
                return Ok(message.filter(|_| !received));
            }
            // All of it instead of each change by itself: simple, and fast enough as long as not
            // too many messages are under way.
            Action::Store(_) => self.store.iter_mut().for_each(Store::changed),
            Action::Close(reason) => self.closed = Some(reason),
            // It subscribes anew on each connection that has no session.
            Action::Unanswered(_) => {}
            Action::PublishWill | Action::DiscardWill => {} // a server's
        }
        Ok(None)
    }
}
