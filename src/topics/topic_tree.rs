//! Values by Topic Name, searched with a Topic Filter.

use core::iter::FusedIterator;

use super::trie::Trie;
use super::walk::TopicWalk;
use crate::types::{TopicFilter, TopicName};

/// A map from Topic Names to values, such as retained messages, which finds all whose topic matches
/// a Topic Filter (feature `alloc`).
///
/// ```
/// use mqtt_sansio::{TopicFilter, TopicName, TopicTree};
///
/// let mut retained = TopicTree::new();
/// retained.insert(&TopicName::new("kitchen/temperature")?, "21.5");
/// retained.insert(&TopicName::new("kitchen/humidity")?, "40");
/// retained.insert(&TopicName::new("cellar/temperature")?, "12.0");
///
/// // A client subscribes.
/// let filter = TopicFilter::new("+/temperature")?;
/// let values: Vec<_> = retained.matches(&filter).collect();
/// assert_eq!(values, [&"12.0", &"21.5"]);
///
/// // A retained message without a payload removes the one that was retained.
/// assert_eq!(retained.remove(&TopicName::new("cellar/temperature")?), Some("12.0"));
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
///
/// A search visits the topics that match the first levels of the filter, each at most once, and does
/// not allocate. Nothing is recursive, whatever the number of levels.
///
/// Memory is in proportion to the levels of all topics: each level takes 100 to 200 bytes on a
/// 64-bit machine, its characters and `T`, unless another topic has the same level at the same
/// place. The memory of removed levels is reused, and released when the tree is empty.
#[derive(Debug, Clone)]
pub struct TopicTree<T> {
    topics: Trie<T>,
}

impl<T> TopicTree<T> {
    /// Returns an empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            topics: Trie::new(),
        }
    }

    /// Returns the number of topics with a value.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.topics.len()
    }

    /// Returns true if no topic has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the value of `topic`, and returns the one that it replaces.
    pub fn insert<B: AsRef<[u8]>>(&mut self, topic: &TopicName<B>, value: T) -> Option<T> {
        self.topics.insert(topic.as_bytes(), value)
    }

    /// Returns the value of `topic`.
    #[must_use]
    pub fn get<B: AsRef<[u8]>>(&self, topic: &TopicName<B>) -> Option<&T> {
        self.topics.get(topic.as_bytes())
    }

    /// Returns the value of `topic`, mutable.
    #[must_use]
    pub fn get_mut<B: AsRef<[u8]>>(&mut self, topic: &TopicName<B>) -> Option<&mut T> {
        self.topics.get_mut(topic.as_bytes())
    }

    /// Removes `topic`, and returns its value.
    pub fn remove<B: AsRef<[u8]>>(&mut self, topic: &TopicName<B>) -> Option<T> {
        self.topics.remove(topic.as_bytes())
    }

    /// Removes the topics for whose value `keep` returns false, such as messages that have expired.
    pub fn retain(&mut self, keep: impl FnMut(&mut T) -> bool) {
        self.topics.retain(keep);
    }

    /// Removes all topics.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Returns the values of all topics that match `filter`, by the rules of
    /// [`TopicFilter::matches`](crate::TopicFilter::matches), in the order of the topics' levels.
    pub fn matches<'t, 'f, B: AsRef<[u8]>>(
        &'t self,
        filter: &'f TopicFilter<B>,
    ) -> TopicMatches<'t, 'f, T> {
        TopicMatches {
            walk: TopicWalk::new(&self.topics, filter.matched_part()),
        }
    }
}

impl<T> Default for TopicTree<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The values of the topics that match a filter: see [`TopicTree::matches`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct TopicMatches<'t, 'f, T> {
    walk: TopicWalk<'t, 'f, T>,
}

impl<'t, T> Iterator for TopicMatches<'t, '_, T> {
    type Item = &'t T;

    fn next(&mut self) -> Option<&'t T> {
        self.walk.next()
    }
}

impl<T> FusedIterator for TopicMatches<'_, '_, T> {}
