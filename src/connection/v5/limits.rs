//! The limits that CONNECT and CONNACK negotiate.

use crate::types::QoS;
use crate::v5::{ConnAckProperties, ConnectProperties};

/// The limits that CONNECT and CONNACK negotiated. They are valid for one connection;
/// [`Connection::limits`](crate::Connection::limits) returns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Limits {
    /// The limits of the peer.
    pub peer: Capabilities,
    /// The limits of this side.
    pub own: Capabilities,
    /// Session Expiry Interval in seconds: how long the server keeps the session after the connection.
    /// 0 means not at all, `u32::MAX` for ever (section 3.1.2.11.2).
    pub session_expiry_interval: u32,
    /// Will Delay Interval in seconds (section 3.1.3.2.2); 0 without a Will.
    pub will_delay_interval: u32,
    /// The client accepts Reason Strings and User Properties in every packet (section 3.1.2.11.7).
    pub request_problem_information: bool,
    /// The client asks for Response Information (section 3.1.2.11.6).
    pub request_response_information: bool,
    pub(super) turn: Turn,
    /// One bit for each of the constants below.
    pub(super) noted: u8,
    pub(super) authentication: Authentication,
}

// Bits of `Limits::noted`, as bits because each connection has one.
/// CONNECT: a Session Expiry Interval above 0, so that DISCONNECT may have one (section 3.14.2.2.2).
pub(super) const SESSION_EXPIRY: u8 = 1;
/// CONNECT: an empty Client Identifier. The server assigns one.
pub(super) const NO_CLIENT_ID: u8 = 2;
/// CONNECT: a Will with RETAIN.
pub(super) const WILL_RETAIN: u8 = 4;
/// CONNECT: a Will at QoS 1 or 2.
pub(super) const WILL_QOS_1: u8 = 8;
/// CONNECT: a Will at QoS 2.
pub(super) const WILL_QOS_2: u8 = 16;
/// The application has published a message with a Topic Alias of its own.
pub(super) const OWN_ALIAS: u8 = 32;
/// An [`OutboundAliases`](super::OutboundAliases) has assigned a Topic Alias.
pub(super) const ALIAS_ASSIGNED: u8 = 64;

/// The limits of one side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Capabilities {
    /// Receive Maximum: the most messages above QoS 0 in flight (section 3.1.2.11.3).
    pub receive_maximum: u16,
    /// Maximum Packet Size in bytes; `u32::MAX` for no limit (section 3.1.2.11.4).
    pub maximum_packet_size: u32,
    /// Topic Alias Maximum: the largest Topic Alias; 0 for none (section 3.1.2.11.5).
    pub topic_alias_maximum: u16,
    /// Maximum QoS; QoS 2 for every client (section 3.2.2.3.4).
    pub maximum_qos: QoS,
    /// Retain Available; true for every client (section 3.2.2.3.5).
    pub retain_available: bool,
    /// Wildcard Subscription Available (section 3.2.2.3.11).
    pub wildcard_subscription_available: bool,
    /// Subscription Identifier Available (section 3.2.2.3.12).
    pub subscription_identifier_available: bool,
    /// Shared Subscription Available (section 3.2.2.3.13).
    pub shared_subscription_available: bool,
}

impl Default for Capabilities {
    /// The limits of a side that announces none.
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            maximum_packet_size: u32::MAX,
            topic_alias_maximum: 0,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peer: Capabilities::default(),
            own: Capabilities::default(),
            session_expiry_interval: 0,
            will_delay_interval: 0,
            request_problem_information: true,
            request_response_information: false,
            turn: Turn::Nobody,
            noted: 0,
            authentication: Authentication::default(),
        }
    }
}

impl Capabilities {
    /// Returns the limits that a client announces in CONNECT.
    pub(super) fn of_client<B: AsRef<[u8]>>(properties: &ConnectProperties<B>) -> Self {
        Self {
            receive_maximum: properties.receive_maximum().get(),
            maximum_packet_size: properties
                .maximum_packet_size()
                .map_or(u32::MAX, core::num::NonZeroU32::get),
            topic_alias_maximum: properties.topic_alias_maximum(),
            ..Self::default()
        }
    }

    /// Returns the limits that a server announces in CONNACK.
    pub(super) fn of_server<B: AsRef<[u8]>>(properties: &ConnAckProperties<B>) -> Self {
        Self {
            receive_maximum: properties.receive_maximum().get(),
            maximum_packet_size: properties
                .maximum_packet_size()
                .map_or(u32::MAX, core::num::NonZeroU32::get),
            topic_alias_maximum: properties.topic_alias_maximum(),
            maximum_qos: properties.maximum_qos(),
            retain_available: properties.retain_available(),
            wildcard_subscription_available: properties.wildcard_subscription_available(),
            subscription_identifier_available: properties.subscription_identifier_available(),
            shared_subscription_available: properties.shared_subscription_available(),
        }
    }

    /// Returns true if every Topic Filter and Subscription Identifier is supported.
    pub(super) const fn takes_every_subscription(&self) -> bool {
        self.wildcard_subscription_available
            && self.subscription_identifier_available
            && self.shared_subscription_available
    }
}

impl Limits {
    /// Sets the limits of CONNECT.
    pub(super) fn connect<B: AsRef<[u8]>>(&mut self, properties: &ConnectProperties<B>) {
        self.session_expiry_interval = properties.session_expiry_interval();
        self.note(SESSION_EXPIRY, self.session_expiry_interval > 0);
        self.request_problem_information = properties.request_problem_information();
        self.request_response_information = properties.request_response_information();
        self.authentication = Authentication {
            method: properties
                .authentication_method()
                .map_or(0, |method| fingerprint(method.as_bytes())),
        };
        if self.authentication.is_used() {
            self.turn = Turn::Server;
        }
    }

    /// Sets a bit of `noted` if `yes`.
    pub(super) const fn note(&mut self, bit: u8, yes: bool) {
        if yes {
            self.noted |= bit;
        }
    }

    /// Returns true if this bit of `noted` is set.
    pub(super) const fn has(&self, bit: u8) -> bool {
        self.noted & bit != 0
    }

    /// Returns true if a client's DISCONNECT may have this Session Expiry Interval, which replaces the
    /// one in force. What CONNECT had decides, whatever CONNACK made of it (section 3.14.2.2.2).
    pub(super) const fn allows_in_disconnect(&self, expiry: u32) -> bool {
        expiry == 0 || self.has(SESSION_EXPIRY)
    }

    /// Sets the limits of an accepting CONNACK, for both sides.
    pub(super) fn connack<B: AsRef<[u8]>>(&mut self, properties: &ConnAckProperties<B>) {
        if let Some(interval) = properties.session_expiry_interval() {
            self.session_expiry_interval = interval;
        }
        self.turn = Turn::Nobody;
    }
}

/// The state of an enhanced authentication (section 4.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Authentication {
    /// The [`fingerprint`] of the Authentication Method of CONNECT; 0 without one.
    method: u32,
}

/// The side whose AUTH is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Turn {
    #[default]
    Nobody,
    Client,
    Server,
}

impl Authentication {
    pub(super) const fn is_used(&self) -> bool {
        self.method != 0
    }

    /// Returns true if an accepting CONNACK has the Authentication Method of CONNECT, or none if
    /// CONNECT has none [MQTT5-4.12.0-5, MQTT5-4.12.0-6].
    pub(super) fn fits_connack<B: AsRef<[u8]>>(&self, properties: &ConnAckProperties<B>) -> bool {
        match properties.authentication_method() {
            None => !self.is_used(),
            Some(method) => self.has_method(Some(method.as_bytes())),
        }
    }

    /// Returns true if AUTH has the Authentication Method of CONNECT [MQTT5-4.12.0-5].
    pub(super) fn has_method(&self, method: Option<&[u8]>) -> bool {
        self.is_used() && method.is_some_and(|method| fingerprint(method) == self.method)
    }
}

/// Returns a number for an Authentication Method, never 0, because the connection does not store
/// the string. Two methods of a program do not collide by chance (FNV-1a).
fn fingerprint(method: &[u8]) -> u32 {
    let hash = method.iter().fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_authentication_methods_have_different_fingerprints() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..1000 {
            for name in ["SCRAM-SHA-", "GS2-KRB5-", ""] {
                let method = std::format!("{name}{number}");
                assert!(seen.insert(fingerprint(method.as_bytes())), "{method}");
            }
        }
    }
}
