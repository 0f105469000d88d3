//! The values that packets are made of, checked when they are made.

mod check;
mod delivery;
mod matching;
mod packet_id;
mod qos;
mod scan;
#[cfg(feature = "serde")]
mod serde;
mod text;
mod topic_filter;
mod topic_name;
mod utf8;

pub use delivery::Delivery;
pub use packet_id::PacketId;
pub use qos::QoS;
pub(crate) use text::CheckedString;
pub use text::Text;
pub use topic_filter::TopicFilter;
pub use topic_name::TopicName;
