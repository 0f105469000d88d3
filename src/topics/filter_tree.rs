//! Values by Topic Filter, searched with a Topic Name.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, btree_map};
use core::iter::FusedIterator;

use super::trie::Trie;
use super::walk::FilterWalk;
use crate::types::{SharedFilter, Text, TopicFilter, TopicName};

/// A map from Topic Filters to values, such as the subscribers of each, which finds all whose filter
/// matches a Topic Name (feature `alloc`).
///
/// ```
/// use mqtt_sansio::{FilterTree, QoS, TopicFilter, TopicName};
///
/// // Which client has subscribed with which QoS.
/// let mut subscriptions: FilterTree<Vec<(&str, QoS)>> = FilterTree::new();
/// for (client, filter, qos) in [
///     ("display", "kitchen/#", QoS::AtMostOnce),
///     ("logger", "#", QoS::AtLeastOnce),
///     ("worker 1", "$share/workers/kitchen/+", QoS::AtLeastOnce),
///     ("worker 2", "$share/workers/kitchen/+", QoS::AtLeastOnce),
/// ] {
///     let filter = TopicFilter::new(filter)?;
///     subscriptions.get_or_insert_with(&filter, Vec::new).push((client, qos));
/// }
///
/// // A message is published.
/// let topic = TopicName::new("kitchen/temperature")?;
/// let mut receivers = Vec::new();
/// for found in subscriptions.matches(&topic) {
///     match found.share_name {
///         // One of those that share the subscription; a broker would take turns.
///         Some(_) => receivers.extend(found.value.first()),
///         None => receivers.extend(found.value),
///     }
/// }
/// let names: Vec<_> = receivers.iter().map(|(client, _)| *client).collect();
/// assert_eq!(names, ["logger", "display", "worker 1"]);
///
/// // A client unsubscribes.
/// assert!(subscriptions.remove(&TopicFilter::new("#")?).is_some());
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
///
/// Each Shared Subscription, `$share/{ShareName}/{filter}`, is a key of its own: the tree has one
/// value for a share name and a filter, and finds it with the topics that the filter matches.
///
/// A search visits the filters whose first levels match, each level at most once, and does not
/// allocate. Nothing is recursive, whatever the number of levels.
///
/// Memory is in proportion to the levels of all filters: each level takes 100 to 200 bytes on a
/// 64-bit machine, its characters and `T`, unless another filter has the same level at the same
/// place. The memory of removed levels is reused, and released when the tree is empty. A filter of
/// 65,535 bytes may have 65,536 levels: a broker should limit the levels that it accepts.
#[derive(Debug, Clone)]
pub struct FilterTree<T> {
    plain: Trie<T>,
    /// For each filter the values by share name, at least one.
    shared: Trie<BTreeMap<Box<[u8]>, T>>,
    shared_len: usize,
}

impl<T> FilterTree<T> {
    /// Returns an empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            plain: Trie::new(),
            shared: Trie::new(),
            shared_len: 0,
        }
    }

    /// Returns the number of filters with a value.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.plain.len().saturating_add(self.shared_len)
    }

    /// Returns true if no filter has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the value of `filter`, and returns the one that it replaces.
    pub fn insert<B: AsRef<[u8]>>(&mut self, filter: &TopicFilter<B>, value: T) -> Option<T> {
        let Some(SharedFilter {
            share_name,
            topic_filter,
        }) = filter.shared()
        else {
            return self.plain.insert(filter.as_bytes(), value);
        };
        let shares = self
            .shared
            .get_or_insert_with(topic_filter.as_bytes(), BTreeMap::new);
        let replaced = shares.insert(share_name.as_bytes().into(), value);
        if replaced.is_none() {
            self.shared_len = self.shared_len.saturating_add(1);
        }
        replaced
    }

    /// Returns the value of exactly this filter.
    #[must_use]
    pub fn get<B: AsRef<[u8]>>(&self, filter: &TopicFilter<B>) -> Option<&T> {
        match filter.shared() {
            None => self.plain.get(filter.as_bytes()),
            Some(shared) => {
                let shares = self.shared.get(shared.topic_filter.as_bytes())?;
                shares.get(shared.share_name.as_bytes())
            }
        }
    }

    /// Returns the value of exactly this filter, mutable.
    #[must_use]
    pub fn get_mut<B: AsRef<[u8]>>(&mut self, filter: &TopicFilter<B>) -> Option<&mut T> {
        match filter.shared() {
            None => self.plain.get_mut(filter.as_bytes()),
            Some(shared) => {
                let shares = self.shared.get_mut(shared.topic_filter.as_bytes())?;
                shares.get_mut(shared.share_name.as_bytes())
            }
        }
    }

    /// Returns the value of exactly this filter, mutable, after setting it if there is none.
    pub fn get_or_insert_with<B: AsRef<[u8]>>(
        &mut self,
        filter: &TopicFilter<B>,
        value: impl FnOnce() -> T,
    ) -> &mut T {
        let Some(shared) = filter.shared() else {
            return self.plain.get_or_insert_with(filter.as_bytes(), value);
        };
        let topic_filter = shared.topic_filter.as_bytes();
        let share_name = Box::<[u8]>::from(shared.share_name.as_bytes());
        let shares = self.shared.get_or_insert_with(topic_filter, BTreeMap::new);
        match shares.entry(share_name) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(entry) => {
                let value = entry.insert(value());
                self.shared_len = self.shared_len.saturating_add(1);
                value
            }
        }
    }

    /// Removes exactly this filter, and returns its value.
    pub fn remove<B: AsRef<[u8]>>(&mut self, filter: &TopicFilter<B>) -> Option<T> {
        let Some(shared) = filter.shared() else {
            return self.plain.remove(filter.as_bytes());
        };
        let topic_filter = shared.topic_filter.as_bytes();
        let shares = self.shared.get_mut(topic_filter)?;
        let removed = shares.remove(shared.share_name.as_bytes())?;
        self.shared_len = self.shared_len.saturating_sub(1);
        if shares.is_empty() {
            self.shared.remove(topic_filter);
        }
        Some(removed)
    }

    /// Removes the filters for whose value `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.plain.retain(&mut keep);
        let mut shared_len = 0_usize;
        self.shared.retain(|shares| {
            shares.retain(|_, value| keep(value));
            shared_len = shared_len.saturating_add(shares.len());
            !shares.is_empty()
        });
        self.shared_len = shared_len;
    }

    /// Removes all filters.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Returns the values of all filters that match `topic`, by the rules of
    /// [`TopicFilter::matches`](crate::TopicFilter::matches). Those of Shared Subscriptions come
    /// last.
    pub fn matches<'t, 'n, B: AsRef<[u8]>>(
        &'t self,
        topic: &'n TopicName<B>,
    ) -> FilterMatches<'t, 'n, T> {
        FilterMatches {
            plain: FilterWalk::new(&self.plain, topic.as_bytes()),
            shared: FilterWalk::new(&self.shared, topic.as_bytes()),
            shares: btree_map::Iter::default(),
        }
    }
}

impl<T> Default for FilterTree<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A filter that matches a topic: see [`FilterTree::matches`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterMatch<'t, T> {
    /// The share name, if the filter is that of a Shared Subscription.
    pub share_name: Option<Text<&'t [u8]>>,
    /// The value of the filter.
    pub value: &'t T,
}

impl<T> Clone for FilterMatch<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for FilterMatch<'_, T> {}

/// The filters that match a topic: see [`FilterTree::matches`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct FilterMatches<'t, 'n, T> {
    plain: FilterWalk<'t, 'n, T>,
    shared: FilterWalk<'t, 'n, BTreeMap<Box<[u8]>, T>>,
    /// The remaining Shared Subscriptions of the filter found last.
    shares: btree_map::Iter<'t, Box<[u8]>, T>,
}

impl<'t, T> Iterator for FilterMatches<'t, '_, T> {
    type Item = FilterMatch<'t, T>;

    fn next(&mut self) -> Option<FilterMatch<'t, T>> {
        if let Some(value) = self.plain.next() {
            return Some(FilterMatch {
                share_name: None,
                value,
            });
        }
        loop {
            if let Some((share_name, value)) = self.shares.next() {
                return Some(FilterMatch {
                    share_name: Some(Text::from_valid(share_name)),
                    value,
                });
            }
            self.shares = self.shared.next()?.iter();
        }
    }
}

impl<T> FusedIterator for FilterMatches<'_, '_, T> {}
