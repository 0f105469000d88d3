//! A meter that publishes readings and adds up the commands that it receives. Its journal holds
//! everything that it knows after a loss of power.

use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Message, Step};
use mqtt_sansio::{
    Change, Config, PacketId, QoS, SliceOutput, Text, TextError, Timestamp, TopicName,
};

use crate::broker::Broker;
use crate::flash::{Flash, FlashError};
use crate::journal::{Journal, JournalError, Slots};
use crate::record::State;

/// How many readings it publishes.
pub(crate) const READINGS: u16 = 10;

/// Why the device stopped.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The flash failed: the power was lost, or the journal is full.
    Journal(JournalError<FlashError>),
    /// A fault of this program.
    Bug(String),
}

impl core::fmt::Display for Stopped {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Journal(error) => write!(f, "the journal: {error:?}"),
            Self::Bug(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Stopped {}

impl From<JournalError<FlashError>> for Stopped {
    fn from(error: JournalError<FlashError>) -> Self {
        Self::Journal(error)
    }
}

impl From<mqtt_sansio::CommandError> for Stopped {
    fn from(error: mqtt_sansio::CommandError) -> Self {
        Self::Bug(error.to_string())
    }
}

impl From<TextError> for Stopped {
    fn from(error: TextError) -> Self {
        Self::Bug(error.to_string())
    }
}

/// QoS 1 and 2 alternate.
pub(crate) const fn qos_of(reading: u16) -> QoS {
    if reading % 2 == 0 {
        QoS::AtLeastOnce
    } else {
        QoS::ExactlyOnce
    }
}

/// Runs the device from power-up until everything is done, or the power is lost. Returns the stored
/// state.
pub(crate) fn live<F: Flash<Error = FlashError>>(
    flash: F,
    broker: &mut Broker,
) -> Result<State, Stopped> {
    let now = Timestamp::from_millis(0);
    let journal = Journal::mount(flash)?;
    broker.begin();
    let mut device = Device {
        client: Client::new(journal.session(), Config::new().journal(true), now),
        journal,
        received: None,
        broker,
        incoming: Vec::new(),
    };
    let mut decoder = Decoder::new([0; 64]);
    let connect = Connect::new(Text::new("meter")?).clean_session(false);
    let mut buffer = [0; 64];
    let mut written = SliceOutput::new(&mut buffer);
    device.client.connect(now, &connect, &mut written)?;
    device.send(written.written())?;
    for _ in 0..1_000 {
        let bytes = core::mem::take(&mut device.incoming);
        let mut input = &bytes[..];
        while let Some(step) = device
            .client
            .receive(now, &mut decoder, &mut input)
            .map_err(|why| Stopped::Bug(why.to_string()))?
        {
            match step {
                Step::Event(event) => device.event(&event)?,
                Step::Action(action) => device.action(now, action)?,
            }
        }
        device.publish(now)?;
        if device.incoming.is_empty() {
            // Fetches what the broker sends without being asked.
            device.send(&[])?;
        }
        if device.incoming.is_empty() && device.broker.is_quiet() {
            return Ok(device.journal.state());
        }
    }
    Err(Stopped::Bug("it never comes to an end".to_owned()))
}

struct Device<'b, F> {
    client: Client<Slots>,
    journal: Journal<F>,
    /// The state after the last received message. It becomes the device's state when the next change is
    /// stored.
    received: Option<State>,
    /// It receives bytes at once.
    broker: &'b mut Broker,
    /// Bytes from the broker.
    incoming: Vec<u8>,
}

impl<F: Flash<Error = FlashError>> Device<'_, F> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        self.incoming.extend(self.broker.receive(bytes)?);
        Ok(())
    }

    fn event(&mut self, event: &Event<&[u8]>) -> Result<(), Stopped> {
        if let Event::Message(publish) = event {
            let [value] = publish.payload else {
                return Err(Stopped::Bug("a message with another payload".to_owned()));
            };
            let before = self.journal.state();
            self.received = Some(State {
                total: before.total.saturating_add(u16::from(*value)),
                ..before
            });
        }
        Ok(())
    }

    fn action(&mut self, now: Timestamp, action: Action) -> Result<(), Stopped> {
        match action {
            Action::Store(change @ Change::InboundReceived(_)) => {
                let before = self.journal.state();
                let state = self.received.take().unwrap_or(before);
                self.journal.store(change, None, state)?;
            }
            Action::Store(change) => {
                let state = self.journal.state();
                self.journal.store(change, None, state)?;
            }
            Action::Transmit(reply) => self.send(reply.as_bytes())?,
            Action::Resend(packet_id) => self.resend(now, packet_id)?,
            other => return Err(Stopped::Bug(format!("{other:?}"))),
        }
        Ok(())
    }

    fn resend(&mut self, now: Timestamp, packet_id: PacketId) -> Result<(), Stopped> {
        let mut buffer = [0; 64];
        let Some(message) = self.journal.message(packet_id, &mut buffer) else {
            return Err(Stopped::Bug(format!("{packet_id} is not in the journal")));
        };
        let mut buffer = [0; 64];
        let mut written = SliceOutput::new(&mut buffer);
        self.client.resend(now, packet_id, &message, &mut written)?;
        self.send(written.written())
    }

    /// Publishes the next reading, if the window and the session have room for it.
    fn publish(&mut self, now: Timestamp) -> Result<(), Stopped> {
        let state = self.journal.state();
        let reading = state.published;
        if reading == READINGS || !self.client.can_publish(qos_of(reading)) {
            return Ok(());
        }
        let payload = reading.to_be_bytes();
        let message = Message {
            topic: TopicName::new("meter/reading")?,
            payload: &payload[..],
            qos: qos_of(reading),
            retain: false,
        };
        let mut buffer = [0; 64];
        let mut written = SliceOutput::new(&mut buffer);
        self.client.publish(now, &message, &mut written)?;
        // Nothing is stored yet: after a loss of power here, the next run publishes this reading.
        let published = State {
            published: reading.saturating_add(1),
            ..state
        };
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Store(change @ Change::Sent { .. }) => {
                    self.journal.store(change, Some(&message), published)?;
                }
                other => self.action(now, other)?,
            }
        }
        // The change is stored: from here on the reading is resent until the broker has it.
        self.send(written.written())
    }
}
