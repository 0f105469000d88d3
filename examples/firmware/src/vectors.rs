//! The vectors of `testdata`, decoded and encoded on the device.

use mqtt_sansio::v3::{self, Decoder, Packet, PacketRef};
use mqtt_sansio::{Encode, ErrorKind, Field, Options, PacketId};

use crate::console;
use crate::digest::Digest;

/// A valid packet.
pub struct Valid {
    id: &'static str,
    bytes: &'static [u8],
    /// Its encoding, if that differs.
    encoded: Option<&'static [u8]>,
    fields: u32,
}

/// A malformed packet.
pub struct Malformed {
    id: &'static str,
    bytes: &'static [u8],
    /// The exact error, if the vector names it.
    fault: Option<(ErrorKind, Field, usize)>,
}

/// One direction of a conversation between independent implementations.
pub struct Stream {
    name: &'static str,
    bytes: &'static [u8],
    packets: usize,
    fields: u32,
}

include!(concat!(env!("OUT_DIR"), "/vectors.rs"));

/// The maximum size of the vectors.
const FITS: usize = 1024;

/// Runs all vectors and prints their number and those that fail. Returns true if none does.
pub fn run() -> bool {
    let mut failed = 0;
    let mut fail = |id: &str, what: &str| {
        console::print(id);
        console::print(what);
        failed += 1;
    };
    for row in VALID {
        if !decodes_whole(row) {
            fail(row.id, ": not decoded\n");
        }
        if !decodes_in_parts(row) {
            fail(row.id, ": not decoded in parts\n");
        }
        if !encodes(row) {
            fail(row.id, ": not encoded\n");
        }
    }
    for row in MALFORMED {
        if !is_refused(row) {
            fail(row.id, ": not refused as it should be\n");
        }
    }
    for bytes in INCOMPLETE {
        if v3::decode(&mut &bytes[..], &Options::new()) != Ok(None) {
            fail("incomplete", ": not taken for the start of a packet\n");
        }
    }
    for row in STREAMS {
        if !decodes_to_its_packets(row) {
            fail(row.name, ": not decoded\n");
        }
    }
    console::print_count("valid packets", VALID.len());
    console::print_count("left out, larger than 1024 bytes", LEFT_OUT);
    console::print_count("malformed packets", MALFORMED.len());
    console::print_count("incomplete packets", INCOMPLETE.len());
    console::print_count("captured streams", STREAMS.len());
    console::print_count("vectors that failed", failed);
    failed == 0
}

fn digest_of(packet: &PacketRef<'_>) -> u32 {
    let mut digest = Digest::new();
    fields(packet, &mut digest);
    digest.get()
}

fn decodes_whole(row: &Valid) -> bool {
    let mut input = row.bytes;
    match v3::decode(&mut input, &Options::new()) {
        Ok(Some(packet)) => input.is_empty() && digest_of(&packet) == row.fields,
        _ => false,
    }
}

/// A byte at a time, so that the decoder's buffer collects the packet.
fn decodes_in_parts(row: &Valid) -> bool {
    let mut decoder = Decoder::new([0; FITS]);
    let mut found = 0;
    for byte in row.bytes {
        let mut input = core::slice::from_ref(byte);
        match decoder.decode(&mut input) {
            Ok(Some(packet)) if digest_of(&packet) == row.fields => found += 1,
            Ok(None) => {}
            _ => return false,
        }
    }
    found == 1 && decoder.is_at_packet_boundary()
}

fn encodes(row: &Valid) -> bool {
    let Ok(Some(packet)) = v3::decode(&mut &row.bytes[..], &Options::new()) else {
        return false;
    };
    let mut buffer = [0; FITS];
    let expected = row.encoded.unwrap_or(row.bytes);
    packet.encode_to_slice(&mut buffer).ok().as_deref() == Some(expected)
}

fn is_refused(row: &Malformed) -> bool {
    match (v3::decode(&mut &row.bytes[..], &Options::new()), row.fault) {
        (Err(error), Some(fault)) => (error.kind(), error.field(), error.offset()) == fault,
        (Err(_), None) => true,
        (Ok(_), _) => false,
    }
}

fn decodes_to_its_packets(row: &Stream) -> bool {
    let mut decoder = Decoder::new([0; FITS]);
    let mut digest = Digest::new();
    let mut packets = 0;
    for mut input in row.bytes.chunks(3) {
        // Two of the streams end with a malformed packet, which is not in their digest.
        while let Ok(Some(packet)) = decoder.decode(&mut input) {
            fields(&packet, &mut digest);
            packets += 1;
        }
    }
    (packets, digest.get()) == (row.packets, row.fields)
}

/// Adds all fields of a packet; `build.rs` does the same for the vectors.
fn fields(packet: &PacketRef<'_>, digest: &mut Digest) {
    let optional = |id: Option<PacketId>| id.map_or(u32::MAX, |id| u32::from(id.get()));
    digest.field(Some(packet.packet_type().name().as_bytes()));
    match packet {
        Packet::Connect(connect) => {
            let connect = connect.to_connect();
            let level = connect.protocol_level;
            let will = connect.will.as_ref();
            let credentials = connect.credentials.as_ref();
            digest.field(Some(level.protocol_name().as_bytes()));
            digest.number(level.number().into());
            digest.number(connect.clean_session.into());
            digest.number(connect.keep_alive.into());
            digest.field(Some(connect.client_id.as_bytes()));
            digest.field(will.map(|will| will.topic.as_bytes()));
            digest.field(will.map(|will| will.message));
            digest.number(will.map_or(u32::MAX, |will| will.qos.number().into()));
            digest.number(will.map_or(u32::MAX, |will| will.retain.into()));
            digest.field(credentials.map(|credentials| credentials.user_name.as_bytes()));
            digest.field(credentials.and_then(|credentials| credentials.password));
        }
        Packet::ConnAck(connack) => {
            digest.number(connack.session_present().into());
            digest.number(connack.return_code().into());
        }
        Packet::Publish(publish) => {
            digest.number(publish.delivery.dup().into());
            digest.number(publish.delivery.qos().number().into());
            digest.number(publish.retain.into());
            digest.number(optional(publish.delivery.packet_id()));
            digest.field(Some(publish.topic.as_bytes()));
            digest.field(Some(publish.payload));
        }
        Packet::Subscribe(subscribe) => {
            digest.number(optional(Some(subscribe.packet_id)));
            for subscription in &subscribe.subscriptions {
                digest.field(Some(subscription.topic_filter.as_bytes()));
                digest.number(subscription.qos.number().into());
            }
        }
        Packet::SubAck(suback) => {
            digest.number(optional(Some(suback.packet_id)));
            for code in &suback.return_codes {
                digest.number(code.number().into());
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            digest.number(optional(Some(unsubscribe.packet_id)));
            for filter in &unsubscribe.topic_filters {
                digest.field(Some(filter.as_bytes()));
            }
        }
        Packet::PubAck(ack) => digest.number(optional(Some(ack.packet_id))),
        Packet::PubRec(ack) => digest.number(optional(Some(ack.packet_id))),
        Packet::PubRel(ack) => digest.number(optional(Some(ack.packet_id))),
        Packet::PubComp(ack) => digest.number(optional(Some(ack.packet_id))),
        Packet::UnsubAck(ack) => digest.number(optional(Some(ack.packet_id))),
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => {}
    }
}
