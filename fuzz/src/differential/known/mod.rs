//! Known differences to the other decoders, and the rule by which this one is right. Each row has a
//! packet that shows it, and `cargo test` in this directory checks each row.

pub(super) mod v3;
pub(super) mod v5;

use mqtt_sansio::{DecodeError, ErrorKind};

use super::peers::Fault;
use super::{Compared, Disposition, decoded};
use crate::common::Version;

/// How a peer differs.
enum How<V: Version> {
    /// It accepts packets that are refused here with this error.
    Takes(ErrorKind),
    /// It refuses packets that are accepted here, if this is true of them.
    Refuses(fn(&V::Owned) -> bool),
    /// It accepts them, and encodes another packet.
    Rewrites(fn(&V::Owned) -> bool),
}

pub(super) struct Known<V: Version> {
    peer: &'static str,
    how: How<V>,
    /// The normative statement, or the section if it has no number.
    decided_by: &'static str,
    /// A packet that shows it, in hexadecimal.
    example: &'static str,
}

const fn known<V: Version>(
    peer: &'static str,
    how: How<V>,
    decided_by: &'static str,
    example: &'static str,
) -> Known<V> {
    Known {
        peer,
        how,
        decided_by,
        example,
    }
}

const PROTO: &str = "mqtt-proto";
const KIT: &str = "mqtt-codec-kit";

impl<V: Compared> Known<V> {
    fn explains(
        &self,
        packet: &[u8],
        ours: &Disposition<DecodeError<V>>,
        theirs: &Disposition<Fault>,
    ) -> bool {
        let holds = |condition: fn(&V::Owned) -> bool| {
            decoded::<V>(packet).is_ok_and(|packet| condition(&packet))
        };
        match (&self.how, ours, theirs) {
            (How::Takes(kind), Disposition::Refuses(error), Disposition::Takes(_)) => {
                error.kind() == *kind
                    && error.statement().and_then(number) == number(self.decided_by)
            }
            (How::Refuses(condition), Disposition::Takes(_), Disposition::Refuses(_))
            | (How::Rewrites(condition), Disposition::Takes(_), Disposition::Takes(_)) => {
                holds(*condition)
            }
            _ => false,
        }
    }
}

/// Returns the number of a normative statement. MQTT 3.1.1 and MQTT 5 use the same numbers, so there is a
/// table for each version.
fn number(statement: &str) -> Option<&str> {
    let of_v5 = statement.strip_prefix("MQTT5-");
    of_v5.or_else(|| statement.strip_prefix("MQTT-"))
}

pub(super) fn is_known<V: Compared>(
    peer: &str,
    packet: &[u8],
    ours: &Disposition<DecodeError<V>>,
    theirs: &Disposition<Fault>,
) -> bool {
    let mut rows = V::KNOWN.iter().filter(|row| row.peer == peer);
    rows.any(|row| row.explains(packet, ours, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::ours;
    use mqtt_sansio::v3::V3;
    use mqtt_sansio::v5::V5;

    fn every_row_shows_in_its_example<V: Compared>() {
        for row in V::KNOWN {
            let packet = hex::decode(row.example).expect("hexadecimal digits");
            let peer = V::PEERS.iter().find(|peer| peer.name == row.peer);
            let theirs = (peer.expect("a peer").decode)(&packet);
            let ours = ours::<V>(&packet);
            assert_ne!(
                format!("{ours:?}"),
                format!("{theirs:?}"),
                "{}",
                row.example
            );
            assert!(
                row.explains(&packet, &ours, &theirs),
                "{} {} {}: {ours:?}, {theirs:?}",
                row.peer,
                row.decided_by,
                row.example
            );
        }
    }

    #[test]
    fn every_known_difference_shows_in_its_example() {
        every_row_shows_in_its_example::<V3>();
        every_row_shows_in_its_example::<V5>();
    }

    #[test]
    fn a_difference_that_is_not_listed_is_not_known() {
        let packet = b"\xc0\x00";
        let theirs = Disposition::Refuses(Box::new("for no reason") as Fault);
        assert!(!is_known(PROTO, packet, &ours::<V3>(packet), &theirs));
        assert!(!is_known(PROTO, packet, &ours::<V5>(packet), &theirs));
    }
}
