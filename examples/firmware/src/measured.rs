//! The programs whose size is measured: each uses a part of the library as a device does, with a
//! canned peer instead of a transport. `images.py` runs them, to show that they work.

pub mod v5;

use core::hint::black_box;

use mqtt_sansio::v3::{
    Client, Connect, Decoder, Event, Message, ReturnCode, ReturnCodes, Server, Step,
};
use mqtt_sansio::{
    Action, ClientRole, Config, Connection, Encode, EncodeError, OutgoingMessage, Output,
    PacketSet, QoS, Session, Slot, StreamDecoder, Text, Timestamp, TopicFilter, TopicName, Version,
    WholePackets,
};
use static_cell::{ConstStaticCell, StaticCell};

/// The most messages in flight in each direction.
const SLOTS: usize = 4;
/// The largest packet that may be split.
const BUFFER: usize = 512;
/// A device that knows its messages has no need for payloads in pieces. The array is apart from the decoder, which
/// is small enough then to be built on the stack.
type Buffer = WholePackets<&'static mut [u8]>;

/// The bytes of the server for [`client`].
const FROM_SERVER: &[u8] = b"\x20\x02\x00\x00\
    \x90\x03\x00\x01\x02\
    \x40\x02\x00\x02\
    \x50\x02\x00\x03\
    \x70\x02\x00\x03\
    \x30\x07\x00\x03a/bon\
    \x32\x09\x00\x03a/b\x00\x09on\
    \x34\x09\x00\x03a/b\x00\x0aon\
    \x62\x02\x00\x0a\
    \xb0\x02\x00\x04\
    \xd0\x00";

/// The bytes of the client for [`server`].
const FROM_CLIENT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c\
    \x82\x08\x00\x01\x00\x03a/b\x02\
    \x40\x02\x00\x01\
    \x30\x07\x00\x03a/bon\
    \x32\x09\x00\x03a/b\x00\x09on\
    \x34\x09\x00\x03a/b\x00\x0aon\
    \x62\x02\x00\x0a\
    \xa2\x07\x00\x02\x00\x03a/b\
    \xc0\x00\
    \xe0\x00";

/// A transport: bytes arrive in parts, and bytes sent are discarded.
struct Transport {
    received: &'static [u8],
    sent: usize,
}

impl Transport {
    fn new(received: &'static [u8]) -> Self {
        Self {
            received: black_box(received),
            sent: 0,
        }
    }

    /// At most eleven bytes, so that packets are split.
    fn receive(&mut self) -> &'static [u8] {
        let len = self.received.len().min(black_box(11));
        let (now, later) = self
            .received
            .split_at_checked(len)
            .unwrap_or((self.received, &[]));
        self.received = later;
        now
    }
}

/// Packets are written to the transport itself, without a buffer.
impl Output for Transport {
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.sent += black_box(bytes).len();
        Ok(())
    }
}

/// A clock.
#[inline(never)]
fn now() -> Timestamp {
    Timestamp::from_millis(black_box(1_000))
}

/// The decoder of the only connection. `None` in the second call.
fn decoder() -> Option<Decoder<Buffer>> {
    static MEMORY: ConstStaticCell<[u8; BUFFER]> = ConstStaticCell::new([0; BUFFER]);
    Some(Decoder::new(WholePackets(MEMORY.try_take()?)))
}

/// Decodes packets. Returns how many there were.
#[inline(never)]
pub fn decode() -> usize {
    let Some(mut decoder) = decoder() else {
        return 0;
    };
    let mut transport = Transport::new(FROM_SERVER);
    let mut packets = 0;
    loop {
        let mut input = transport.receive();
        if input.is_empty() {
            return packets;
        }
        while let Ok(Some(packet)) = decoder.decode(&mut input) {
            black_box(&packet);
            packets += 1;
        }
    }
}

/// Decodes packets and encodes each again. Returns the number of bytes.
#[inline(never)]
pub fn decode_and_encode() -> usize {
    decoder().map_or(0, |mut decoder| encode_again(&mut decoder, FROM_CLIENT))
}

/// Decodes these packets of either version and encodes each again.
fn encode_again<V: PacketSet>(
    decoder: &mut StreamDecoder<V, Buffer>,
    packets: &'static [u8],
) -> usize
where
    for<'a> V::Packet<'a>: Encode,
{
    let mut transport = Transport::new(packets);
    loop {
        let mut input = transport.receive();
        if input.is_empty() {
            return transport.sent;
        }
        while let Ok(Some(packet)) = decoder.decode(&mut input) {
            if packet.encode(&mut transport).is_err() {
                return 0;
            }
        }
    }
}

/// A client as a device has it: connects, subscribes, publishes at every QoS, receives at every
/// QoS, keeps the connection alive, resends after a reconnect. Returns the number of events.
#[inline(never)]
pub fn client() -> usize {
    decoder()
        .and_then(|mut decoder| converse(&mut decoder))
        .unwrap_or(0)
}

/// The same in a program that also encodes packets of every kind.
#[inline(never)]
pub fn client_and_encode() -> usize {
    let Some(mut decoder) = decoder() else {
        return 0;
    };
    let events = converse(&mut decoder).unwrap_or(0);
    // After a complete packet, a decoder continues with the next one.
    events + encode_again(&mut decoder, FROM_CLIENT)
}

const fn message(qos: QoS, topic: TopicName<&[u8]>) -> Message<&[u8]> {
    Message {
        topic,
        payload: b"21.5",
        qos,
        retain: false,
    }
}

fn converse(decoder: &mut Decoder<Buffer>) -> Option<usize> {
    static CLIENT: StaticCell<Client<[Slot; SLOTS]>> = StaticCell::new();
    let client = CLIENT.try_init_with(|| {
        let config = Config::new().send_before_connack(false);
        Client::new(Session::default(), config, now())
    })?;
    let transport = &mut Transport::new(FROM_SERVER);
    let topic = TopicName::new(black_box(&b"a/b"[..])).ok()?;
    let filter = TopicFilter::new(black_box(&b"a/#"[..])).ok()?;
    let again = message(QoS::AtLeastOnce, topic);
    let mut connect = Connect::new(Text::new(black_box(&b"device-7"[..])).ok()?);
    connect.clean_session = false;
    connect.keep_alive = 60;
    // A refused packet leads to fewer events than expected.
    let _ = client.connect(now(), &connect, transport);
    let mut events = 0;
    loop {
        let mut input = transport.receive();
        if input.is_empty() {
            break;
        }
        while let Ok(Some(step)) = client.receive(now(), decoder, &mut input) {
            events += usize::from(matches!(step, Step::Event(_)));
            match step {
                Step::Action(action) => carry_out(client, action, &again, transport),
                Step::Event(Event::Connected { .. }) => {
                    let _ = client.subscribe_to(now(), &filter, QoS::ExactlyOnce, transport);
                }
                Step::Event(Event::Subscribed(_)) => {
                    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                        let _ = client.publish(now(), &message(qos, topic), transport);
                    }
                    let _ = client.unsubscribe_from(now(), &filter, transport);
                }
                Step::Event(Event::Message(publish)) => {
                    black_box(publish.payload);
                }
                Step::Event(_) => {}
            }
        }
    }
    if client.poll_timeout().is_some() {
        client.handle_timeout(now().plus_millis(black_box(60_000)));
        act(client, &again, transport);
    }
    let _ = client.disconnect(now(), transport);
    act(client, &again, transport);
    Some(events)
}

/// Carries out all actions of a client of either version. `message` is what is sent again.
fn act<V: Version, M: OutgoingMessage<V>>(
    client: &mut Connection<V, ClientRole, [Slot; SLOTS]>,
    message: &M,
    transport: &mut Transport,
) {
    while let Some(action) = client.poll_action() {
        carry_out(client, action, message, transport);
    }
}

fn carry_out<V: Version, M: OutgoingMessage<V>>(
    client: &mut Connection<V, ClientRole, [Slot; SLOTS]>,
    action: Action<V>,
    message: &M,
    transport: &mut Transport,
) {
    match action {
        Action::Transmit(packet) => {
            let _ = transport.put(packet.as_ref());
        }
        Action::Resend(packet_id) => {
            let _ = client.resend(now(), packet_id, message, transport);
        }
        Action::Close(_) => transport.sent = 0,
        _ => {}
    }
}

/// A server's side of a connection: accepts, grants subscriptions, receives, publishes. Returns the
/// number of events.
#[inline(never)]
pub fn server() -> usize {
    static MEMORY: ConstStaticCell<[u8; BUFFER]> = ConstStaticCell::new([0; BUFFER]);
    static SERVER: StaticCell<Server<[Slot; SLOTS]>> = StaticCell::new();
    let Some(memory) = MEMORY.try_take() else {
        return 0;
    };
    let Some(server) =
        SERVER.try_init_with(|| Server::new(Session::default(), Config::new(), now()))
    else {
        return 0;
    };
    let mut transport = Transport::new(FROM_CLIENT);
    serve(
        server,
        &mut Decoder::new(WholePackets(memory)),
        &mut transport,
    )
    .unwrap_or(0)
}

fn serve(
    server: &mut Server<[Slot; SLOTS]>,
    decoder: &mut Decoder<Buffer>,
    transport: &mut Transport,
) -> Option<usize> {
    let topic = TopicName::new(black_box(&b"a/b"[..])).ok()?;
    let mut events = 0;
    loop {
        let mut input = transport.receive();
        if input.is_empty() {
            return Some(events);
        }
        while let Some(step) = server.receive(now(), decoder, &mut input).ok()? {
            let event = match step {
                Step::Event(event) => event,
                Step::Action(Action::Transmit(packet)) => {
                    let _ = transport.put(packet.as_bytes());
                    continue;
                }
                Step::Action(Action::Resend(packet_id)) => {
                    let message = message(QoS::AtLeastOnce, topic);
                    let _ = server.resend(now(), packet_id, &message, transport);
                    continue;
                }
                Step::Action(_) => continue,
            };
            events += 1;
            let mut buffer = [0; 8];
            match event {
                Event::ConnectRequested(connect) => {
                    black_box(connect.to_connect());
                    let _ = server.accept_new(now(), transport);
                }
                Event::SubscribeRequested(subscribe) => {
                    let wanted = subscribe.subscriptions.iter();
                    let codes = wanted.map(|wanted| ReturnCode::Success(wanted.qos));
                    if let Ok(codes) = ReturnCodes::encode_to_slice(&mut buffer, codes) {
                        let _ = server.suback(now(), &codes, transport);
                    }
                    let message = message(QoS::AtLeastOnce, topic);
                    let _ = server.publish(now(), &message, transport);
                }
                Event::UnsubscribeRequested(_) => {
                    let _ = server.unsuback(now(), transport);
                }
                _ => {}
            }
        }
    }
}

/// Formats the error of a malformed packet: the cost of `Display`.
#[inline(never)]
pub fn display() -> usize {
    use core::fmt::Write;

    struct Length(usize);
    impl Write for Length {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0 += black_box(text).len();
            Ok(())
        }
    }

    let mut input = black_box(&b"\x36\x00"[..]);
    let mut decoder = Decoder::new([0; 16]);
    let mut length = Length(0);
    if let Err(error) = decoder.decode(&mut input) {
        let _ = write!(length, "{error}");
    }
    length.0
}
