//! The other decoders, each as one function.

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mqtt_codec_kit::common::{Decodable, Encodable};
use mqtt_codec_kit::v4::packet::VariablePacket;
use mqtt_proto::{PollHeader, VarBytes, v3, v5};

use super::Disposition;
use crate::common::fixed_header;

/// An error of another decoder. Most are dropped unread, so they are not formatted.
pub(super) type Fault = Box<dyn Debug>;

pub(super) struct Peer {
    pub(super) name: &'static str,
    /// Returns the result for one whole packet.
    pub(super) decode: fn(&[u8]) -> Disposition<Fault>,
}

pub(super) const V3_PEERS: &[Peer] = &[
    Peer {
        name: "mqtt-proto",
        decode: |packet| quietly(|| mqtt_proto::<v3::Header>(packet, v3::Packet::encode)),
    },
    Peer {
        name: "mqtt-codec-kit",
        decode: |packet| quietly(|| mqtt_codec_kit(packet)),
    },
];

pub(super) const V5_PEERS: &[Peer] = &[Peer {
    name: "mqtt-proto",
    decode: |packet| quietly(|| mqtt_proto::<v5::Header>(packet, v5::Packet::encode)),
}];

thread_local! {
    static IS_THEIRS: Cell<bool> = const { Cell::new(false) };
}

/// libFuzzer's own hook ends the process at each panic. A panic of another decoder is a refusal; one
/// of ours ends the process when it leaves the target.
pub(super) fn keep_quiet_about_their_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !IS_THEIRS.get() {
            eprintln!("{panic}");
        }
    }));
}

fn quietly(decode: impl FnOnce() -> Result<Vec<u8>, Fault>) -> Disposition<Fault> {
    IS_THEIRS.set(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    IS_THEIRS.set(false);
    match result {
        Ok(Ok(bytes)) => Disposition::Takes(bytes),
        Ok(Err(error)) => Disposition::Refuses(error),
        Err(_) => Disposition::Refuses(Box::new("a panic")),
    }
}

fn fault(error: impl Debug + 'static) -> Fault {
    Box::new(error)
}

/// `H` is its fixed header of a version.
fn mqtt_proto<H: PollHeader<Error: Debug + 'static>>(
    packet: &[u8],
    encode: fn(&H::Packet) -> Result<VarBytes, mqtt_proto::Error>,
) -> Result<Vec<u8>, Fault> {
    let (remaining_length, header_len) =
        fixed_header(packet).ok_or_else(|| fault("no fixed header"))?;
    let len = u32::try_from(packet.len()).map_err(fault)?;
    let remaining_length = u32::try_from(remaining_length).map_err(fault)?;
    let header = H::new_with(packet[0], remaining_length, len).map_err(fault)?;
    let decoded = match header.build_empty_packet() {
        Some(decoded) => decoded,
        None => {
            let body = &packet[header_len..];
            let mut used = 0;
            let decoded = header.decode_buffer(body, &mut used).map_err(fault)?;
            // As in its own code for streams.
            if used != body.len() {
                return Err(fault("bytes left over"));
            }
            decoded
        }
    };
    let encoded = encode(&decoded).map_err(fault)?;
    Ok(encoded.as_ref().to_vec())
}

fn mqtt_codec_kit(packet: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut rest = packet;
    let decoded = VariablePacket::decode(&mut rest).map_err(fault)?;
    if !rest.is_empty() {
        return Err(fault("bytes left over"));
    }
    let mut encoded = Vec::new();
    decoded.encode(&mut encoded).map_err(fault)?;
    Ok(encoded)
}
