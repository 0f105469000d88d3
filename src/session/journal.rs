//! The changes of a session, to store each one as it happens.

use super::{Receipt, Session, Slots};
use crate::types::{PacketId, QoS};

/// One change of a [`Session`] that must survive a crash (section 4.1). A connection with a journal
/// returns it before the packet that depends on it. [`Session::apply`] makes it again after a
/// restart.
///
/// The application stores the message together with the change: with [`Sent`](Self::Sent) the
/// published one, with [`InboundReceived`](Self::InboundReceived) the received one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that skipped a change it did not know would be wrong"
)]
pub enum Change {
    /// A message is about to be sent for the first time.
    Sent {
        /// Its Packet Identifier.
        packet_id: PacketId,
        /// Its QoS, 1 or 2.
        qos: QoS,
    },
    /// PUBREC was received for a message. The message is not needed any more; its identifier is
    /// still in use.
    Released(PacketId),
    /// The delivery of a sent message is complete, and its identifier is free.
    Completed(PacketId),
    /// A QoS 2 message was received, and the peer will not deliver it again.
    InboundReceived(PacketId),
    /// PUBREL was received for a received message: its identifier may be used again.
    Forgotten(PacketId),
    /// The session is not stored any more: it has ended, or ends with this connection. Delete what the
    /// journal has. Messages still in flight stay with the application until they are delivered or
    /// reported as [`Action::Lost`](crate::Action::Lost).
    ///
    /// A session that ends with this connection goes on until then, without another change. So the
    /// application keeps a received message itself, even if it has acknowledged the message before
    /// and [`InboundReceived`](Self::InboundReceived) has not followed.
    Cleared,
}

impl<S: Slots> Session<S> {
    /// Makes a stored change again. Applied in order to the session at the start of the journal,
    /// the changes rebuild the session.
    ///
    /// Returns false if there is no slot for it. This cannot happen with the same number of slots
    /// if every change was stored: poll all actions of a connection before taking its session. A
    /// change of an identifier that is not in flight has no effect.
    #[must_use = "a change that does not fit is not made"]
    pub fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::Sent { packet_id, qos } => {
                self.outbound.phase(packet_id).is_some() || self.outbound.begin_with(packet_id, qos)
            }
            Change::Released(packet_id) => {
                self.outbound.release(packet_id);
                true
            }
            Change::Completed(packet_id) => {
                self.outbound.complete(packet_id);
                true
            }
            Change::InboundReceived(packet_id) => {
                self.inbound.remove(packet_id);
                self.inbound.hold(packet_id, Receipt::Received, u16::MAX)
            }
            Change::Forgotten(packet_id) => {
                self.inbound.remove(packet_id);
                true
            }
            Change::Cleared => {
                self.clear();
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{InFlight, Slot, Stage};
    use std::vec::Vec;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[test]
    fn changes_in_order_rebuild_the_session() {
        let mut session = Session::<[Slot; 4]>::default();
        for change in [
            Change::Sent {
                packet_id: id(1),
                qos: QoS::AtLeastOnce,
            },
            Change::Sent {
                packet_id: id(2),
                qos: QoS::ExactlyOnce,
            },
            Change::InboundReceived(id(77)),
            Change::Sent {
                packet_id: id(3),
                qos: QoS::ExactlyOnce,
            },
            Change::Completed(id(1)),
            Change::Released(id(2)),
            Change::InboundReceived(id(78)),
            Change::Forgotten(id(77)),
        ] {
            assert!(session.apply(change), "{change:?}");
        }
        assert_eq!(
            session.outbound().collect::<Vec<_>>(),
            [
                InFlight {
                    packet_id: id(3),
                    stage: Stage::Sent(QoS::ExactlyOnce)
                },
                InFlight {
                    packet_id: id(2),
                    stage: Stage::Released
                },
            ]
        );
        assert_eq!(session.inbound().collect::<Vec<_>>(), [id(78)]);
        assert!(session.apply(Change::Cleared));
        assert!(session.is_empty());
    }

    #[test]
    fn a_journal_that_begins_anywhere_is_followed() {
        let mut session = Session::<[Slot; 4]>::default();
        for number in [700, 5, 65_535] {
            let packet_id = id(number);
            assert!(session.apply(Change::Sent {
                packet_id,
                qos: QoS::AtLeastOnce
            }));
        }
        let order: Vec<u16> = session.outbound().map(|m| m.packet_id.get()).collect();
        assert_eq!(order, [700, 5, 65_535]);
    }

    #[test]
    fn a_change_that_does_not_fit_is_not_made() {
        let mut session = Session::<[Slot; 2]>::default();
        assert!(session.apply(Change::Sent {
            packet_id: id(1),
            qos: QoS::AtLeastOnce
        }));
        assert!(!session.apply(Change::Sent {
            packet_id: id(3),
            qos: QoS::AtLeastOnce
        }));
        assert_eq!(session.outbound().count(), 1);
    }

    #[test]
    fn a_change_that_does_not_fit_leaves_the_next_identifier_as_it_was() {
        let mut session = Session::<[Slot; 2]>::default();
        let sent = |number| Change::Sent {
            packet_id: id(number),
            qos: QoS::AtLeastOnce,
        };
        assert!(session.apply(sent(1)));
        assert!(!session.apply(sent(3)));
        assert_eq!(session.outbound.next_id(), Some(id(2)));
    }

    #[test]
    fn a_change_of_an_identifier_that_is_not_under_way_does_nothing() {
        let mut session = Session::<[Slot; 4]>::default();
        let sent = |packet_id| Change::Sent {
            packet_id,
            qos: QoS::ExactlyOnce,
        };
        // As in a journal whose beginning was cut off.
        for change in [
            sent(id(1)),
            Change::Released(id(5)),
            Change::Completed(id(6)),
            Change::Forgotten(id(7)),
            Change::Released(id(1)),
            Change::Released(id(1)),
            sent(id(2)),
        ] {
            assert!(session.apply(change), "{change:?}");
        }
        let order: Vec<u16> = session.outbound().map(|m| m.packet_id.get()).collect();
        assert_eq!(order, [1, 2]);
        assert_eq!(session.inbound().count(), 0);
    }
}
