//! One message for many receivers of every version. The parts that they share are encoded once.

mod encoded_message;
mod receiver;
mod subscriber_header;
#[cfg(test)]
mod tests;
mod topic_form;

pub use encoded_message::EncodedMessage;
pub use receiver::Receiver;
pub use subscriber_header::SubscriberHeader;
pub(crate) use topic_form::TopicForm;
