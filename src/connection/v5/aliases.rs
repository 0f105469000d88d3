//! Memory for Topic Aliases (section 3.3.2.3.4), in both directions. The caller owns it, and it lasts
//! as long as a connection [MQTT5-3.3.2-7].

use core::num::NonZeroU16;
use core::ops::Range;

use crate::decoder::Buffer;
use crate::fan_out::TopicForm;

/// Storage for the Topic Names of the Topic Aliases from 1 to a maximum.
pub trait TopicAliases {
    /// Stores the Topic Name of an alias, in place of an earlier one. Returns false if there is no
    /// room.
    fn set(&mut self, alias: NonZeroU16, topic: &[u8]) -> bool;

    /// Returns the Topic Name of an alias.
    fn get(&self, alias: NonZeroU16) -> Option<&[u8]>;

    /// Returns the largest alias that can be stored.
    fn maximum(&self) -> u16;
}

/// Storage for `N` Topic Names of at most `LEN` bytes each, without a heap. A peer that gives an alias to a
/// longer Topic Name exceeds [`Limit::TopicAliases`](crate::Limit::TopicAliases), which ends the
/// connection with Reason Code 0x97 (Quota exceeded), so choose `LEN` for the longest one.
#[derive(Debug, Clone, Copy)]
pub struct AliasArray<const N: usize, const LEN: usize> {
    /// The length of each name, and its bytes.
    names: [(u16, [u8; LEN]); N],
}

impl<const N: usize, const LEN: usize> AliasArray<N, LEN> {
    /// Creates an empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: [(0, [0; LEN]); N],
        }
    }
}

impl<const N: usize, const LEN: usize> Default for AliasArray<N, LEN> {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the position of the name of an alias.
fn index(alias: NonZeroU16) -> usize {
    usize::from(alias.get()).saturating_sub(1)
}

impl<const N: usize, const LEN: usize> TopicAliases for AliasArray<N, LEN> {
    fn set(&mut self, alias: NonZeroU16, topic: &[u8]) -> bool {
        let Some((len, bytes)) = self.names.get_mut(index(alias)) else {
            return false;
        };
        let (Some(room), Ok(topic_len)) =
            (bytes.get_mut(..topic.len()), u16::try_from(topic.len()))
        else {
            return false;
        };
        room.copy_from_slice(topic);
        *len = topic_len;
        true
    }

    fn get(&self, alias: NonZeroU16) -> Option<&[u8]> {
        let (len, bytes) = self.names.get(index(alias))?;
        bytes
            .get(..usize::from(*len))
            .filter(|topic| !topic.is_empty())
    }

    fn maximum(&self) -> u16 {
        u16::try_from(N).unwrap_or(u16::MAX)
    }
}

/// Storage for a number of Topic Names of any length, on the heap (feature `alloc`). It allocates
/// when an alias is first used.
#[cfg(feature = "alloc")]
#[derive(Debug, Clone)]
pub struct AliasVec {
    names: alloc::vec::Vec<alloc::boxed::Box<[u8]>>,
    maximum: u16,
}

#[cfg(feature = "alloc")]
impl AliasVec {
    /// Creates an empty storage for this many aliases.
    #[must_use]
    pub const fn new(maximum: u16) -> Self {
        Self {
            names: alloc::vec::Vec::new(),
            maximum,
        }
    }
}

#[cfg(feature = "alloc")]
impl TopicAliases for AliasVec {
    fn set(&mut self, alias: NonZeroU16, topic: &[u8]) -> bool {
        if alias.get() > self.maximum {
            return false;
        }
        let index = index(alias);
        if self.names.len() <= index {
            self.names
                .resize(index.saturating_add(1), alloc::boxed::Box::default());
        }
        if let Some(name) = self.names.get_mut(index) {
            if **name != *topic {
                *name = topic.into();
            }
        }
        true
    }

    fn get(&self, alias: NonZeroU16) -> Option<&[u8]> {
        self.names
            .get(index(alias))
            .map(|name| &**name)
            .filter(|topic| !topic.is_empty())
    }

    fn maximum(&self) -> u16 {
        self.maximum
    }
}

/// A decoder's buffer with storage for the Topic Aliases of the peer. Announce its
/// [`maximum`](TopicAliases::maximum) as Topic Alias Maximum; then every alias up to it is accepted
/// [MQTT5-3.3.2-10, MQTT5-3.3.2-12], and [`receive`](crate::Connection::receive) sets the Topic
/// Name of each message.
///
/// ```
/// use mqtt_sansio::v5::{AliasArray, Decoder, WithTopicAliases};
///
/// // 512 bytes for a packet, and 4 Topic Names of at most 64 bytes.
/// let decoder = Decoder::new(WithTopicAliases::new([0; 512], AliasArray::<4, 64>::new()));
/// # assert!(decoder.is_at_start());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WithTopicAliases<M, T> {
    buffer: M,
    aliases: T,
}

impl<M, T> WithTopicAliases<M, T> {
    /// Combines a buffer and storage for Topic Aliases.
    pub const fn new(buffer: M, aliases: T) -> Self {
        Self { buffer, aliases }
    }
}

impl<M: Buffer, T: TopicAliases> Buffer for WithTopicAliases<M, T> {
    const TAKES_PIECES: bool = M::TAKES_PIECES;

    fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    #[inline]
    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
        self.buffer.append(filled, bytes)
    }

    #[inline]
    fn filled(&self, filled: usize) -> &[u8] {
        self.buffer.filled(filled)
    }

    fn shrink(&mut self, filled: usize) {
        self.buffer.shrink(filled);
    }

    fn set_topic(&mut self, alias: NonZeroU16, topic: &[u8]) -> bool {
        self.aliases.set(alias, topic)
    }

    fn set_topic_from_buffer(
        &mut self,
        alias: NonZeroU16,
        filled: usize,
        place: Range<usize>,
    ) -> bool {
        let topic = self.buffer.filled(filled).get(place);
        topic.is_some_and(|topic| self.aliases.set(alias, topic))
    }

    fn topic(&self, alias: NonZeroU16) -> Option<&[u8]> {
        self.aliases.get(alias)
    }
}

/// Chooses Topic Aliases for published messages, for
/// [`publish_aliased`](crate::Connection::publish_aliased). It belongs to one connection, which uses
/// no other; on the next connection it begins anew.
///
/// The first Topic Names get an alias each, as many as the peer and the storage allow. Later ones
/// are sent by name.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutboundAliases<T> {
    names: T,
    used: u16,
}

impl<T: TopicAliases> OutboundAliases<T> {
    /// Creates an object without aliases in use.
    pub const fn new(names: T) -> Self {
        Self { names, used: 0 }
    }

    /// Removes the aliases, which do not outlive a connection [MQTT5-3.3.2-7].
    pub(super) const fn clear(&mut self) {
        self.used = 0;
    }

    /// Returns how to publish to this topic to a peer with this Topic Alias Maximum, 0 for none
    /// [MQTT5-3.1.2-27, MQTT5-3.2.2-18].
    pub(super) fn choose(&self, topic: &[u8], peer_maximum: u16) -> TopicForm {
        let known = (1..=self.used.min(peer_maximum))
            .filter_map(NonZeroU16::new)
            .find(|alias| self.names.get(*alias) == Some(topic));
        if let Some(alias) = known {
            return TopicForm::Alias(alias);
        }
        match NonZeroU16::new(self.used.saturating_add(1)) {
            Some(alias) if alias.get() <= self.names.maximum().min(peer_maximum) => {
                TopicForm::NameAndAlias(alias)
            }
            _ => TopicForm::Name,
        }
    }

    /// Records that a message was published in this form. Returns true if it has assigned an alias.
    pub(super) fn commit(&mut self, topic: &[u8], form: TopicForm) -> bool {
        let TopicForm::NameAndAlias(alias) = form else {
            return false;
        };
        let is_assigned = self.names.set(alias, topic);
        if is_assigned {
            self.used = alias.get();
        }
        is_assigned
    }
}
