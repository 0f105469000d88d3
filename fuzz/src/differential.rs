//! Compares with other decoders, for each version that they support. A difference that is not in the
//! table of known differences is a crash.

mod known;
mod peers;

use std::sync::Once;

use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{DecodeError, Encode, Options};

use crate::common::{Version, fixed_header};
use known::Known;
use peers::Peer;

/// The result of a decoder for a packet.
#[derive(Debug)]
pub(crate) enum Disposition<E> {
    /// It accepts the packet, and encodes it like this.
    Takes(Vec<u8>),
    Refuses(E),
}

/// A version, with the other decoders for it.
trait Compared: Version {
    const PEERS: &'static [Peer];
    const KNOWN: &'static [Known<Self>];

    /// Returns true if two encoded packets have the same meaning.
    fn is_same(ours: &[u8], theirs: &[u8]) -> bool;
}

impl Compared for V3 {
    const PEERS: &'static [Peer] = peers::V3_PEERS;
    const KNOWN: &'static [Known<Self>] = known::v3::KNOWN;

    fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
        ours == theirs
    }
}

impl Compared for V5 {
    const PEERS: &'static [Peer] = peers::V5_PEERS;
    const KNOWN: &'static [Known<Self>] = known::v5::KNOWN;

    /// The order of different properties has no meaning.
    fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
        let fields = |bytes: &[u8]| {
            decoded::<Self>(bytes)
                .map(|packet| Self::fields(&packet))
                .ok()
        };
        ours == theirs || fields(ours) == fields(theirs)
    }
}

pub fn differential(data: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(peers::keep_quiet_about_their_panics);
    let mut rest = data;
    while let Some(packet) = next_packet(&mut rest) {
        compare::<V3>(packet);
        compare::<V5>(packet);
    }
}

/// Returns the next whole packet, by its Remaining Length.
fn next_packet<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (remaining_length, header_len) = fixed_header(rest)?;
    let (packet, behind) = rest.split_at_checked(header_len + remaining_length)?;
    *rest = behind;
    Some(packet)
}

fn compare<V: Compared>(packet: &[u8]) {
    let ours = ours::<V>(packet);
    for peer in V::PEERS {
        let theirs = (peer.decode)(packet);
        let agree = match (&ours, &theirs) {
            (Disposition::Takes(ours), Disposition::Takes(theirs)) => V::is_same(ours, theirs),
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

fn decoded<V: Version>(packet: &[u8]) -> Result<V::Owned, DecodeError<V>> {
    let options = Options::new().max_packet_size(u32::MAX);
    let mut rest = packet;
    let decoded = V::decode(&mut rest, &options)?;
    let Some(decoded) = decoded else {
        panic!("a whole packet is not enough: {}", hex::encode(packet));
    };
    assert!(rest.is_empty(), "a whole packet");
    Ok(V::owned(decoded))
}

fn ours<V: Compared>(packet: &[u8]) -> Disposition<DecodeError<V>> {
    match decoded::<V>(packet) {
        Ok(packet) => Disposition::Takes(packet.encode_to_vec().expect("it was decoded")),
        Err(error) => Disposition::Refuses(error),
    }
}
