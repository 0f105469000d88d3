//! The Topic Aliases of received messages (MQTT 5, section 3.3.2.3.4).

use core::num::NonZeroU16;

use super::connection::Connection;
use super::error::ProtocolError;
use super::role::Role;
use super::version::Version;
use crate::decoder::{Buffer, Located, Piece, StreamDecoder};
use crate::session::Slots;
use crate::wire::place_from;

impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Learns the Topic Alias of a message, or knows it already.
    pub(super) fn learn_alias<'a, M: Buffer>(
        &self,
        buffer: &mut M,
        piece: &Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
    ) -> Result<(), ProtocolError> {
        let Some((alias, topic)) = V::topic_alias(piece) else {
            return Ok(());
        };
        self.check_alias(buffer, alias, topic.is_empty())?;
        learned(topic.is_empty() || buffer.set_topic(alias, topic))
    }

    /// [`learn_alias`](Self::learn_alias) for a message in the decoder's buffer. The Topic Name cannot
    /// be borrowed from there while the buffer learns it, so it is passed as its place.
    pub(super) fn learn_alias_in_buffer<M: Buffer>(
        &self,
        decoder: &mut StreamDecoder<V, M>,
        located: &Located<'_>,
    ) -> Result<(), ProtocolError> {
        let buffered = decoder.buffered(located);
        let (start, filled) = (buffered.as_ptr() as usize, buffered.len());
        let alias = match decoder.read(located) {
            Ok(piece) => V::topic_alias(&piece),
            // It is found again when the packet is handled.
            Err(_) => None,
        };
        let Some((alias, place)) = alias.map(|(alias, topic)| (alias, place_from(start, topic)))
        else {
            return Ok(());
        };
        self.check_alias(decoder.buffer(), alias, place.is_empty())?;
        let buffer = decoder.buffer_mut();
        learned(place.is_empty() || buffer.set_topic_from_buffer(alias, filled, place))
    }

    /// Whether the peer may use this Topic Alias, with a Topic Name to learn or without one.
    fn check_alias<M: Buffer>(
        &self,
        buffer: &M,
        alias: NonZeroU16,
        is_without_topic: bool,
    ) -> Result<(), ProtocolError> {
        // [MQTT5-3.3.2-9, MQTT5-3.3.2-11]
        if alias.get() > V::topic_alias_maximum(&self.limits) {
            return Err(ProtocolError::TopicAliasInvalid);
        }
        if is_without_topic && buffer.topic(alias).is_none() {
            return Err(ProtocolError::TopicAliasUnknown);
        }
        Ok(())
    }
}

/// The buffer may have room for fewer Topic Aliases than were announced.
const fn learned(has_room: bool) -> Result<(), ProtocolError> {
    if has_room {
        Ok(())
    } else {
        Err(ProtocolError::TopicAliasInvalid)
    }
}
