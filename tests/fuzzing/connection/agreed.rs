//! The limits that CONNECT and CONNACK of MQTT 5 negotiate, and their effects: which packets are
//! faults, which commands are refused, and how a connection is closed. MQTT 3.1.1 has the defaults.

use std::collections::BTreeMap;

use mqtt_sansio::any;
use mqtt_sansio::v5::{
    ConnAckProperties, Connect, DisconnectReasonCode, Properties, Property, Publish, Subscribe,
};
use mqtt_sansio::{CommandError, PacketType, ProtocolError, QoS, v3, v5};

use super::model::State;
use super::steps::Reason;
use super::wire::Packet;

/// How many Topic Names the decoder of the connection can store.
pub(super) const ALIASES_IN: u16 = 3;
/// For how many Topic Names the connection chooses an alias.
pub(super) const ALIASES_OUT: u16 = 2;

/// The limits that one side announced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) receive_maximum: u16,
    pub(super) topic_alias_maximum: u16,
    pub(super) maximum_packet_size: usize,
    pub(super) maximum_qos: QoS,
    pub(super) retain: bool,
    pub(super) wildcards: bool,
    pub(super) shared: bool,
    pub(super) identifiers: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            topic_alias_maximum: 0,
            maximum_packet_size: usize::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain: true,
            wildcards: true,
            shared: true,
            identifiers: true,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Agreed {
    pub(super) own: Limits,
    pub(super) peer: Limits,
    /// In seconds.
    pub(super) session_expiry: u32,
    /// CONNECT had a Session Expiry Interval above 0.
    pub(super) had_expiry: bool,
    /// The client accepts Reason String and User Property only in CONNACK, PUBLISH and DISCONNECT.
    no_problem_information: bool,
    has_authentication: bool,
    pub(super) has_no_client_id: bool,
    will: Option<(QoS, bool)>,
    /// The Topic Names of the peer's Topic Aliases.
    names: BTreeMap<u16, Vec<u8>>,
    /// The Topic Names for which the connection has chosen an alias: 1, 2 and so on.
    pub(super) chosen: Vec<Vec<u8>>,
    /// The application has sent an alias of its own.
    pub(super) has_own_alias: bool,
}

impl Agreed {
    /// CONNECT was sent or received.
    pub(super) fn connect(&mut self, is_server: bool, connect: &Connect<&[u8]>) {
        let properties = &connect.properties;
        let client = Limits {
            receive_maximum: properties.receive_maximum().get(),
            topic_alias_maximum: properties.topic_alias_maximum(),
            maximum_packet_size: size(properties.maximum_packet_size().map(|it| it.get())),
            ..Limits::default()
        };
        *(if is_server {
            &mut self.peer
        } else {
            &mut self.own
        }) = client;
        self.session_expiry = properties.session_expiry_interval();
        self.had_expiry = self.session_expiry > 0;
        self.no_problem_information = !properties.request_problem_information();
        self.has_authentication = properties.authentication_method().is_some();
        self.has_no_client_id = connect.client_id.as_bytes().is_empty();
        self.will = connect.will.as_ref().map(|will| (will.qos, will.retain));
    }

    /// CONNACK was sent or received, with these properties. Returns the Server Keep Alive.
    pub(super) fn connack(
        &mut self,
        is_server: bool,
        properties: &ConnAckProperties<Vec<u8>>,
    ) -> Option<u16> {
        let server = limits_of(properties);
        *(if is_server {
            &mut self.own
        } else {
            &mut self.peer
        }) = server;
        if let Some(interval) = properties.session_expiry_interval() {
            self.session_expiry = interval;
        }
        properties.server_keep_alive()
    }

    // Received packets

    /// Returns why the peer must not send this packet, in any state.
    pub(super) fn fault(&self, is_server: bool, packet: &Packet) -> Option<ProtocolError> {
        match packet {
            Packet::Publish(publish) => self
                .alias_fault(publish)
                .or_else(|| self.publish_fault(is_server, publish)),
            Packet::Subscribe(subscribe) if is_server => self.subscribe_fault(subscribe),
            Packet::Ack(_, _, outcome) => self.information_fault(is_server, &outcome.properties),
            Packet::SubAck { properties, .. } | Packet::UnsubAck { properties, .. } => {
                self.information_fault(is_server, properties)
            }
            Packet::Auth(auth) => self.information_fault(is_server, &auth.properties),
            _ => None,
        }
    }

    /// [MQTT5-3.3.2-8, MQTT5-3.3.2-9, MQTT5-3.3.2-11]
    fn alias_fault(&self, publish: &Publish<Vec<u8>>) -> Option<ProtocolError> {
        let alias = publish.properties.topic_alias()?.get();
        let has_name = !publish.topic.as_bytes().is_empty();
        if alias > self.own.topic_alias_maximum || has_name && alias > ALIASES_IN {
            return Some(ProtocolError::TopicAliasInvalid);
        }
        let is_known = has_name || self.names.contains_key(&alias);
        (!is_known).then_some(ProtocolError::TopicAliasUnknown)
    }

    /// [MQTT5-3.2.2-11, MQTT5-3.2.2-14, MQTT5-3.3.4-6]
    fn publish_fault(&self, is_server: bool, publish: &Publish<Vec<u8>>) -> Option<ProtocolError> {
        if !is_server {
            return None;
        }
        if publish.delivery.qos() > self.own.maximum_qos {
            return Some(ProtocolError::QosNotSupported);
        }
        if publish.retain && !self.own.retain {
            return Some(ProtocolError::RetainNotSupported);
        }
        let mut identifiers = publish.properties.subscription_identifiers();
        let identifier = identifiers.next();
        identifier.map(|_| ProtocolError::SubscriptionIdentifier)
    }

    fn subscribe_fault(&self, subscribe: &Subscribe<Vec<u8>>) -> Option<ProtocolError> {
        let has_identifier = subscribe.properties.subscription_identifier().is_some();
        if has_identifier && !self.own.identifiers {
            return Some(ProtocolError::SubscriptionIdentifiersNotSupported);
        }
        subscribe.subscriptions.iter().find_map(|entry| {
            let filter = entry.topic_filter;
            if filter.as_str().starts_with("$share/") && !self.own.shared {
                return Some(ProtocolError::SharedSubscriptionsNotSupported);
            }
            let is_refused = filter.has_wildcards() && !self.own.wildcards;
            is_refused.then_some(ProtocolError::WildcardSubscriptionsNotSupported)
        })
    }

    /// [MQTT5-3.1.2-29]
    fn information_fault<K>(
        &self,
        is_server: bool,
        properties: &Properties<Vec<u8>, K>,
    ) -> Option<ProtocolError> {
        let is_information = |property: Property<'_>| {
            matches!(
                property,
                Property::ReasonString(_) | Property::UserProperty { .. }
            )
        };
        let is_refused = !is_server && self.no_problem_information;
        (is_refused && properties.iter().any(is_information))
            .then_some(ProtocolError::ProblemInformation)
    }

    /// Returns the message as the application sees it: with its Topic Name [MQTT5-3.3.2-7].
    pub(super) fn resolve(&mut self, publish: &mut Publish<Vec<u8>>) {
        let Some(alias) = publish.properties.topic_alias() else {
            return;
        };
        if publish.topic.as_bytes().is_empty() {
            let name = self.names[&alias.get()].clone();
            publish.topic = mqtt_sansio::TopicName::from_bytes(name).expect("it came as one");
        } else {
            let name = publish.topic.as_bytes().to_vec();
            self.names.insert(alias.get(), name);
        }
    }

    // Commands

    /// Returns the Topic Alias that the connection chooses for a message, and whether the Topic
    /// Name is sent too [MQTT5-3.1.2-26, MQTT5-3.2.2-17].
    pub(super) fn choose(&self, topic: &[u8]) -> (Option<u16>, bool) {
        if self.has_own_alias {
            return (None, true);
        }
        let known = self.chosen.iter().position(|name| name == topic);
        let number = |index: usize| u16::try_from(index + 1).expect("a few");
        if let Some(known) = known {
            return (Some(number(known)), false);
        }
        let next = number(self.chosen.len());
        let is_free = next <= ALIASES_OUT.min(self.peer.topic_alias_maximum);
        (is_free.then_some(next), true)
    }

    /// Checks a message of `len` bytes against the limits of the peer.
    pub(super) fn may_publish(
        &self,
        qos: QoS,
        retain: bool,
        len: usize,
    ) -> Result<(), CommandError> {
        if qos > self.peer.maximum_qos {
            return Err(CommandError::QosNotSupported); // [MQTT5-3.2.2-11]
        }
        if retain && !self.peer.retain {
            return Err(CommandError::RetainNotSupported); // [MQTT5-3.2.2-14]
        }
        self.may_send(len)
    }

    /// [MQTT5-3.1.2-24, MQTT5-3.2.2-15]
    pub(super) const fn may_send(&self, len: usize) -> Result<(), CommandError> {
        if len > self.peer.maximum_packet_size {
            return Err(CommandError::PacketTooLarge);
        }
        Ok(())
    }

    /// Checks whether a server may accept the connection with these properties.
    pub(super) fn may_accept(
        &self,
        properties: &ConnAckProperties<Vec<u8>>,
        len: usize,
    ) -> Result<(), CommandError> {
        if self.has_authentication {
            return Err(CommandError::AuthenticationOrder);
        }
        // [MQTT5-3.1.3-7]
        if self.has_no_client_id && properties.assigned_client_identifier().is_none() {
            return Err(CommandError::AssignedClientIdentifier);
        }
        let own = limits_of(properties);
        let (will_qos, will_retain) = self.will.unwrap_or((QoS::AtMostOnce, false));
        if will_qos > own.maximum_qos {
            return Err(CommandError::QosNotSupported); // [MQTT5-3.2.2-12]
        }
        if will_retain && !own.retain {
            return Err(CommandError::RetainNotSupported); // [MQTT5-3.2.2-13]
        }
        self.may_send(len)
    }
}

fn size(maximum: Option<u32>) -> usize {
    maximum.map_or(usize::MAX, |it| it as usize)
}

fn limits_of(properties: &ConnAckProperties<Vec<u8>>) -> Limits {
    Limits {
        receive_maximum: properties.receive_maximum().get(),
        topic_alias_maximum: properties.topic_alias_maximum(),
        maximum_packet_size: size(properties.maximum_packet_size().map(|it| it.get())),
        maximum_qos: properties.maximum_qos(),
        retain: properties.retain_available(),
        wildcards: properties.wildcard_subscription_available(),
        shared: properties.shared_subscription_available(),
        identifiers: properties.subscription_identifier_available(),
    }
}

// Closing

/// Returns the packet that is sent before a connection of MQTT 5 closes (section 4.13), or the
/// CONNACK of one of MQTT 3.1.1 [MQTT-3.1.2-2, MQTT-3.1.3-8]. `cause` is the fault that exceeded a
/// limit.
pub(super) fn closing(
    is_v5: bool,
    is_server: bool,
    state: State,
    reason: &Reason,
    cause: Option<any::DecodeError>,
) -> Option<Packet> {
    let malformed = match reason {
        Reason::Malformed(error) => Some(*error),
        _ => cause,
    };
    if state == State::Start {
        let error = malformed.filter(|_| is_server)?;
        let code = match error {
            any::DecodeError::V3(error) => match error.reaction() {
                v3::Reaction::ConnAckThenClose(refusal) => refusal.return_code(),
                _ => return None,
            },
            any::DecodeError::V5(error) => match error.reaction() {
                v5::Reaction::ConnAckThenClose(code) => code.number(),
                _ => return None,
            },
        };
        return Some(Packet::connack(false, code));
    }
    if !is_v5 {
        return None;
    }
    let code = match (malformed, reason) {
        (Some(any::DecodeError::V5(error)), _) => error.reason_code().number(),
        (_, Reason::Violation(error)) => {
            // [MQTT5-3.14.0-1]
            let has_closed = *error == ProtocolError::Unexpected(PacketType::Disconnect);
            if has_closed && state == State::Requested && !is_server {
                return None;
            }
            reason_code(error)
        }
        (_, Reason::KeepAliveTimeout) => 0x8d,
        (_, Reason::LimitExceeded { .. }) => 0x97,
        _ => return None,
    };
    let is_possible = DisconnectReasonCode::try_from(code).is_ok();
    let code = if is_possible && (is_server || CLIENT_CODES.contains(&code)) {
        code
    } else {
        0x82
    };
    match (state, is_server) {
        (State::Connected, _) | (State::Requested, false) => Some(Packet::disconnect(code)),
        _ => None,
    }
}

/// The errors that a client may send in DISCONNECT (table 3-10).
const CLIENT_CODES: &[u8] = &[
    0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
];

/// 0x82 (Protocol Error), or a more specific code.
const fn reason_code(error: &ProtocolError) -> u8 {
    match error {
        ProtocolError::TopicAliasInvalid => 0x94,
        ProtocolError::ReceiveMaximumExceeded => 0x93,
        ProtocolError::QosNotSupported => 0x9b,
        ProtocolError::RetainNotSupported => 0x9a,
        ProtocolError::WildcardSubscriptionsNotSupported => 0xa2,
        ProtocolError::SharedSubscriptionsNotSupported => 0x9e,
        ProtocolError::SubscriptionIdentifiersNotSupported => 0xa1,
        ProtocolError::AuthenticationMethod => 0x8c,
        _ => 0x82,
    }
}
