//! The values in packets, validated when they are made.

mod check;
mod checked;
mod compare;
mod convert;
mod delivery;
mod matching;
mod packet_id;
mod qos;
mod scan;
#[cfg(feature = "serde")]
mod serde;
mod shared;
mod text;
mod topic_filter;
mod topic_name;
mod utf8;

pub use checked::{Checked, StringKind};
pub use delivery::Delivery;
pub use packet_id::PacketId;
pub use qos::{InvalidQoS, QoS};
pub use text::{Text, TextKind};
pub use topic_filter::{SharedFilter, TopicFilter, TopicFilterKind};
pub use topic_name::{TopicName, TopicNameKind};
