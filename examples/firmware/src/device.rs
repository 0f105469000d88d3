//! A device that publishes readings, answers commands, and resumes its session after its connection
//! has broken.

mod v3;
mod v5;

use mqtt_sansio::{
    Action, ClientRole, CommandError, Config, Connection, Output, PacketId, QoS, Session, Slot,
    State, Step, StreamDecoder, Timestamp, Version,
};
use static_cell::StaticCell;

use crate::clock::Clock;
use crate::modem::{Modem, Signal};
use crate::outbox::{Outbox, Stored, Topic};
use crate::{console, exit, stack};

/// The most messages in flight in each direction.
pub type Slots = [Slot; 4];

const READINGS: u16 = 40;
const BETWEEN_READINGS: u64 = 40;
const BEFORE_DIALLING: u64 = 100;

/// Counters for the summary.
#[derive(Default)]
pub struct Counts {
    pub connections: u16,
    pub resumed: u16,
    pub resent: u16,
    pub commands: u16,
    pub dropped: u16,
}

pub type Client<V> = Connection<V, ClientRole, Slots>;

/// What depends on the version of MQTT.
pub trait Protocol: Version {
    /// The Topic Aliases of a connection.
    type Aliases: Default;

    fn connect(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem);

    /// Subscribes to the commands.
    fn subscribe(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem);

    fn publish(
        client: &mut Client<Self>,
        now: Timestamp,
        stored: &Stored,
        aliases: &mut Self::Aliases,
        modem: &mut Modem,
    ) -> Result<Option<PacketId>, CommandError>;

    fn resend(
        client: &mut Client<Self>,
        now: Timestamp,
        packet_id: PacketId,
        stored: &Stored,
        modem: &mut Modem,
    ) -> Result<(), CommandError>;

    fn disconnect(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem);

    /// Returns what the device needs of an event.
    fn received<'a>(event: Self::Event<&'a [u8]>) -> Received<'a>;
}

/// An event of either version.
pub enum Received<'a> {
    Connected { session_present: bool },
    Command(&'a [u8]),
    Delivered(PacketId),
    Other,
}

pub struct Device<V: Protocol> {
    modem: Modem,
    client: Option<Client<V>>,
    decoder: StreamDecoder<V, [u8; 512]>,
    aliases: V::Aliases,
    outbox: Outbox,
    /// When to open a connection, if there is none and none is being opened.
    dial_at: Option<Timestamp>,
    next_reading: Timestamp,
    reading: u16,
    stopping: bool,
    pub counts: Counts,
}

impl<V: Protocol> Device<V> {
    pub fn new(modem: Modem, now: Timestamp) -> Self {
        Self {
            modem,
            client: Some(Self::client(Session::default(), now)),
            decoder: StreamDecoder::new([0; 512]),
            aliases: V::Aliases::default(),
            outbox: Outbox::new(),
            dial_at: Some(now),
            next_reading: now,
            reading: 0,
            stopping: false,
            counts: Counts::default(),
        }
    }

    fn client(session: Session<Slots>, now: Timestamp) -> Client<V> {
        let config = Config::new()
            .connect_timeout(core::time::Duration::from_millis(5_000))
            .ping_timeout(core::time::Duration::from_millis(2_000));
        Connection::new(session, config, now)
    }

    /// Runs one round. Returns true if there is more to do at once, and `None` when everything is
    /// done.
    pub fn step(&mut self, now: Timestamp) -> Option<bool> {
        if self.dial_at.is_some_and(|at| at <= now) {
            self.dial_at = None;
            self.modem.dial();
        }
        let mut buffer = [0; 64];
        let (bytes, signal) = self.modem.receive(&mut buffer);
        self.received(now, bytes);
        match signal {
            Some(Signal::Connected) => self.connect(now),
            Some(Signal::Disconnected) => self.transport_closed(now),
            None => {}
        }
        if let Some(client) = &mut self.client {
            client.handle_timeout(now); // does nothing before the deadline
        }
        self.act(now);
        self.take_reading(now);
        self.publish(now);
        if self.stopping && self.is_done() {
            self.disconnect(now);
            return None;
        }
        Some(!bytes.is_empty() || signal.is_some())
    }

    fn is_done(&self) -> bool {
        let session = self.client.as_ref().map(Connection::session);
        self.outbox.waiting().is_none() && session.is_some_and(Session::is_empty)
    }

    fn connect(&mut self, now: Timestamp) {
        self.counts.connections += 1;
        if let Some(client) = &mut self.client {
            V::connect(client, now, &mut self.modem);
        }
    }

    fn transport_closed(&mut self, now: Timestamp) {
        if let Some(client) = &mut self.client {
            client.handle_transport_closed(now);
        }
    }

    fn received(&mut self, now: Timestamp, mut bytes: &[u8]) {
        loop {
            let Self {
                client, decoder, ..
            } = self;
            let Some(client) = client else { return };
            let step = client.receive(now, decoder, &mut bytes).map(|step| {
                step.map(|step| match step {
                    Step::Event(event) => Ok(V::received(event)),
                    Step::Action(action) => Err(action),
                })
            });
            let received = match step {
                Ok(None) => return,
                Ok(Some(Ok(received))) => received,
                Ok(Some(Err(action))) => {
                    let is_over = matches!(action, Action::Close(_));
                    self.carry_out(now, action);
                    if is_over {
                        return;
                    }
                    continue;
                }
                // Not possible: a client has no request to answer, and every message has a slot.
                Err(_) => return client.close(now),
            };
            match received {
                Received::Connected { session_present } => self.connected(now, session_present),
                Received::Command(command) => {
                    self.counts.commands += 1;
                    let answer = answer(command);
                    self.stopping |= command == b"stop";
                    if !answer.is_none_or(|answer| self.outbox.add(answer)) {
                        self.counts.dropped += 1;
                    }
                }
                Received::Delivered(packet_id) => self.outbox.remove(packet_id),
                Received::Other => {}
            }
        }
    }

    fn connected(&mut self, now: Timestamp, session_present: bool) {
        self.counts.resumed += u16::from(session_present);
        if let Some(online) = Stored::new(Topic::State, QoS::AtLeastOnce, b"online") {
            self.outbox.add(online);
        }
        if session_present {
            return; // the server knows what it was asked for
        }
        if let Some(client) = &mut self.client {
            V::subscribe(client, now, &mut self.modem);
        }
    }

    /// Carries out an action of the connection.
    fn act(&mut self, now: Timestamp) {
        while let Some(action) = self.client.as_mut().and_then(Connection::poll_action) {
            self.carry_out(now, action);
        }
    }

    fn carry_out(&mut self, now: Timestamp, action: Action<V>) {
        let Some(client) = &mut self.client else {
            return;
        };
        match action {
            Action::Transmit(packet) => {
                let _ = self.modem.put(packet.as_ref()); // always has room
            }
            Action::Resend(packet_id) => {
                let _ = match self.outbox.get(packet_id) {
                    Some(stored) => {
                        self.counts.resent += 1;
                        V::resend(client, now, packet_id, &stored, &mut self.modem)
                    }
                    None => client.forget(packet_id),
                };
            }
            Action::Lost {
                packet_id,
                received: false,
            } => self.outbox.wait_again(packet_id),
            Action::Lost { packet_id, .. } => self.outbox.remove(packet_id),
            Action::Close(_) => self.start_again(now),
            // Only with a journal, and for servers.
            Action::Unanswered(_)
            | Action::Store(_)
            | Action::PublishWill
            | Action::DiscardWill => {}
        }
    }

    /// The connection has ended. Messages in flight continue on the next one.
    fn start_again(&mut self, now: Timestamp) {
        self.modem.hang_up();
        if let Some(client) = self.client.take() {
            self.client = Some(Self::client(client.into_session(), now));
        }
        self.decoder = StreamDecoder::new([0; 512]);
        self.aliases = V::Aliases::default();
        self.dial_at = Some(now.plus_millis(BEFORE_DIALLING));
    }

    fn take_reading(&mut self, now: Timestamp) {
        // Half of the outbox is for answers.
        if self.reading == READINGS || now < self.next_reading || self.outbox.free() <= 4 {
            return;
        }
        let qos = match self.reading % 2 {
            0 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let digits = [
            b'0' + (self.reading / 10 % 10) as u8,
            b'0' + (self.reading % 10) as u8,
        ];
        if let Some(reading) = Stored::new(Topic::Reading, qos, &digits) {
            self.outbox.add(reading);
        }
        self.reading += 1;
        self.next_reading = now.plus_millis(BETWEEN_READINGS);
    }

    /// Publishes waiting messages, as far as the window allows.
    fn publish(&mut self, now: Timestamp) {
        while let (Some(client), Some((number, stored))) = (&mut self.client, self.outbox.waiting())
        {
            if client.state() != State::Connected || !client.can_publish(stored.qos()) {
                return;
            }
            match V::publish(client, now, &stored, &mut self.aliases, &mut self.modem) {
                Ok(Some(packet_id)) => self.outbox.published(number, packet_id),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn disconnect(&mut self, now: Timestamp) {
        if let Some(client) = &mut self.client {
            V::disconnect(client, now, &mut self.modem);
            while client.poll_action().is_some() {}
        }
        self.modem.hang_up();
    }

    pub fn print_summary(&self) {
        let counts = &self.counts;
        console::print_count("connections", counts.connections.into());
        console::print_count("sessions resumed", counts.resumed.into());
        console::print_count("messages sent again", counts.resent.into());
        console::print_count("commands", counts.commands.into());
        console::print_count("commands dropped", counts.dropped.into());
    }
}

/// Answers `echo WORDS` with the words.
fn answer(command: &[u8]) -> Option<Stored> {
    let words = command.strip_prefix(b"echo ")?;
    Stored::new(Topic::Answer, QoS::ExactlyOnce, words)
}

/// Runs the device on its board until it is told to stop.
pub fn run<V: Protocol>(memory: &'static StaticCell<Device<V>>) -> ! {
    let peripherals = cortex_m::Peripherals::take();
    let (Some(peripherals), Some(modem)) = (peripherals, Modem::start()) else {
        exit(false);
    };
    let mut clock = Clock::start(peripherals.SYST);
    let now = clock.now();
    let Some(device) = memory.try_init_with(|| Device::new(modem, now)) else {
        exit(false);
    };
    while let Some(busy) = device.step(clock.now()) {
        if !busy {
            cortex_m::asm::wfi(); // until the next millisecond
        }
    }
    device.print_summary();
    console::print_count("deepest stack", stack::deepest());
    exit(true)
}
