//! Packet Identifiers of messages from the peer whose delivery is not complete.
//!
//! Acknowledgements are sent in the order in which the messages were received
//! [MQTT-4.6.0-2, MQTT-4.6.0-3, MQTT5-4.6.0-2, MQTT5-4.6.0-3], so the messages that await one form a
//! queue.

mod table;

use self::table::Table;
use super::acknowledgement::Acknowledgement;
use super::slots::{Slot, Slots};
use crate::types::{PacketId, QoS};

/// The state of a message from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Receipt {
    /// Delivered to the application, which has not acknowledged it.
    Delivered(QoS),
    /// Acknowledged by the application; PUBACK or PUBREC has not been sent.
    Acknowledged(QoS),
    /// QoS 2: PUBREC was sent; PUBREL is awaited.
    Received,
}

impl Receipt {
    /// The QoS of the message.
    pub(crate) const fn qos(self) -> QoS {
        match self {
            Self::Delivered(qos) | Self::Acknowledged(qos) => qos,
            Self::Received => QoS::ExactlyOnce,
        }
    }
}

// `Slot::state`: one or more of these; 0 in a free slot.
const QOS_1: u16 = 1;
const QOS_2: u16 = 2;
const ACKNOWLEDGED: u16 = 4;
const RECEIVED: u16 = 8;
/// In the queue of messages that await an acknowledgement on this connection.
const QUEUED: u16 = 16;
/// From an earlier connection, and not sent again on this one. A client that lost its session starts
/// again at identifier 1: closing because 1 is still held would lock that client out.
const STALE: u16 = 32;
/// Delivered on an earlier connection.
const EARLIER: u16 = 64;
/// The upper byte holds the number of the delivery until it is acknowledged, then the Reason Code;
/// from 0x80 on it refuses the message.
const UPPER_SHIFT: u32 = 8;
const LOWER: u16 = 0xff;
const REFUSED: u16 = 1 << 15;

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Inbound<S> {
    /// The identifiers held. Those of messages that await an acknowledgement on this connection are in
    /// its queue.
    table: Table<S>,
    /// The number of [`STALE`] identifiers.
    stale: u16,
    /// Counts the connections of the session.
    generation: u16,
    /// The number of the last delivery that is to be acknowledged.
    serial: u8,
}

impl<S> Inbound<S> {
    /// Returns the number of identifiers held.
    pub(crate) const fn len(&self) -> u16 {
        self.table.len()
    }

    /// Returns the number of those that the peer has sent on this connection.
    pub(crate) const fn current(&self) -> u16 {
        self.len().saturating_sub(self.stale)
    }

    /// Counts an entry in this state as one of this connection, or as removed.
    const fn count_as_current(&mut self, state: u16) {
        if state & STALE != 0 {
            self.stale = self.stale.saturating_sub(1);
        }
    }
}

impl<S: Slots> Inbound<S> {
    pub(crate) fn new(slots: S) -> Self {
        Self {
            table: Table::new(slots),
            stale: 0,
            generation: 1,
            serial: 0,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if no message awaits an acknowledgement from the application or from this side.
    #[inline]
    pub(crate) const fn is_queue_empty(&self) -> bool {
        self.table.first() == 0
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.stale = 0;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Returns the state of `id`.
    pub(crate) fn receipt(&self, id: PacketId) -> Option<Receipt> {
        self.table.get(id.get()).map(|slot| receipt(&slot))
    }

    /// Returns true if `id` is from an earlier connection and the peer has not sent it again.
    pub(crate) fn is_stale(&self, id: PacketId) -> bool {
        self.table
            .get(id.get())
            .is_some_and(|slot| slot.state & STALE != 0)
    }

    /// Returns true if no slot is free and no more can be added.
    pub(crate) fn is_full(&self, limit: u16) -> bool {
        self.table.is_full(limit)
    }

    /// Returns the largest number of identifiers that can be held.
    pub(crate) fn limit(&self, limit: u16) -> u16 {
        self.table.limit(limit)
    }

    /// Returns true if another identifier can be held.
    pub(crate) fn has_room(&mut self, limit: u16) -> bool {
        self.table.has_room(limit)
    }

    /// Adds an identifier, or changes the state of one that is held and not in the queue. Returns
    /// false if there is no free slot for a new one, or `limit` identifiers are held.
    pub(crate) fn hold(&mut self, id: PacketId, receipt: Receipt, limit: u16) -> bool {
        let state = match receipt {
            Receipt::Delivered(qos) => {
                self.serial = next_serial(self.serial);
                state_of(qos) | u16::from(self.serial) << UPPER_SHIFT
            }
            Receipt::Acknowledged(qos) => state_of(qos) | ACKNOWLEDGED,
            Receipt::Received => QOS_2 | RECEIVED,
        };
        if let Some(slot) = self.table.get_mut(id.get()) {
            let before = core::mem::replace(&mut slot.state, state);
            self.count_as_current(before);
            return true;
        }
        if !self.has_room(limit) {
            return false;
        }
        self.table.insert(Slot {
            id: id.get(),
            state,
            ..Slot::EMPTY
        });
        true
    }

    /// Removes `id`: PUBREL was received, or PUBACK was sent. It must not be in the queue.
    pub(crate) fn remove(&mut self, id: PacketId) {
        self.forget(id.get());
    }

    fn forget(&mut self, id: u16) {
        if let Some(gone) = self.table.remove(id) {
            self.count_as_current(gone.state);
        }
    }

    /// Records that the peer has sent `id` again on this connection.
    pub(crate) fn mark_current(&mut self, id: PacketId) {
        if let Some(slot) = self.table.get_mut(id.get()) {
            let before = slot.state;
            slot.state &= !STALE;
            self.count_as_current(before);
        }
    }

    /// Appends `id` to the queue for acknowledgements, unless it is there.
    pub(crate) fn enqueue(&mut self, id: PacketId) {
        let Some(slot) = self.table.get_mut(id.get()) else {
            return;
        };
        if slot.state & QUEUED != 0 {
            return;
        }
        let before = slot.state;
        slot.state = (before | QUEUED) & !STALE;
        self.count_as_current(before);
        self.table.push(id.get());
    }

    /// Returns the acknowledgement of the delivery of `id`, if that awaits one.
    pub(crate) fn acknowledgement(&self, id: PacketId) -> Option<Acknowledgement> {
        let slot = self.table.get(id.get())?;
        if slot.state & (ACKNOWLEDGED | RECEIVED) != 0 {
            return None;
        }
        let [serial, _] = slot.state.to_be_bytes();
        let is_earlier = slot.state & EARLIER != 0;
        Some(Acknowledgement {
            packet_id: id,
            generation: self.generation.wrapping_sub(u16::from(is_earlier)),
            serial,
        })
    }

    /// Returns the acknowledgement of a message that takes no slot.
    pub(crate) const fn acknowledgement_of_unheld(&self, id: PacketId) -> Acknowledgement {
        Acknowledgement {
            packet_id: id,
            generation: self.generation,
            serial: 0,
        }
    }

    /// Records that the application has acknowledged a delivery, with a Reason Code. Returns false
    /// if the delivery does not await it.
    pub(crate) fn acknowledge(&mut self, acknowledgement: Acknowledgement, reason: u8) -> bool {
        let Acknowledgement {
            packet_id,
            generation,
            serial,
        } = acknowledgement;
        let is_earlier = generation != self.generation;
        let Some(slot) = self.table.get_mut(packet_id.get()) else {
            return false;
        };
        let [held_serial, _] = slot.state.to_be_bytes();
        if slot.state & (ACKNOWLEDGED | RECEIVED) != 0
            || held_serial != serial
            || (slot.state & EARLIER != 0) != is_earlier
        {
            return false;
        }
        slot.state = (slot.state & LOWER) | ACKNOWLEDGED | u16::from(reason) << UPPER_SHIFT;
        true
    }

    /// Returns the message at the head of the queue, if the application has acknowledged it: PUBACK
    /// or PUBREC is due, with this Reason Code.
    pub(crate) fn due(&self) -> Option<(PacketId, QoS, u8)> {
        let id = PacketId::new(self.table.first())?;
        let slot = self.table.get(id.get())?;
        match receipt(&slot) {
            Receipt::Acknowledged(qos) => {
                let [reason, _] = slot.state.to_be_bytes();
                Some((id, qos, reason))
            }
            Receipt::Delivered(_) | Receipt::Received => None,
        }
    }

    /// Returns true if the application has refused the message with this identifier.
    pub(crate) fn is_refused(&self, id: PacketId) -> bool {
        const REFUSAL: u16 = ACKNOWLEDGED | REFUSED;
        self.table
            .get(id.get())
            .is_some_and(|slot| slot.state & REFUSAL == REFUSAL)
    }

    /// Records that the acknowledgement from [`due`](Self::due) was sent.
    pub(crate) fn acknowledged(&mut self) {
        let Some(slot) = self.table.pop() else {
            return;
        };
        // A refused QoS 2 message has no PUBREL [MQTT5-4.3.3-9].
        if slot.state & QOS_2 == 0 || slot.state & REFUSED != 0 {
            let id = slot.id;
            self.forget(id);
        } else {
            slot.state = QOS_2 | RECEIVED;
        }
    }

    /// Records that the connection has ended. QoS 1 messages are removed, because the peer sends
    /// them again. QoS 2 messages are kept, so that they are not delivered twice, and enter the
    /// queue when the peer sends them again.
    pub(crate) fn end_connection(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        while let Some(slot) = self.table.pop() {
            slot.state &= !QUEUED;
            if slot.state & QOS_2 == 0 {
                let id = slot.id;
                self.forget(id);
            }
        }
        if self.is_empty() {
            return;
        }
        for slot in self.table.iter_mut() {
            slot.state |= STALE | EARLIER;
        }
        self.stale = self.len();
    }

    /// Returns the QoS 2 identifiers, which belong to the session.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (PacketId, Receipt)> + '_ {
        self.table
            .iter()
            .filter(|slot| slot.state & QOS_2 != 0)
            .filter_map(|slot| Some((PacketId::new(slot.id)?, receipt(slot))))
    }
}

/// Never 0, which stands for no delivery. The period is no power of two, as windows often are.
const fn next_serial(serial: u8) -> u8 {
    if serial >= 251 {
        1
    } else {
        serial.saturating_add(1)
    }
}

const fn state_of(qos: QoS) -> u16 {
    match qos {
        QoS::ExactlyOnce => QOS_2,
        QoS::AtLeastOnce | QoS::AtMostOnce => QOS_1,
    }
}

const fn receipt(slot: &Slot) -> Receipt {
    let qos = if slot.state & QOS_2 != 0 {
        QoS::ExactlyOnce
    } else {
        QoS::AtLeastOnce
    };
    if slot.state & RECEIVED != 0 {
        Receipt::Received
    } else if slot.state & ACKNOWLEDGED != 0 {
        Receipt::Acknowledged(qos)
    } else {
        Receipt::Delivered(qos)
    }
}

#[cfg(test)]
mod tests;
