//! The packets whose properties differ.

use super::super::property::{
    ACK, AUTH, CONNACK, CONNECT, DISCONNECT, PUBLISH, RECEIVER, SUBSCRIBE, UNSUBSCRIBE, WILL,
};
use super::Properties;
use crate::wire::PacketType;

/// The packet, or Will, that [`Properties`] belong to. Implemented by this crate's markers only.
pub trait PropertiesKind: 'static {
    /// The packet.
    #[doc(hidden)]
    const PACKET_TYPE: PacketType;

    /// Its bit in the table of properties.
    #[doc(hidden)]
    const BIT: u16;

    /// True if Authentication Data needs an Authentication Method.
    #[doc(hidden)]
    const DATA_NEEDS_METHOD: bool = false;
}

/// The markers.
macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident $packet_type:ident $bit:ident $data_needs_method:literal)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
        pub enum $Kind {}

        impl PropertiesKind for $Kind {
            const PACKET_TYPE: PacketType = PacketType::$packet_type;
            const BIT: u16 = $bit;
            const DATA_NEEDS_METHOD: bool = $data_needs_method;
        }
    )+};
}

kinds! {
    /// Makes [`Properties`] those of CONNECT.
    ConnectKind Connect CONNECT true
    /// Makes [`Properties`] those of a Will.
    WillKind Connect WILL false
    /// Makes [`Properties`] those of CONNACK.
    ConnAckKind ConnAck CONNACK false
    /// Makes [`Properties`] those of PUBLISH.
    PublishKind Publish PUBLISH false
    /// Makes [`Properties`] the Subscription Identifiers of one receiver of a PUBLISH.
    SubscriptionIdentifiersKind Publish RECEIVER false
    /// Makes [`Properties`] those of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK: Reason
    /// String and User Property.
    AckKind PubAck ACK false
    /// Makes [`Properties`] those of SUBSCRIBE.
    SubscribeKind Subscribe SUBSCRIBE false
    /// Makes [`Properties`] those of UNSUBSCRIBE.
    UnsubscribeKind Unsubscribe UNSUBSCRIBE false
    /// Makes [`Properties`] those of DISCONNECT.
    DisconnectKind Disconnect DISCONNECT false
    /// Makes [`Properties`] those of AUTH.
    AuthKind Auth AUTH true
}

/// The properties of CONNECT (section 3.1.2.11).
pub type ConnectProperties<B> = Properties<B, ConnectKind>;
/// The properties of a Will (section 3.1.3.2).
pub type WillProperties<B> = Properties<B, WillKind>;
/// The properties of CONNACK (section 3.2.2.3).
pub type ConnAckProperties<B> = Properties<B, ConnAckKind>;
/// The properties of PUBLISH (section 3.3.2.3).
pub type PublishProperties<B> = Properties<B, PublishKind>;
/// The Subscription Identifiers of one receiver of a message, which are properties of its PUBLISH
/// (section 3.3.4): see [`Receiver`](crate::Receiver).
pub type SubscriptionIdentifiers<B> = Properties<B, SubscriptionIdentifiersKind>;
/// The properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK (section 3.4.2.2).
pub type AckProperties<B> = Properties<B, AckKind>;
/// The properties of SUBSCRIBE (section 3.8.2.1).
pub type SubscribeProperties<B> = Properties<B, SubscribeKind>;
/// The properties of UNSUBSCRIBE (section 3.10.2.1).
pub type UnsubscribeProperties<B> = Properties<B, UnsubscribeKind>;
/// The properties of DISCONNECT (section 3.14.2.2).
pub type DisconnectProperties<B> = Properties<B, DisconnectKind>;
/// The properties of AUTH (section 3.15.2.2).
pub type AuthProperties<B> = Properties<B, AuthKind>;
