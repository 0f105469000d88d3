//! The same packets through two other decoders. Where they do not agree with this one, the table of
//! known differences says why, or it is a crash.

mod known;
mod peers;

use std::sync::Once;

use mqtt_sansio::v3::DecodeError;
use mqtt_sansio::{Encode, Options, v3};

use crate::common::fixed_header;
use peers::PEERS;

/// What a decoder makes of a packet.
#[derive(Debug, PartialEq)]
pub(crate) enum Disposition<E> {
    /// It takes it, and would write it like this.
    Takes(Vec<u8>),
    Refuses(E),
}

pub fn differential(data: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(peers::keep_quiet_about_their_panics);
    let mut rest = data;
    while let Some(packet) = next_packet(&mut rest) {
        compare(packet);
    }
}

/// The next whole packet, by its Remaining Length.
fn next_packet<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (remaining_length, header_len) = fixed_header(rest)?;
    let (packet, behind) = rest.split_at_checked(header_len + remaining_length)?;
    *rest = behind;
    Some(packet)
}

fn compare(packet: &[u8]) {
    let ours = ours(packet);
    for peer in PEERS {
        let theirs = (peer.decode)(packet);
        let agree = match (&ours, &theirs) {
            (Disposition::Takes(ours), Disposition::Takes(theirs)) => ours == theirs,
            (Disposition::Refuses(_), Disposition::Refuses(_)) => true,
            _ => false,
        };
        if agree || known::is_known(peer.name, packet, &ours, &theirs) {
            continue;
        }
        panic!(
            "{} and this one differ on {}:\nhere  {ours:?}\nthere {theirs:?}",
            peer.name,
            hex::encode(packet)
        );
    }
}

fn ours(packet: &[u8]) -> Disposition<DecodeError> {
    let options = Options::new().max_packet_size(u32::MAX);
    let mut rest = packet;
    match v3::decode(&mut rest, &options) {
        Ok(Some(decoded)) => {
            assert!(rest.is_empty(), "a whole packet");
            Disposition::Takes(decoded.encode_to_vec().expect("it was decoded"))
        }
        Ok(None) => panic!("a whole packet is not enough: {}", hex::encode(packet)),
        Err(error) => Disposition::Refuses(error),
    }
}
