//! The session state that outlives a connection (section 4.1): the Packet Identifiers in flight, and
//! how far each delivery has got. The application keeps the messages.

mod acknowledgement;
mod inbound;
mod journal;
mod outbound;
#[cfg(feature = "alloc")]
mod outbox;
mod slots;
mod snapshot;

use crate::types::{PacketId, QoS};

pub use acknowledgement::Acknowledgement;
pub(crate) use inbound::{Inbound, Receipt};
pub use journal::Change;
pub(crate) use outbound::{Outbound, Phase};
#[cfg(feature = "alloc")]
pub use outbox::Outbox;
pub use slots::{Slot, Slots};
pub use snapshot::RestoreError;

/// The state of one MQTT session on one side: Packet Identifiers of messages that were sent and
/// not yet acknowledged to the end, and of QoS 2 messages that were received and not yet released
/// (section 4.1). It holds no messages, topics or subscriptions.
///
/// A [`Connection`](crate::Connection) is created with a session, and
/// [`take_session`](crate::Connection::take_session) returns it for the next connection.
/// [`save`](Self::save) and [`restore`](Self::restore) carry it over a restart.
///
/// `S` is where the identifiers live, eight bytes each: `[Slot; N]`, `&mut [Slot]`, or, with
/// feature `alloc`, `Vec<Slot>`, which allocates on first use and grows up to 65,535 slots.
/// There are two of them, one for each direction.
///
/// ```
/// use mqtt_sansio::{Session, Slot};
///
/// // At most four messages under way in each direction; no heap.
/// let session = Session::<[Slot; 4]>::default();
/// assert!(session.is_empty());
/// # #[cfg(feature = "alloc")]
/// let session = Session::<Vec<Slot>>::default();
/// ```
#[derive(Clone)]
pub struct Session<
    #[cfg(feature = "alloc")] S = alloc::vec::Vec<Slot>,
    #[cfg(not(feature = "alloc"))] S,
> {
    pub(crate) outbound: Outbound<S>,
    pub(crate) inbound: Inbound<S>,
}

impl<S: Slots> Session<S> {
    /// An empty session. `outbound` holds what this side sends: PUBLISH above QoS 0, SUBSCRIBE and
    /// UNSUBSCRIBE. `inbound` holds QoS 2 messages from the peer until it releases them, and, with
    /// manual acknowledgement, messages that the application has not acknowledged.
    pub fn new(outbound: S, inbound: S) -> Self {
        Self {
            outbound: Outbound::new(outbound),
            inbound: Inbound::new(inbound),
        }
    }

    /// True if nothing is under way in either direction.
    pub const fn is_empty(&self) -> bool {
        self.outbound.is_empty() && self.inbound.is_empty()
    }

    /// True if nothing is to be sent again and no message awaits an acknowledgement.
    #[inline]
    pub(crate) const fn is_quiet(&self) -> bool {
        self.outbound.unsent() == 0 && self.inbound.is_queue_empty()
    }

    /// Forgets everything, as Clean Session asks [MQTT-3.1.2-6].
    pub fn clear(&mut self) {
        self.outbound.clear();
        self.inbound.clear();
    }

    /// The messages that were sent and not yet acknowledged to the end, in the order in which they
    /// will be sent again: all for which PUBREL is, then those for which PUBLISH is, each in this order.
    pub fn outbound(&self) -> impl Iterator<Item = InFlight> + '_ {
        self.outbound.iter().filter_map(|(packet_id, phase)| {
            let stage = match phase {
                Phase::Publish(qos) => Stage::Sent(qos),
                Phase::Released => Stage::Released,
                Phase::Subscribe(_) | Phase::Unsubscribe(_) => return None,
            };
            Some(InFlight { packet_id, stage })
        })
    }

    /// The Packet Identifiers of QoS 2 messages that were received and not yet released.
    pub fn inbound(&self) -> impl Iterator<Item = PacketId> + '_ {
        self.inbound.kept().map(|(packet_id, _)| packet_id)
    }
}

/// Prints how many messages are in flight, not every Packet Identifier.
impl<S> core::fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session")
            .field("outbound", &self.outbound.messages())
            .field("inbound", &self.inbound.len())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<S> defmt::Format for Session<S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Session {{ outbound: {=u16}, inbound: {=u16} }}",
            self.outbound.messages(),
            self.inbound.len()
        );
    }
}

#[cfg(feature = "alloc")]
impl Default for Session<alloc::vec::Vec<Slot>> {
    fn default() -> Self {
        Self::new(alloc::vec::Vec::new(), alloc::vec::Vec::new())
    }
}

impl<const N: usize> Default for Session<[Slot; N]> {
    fn default() -> Self {
        Self::new([Slot::EMPTY; N], [Slot::EMPTY; N])
    }
}

/// A message that was sent and is not yet acknowledged to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct InFlight {
    /// Its Packet Identifier.
    pub packet_id: PacketId,
    /// How far it got.
    pub stage: Stage,
}

/// How far a message that was sent has got (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "section 4.3 knows no other stages")]
pub enum Stage {
    /// PUBLISH was sent; PUBACK or PUBREC is awaited. It may or may not have arrived.
    Sent(QoS),
    /// PUBREC has come: the peer has the message. PUBCOMP is awaited, and the message itself is
    /// not needed any more.
    Released,
}
