//! The parts of a version that these tests need, and how its packets are encoded.

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, V5};
use mqtt_sansio::{
    ClientRole, CloseReason, CommandError, Config, Connection, Options, OutgoingMessage, PacketId,
    PeerError, QoS, ServerRole, Session, TopicFilter, TopicName, any,
};

use crate::Counted;
use crate::common::Version;
use crate::conversation::{self, ms};

/// The parts of a version that these tests need.
pub(crate) trait Dialect: mqtt_sansio::Version + Version {
    type Message: OutgoingMessage<Self>;
    type MessageHeader: OutgoingMessage<Self>;
    type SubAck<'a>;

    /// The encoding of empty properties.
    const NO_PROPERTIES: &'static [u8];
    /// CONNECT of the client `c`, without and with Clean Session or Clean Start.
    const CONNECT: [&'static [u8]; 2];
    /// CONNACK that accepts, without and with Session Present.
    const CONNACK: [&'static [u8]; 2];
    /// One packet of each kind.
    const PACKETS: &'static [&'static [u8]];

    fn client(
        config: Config,
        session: Session<Counted>,
        clean: bool,
    ) -> Connection<Self, ClientRole, Counted>;
    fn server(
        config: Config,
        session: Session<Counted>,
        clean: bool,
    ) -> Connection<Self, ServerRole, Counted>;

    /// A message to the topic `t`, without a payload.
    fn message(qos: QoS) -> Self::Message;
    /// The same, with a payload of this length in pieces.
    fn header(qos: QoS, payload_len: u32) -> Self::MessageHeader;

    /// Sends SUBSCRIBE with the filter `a`.
    fn subscribe(
        client: &mut Connection<Self, ClientRole, Counted>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError>;
    /// Answers a SUBSCRIBE with this number of codes that refuse.
    fn suback(
        server: &mut Connection<Self, ServerRole, Counted>,
        codes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;

    /// Returns the number of entries in the list of a packet, after reading each.
    fn entries(packet: &Self::Packet<'_>) -> usize;

    /// Returns the number of codes in a SUBACK.
    fn codes(suback: &Self::SubAck<'_>) -> usize;

    /// The packet that is sent before the connection of a faulty peer closes.
    fn disconnect_for(error: &PeerError<Self>) -> Option<Sent>;
    /// An acknowledgement for an identifier that is not in use.
    fn not_found(sent: Sent) -> Sent;
    /// Converts the reason with which a server of any version closed.
    fn close_reason(reason: any::CloseReason) -> CloseReason<Self>;

    /// The items that each version defines itself.
    fn either<T>(v3: T, v5: T) -> T;
}

/// The items that differ only in the module.
macro_rules! common {
    ($v:ident) => {
        type Message = $v::Message<&'static [u8]>;
        type MessageHeader = $v::MessageHeader<&'static [u8]>;
        type SubAck<'a> = $v::SubAck<&'a [u8]>;

        fn client(config: Config, session: Session<Counted>, clean: bool) -> $v::Client<Counted> {
            let resumes = !session.is_empty();
            let mut client = $v::Client::new(session, config, ms(0));
            let $v::Packet::Connect(connect) = only::<Self>(Self::CONNECT[usize::from(clean)])
            else {
                panic!("not a CONNECT");
            };
            let connect = connect.to_connect();
            client.connect(ms(0), &connect, &mut Vec::new()).unwrap();
            let connack = only::<Self>(Self::CONNACK[usize::from(resumes)]);
            client.handle_packet(ms(0), connack).unwrap();
            client
        }

        fn server(
            config: Config,
            mut session: Session<Counted>,
            clean: bool,
        ) -> $v::Server<Counted> {
            let mut server = $v::Server::new(conversation::fresh(), config, ms(0));
            let connect = only::<Self>(Self::CONNECT[usize::from(clean)]);
            server.handle_packet(ms(0), connect).unwrap();
            if clean {
                server.accept_new(ms(0), &mut Vec::new()).unwrap();
            } else {
                server
                    .accept_resumed(ms(0), &mut session, &mut Vec::new())
                    .unwrap();
            }
            server
        }

        fn message(qos: QoS) -> Self::Message {
            $v::Message::new(topic(), &b""[..]).qos(qos)
        }

        fn subscribe(
            client: &mut $v::Client<Counted>,
            out: &mut Vec<u8>,
        ) -> Result<PacketId, CommandError> {
            let mut buffer = [0; 8];
            let filter = TopicFilter::new("a").unwrap();
            let subscription = $v::Subscription::new(filter, QoS::ExactlyOnce);
            let list = $v::Subscriptions::encode_to_slice(&mut buffer, [subscription]);
            client.subscribe(ms(0), &list.unwrap(), out)
        }

        fn entries(packet: &Self::Packet<'_>) -> usize {
            match packet {
                $v::Packet::Subscribe(packet) => packet
                    .subscriptions
                    .iter()
                    .filter(|entry| !entry.topic_filter.as_bytes().is_empty())
                    .count(),
                $v::Packet::Unsubscribe(packet) => packet
                    .topic_filters
                    .iter()
                    .filter(|filter| !filter.as_bytes().is_empty())
                    .count(),
                $v::Packet::SubAck(packet) => Self::codes(packet),
                other => panic!("{:?} has no list", other.packet_type()),
            }
        }
    };
}

fn topic() -> TopicName<&'static [u8]> {
    TopicName::new("t").unwrap()
}

/// Returns the packet with these bytes.
pub(crate) fn only<V: Dialect>(mut bytes: &[u8]) -> V::Packet<'_> {
    let packet = V::decode(&mut bytes, &Options::new()).unwrap().unwrap();
    assert!(bytes.is_empty(), "one packet only");
    packet
}

impl Dialect for V3 {
    const NO_PROPERTIES: &'static [u8] = b"";
    const CONNECT: [&'static [u8]; 2] = [
        b"\x10\x0d\0\x04MQTT\x04\0\0\0\0\x01c",
        b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c",
    ];
    const CONNACK: [&'static [u8]; 2] = [b"\x20\x02\0\0", b"\x20\x02\x01\0"];
    const PACKETS: &'static [&'static [u8]] = &[
        b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c",
        b"\x20\x02\0\0",
        b"\x30\x03\0\x01t",
        b"\x32\x05\0\x01t\0\x01",
        b"\x34\x05\0\x01t\0\x02",
        b"\x40\x02\0\x01",
        b"\x50\x02\0\x01",
        b"\x62\x02\0\x01",
        b"\x70\x02\0\x01",
        b"\x82\x06\0\x01\0\x01a\0",
        b"\x90\x03\0\x01\0",
        b"\xa2\x05\0\x01\0\x01a",
        b"\xb0\x02\0\x01",
        b"\xc0\0",
        b"\xd0\0",
        b"\xe0\0",
    ];

    fn header(qos: QoS, payload_len: u32) -> Self::MessageHeader {
        v3::MessageHeader {
            topic: topic(),
            payload_len,
            qos,
            retain: false,
        }
    }

    fn suback(
        server: &mut v3::Server<Counted>,
        codes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let codes = (0..codes).map(|_| v3::ReturnCode::Failure);
        let codes = v3::ReturnCodes::encode_to_vec(codes).unwrap();
        server.suback(ms(0), &codes, out)
    }

    fn disconnect_for(_: &PeerError<Self>) -> Option<Sent> {
        None
    }

    fn not_found(sent: Sent) -> Sent {
        sent
    }

    fn close_reason(reason: any::CloseReason) -> CloseReason<Self> {
        match reason {
            any::CloseReason::V3(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn either<T>(v3: T, _: T) -> T {
        v3
    }

    fn codes(suback: &v3::SubAck<&[u8]>) -> usize {
        suback.return_codes.iter().count()
    }

    common!(v3);
}

impl Dialect for V5 {
    const NO_PROPERTIES: &'static [u8] = b"\0";
    // Session Expiry Interval is 0xFFFFFFFF or absent.
    const CONNECT: [&'static [u8]; 2] = [
        b"\x10\x13\0\x04MQTT\x05\0\0\0\x05\x11\xff\xff\xff\xff\0\x01c",
        b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c",
    ];
    const CONNACK: [&'static [u8]; 2] = [b"\x20\x03\0\0\0", b"\x20\x03\x01\0\0"];
    const PACKETS: &'static [&'static [u8]] = &[
        b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c",
        b"\x20\x03\0\0\0",
        b"\x30\x04\0\x01t\0",
        b"\x32\x06\0\x01t\0\x01\0",
        b"\x34\x06\0\x01t\0\x02\0",
        b"\x40\x02\0\x01",
        b"\x50\x02\0\x01",
        b"\x50\x03\0\x01\x87",
        b"\x62\x02\0\x01",
        b"\x70\x02\0\x01",
        b"\x82\x07\0\x01\0\0\x01a\0",
        b"\x90\x04\0\x01\0\0",
        b"\xa2\x06\0\x01\0\0\x01a",
        b"\xb0\x04\0\x01\0\0",
        b"\xc0\0",
        b"\xd0\0",
        b"\xe0\0",
        b"\xf0\0",
    ];

    fn header(qos: QoS, payload_len: u32) -> Self::MessageHeader {
        v5::MessageHeader {
            topic: topic(),
            payload_len,
            qos,
            retain: false,
            properties: v5::PublishProperties::EMPTY,
        }
    }

    fn suback(
        server: &mut v5::Server<Counted>,
        codes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let codes = (0..codes).map(|_| v5::SubscribeReasonCode::UnspecifiedError);
        let codes = v5::SubscribeReasonCodes::encode_to_vec(codes).unwrap();
        server.suback(ms(0), &codes, out)
    }

    fn disconnect_for(error: &PeerError<Self>) -> Option<Sent> {
        Some(Sent::of(&[0xe0, 1, error.reason_code().number()]))
    }

    fn not_found(sent: Sent) -> Sent {
        sent.with_code(0x92)
    }

    fn close_reason(reason: any::CloseReason) -> CloseReason<Self> {
        match reason {
            any::CloseReason::V5(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn either<T>(_: T, v5: T) -> T {
        v5
    }

    fn codes(suback: &v5::SubAck<&[u8]>) -> usize {
        suback.reason_codes.iter().count()
    }

    common!(v5);
}

// Packets

/// A packet of at most 8 bytes, such as a connection sends as a reply. Unused bytes are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent([u8; 8]);

impl Sent {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut sent = [0; 8];
        sent[..bytes.len()].copy_from_slice(bytes);
        Self(sent)
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP without a Reason Code.
    pub(crate) const fn acknowledgement(first: u8, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self([first, 2, high, low, 0, 0, 0, 0])
    }

    /// The same acknowledgement with a Reason Code.
    pub(crate) const fn with_code(self, code: u8) -> Self {
        let [first, _, high, low, ..] = self.0;
        Self([first, 3, high, low, code, 0, 0, 0])
    }
}

/// PUBLISH to the topic `t`, without a payload and properties.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Publish {
    pub(crate) first: u8,
    pub(crate) number: u16,
}

/// A packet for a connection of either version.
pub(crate) trait Wire {
    /// Calls `f` with the bytes for this version, which are not on the heap.
    fn wire<V: Dialect, T>(&self, f: impl FnOnce(&[u8]) -> T) -> T;
}

impl Wire for Sent {
    fn wire<V: Dialect, T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(&self.0[..2 + usize::from(self.0[1])])
    }
}

impl Wire for Publish {
    fn wire<V: Dialect, T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        let [high, low] = self.number.to_be_bytes();
        let mut bytes = [self.first, 5, 0, 1, b't', high, low, 0];
        let len = 7 + V::NO_PROPERTIES.len();
        bytes[7..len].copy_from_slice(V::NO_PROPERTIES);
        bytes[1] += u8::try_from(V::NO_PROPERTIES.len()).unwrap();
        f(&bytes[..len])
    }
}

impl Wire for &[u8] {
    fn wire<V: Dialect, T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(self)
    }
}

impl Wire for Vec<u8> {
    fn wire<V: Dialect, T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(self)
    }
}
