//! A broker for one device. It never loses power.

use mqtt_sansio::v3::{Action, Decoder, Event, Message, Server, Step};
use mqtt_sansio::{Config, Outbox, QoS, Session, Timestamp, TopicName};

use crate::device::{READINGS, Stopped};
use crate::journal::Slots;

/// The commands for the device, each sent at QoS 2. Every subset has another sum.
pub(crate) const COMMANDS: [u8; 4] = [1, 2, 4, 8];

pub(crate) struct Broker {
    server: Server<Slots>,
    decoder: Decoder<[u8; 64]>,
    /// The session of the device between its connections.
    session: Option<Session<Slots>>,
    outbox: Outbox<u8>,
    /// How many commands it has published.
    sent: usize,
    /// How often each reading was received.
    pub(crate) readings: [u32; READINGS as usize],
}

const NOW: Timestamp = Timestamp::from_millis(0);

fn new_server() -> (Server<Slots>, Decoder<[u8; 64]>) {
    let server = Server::new(Session::default(), Config::new(), NOW);
    (server, Decoder::new([0; 64]))
}

fn message(payload: &[u8]) -> Result<Message<&[u8]>, Stopped> {
    Ok(Message::new(TopicName::new("meter/command")?, payload).qos(QoS::ExactlyOnce))
}

impl Broker {
    pub(crate) fn new() -> Self {
        let (server, decoder) = new_server();
        Self {
            server,
            decoder,
            session: None,
            outbox: Outbox::default(),
            sent: 0,
            readings: [0; READINGS as usize],
        }
    }

    /// The device opens a connection. The earlier one ended without DISCONNECT.
    pub(crate) fn begin(&mut self) {
        if self.server.state() == mqtt_sansio::State::Connected {
            self.server.handle_transport_closed(NOW);
            while self.server.poll_action().is_some() {}
            self.session = Some(self.server.take_session());
        }
        (self.server, self.decoder) = new_server();
    }

    /// Handles bytes of the device. Returns the bytes to send to it.
    pub(crate) fn receive(&mut self, mut input: &[u8]) -> Result<Vec<u8>, Stopped> {
        let mut out = Vec::new();
        while let Some(step) = self
            .server
            .receive(NOW, &mut self.decoder, &mut input)
            .map_err(|why| Stopped::Bug(why.to_string()))?
        {
            match step {
                Step::Event(Event::ConnectRequested(_)) => match self.session.take() {
                    Some(mut session) => self.server.accept_resumed(NOW, &mut session, &mut out)?,
                    None => self.server.accept_new(NOW, &mut out)?,
                },
                Step::Event(Event::Message(publish)) => {
                    let reading = publish.payload.last().copied().map(usize::from);
                    let times = reading.and_then(|reading| self.readings.get_mut(reading));
                    if let Some(times) = times {
                        *times = times.saturating_add(1);
                    }
                }
                Step::Event(Event::AcceptedByPeer(packet_id)) => {
                    self.outbox.remove(packet_id);
                }
                Step::Action(Action::Transmit(reply)) => out.extend_from_slice(reply.as_bytes()),
                Step::Action(Action::Resend(packet_id)) => {
                    let value = self.outbox.get(packet_id).copied();
                    let value = value.ok_or_else(|| Stopped::Bug("a lost command".to_owned()))?;
                    self.server
                        .resend(NOW, packet_id, &message(&[value])?, &mut out)?;
                }
                Step::Event(_) => {}
                Step::Action(other) => return Err(Stopped::Bug(format!("{other:?}"))),
            }
        }
        if let Some(value) = COMMANDS.get(self.sent) {
            if self.server.can_publish(QoS::ExactlyOnce) {
                let message = message(core::slice::from_ref(value))?;
                if let Some(packet_id) = self.server.publish(NOW, &message, &mut out)? {
                    self.outbox.keep(packet_id, *value);
                }
                self.sent = self.sent.saturating_add(1);
            }
        }
        Ok(out)
    }

    /// Returns true if nothing is in flight.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.sent == COMMANDS.len() && self.server.session().is_empty()
    }
}
