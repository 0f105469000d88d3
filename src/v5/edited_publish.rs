//! A PUBLISH whose properties change during encoding, without a buffer for them.

use core::num::NonZeroU16;

use super::{PublishProperties, TOPIC_ALIAS};
use crate::packet::publish::{first_byte, put_packet_id};
use crate::types::Delivery;
use crate::wire::{
    Counter, Encode, EncodeError, Field, Output, PacketBody, put_field, put_variable_byte_integer,
};

/// The Topic Alias of an [`EditedPublish`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum EditedAlias {
    /// That of its properties, if they have one.
    Kept,
    /// This one, or none, in its place.
    Replaced(Option<NonZeroU16>),
}

/// A PUBLISH with the properties of another one, perhaps except for its Topic Alias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EditedPublish<'a> {
    pub(crate) delivery: Delivery,
    pub(crate) retain: bool,
    /// Empty if the alias replaces it.
    pub(crate) topic: &'a [u8],
    pub(crate) properties: PublishProperties<&'a [u8]>,
    pub(crate) alias: EditedAlias,
    pub(crate) payload: &'a [u8],
    /// The number of bytes of payload that follow in pieces.
    pub(crate) payload_left: u32,
}

impl EditedPublish<'_> {
    fn write_properties<O: Output + ?Sized>(
        &self,
        alias: Option<NonZeroU16>,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        self.properties.write_without(&[TOPIC_ALIAS], out)?;
        let Some(alias) = alias else {
            return Ok(());
        };
        out.put(&[TOPIC_ALIAS])?;
        out.put(&alias.get().to_be_bytes())
    }
}

impl PacketBody for EditedPublish<'_> {
    fn first_byte(&self) -> u8 {
        first_byte(&self.delivery, self.retain)
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let has_alias = match self.alias {
            EditedAlias::Kept => self.properties.has(TOPIC_ALIAS),
            EditedAlias::Replaced(alias) => alias.is_some(),
        };
        let field = Field::TopicName;
        if self.topic.is_empty() && !has_alias {
            return Err(EncodeError::EmptyTopicName { field });
        }
        put_field(out, field, self.topic)?;
        put_packet_id(&self.delivery, out)?;
        let EditedAlias::Replaced(alias) = self.alias else {
            return self.properties.write(out);
        };
        let mut counter = Counter::default();
        self.write_properties(alias, &mut counter)?;
        put_variable_byte_integer(out, counter.get())?;
        self.write_properties(alias, out)
    }

    fn payload(&self) -> &[u8] {
        self.payload
    }

    fn external_len(&self) -> usize {
        self.payload_left as usize
    }
}

impl Encode for EditedPublish<'_> {}
