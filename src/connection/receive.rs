//! From bytes to what is to be done, in one call: what a decoder, a connection and their driver do
//! otherwise, in the same order. Connections see no bytes but here.

use super::action::Action;
use super::event::Event;
use crate::v3::Packet;

/// The next thing to do, as [`Client::receive`](crate::Client::receive) and
/// [`Server::receive`](crate::Server::receive) find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to do either")]
#[must_use]
#[cfg_attr(target_pointer_width = "64", repr(usize))] // see `Packet`
pub enum Step<B: AsRef<[u8]>> {
    /// What the connection asks its driver to do.
    Action(Action),
    /// What the application has to know.
    Event(Event<B>),
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>> defmt::Format for Step<B> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Action(action) => defmt::write!(f, "Action({})", action),
            Self::Event(event) => defmt::write!(f, "Event({})", event),
        }
    }
}

/// What dealing with a packet has led to, without borrowing from it.
pub(super) enum Outcome {
    /// No event.
    Nothing,
    Event(Event<&'static [u8]>),
    /// The event is the packet itself.
    Packet,
}

impl Outcome {
    pub(super) const fn of(event: Option<&Event<&[u8]>>) -> Self {
        Self::Event(match event {
            None => return Self::Nothing,
            Some(&Event::Connected { session_present }) => Event::Connected { session_present },
            Some(&Event::Refused(refusal)) => Event::Refused(refusal),
            Some(&Event::AcceptedByPeer(packet_id)) => Event::AcceptedByPeer(packet_id),
            Some(&Event::Delivered(packet_id)) => Event::Delivered(packet_id),
            Some(&Event::Unsubscribed(packet_id)) => Event::Unsubscribed(packet_id),
            Some(Event::Disconnected) => Event::Disconnected,
            Some(
                Event::ConnectRequested(_)
                | Event::Message(_)
                | Event::MessageHeader(_)
                | Event::Payload { .. }
                | Event::SubscribeRequested(_)
                | Event::UnsubscribeRequested(_)
                | Event::Subscribed(_),
            ) => return Self::Packet,
        })
    }
}

/// The event that a packet is.
pub(super) const fn event_of(packet: Packet<&[u8]>) -> Option<Event<&[u8]>> {
    Some(match packet {
        Packet::Connect(connect) => Event::ConnectRequested(connect),
        Packet::Publish(publish) => Event::Message(publish),
        Packet::Subscribe(subscribe) => Event::SubscribeRequested(subscribe),
        Packet::SubAck(suback) => Event::Subscribed(suback),
        Packet::Unsubscribe(unsubscribe) => Event::UnsubscribeRequested(unsubscribe),
        Packet::ConnAck(_)
        | Packet::PubAck(_)
        | Packet::PubRec(_)
        | Packet::PubRel(_)
        | Packet::PubComp(_)
        | Packet::UnsubAck(_)
        | Packet::PingReq
        | Packet::PingResp
        | Packet::Disconnect => return None,
    })
}
