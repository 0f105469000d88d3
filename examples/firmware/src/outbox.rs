//! The messages that the firmware has to deliver. A session keeps identifiers; the outbox keeps the
//! messages until the peer has them.

use mqtt_sansio::{PacketId, QoS};

const ENTRIES: usize = 8;

/// The kind of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    State,
    Reading,
    Answer,
}

#[derive(Clone, Copy)]
pub struct Stored {
    topic: Topic,
    qos: QoS,
    payload: [u8; 24],
    len: u8,
}

impl Stored {
    /// Returns `None` if the payload exceeds the buffer.
    pub fn new(topic: Topic, qos: QoS, payload: &[u8]) -> Option<Self> {
        let mut bytes = [0; 24];
        bytes.get_mut(..payload.len())?.copy_from_slice(payload);
        Some(Self {
            topic,
            qos,
            payload: bytes,
            len: payload.len() as u8,
        })
    }

    pub const fn topic(&self) -> &'static str {
        match self.topic {
            Topic::State => "device/state",
            Topic::Reading => "device/reading",
            Topic::Answer => "device/answer",
        }
    }

    pub fn payload(&self) -> &[u8] {
        self.payload
            .get(..usize::from(self.len))
            .unwrap_or_default()
    }

    pub fn is_retained(&self) -> bool {
        self.topic == Topic::State
    }

    pub const fn qos(&self) -> QoS {
        self.qos
    }
}

struct Entry {
    /// None while the message waits to be published.
    packet_id: Option<PacketId>,
    stored: Stored,
    /// The smallest number is the oldest message.
    number: u32,
}

/// Messages that wait to be published, and published ones that are not delivered yet.
pub struct Outbox {
    entries: [Option<Entry>; ENTRIES],
    next_number: u32,
}

impl Outbox {
    pub const fn new() -> Self {
        Self {
            entries: [const { None }; ENTRIES],
            next_number: 0,
        }
    }

    pub fn free(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_none()).count()
    }

    /// Returns false if there is no room.
    pub fn add(&mut self, stored: Stored) -> bool {
        let Some(place) = self.entries.iter_mut().find(|entry| entry.is_none()) else {
            return false;
        };
        *place = Some(Entry {
            packet_id: None,
            stored,
            number: self.next_number,
        });
        self.next_number = self.next_number.wrapping_add(1);
        true
    }

    /// Returns the oldest message that has not been published.
    pub fn waiting(&self) -> Option<(u32, Stored)> {
        let waiting = self.entries.iter().flatten();
        let waiting = waiting.filter(|entry| entry.packet_id.is_none());
        let oldest = waiting.min_by_key(|entry| entry.number)?;
        Some((oldest.number, oldest.stored))
    }

    /// Records that the message was published under this identifier.
    pub fn published(&mut self, number: u32, packet_id: PacketId) {
        let mut entries = self.entries.iter_mut().flatten();
        if let Some(entry) = entries.find(|entry| entry.number == number) {
            entry.packet_id = Some(packet_id);
        }
    }

    /// Returns the message that was published under this identifier.
    pub fn get(&self, packet_id: PacketId) -> Option<Stored> {
        let mut entries = self.entries.iter().flatten();
        let entry = entries.find(|entry| entry.packet_id == Some(packet_id))?;
        Some(entry.stored)
    }

    /// Removes a message that the peer has.
    pub fn remove(&mut self, packet_id: PacketId) {
        for place in &mut self.entries {
            if place
                .as_ref()
                .is_some_and(|entry| entry.packet_id == Some(packet_id))
            {
                *place = None;
            }
        }
    }

    /// The session was lost: the message has to be published again.
    pub fn wait_again(&mut self, packet_id: PacketId) {
        let mut entries = self.entries.iter_mut().flatten();
        if let Some(entry) = entries.find(|entry| entry.packet_id == Some(packet_id)) {
            entry.packet_id = None;
        }
    }
}
