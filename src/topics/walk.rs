//! Two searches in a [`Trie`]: for the filters that match a topic, and for the topics that match a
//! filter.
//!
//! Both visit a node at most once, and descend only where the levels so far match. Nodes have links
//! to their parents, so no search needs a stack or allocates.

use super::trie::{Id, Node, ROOT, Trie};

/// The next step of a search at its node.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Visits the node for the first time.
    Enter,
    /// Visits the node's children.
    Descend,
    /// Goes back to the parent.
    Leave,
    Done,
}

/// A position in a topic or filter: where its next level starts. After the last level it is one
/// more than the length.
#[derive(Debug, Clone, Copy)]
struct Levels<'k> {
    key: &'k [u8],
    at: usize,
}

impl<'k> Levels<'k> {
    /// Returns the next level, or `None` after the last one.
    fn next(self) -> Option<&'k [u8]> {
        let rest = self.key.get(self.at..)?;
        rest.split(|&byte| byte == b'/').next()
    }

    /// Returns the position after `level`, which is the next one.
    const fn after(self, level: &[u8]) -> Self {
        let at = self.at.saturating_add(level.len()).saturating_add(1);
        Self { at, ..self }
    }

    /// Returns the position before the last level, and that level.
    fn back(self) -> (Self, &'k [u8]) {
        let passed = self.key.get(..self.at.saturating_sub(1));
        let passed = passed.unwrap_or_default();
        let last = passed.rsplit(|&byte| byte == b'/').next();
        let last = last.unwrap_or_default();
        let at = passed.len().saturating_sub(last.len());
        (Self { at, ..self }, last)
    }

    fn is_dollar(self) -> bool {
        self.key.starts_with(b"$")
    }
}

/// The values of the filters in a trie that match a topic.
#[derive(Debug)]
pub(super) struct FilterWalk<'t, 'k, V> {
    trie: &'t Trie<V>,
    node: Id,
    topic: Levels<'k>,
    step: Step,
}

impl<'t, 'k, V> FilterWalk<'t, 'k, V> {
    pub(super) const fn new(trie: &'t Trie<V>, topic: &'k [u8]) -> Self {
        Self {
            trie,
            node: ROOT,
            topic: Levels { key: topic, at: 0 },
            step: Step::Enter,
        }
    }

    /// Returns the child `+`, unless the topic starts with `$` and this would be its first level
    /// [MQTT-4.7.2-1, MQTT5-4.7.2-1].
    fn single(&self, id: Id) -> Option<Id> {
        let may_match = id != ROOT || !self.topic.is_dollar();
        let single = self.trie.node(id).single.filter(|_| may_match);
        single.map(|single| single.get())
    }

    /// Returns the value of the filter that ends with `#` below this node, by the same rule.
    fn multi(&self, id: Id) -> Option<&'t V> {
        let may_match = id != ROOT || !self.topic.is_dollar();
        let multi = self.trie.node(id).multi.filter(|_| may_match)?;
        self.trie.node(multi.get()).value.as_ref()
    }
}

impl<'t, V> Iterator for FilterWalk<'t, '_, V> {
    type Item = &'t V;

    fn next(&mut self) -> Option<&'t V> {
        loop {
            match self.step {
                Step::Enter => {
                    self.step = Step::Descend;
                    // `sport/#` matches `sport` too (section 4.7.1.2).
                    if let Some(value) = self.multi(self.node) {
                        return Some(value);
                    }
                }
                Step::Descend => {
                    let Some(level) = self.topic.next() else {
                        self.step = Step::Leave;
                        match &self.trie.node(self.node).value {
                            Some(value) => return Some(value),
                            None => continue,
                        }
                    };
                    let child = self.trie.literal_child(self.node, level);
                    match child.or_else(|| self.single(self.node)) {
                        Some(child) => {
                            self.node = child;
                            self.topic = self.topic.after(level);
                            self.step = Step::Enter;
                        }
                        None => self.step = Step::Leave,
                    }
                }
                Step::Leave if self.node != ROOT => {
                    let parent = self.trie.node(self.node).parent;
                    match self.single(parent) {
                        Some(single) if single != self.node => {
                            self.node = single;
                            self.step = Step::Enter;
                        }
                        _ => {
                            self.node = parent;
                            self.topic = self.topic.back().0;
                        }
                    }
                }
                Step::Leave | Step::Done => {
                    self.step = Step::Done;
                    return None;
                }
            }
        }
    }
}

/// The values of the topics in a trie that match a filter.
#[derive(Debug)]
pub(super) struct TopicWalk<'t, 'k, V> {
    trie: &'t Trie<V>,
    node: Id,
    /// The node at which `#` was reached: all nodes below match, and are visited.
    top: Option<Id>,
    filter: Levels<'k>,
    step: Step,
}

impl<'t, 'k, V> TopicWalk<'t, 'k, V> {
    pub(super) const fn new(trie: &'t Trie<V>, filter: &'k [u8]) -> Self {
        Self {
            trie,
            node: ROOT,
            top: None,
            filter: Levels { key: filter, at: 0 },
            step: Step::Enter,
        }
    }

    /// Returns the first child.
    fn child(&self, id: Id) -> Option<Id> {
        self.not_dollar(id, self.trie.child_from(id, b""))
    }

    /// Returns the next child of the same parent.
    fn sibling(&self, node: &Node<V>) -> Option<Id> {
        self.not_dollar(node.parent, node.next.map(|next| next.get()))
    }

    /// Returns the same child of `parent`, or the next one that a wildcard matches: at the root
    /// none that starts with `$` [MQTT-4.7.2-1].
    fn not_dollar(&self, parent: Id, child: Option<Id>) -> Option<Id> {
        /// The first level after all that start with `$`.
        const BEHIND_DOLLAR: &[u8] = b"%";
        if parent == ROOT && self.trie.node(child?).level().starts_with(b"$") {
            return self.trie.child_from(parent, BEHIND_DOLLAR);
        }
        child
    }

    /// Returns the node after this one below `top`, from the top down.
    fn next_below(&self, top: Id, mut id: Id) -> Option<Id> {
        if let Some(child) = self.child(id) {
            return Some(child);
        }
        while id != top {
            let node = self.trie.node(id);
            if let Some(sibling) = self.sibling(node) {
                return Some(sibling);
            }
            id = node.parent;
        }
        None
    }
}

impl<'t, V> Iterator for TopicWalk<'t, '_, V> {
    type Item = &'t V;

    fn next(&mut self) -> Option<&'t V> {
        loop {
            if let Some(top) = self.top {
                let Some(next) = self.next_below(top, self.node) else {
                    self.node = top;
                    self.top = None;
                    continue;
                };
                self.node = next;
                match &self.trie.node(next).value {
                    Some(value) => return Some(value),
                    None => continue,
                }
            }
            let node = self.trie.node(self.node);
            match self.step {
                Step::Enter => {
                    match self.filter.next() {
                        None => self.step = Step::Leave,
                        // `sport/#` matches `sport` too (section 4.7.1.2).
                        Some(b"#") => {
                            self.step = Step::Leave;
                            self.top = Some(self.node);
                        }
                        Some(_) => {
                            self.step = Step::Descend;
                            continue;
                        }
                    }
                    if let Some(value) = &node.value {
                        return Some(value);
                    }
                }
                Step::Descend => {
                    let level = self.filter.next().unwrap_or_default();
                    let child = match level {
                        b"+" => self.child(self.node),
                        _ => self.trie.literal_child(self.node, level),
                    };
                    match child {
                        Some(child) => {
                            self.node = child;
                            self.filter = self.filter.after(level);
                            self.step = Step::Enter;
                        }
                        None => self.step = Step::Leave,
                    }
                }
                Step::Leave if self.node != ROOT => {
                    let (before, level) = self.filter.back();
                    let sibling = match level {
                        b"+" => self.sibling(node),
                        _ => None,
                    };
                    match sibling {
                        Some(sibling) => {
                            self.node = sibling;
                            self.step = Step::Enter;
                        }
                        None => {
                            self.node = node.parent;
                            self.filter = before;
                        }
                    }
                }
                Step::Leave | Step::Done => {
                    self.step = Step::Done;
                    return None;
                }
            }
        }
    }
}
