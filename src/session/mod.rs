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

/// The state of one MQTT session on one side (section 4.1): Packet Identifiers of sent messages
/// whose delivery is not complete, and of received QoS 2 messages that are not released. It holds
/// no messages, topics or subscriptions.
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
/// // At most four messages in flight in each direction; no heap.
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
    /// Creates an empty session. `outbound` holds the identifiers of this side: PUBLISH above QoS
    /// 0, SUBSCRIBE and UNSUBSCRIBE. `inbound` holds QoS 2 messages from the peer until it releases
    /// them and, with manual acknowledgement, messages that the application has not acknowledged.
    pub fn new(outbound: S, inbound: S) -> Self {
        Self {
            outbound: Outbound::new(outbound),
            inbound: Inbound::new(inbound),
        }
    }

    /// Returns true if nothing is in flight in either direction.
    pub const fn is_empty(&self) -> bool {
        self.outbound.is_empty() && self.inbound.is_empty()
    }

    /// Returns true if nothing has to be sent again and no message awaits an acknowledgement.
    #[inline]
    pub(crate) const fn is_quiet(&self) -> bool {
        self.outbound.unsent() == 0 && self.inbound.is_queue_empty()
    }

    /// Removes everything, as Clean Session requires [MQTT-3.1.2-6].
    pub fn clear(&mut self) {
        self.outbound.clear();
        self.inbound.clear();
    }

    /// Returns the sent messages whose delivery is not complete, in the order in which they are
    /// sent again: first those that need PUBREL, then those that need PUBLISH.
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

    /// Returns the Packet Identifiers of received QoS 2 messages that are not released.
    pub fn inbound(&self) -> impl Iterator<Item = PacketId> + '_ {
        self.inbound.kept().map(|(packet_id, _)| packet_id)
    }
}

/// Prints the number of messages in flight, not every Packet Identifier.
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

/// A sent message whose delivery is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct InFlight {
    /// Its Packet Identifier.
    pub packet_id: PacketId,
    /// The state of its delivery.
    pub stage: Stage,
}

/// The state of the delivery of a sent message (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "section 4.3 knows no other stages")]
pub enum Stage {
    /// PUBLISH was sent; PUBACK or PUBREC is awaited. The peer may or may not have the message.
    Sent(QoS),
    /// PUBREC was received: the peer has the message, so the application need not keep it. PUBCOMP
    /// is awaited.
    Released,
}
