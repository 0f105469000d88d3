//! A map from topics to values that shares the levels that topics have in common.
//!
//! The nodes live in one `Vec` and refer to each other by number, so that nothing here is
//! recursive, `drop` included: a topic may have 65,536 levels.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::ops::Bound;

/// A node by its number: [`ROOT`], or one more than its place in `nodes`.
pub(super) type Id = usize;
/// A node other than the root.
type Link = NonZeroUsize;

pub(super) const ROOT: Id = 0;

/// A map from keys of `/`-separated levels to values.
#[derive(Debug, Clone)]
pub(super) struct Trie<V> {
    root: Node<V>,
    nodes: Vec<Node<V>>,
    /// The first node that is not used; its `parent` is the next, or [`ROOT`].
    free: Id,
    len: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Node<V> {
    pub(super) parent: Id,
    /// `None` is the empty level, which needs no allocation.
    level: Option<Box<[u8]>>,
    children: Children,
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

    /// How many keys have a value.
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

    /// Removes the value, and the nodes that only led to it. An empty trie holds no memory.
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

    fn find(&self, key: &[u8]) -> Option<Id> {
        levels(key).try_fold(ROOT, |id, level| self.child(id, level))
    }

    /// The child with exactly this level, a wildcard or not.
    fn child(&self, id: Id, level: &[u8]) -> Option<Id> {
        match level {
            b"+" => self.node(id).single.map(Link::get),
            b"#" => self.node(id).multi.map(Link::get),
            _ => self.literal_child(id, level),
        }
    }

    /// The child with this level, which is no wildcard.
    pub(super) fn literal_child(&self, id: Id, level: &[u8]) -> Option<Id> {
        match &self.node(id).children {
            Children::None => None,
            Children::One(child) => {
                Some(child.get()).filter(|child| self.node(*child).level() == level)
            }
            Children::Many(children) => children.get(level).map(|child| child.get()),
        }
    }

    /// The first child without a wildcard from here on, in the order of bytes.
    pub(super) fn child_from(&self, id: Id, from: Bound<&[u8]>) -> Option<Id> {
        match &self.node(id).children {
            Children::None => None,
            Children::One(child) => Some(child.get()).filter(|child| {
                let level = self.node(*child).level();
                match from {
                    Bound::Unbounded => true,
                    Bound::Included(from) => level >= from,
                    Bound::Excluded(from) => level > from,
                }
            }),
            Children::Many(children) => {
                let mut rest = children.range::<[u8], _>((from, Bound::Unbounded));
                rest.next().map(|(_, child)| child.get())
            }
        }
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
        let first = match &mut self.node_mut(parent).children {
            children @ Children::None => {
                *children = Children::One(link);
                return;
            }
            Children::Many(children) => {
                children.insert(level.into(), link);
                return;
            }
            Children::One(first) => *first,
        };
        let both = [
            (self.node(first.get()).level().into(), first),
            (level.into(), link),
        ];
        self.node_mut(parent).children = Children::Many(BTreeMap::from(both));
    }

    /// Removes this node and those above it, as far as they have neither value nor children.
    fn prune(&mut self, mut id: Id) {
        while id != ROOT && self.node(id).is_unused() {
            let free = self.free;
            let node = self.node_mut(id);
            let parent = node.parent;
            let level = node.level.take().unwrap_or_default();
            node.parent = free;
            self.free = id;
            let above = self.node_mut(parent);
            match &*level {
                b"+" => above.single = None,
                b"#" => above.multi = None,
                level => above.children.unlink(level),
            }
            id = parent;
        }
    }
}

impl Children {
    fn unlink(&mut self, level: &[u8]) {
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
