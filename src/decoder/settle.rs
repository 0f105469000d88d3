//! What a decoder remembers of a packet that was decoded.

use super::state::{State, add, small};
use crate::wire::{DecodeError, Header, Options, PacketSet, PacketType};

/// Updates the state after reading a frame.
#[inline(always)]
pub(super) const fn settle<P: PacketSet, T>(
    state: &mut State<P>,
    position: &mut u64,
    header: &Header,
    packet: &Result<T, DecodeError<P>>,
) {
    *state = match packet {
        Ok(_) => {
            *position = add(*position, header.packet_len());
            State::Boundary
        }
        Err(error) => State::Failed(*error),
    };
}

/// Returns the state after the first bytes of a packet, `taken` of them: the whole packet, or the
/// header before a payload in pieces.
pub(super) fn settle_start<P: PacketSet, T>(
    state: &mut State<P>,
    position: &mut u64,
    header: &Header,
    taken: usize,
    outcome: &Result<T, DecodeError<P>>,
) {
    *state = match outcome {
        Ok(_) => {
            *position = add(*position, taken);
            match header.packet_len().saturating_sub(taken) {
                0 => State::Boundary,
                left => State::InPayload { left: small(left) },
            }
        }
        Err(error) => State::Failed(*error),
    };
}

/// A stream that begins with a CONNECT of MQTT 3.1 continues by the rules of that version.
pub(super) fn learn_level<T, P: PacketSet>(
    options: &mut Options,
    position: u64,
    header: &Header,
    frame: &[u8],
    outcome: &Result<T, DecodeError<P>>,
) {
    if position > 0 || outcome.is_err() || header.packet_type() != Some(PacketType::Connect) {
        return;
    }
    let body = frame.get(header.len()..).unwrap_or_default();
    if body.starts_with(b"\0\x06MQIsdp") {
        *options = options.mqtt_3_1(true);
    }
}
