//! The Topic Aliases of received messages (MQTT 5, section 3.3.2.3.4).

use core::num::NonZeroU16;
use core::ops::Range;

use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::ProtocolError;
use super::limit::Limit;
use super::role::Role;
use super::version::Version;
use crate::decoder::{Buffer, Located, StreamDecoder};
use crate::session::Slots;

impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Learns the Topic Alias of a message, or checks that it is known. `topic` is the position of its
    /// Topic Name in the message: the name may lie in the buffer that learns it. Otherwise returns the
    /// reason to close the connection.
    pub(super) fn learn_alias<M: Buffer>(
        &self,
        decoder: &mut StreamDecoder<V, M>,
        located: &Located<'_>,
        alias: NonZeroU16,
        topic: Range<usize>,
    ) -> Result<(), CloseReason<V>> {
        self.check_alias(decoder.buffer(), alias, topic.is_empty())
            .map_err(|error| CloseReason::Violation(error.into()))?;
        let len = topic.len();
        if topic.is_empty() || decoder.learn_topic(located, alias, topic) {
            Ok(())
        } else {
            // The peer keeps to what was announced [MQTT5-3.3.2-10, MQTT5-3.3.2-12].
            Err(CloseReason::LimitExceeded {
                limit: Limit::TopicAliases,
                value: 0,
                actual: u32::try_from(len).unwrap_or(u32::MAX),
            })
        }
    }

    /// Checks whether the peer may use this Topic Alias, with a Topic Name to learn or without one.
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
