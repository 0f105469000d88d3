//! Control characters in strings, which this broker does not accept.

use mqtt_sansio::any::{Connect, Event, ProtocolVersion};
use mqtt_sansio::v5::{DisconnectReasonCode, PubAckReasonCode};

use super::Connection;

/// Returns true for U+0001 to U+001F and U+007F to U+009F. Strings should not contain them, and a
/// server may refuse those that do (in MQTT 3.1.1 section 1.5.3, in MQTT 5 section 1.5.4).
pub(super) fn has_control_character(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// Returns true if a name in the packet has a control character: a topic, a filter, a User Name, and in
/// MQTT 3.1.1 a Client Identifier. MQTT 5 has a Reason Code for that one.
pub(super) fn is_malformed(event: &Event<&[u8]>) -> bool {
    match event {
        Event::ConnectRequested(request) => {
            let connect = request.to_connect();
            let will_topic = connect.will.as_ref().map(|will| will.topic.as_str());
            let client_id = match request {
                Connect::V3(_) => Some(connect.client_id.as_str()),
                Connect::V5(_) => None,
            };
            let user_name = connect.user_name.as_ref().map(|name| name.as_str());
            [will_topic, client_id, user_name]
                .into_iter()
                .flatten()
                .any(has_control_character)
        }
        Event::Message(publish) => has_control_character(publish.topic.as_str()),
        Event::SubscribeRequested(subscribe) => subscribe
            .subscriptions
            .iter()
            .any(|subscription| has_control_character(subscription.topic_filter.as_str())),
        Event::UnsubscribeRequested(unsubscribe) => unsubscribe
            .topic_filters
            .iter()
            .any(|filter| has_control_character(filter.as_str())),
        _ => false,
    }
}

impl Connection {
    /// Ends the connection because of a malformed packet. In MQTT 5 the acknowledgement of a message
    /// refuses it; MQTT 3.1.1 has none that could.
    pub(super) fn end_for_malformed(&mut self, event: &Event<&[u8]>) {
        if let (Event::Message(publish), Some(ProtocolVersion::V5)) = (event, self.server.version())
        {
            let packet_id = publish.delivery.packet_id();
            if let Some(acknowledgement) = packet_id.and_then(|id| self.server.acknowledgement(id))
            {
                let reason_code = PubAckReasonCode::TopicNameInvalid;
                let _ = self.server.acknowledge(acknowledgement, reason_code);
            }
            self.act();
        }
        self.disconnect(DisconnectReasonCode::MalformedPacket);
    }
}
