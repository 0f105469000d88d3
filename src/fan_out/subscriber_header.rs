//! The bytes of a PUBLISH that belong to one receiver.

use super::{EncodedMessage, Receiver, TopicForm};
use crate::packet::publish::{first_byte, has_packet_id, put_packet_id};
use crate::packet::storage;
use crate::types::{Delivery, PacketId};
use crate::v5::{MESSAGE_EXPIRY_INTERVAL, SubscriptionIdentifiers, TOPIC_ALIAS};
use crate::wire::{
    EncodeError, Output, PacketSet, SliceOutput, put_header, put_variable_byte_integer,
    remaining_length,
};

/// An empty Topic Name, which a Topic Alias replaces.
pub(super) const NO_NAME: &[u8] = &[0, 0];

/// Packet Identifier (2 bytes), Property Length (4), Message Expiry Interval (5), Topic Alias (3).
const MAX_FIELDS: usize = 14;

/// The bytes of a PUBLISH that belong to one receiver. They belong to one [`EncodedMessage`], whose
/// [`slices`](EncodedMessage::slices) combine them with the shared parts.
///
/// `B` is where the encoded Subscription Identifiers live, as in [`Receiver`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubscriberHeader<B> {
    fixed_header: [u8; 5],
    fixed_header_len: u8,
    /// The fields between the Topic Name and the Subscription Identifiers.
    fields: [u8; MAX_FIELDS],
    fields_len: u8,
    /// False if a Topic Alias replaces the Topic Name.
    pub(super) has_name: bool,
    pub(super) has_properties: bool,
    identifiers: SubscriptionIdentifiers<B>,
}

impl<B: AsRef<[u8]>> SubscriberHeader<B> {
    /// Returns the header of a PUBLISH of the version `V`, and the length of the PUBLISH.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn new<V: PacketSet, T: AsRef<[u8]>, P: AsRef<[u8]>>(
        message: &EncodedMessage<T, P>,
        delivery: &Delivery,
        receiver: Receiver<B>,
        form: TopicForm,
    ) -> Result<(Self, usize), EncodeError> {
        let identifiers = receiver.subscription_identifiers;
        let (topic, shared) = message.head();
        let topic_len = if form.has_name() {
            topic.len()
        } else {
            NO_NAME.len()
        };
        let mut len = topic_len.saturating_add(message.payload().as_ref().len());
        let mut fields = [0; MAX_FIELDS];
        let mut out = SliceOutput::new(&mut fields);
        put_packet_id(delivery, &mut out)?;
        if V::HAS_PROPERTIES {
            // [MQTT5-3.3.2-6]
            let expiry = message
                .message_expiry_interval()
                .map(|interval| interval.saturating_sub(receiver.waited));
            let others = identifiers.as_bytes().len().saturating_add(shared.len());
            let own: usize = if expiry.is_some() { 5 } else { 0 };
            let alias: usize = if form.alias().is_some() { 3 } else { 0 };
            let property_length = others.saturating_add(own).saturating_add(alias);
            put_variable_byte_integer(&mut out, property_length)?; // [MQTT5-2.2.2-1]
            if let Some(expiry) = expiry {
                let [a, b, c, d] = expiry.to_be_bytes();
                out.put(&[MESSAGE_EXPIRY_INTERVAL, a, b, c, d])?;
            }
            if let Some(alias) = form.alias() {
                let [high, low] = alias.get().to_be_bytes();
                out.put(&[TOPIC_ALIAS, high, low])?;
            }
            len = len.saturating_add(others);
        }
        let fields_len = out.written().len();
        let remaining = remaining_length(len.saturating_add(fields_len))?;
        let mut fixed_header = [0; 5];
        let mut out = SliceOutput::new(&mut fixed_header);
        put_header(&mut out, first_byte(delivery, receiver.retain), remaining)?;
        let fixed_header_len = out.written().len();
        let header = Self {
            fixed_header,
            fixed_header_len: short_len(fixed_header_len),
            fields,
            fields_len: short_len(fields_len),
            has_name: form.has_name(),
            has_properties: V::HAS_PROPERTIES,
            identifiers,
        };
        let packet_len = (remaining as usize).saturating_add(fixed_header_len);
        Ok((header, packet_len))
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

/// Converts a length of at most [`MAX_FIELDS`].
#[inline]
fn short_len(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

storage!(SubscriberHeader {
    fixed_header: value,
    fixed_header_len: value,
    fields: value,
    fields_len: value,
    has_name: value,
    has_properties: value,
    identifiers: part
});

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
