//! Trees of Topic Filters and of Topic Names, for brokers: they find all entries that match
//! (section 4.7).

mod filter_tree;
mod topic_tree;
mod trie;
mod walk;

pub use filter_tree::{FilterMatch, FilterMatches, FilterTree};
pub use topic_tree::{TopicMatches, TopicTree};
