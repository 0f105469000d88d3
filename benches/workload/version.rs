//! The parts of a version that the workloads need. The rest is the same for all versions.

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, V5};
use mqtt_sansio::{
    ClientRole, Connection, DecodeError, Options, OutgoingMessage, Output, PacketSet, QoS,
    ServerRole, Slots, Text, Timestamp, TopicName,
};

use super::packets::{self, Built};
use super::{Fields, Seen};

/// The fields of a packet of one version.
pub trait PacketFields: Sized + 'static {
    type Version: Version;
    type Built<'a>;

    /// Returns the summary of this packet.
    fn see(&self, seen: &mut Seen);

    /// Makes the packet, with all checks that an application's call has.
    fn build(&self) -> Self::Built<'_>;

    fn encode<O: Output>(built: &Self::Built<'_>, out: &mut O);

    fn decode<'a>(
        src: &mut &'a [u8],
        options: &Options,
    ) -> Result<Option<Packet<'a, Self>>, DecodeError<Self::Version>>;

    fn see_packet(packet: &Packet<'_, Self>, seen: &mut Seen);
}

type Packet<'a, F> = <<F as PacketFields>::Version as PacketSet>::Packet<'a>;

/// The meaning of an event for the workloads.
#[derive(Debug)]
pub enum Happened {
    ConnectRequested,
    /// A message with a payload of this many bytes.
    Message(usize),
    Delivered,
    Other,
}

const NOW: Timestamp = Timestamp::from_millis(0);

/// A version of MQTT.
pub trait Version: mqtt_sansio::Version {
    /// The properties of a message.
    type Properties: Default + core::fmt::Debug;

    fn connect<S: Slots>(client: &mut Connection<Self, ClientRole, S>, out: &mut Vec<u8>);
    fn accept<S: Slots>(server: &mut Connection<Self, ServerRole, S>, out: &mut Vec<u8>);
    fn happened(event: &Self::Event<&[u8]>) -> Happened;

    fn message<'a>(
        topic: TopicName<&'a [u8]>,
        payload: &'a [u8],
        qos: QoS,
        properties: &'a Self::Properties,
    ) -> impl OutgoingMessage<Self> + 'a;
}

/// The methods that differ only in the module.
macro_rules! common {
    ($v:ident) => {
        fn connect<S: Slots>(client: &mut Connection<Self, ClientRole, S>, out: &mut Vec<u8>) {
            let connect = $v::Connect::new(Text::new("device-7").unwrap());
            client.connect(NOW, &connect, out).unwrap();
        }

        fn accept<S: Slots>(server: &mut Connection<Self, ServerRole, S>, out: &mut Vec<u8>) {
            server.accept_new(NOW, out).unwrap();
        }

        #[inline(always)]
        fn happened(event: &$v::Event<&[u8]>) -> Happened {
            match event {
                $v::Event::Message(publish) => Happened::Message(publish.payload.len()),
                $v::Event::Delivered { .. } => Happened::Delivered,
                $v::Event::ConnectRequested(_) => Happened::ConnectRequested,
                _ => Happened::Other,
            }
        }
    };
}

impl Version for V3 {
    type Properties = ();

    common!(v3);

    #[inline(always)]
    fn message<'a>(
        topic: TopicName<&'a [u8]>,
        payload: &'a [u8],
        qos: QoS,
        (): &'a (),
    ) -> impl OutgoingMessage<Self> + 'a {
        v3::Message::new(topic, payload).qos(qos)
    }
}

impl Version for V5 {
    type Properties = v5::PublishProperties<Vec<u8>>;

    common!(v5);

    #[inline(always)]
    fn message<'a>(
        topic: TopicName<&'a [u8]>,
        payload: &'a [u8],
        qos: QoS,
        properties: &'a Self::Properties,
    ) -> impl OutgoingMessage<Self> + 'a {
        let message = v5::Message::new(topic, payload).qos(qos);
        message.properties(properties.as_ref())
    }
}

impl PacketFields for Fields {
    type Version = V3;
    type Built<'a> = Built<'a>;

    fn see(&self, seen: &mut Seen) {
        seen.fields(self);
    }

    #[inline]
    fn build(&self) -> Built<'_> {
        packets::build(self)
    }

    #[inline]
    fn encode<O: Output>(built: &Built<'_>, out: &mut O) {
        built.encode(out);
    }

    #[inline]
    fn decode<'a>(
        src: &mut &'a [u8],
        options: &Options,
    ) -> Result<Option<v3::PacketRef<'a>>, v3::DecodeError> {
        v3::decode(src, options)
    }

    #[inline(always)]
    fn see_packet(packet: &v3::PacketRef<'_>, seen: &mut Seen) {
        packets::see(packet, seen);
    }
}
