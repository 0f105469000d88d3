//! A map from topics to values, in which topics share their common levels.
//!
//! The nodes are in one `Vec` and refer to each other by number, so that nothing here is recursive,
//! not even `drop`: a topic may have 65,536 levels.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::ops::Bound;

/// The number of a node: [`ROOT`], or one more than its index in `nodes`.
pub(super) type Id = usize;
/// A node other than the root.
type Link = NonZeroUsize;

pub(super) const ROOT: Id = 0;

/// A map from keys of `/`-separated levels to values.
#[derive(Debug, Clone)]
pub(super) struct Trie<V> {
    root: Node<V>,
    nodes: Vec<Node<V>>,
    /// The first unused node; its `parent` is the next one, or [`ROOT`].
    free: Id,
    len: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Node<V> {
    pub(super) parent: Id,
    /// `None` is the empty level, which needs no allocation.
    level: Option<Box<[u8]>>,
    children: Children,
    /// The next child of the same parent without a wildcard, in the order of bytes.
    pub(super) next: Option<Link>,
    /// The child `+`.
    pub(super) single: Option<Link>,
    /// The child `#`.
    pub(super) multi: Option<Link>,
    pub(super) value: Option<V>,
}

/// The children without wildcards. Most nodes have at most one, which needs no allocation.
#[derive(Debug, Clone)]
enum Children {
    None,
    One(Link),
    Many(BTreeMap<Box<[u8]>, Link>),
}

impl<V> Node<V> {
    const fn new(parent: Id, level: Option<Box<[u8]>>) -> Self {
        Self {
            parent,
            level,
            children: Children::None,
            next: None,
            single: None,
            multi: None,
            value: None,
        }
    }

    pub(super) fn level(&self) -> &[u8] {
        self.level.as_deref().unwrap_or_default()
    }

    const fn is_unused(&self) -> bool {
        self.value.is_none()
            && self.single.is_none()
            && self.multi.is_none()
            && matches!(self.children, Children::None)
    }
}

impl<V> Trie<V> {
    pub(super) const fn new() -> Self {
        Self {
            root: Node::new(ROOT, None),
            nodes: Vec::new(),
            free: ROOT,
            len: 0,
        }
    }

    /// Returns how many keys have a value.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn node(&self, id: Id) -> &Node<V> {
        self.nodes.get(id.wrapping_sub(1)).unwrap_or(&self.root)
    }

    fn node_mut(&mut self, id: Id) -> &mut Node<V> {
        match self.nodes.get_mut(id.wrapping_sub(1)) {
            Some(node) => node,
            None => &mut self.root,
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        self.node(self.find(key)?).value.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let id = self.find(key)?;
        self.node_mut(id).value.as_mut()
    }

    pub(super) fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        let id = self.find_or_add(key);
        let replaced = self.node_mut(id).value.replace(value);
        if replaced.is_none() {
            self.len = self.len.saturating_add(1);
        }
        replaced
    }

    pub(super) fn get_or_insert_with(&mut self, key: &[u8], value: impl FnOnce() -> V) -> &mut V {
        let id = self.find_or_add(key);
        let node = match self.nodes.get_mut(id.wrapping_sub(1)) {
            Some(node) => node,
            None => &mut self.root,
        };
        node.value.get_or_insert_with(|| {
            let value = value();
            self.len = self.len.saturating_add(1);
            value
        })
    }

    /// Removes the value, and the nodes that are needed for no other. An empty trie holds no
    /// memory.
    pub(super) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let id = self.find(key)?;
        let removed = self.node_mut(id).value.take()?;
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            *self = Self::new();
        } else {
            self.prune(id);
        }
        Some(removed)
    }

    /// Removes the values for which `keep` returns false.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut V) -> bool) {
        for place in 0..self.nodes.len() {
            let Some(node) = self.nodes.get_mut(place) else {
                break;
            };
            if node.value.as_mut().is_some_and(|value| !keep(value)) {
                node.value = None;
                self.len = self.len.saturating_sub(1);
                self.prune(place.saturating_add(1));
            }
        }
        if self.len == 0 {
            *self = Self::new();
        }
    }

    fn find(&self, key: &[u8]) -> Option<Id> {
        levels(key).try_fold(ROOT, |id, level| self.child(id, level))
    }

    /// Returns the child with exactly this level, a wildcard or not.
    fn child(&self, id: Id, level: &[u8]) -> Option<Id> {
        match level {
            b"+" => self.node(id).single.map(Link::get),
            b"#" => self.node(id).multi.map(Link::get),
            _ => self.literal_child(id, level),
        }
    }

    /// Returns the child with this level, which is no wildcard.
    pub(super) fn literal_child(&self, id: Id, level: &[u8]) -> Option<Id> {
        match &self.node(id).children {
            Children::None => None,
            Children::One(child) => {
                Some(child.get()).filter(|child| self.node(*child).level() == level)
            }
            Children::Many(children) => children.get(level).map(|child| child.get()),
        }
    }

    /// Returns the first child with this level or a greater one, which is no wildcard.
    pub(super) fn child_from(&self, id: Id, from: &[u8]) -> Option<Id> {
        let child = match &self.node(id).children {
            Children::None => return None,
            Children::One(child) => {
                Some(child).filter(|child| self.node(child.get()).level() >= from)
            }
            Children::Many(children) if from.is_empty() => children.values().next(),
            Children::Many(children) => {
                let range = (Bound::Included(from), Bound::Unbounded);
                children
                    .range::<[u8], _>(range)
                    .map(|(_, child)| child)
                    .next()
            }
        };
        child.map(|child| child.get())
    }

    /// Returns the last child with a smaller level, which is no wildcard.
    fn child_before(&self, id: Id, level: &[u8]) -> Option<Id> {
        let child = match &self.node(id).children {
            Children::None => None,
            Children::One(child) => {
                Some(child).filter(|child| self.node(child.get()).level() < level)
            }
            Children::Many(children) => {
                let range = (Bound::Unbounded, Bound::Excluded(level));
                children
                    .range::<[u8], _>(range)
                    .map(|(_, child)| child)
                    .next_back()
            }
        };
        child.map(|child| child.get())
    }

    fn find_or_add(&mut self, key: &[u8]) -> Id {
        let mut id = ROOT;
        for level in levels(key) {
            id = match self.child(id, level) {
                Some(child) => child,
                None => self.add_child(id, level),
            };
        }
        id
    }

    fn add_child(&mut self, parent: Id, level: &[u8]) -> Id {
        let stored = Some(level).filter(|level| !level.is_empty());
        let node = Node::new(parent, stored.map(Box::from));
        let id = match self.free {
            ROOT => {
                self.nodes.push(node);
                self.nodes.len()
            }
            unused => {
                let reused = core::mem::replace(self.node_mut(unused), node);
                self.free = reused.parent;
                unused
            }
        };
        // Only the root is 0.
        let Some(link) = Link::new(id) else {
            return ROOT;
        };
        match level {
            b"+" => self.node_mut(parent).single = Some(link),
            b"#" => self.node_mut(parent).multi = Some(link),
            _ => self.link_literal(parent, level, link),
        }
        link.get()
    }

    fn link_literal(&mut self, parent: Id, level: &[u8], link: Link) {
        let before = self.child_before(parent, level);
        let next = match before {
            Some(before) => self.node_mut(before).next.replace(link),
            None => self.child_from(parent, b"").and_then(Link::new),
        };
        self.node_mut(link.get()).next = next;
        match &mut self.node_mut(parent).children {
            children @ Children::None => *children = Children::One(link),
            Children::Many(children) => {
                children.insert(level.into(), link);
            }
            Children::One(first) => {
                let first = *first;
                let first_level = self.node(first.get()).level().into();
                let both = [(first_level, first), (level.into(), link)];
                self.node_mut(parent).children = Children::Many(BTreeMap::from(both));
            }
        }
    }

    fn unlink_literal(&mut self, parent: Id, level: &[u8], next: Option<Link>) {
        if let Some(before) = self.child_before(parent, level) {
            self.node_mut(before).next = next;
        }
        self.node_mut(parent).children.remove(level);
    }

    /// Removes this node and those above it that have neither value nor children.
    fn prune(&mut self, mut id: Id) {
        while id != ROOT && self.node(id).is_unused() {
            let free = self.free;
            let node = self.node_mut(id);
            let parent = node.parent;
            let level = node.level.take().unwrap_or_default();
            let next = node.next.take();
            node.parent = free;
            self.free = id;
            match &*level {
                b"+" => self.node_mut(parent).single = None,
                b"#" => self.node_mut(parent).multi = None,
                level => self.unlink_literal(parent, level, next),
            }
            id = parent;
        }
    }
}

impl Children {
    fn remove(&mut self, level: &[u8]) {
        let Self::Many(children) = self else {
            *self = Self::None;
            return;
        };
        children.remove(level);
        if children.len() == 1 {
            if let Some((_, last)) = children.pop_first() {
                *self = Self::One(last);
            }
        }
    }
}

fn levels(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|&byte| byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::format;
    use std::string::String;

    fn used<V>(trie: &Trie<V>) -> usize {
        let mut used = trie.nodes.len();
        let mut free = trie.free;
        while free != ROOT {
            used = used.checked_sub(1).unwrap();
            free = trie.node(free).parent;
        }
        used
    }

    #[test]
    fn an_empty_trie_holds_no_memory() {
        let mut trie = Trie::new();
        trie.insert(b"a/+/#", ());
        trie.insert(b"a/b", ());
        assert_eq!(used(&trie), 4);
        trie.remove(b"a/+/#");
        trie.remove(b"a/b");
        assert_eq!((trie.len(), trie.nodes.capacity()), (0, 0));
        assert!(trie.root.is_unused());
    }

    #[test]
    fn levels_that_only_led_to_what_was_removed_are_used_again() {
        let mut trie = Trie::new();
        trie.insert(b"kept", ());
        for round in 0..100 {
            let key = format!("a/{round}/+/b/#");
            trie.insert(key.as_bytes(), ());
            assert_eq!(used(&trie), 6);
            trie.remove(key.as_bytes());
            assert_eq!(used(&trie), 1);
        }
        assert_eq!(trie.nodes.len(), 6);
    }

    #[test]
    fn levels_with_a_value_or_children_stay() {
        let mut trie = Trie::new();
        for key in ["a", "a/b/c", "a/b/d", "a/+"] {
            trie.insert(key.as_bytes(), key);
        }
        assert_eq!(trie.remove(b"a/b/c"), Some("a/b/c"));
        assert_eq!(trie.remove(b"a"), Some("a"));
        assert_eq!(trie.remove(b"a/b"), None);
        assert_eq!(trie.get(b"a/b/d"), Some(&"a/b/d"));
        assert_eq!(trie.get(b"a/+"), Some(&"a/+"));
        assert_eq!(used(&trie), 4);
    }

    #[test]
    fn there_is_a_node_for_each_prefix_and_siblings_are_in_order_after_any_changes() {
        let seed = fastrand::u64(..);
        std::println!("seed {seed}");
        let random = &mut fastrand::Rng::with_seed(seed);
        let mut trie = Trie::new();
        let mut keys = BTreeSet::new();
        for _ in 0..3_000 {
            let levels =
                (0..random.usize(1..4)).map(|_| *random.choice(b"abcd+#").unwrap() as char);
            let key: Vec<_> = levels.map(String::from).collect();
            let key = key.join("/");
            if random.bool() {
                assert_eq!(trie.insert(key.as_bytes(), ()).is_none(), keys.insert(key));
            } else {
                assert_eq!(trie.remove(key.as_bytes()).is_some(), keys.remove(&key));
            }
            let ends = |key: &String| -> Vec<usize> {
                let separators = key.match_indices('/').map(|(at, _)| at);
                separators.chain([key.len()]).collect()
            };
            let prefixes: BTreeSet<_> = keys
                .iter()
                .flat_map(|key| ends(key).into_iter().map(|end| &key[..end]))
                .collect();
            assert_eq!(used(&trie), prefixes.len());

            let mut below_root = Vec::new();
            let mut next = trie.child_from(ROOT, b"");
            while let Some(child) = next {
                below_root.push(trie.node(child).level());
                next = trie.node(child).next.map(Link::get);
            }
            let expected: Vec<_> = prefixes
                .iter()
                .filter(|prefix| prefix.len() == 1 && !matches!(**prefix, "+" | "#"))
                .map(|prefix| prefix.as_bytes())
                .collect();
            assert_eq!(below_root, expected);
        }
    }

    #[test]
    fn the_levels_of_values_that_are_not_retained_are_removed() {
        let mut trie = Trie::new();
        for (value, key) in ["a", "a/b", "a/b/c", "d/e", "+/#"].into_iter().enumerate() {
            trie.insert(key.as_bytes(), value);
        }
        trie.retain(|value| *value % 2 == 1);
        assert_eq!(trie.get(b"a/b"), Some(&1));
        assert_eq!(trie.get(b"d/e"), Some(&3));
        assert_eq!((trie.len(), used(&trie)), (2, 4));
        trie.retain(|_| false);
        assert_eq!((trie.len(), trie.nodes.capacity()), (0, 0));
    }

    #[test]
    fn a_value_that_panics_while_it_is_made_leaves_the_count_right() {
        let mut trie = Trie::new();
        let made = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            trie.get_or_insert_with(b"a", || panic!("no value"));
        }));
        assert!(made.is_err());
        assert_eq!(trie.len(), 0);
        *trie.get_or_insert_with(b"a", || 1) = 2;
        assert_eq!((trie.len(), trie.remove(b"a")), (1, Some(2)));
    }

    #[test]
    fn a_node_takes_about_as_many_bytes_as_documented() {
        assert!(size_of::<Node<usize>>() <= 100);
    }
}
