//! The bytes of a PUBLISH that belong to one receiver.

use super::{EncodedMessage, Receiver, TopicForm};
use crate::packet::publish::{first_byte, has_packet_id, put_packet_id};
use crate::types::{Delivery, PacketId};
use crate::v5::SubscriptionIdentifiers;
use crate::wire::{
    EncodeError, MAX_REMAINING_LENGTH, Output, PacketSet, SliceOutput, put_header,
    put_variable_byte_integer,
};

/// Packet Identifier (2 bytes), Property Length (4), Message Expiry Interval (5), Topic Alias (3).
const MAX_FIELDS: usize = 14;
const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
const TOPIC_ALIAS: u8 = 0x23;

/// The part of a PUBLISH that belongs to one receiver. It belongs to one [`EncodedMessage`], whose
/// [`slices`](EncodedMessage::slices) put it together with the shared rest.
///
/// `B` is where the encoded Subscription Identifiers live, as in [`Receiver`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubscriberHeader<B> {
    fixed_header: [u8; 5],
    fixed_header_len: u8,
    /// What stands between the Topic Name and the Subscription Identifiers.
    fields: [u8; MAX_FIELDS],
    fields_len: u8,
    /// False if a Topic Alias stands for the Topic Name.
    pub(super) has_name: bool,
    pub(super) has_properties: bool,
    identifiers: SubscriptionIdentifiers<B>,
}

impl<B: AsRef<[u8]>> SubscriberHeader<B> {
    /// The header of a PUBLISH of the version `V`.
    #[inline]
    pub(super) fn new<V: PacketSet, T: AsRef<[u8]>, P: AsRef<[u8]>>(
        message: &EncodedMessage<T, P>,
        delivery: &Delivery,
        receiver: Receiver<B>,
        topic: TopicForm,
    ) -> Result<Self, EncodeError> {
        let mut header = Self {
            fixed_header: [0; 5],
            fixed_header_len: 0,
            fields: [0; MAX_FIELDS],
            fields_len: 0,
            has_name: topic.has_name(),
            has_properties: V::HAS_PROPERTIES,
            identifiers: receiver.subscription_identifiers,
        };
        let mut fields = SliceOutput::new(&mut header.fields);
        put_packet_id(delivery, &mut fields)?;
        if V::HAS_PROPERTIES {
            // [MQTT5-3.3.2-6]
            let expiry = message
                .message_expiry_interval()
                .map(|interval| interval.saturating_sub(receiver.waited));
            let own: usize = expiry.map_or(0, |_| 5);
            let alias: usize = topic.alias().map_or(0, |_| 3);
            let len = own
                .saturating_add(alias)
                .saturating_add(header.identifiers.as_bytes().len())
                .saturating_add(message.properties().as_bytes().len());
            put_variable_byte_integer(&mut fields, len)?; // [MQTT5-2.2.2-1]
            if let Some(expiry) = expiry {
                let [a, b, c, d] = expiry.to_be_bytes();
                fields.put(&[MESSAGE_EXPIRY_INTERVAL, a, b, c, d])?;
            }
            if let Some(alias) = topic.alias() {
                let [high, low] = alias.get().to_be_bytes();
                fields.put(&[TOPIC_ALIAS, high, low])?;
            }
        }
        header.fields_len = short_len(fields.written());
        let remaining = total_len(&message.slices(&header));
        let remaining = u32::try_from(remaining)
            .ok()
            .filter(|remaining| *remaining <= MAX_REMAINING_LENGTH)
            .ok_or(EncodeError::PacketTooLarge)?;
        let mut fixed_header = SliceOutput::new(&mut header.fixed_header);
        let first_byte = first_byte(delivery, receiver.retain);
        put_header(&mut fixed_header, first_byte, remaining)?;
        header.fixed_header_len = short_len(fixed_header.written());
        Ok(header)
    }

    pub(super) fn identifiers(&self) -> &[u8] {
        self.identifiers.as_bytes()
    }
}

impl<B> SubscriberHeader<B> {
    /// Returns the Packet Identifier, or `None` at QoS 0.
    #[must_use]
    pub fn packet_id(&self) -> Option<PacketId> {
        let [first_byte, ..] = self.fixed_header;
        let packet_id = self
            .fields
            .first_chunk()
            .filter(|_| has_packet_id(first_byte))?;
        PacketId::new(u16::from_be_bytes(*packet_id))
    }

    #[inline]
    pub(super) fn fixed_header(&self) -> &[u8] {
        part(&self.fixed_header, self.fixed_header_len)
    }

    #[inline]
    pub(super) fn fields(&self) -> &[u8] {
        part(&self.fields, self.fields_len)
    }
}

#[inline]
fn part(bytes: &[u8], len: u8) -> &[u8] {
    bytes.get(..usize::from(len)).unwrap_or_default()
}

/// The length of a slice that has no more than [`MAX_FIELDS`] bytes.
#[inline]
fn short_len(bytes: &[u8]) -> u8 {
    u8::try_from(bytes.len()).unwrap_or(u8::MAX)
}

/// The length of all slices together.
#[inline]
pub(super) fn total_len(slices: &[&[u8]]) -> usize {
    slices
        .iter()
        .fold(0, |len, slice| len.saturating_add(slice.len()))
}

impl<B: AsRef<[u8]>> core::fmt::Debug for SubscriberHeader<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SubscriberHeader")
            .field("packet_id", &self.packet_id())
            .field("subscription_identifiers", &self.identifiers)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>> defmt::Format for SubscriberHeader<B> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "SubscriberHeader {{ packet_id: {}, subscription_identifiers: {} }}",
            self.packet_id(),
            self.identifiers
        );
    }
}
