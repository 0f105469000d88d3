//! The functions of MQTT 5.

use core::hash::Hash;
use core::num::NonZeroU16;

use mqtt_sansio::v5::{
    self, AckProperties, Acknowledgement, AliasArray, Auth, AuthReasonCode, Capabilities, Connect,
    ConnectReasonCode, DecodeError, Disconnect, DisconnectReasonCode, EncodedConnect, Entry, Event,
    List, Message, MessageHeader, OutboundAliases, Packet, PeerError, Properties, PropertiesKind,
    Property, PubAck, PubAckReasonCode, PubComp, PubRec, PubRel, PubRelReasonCode, Publish,
    PublishProperties, ReasonCode, RetainHandling, Step, SubscribeReasonCode, SubscribeReasonCodes,
    Subscription, SubscriptionIdentifier, Subscriptions, TopicAliases, TopicFilters,
    UnsubscribeReasonCode, UnsubscribeReasonCodes, V5, WithTopicAliases,
};
use mqtt_sansio::{
    Buffer, ClientRole, Connection, Encode, Options, Output, PeerError as Fault, Role, Session,
    SliceOutput, Slots, TopicFilter, WholePackets,
};

use crate::{
    Sum, any, bytes, config, delivery, encoded_message, filter, list, look, now, packet_id, qos,
    receiver, subscriber_header, text, topic,
};

pub(crate) fn all() {
    codes();
    properties(publish_properties());
    packets();
    aliases(AliasArray::<2, 8>::new());
}

/// A packet of any kind.
fn packet() -> Option<Packet<&'static [u8]>> {
    any(v5::decode(&mut bytes(), &Options::new()).ok().flatten())
}

fn decode_error() -> Option<DecodeError> {
    any(v5::decode(&mut bytes(), &Options::new()).err())
}

// Values

/// Calls the conversions of every list of Reason Codes.
macro_rules! reason_codes {
    ($($Code:ident)+) => {$(
        if let Some(code) = $Code::from_number(any(1)) {
            look((code.number(), code.is_error()));
            look(ReasonCode::from(code));
            look($Code::try_from(ReasonCode::from(code)));
        }
        look($Code::try_from(any(1)));
    )+};
}

fn codes() {
    reason_codes!(
        ConnectReasonCode PubAckReasonCode PubRelReasonCode SubscribeReasonCode
        UnsubscribeReasonCode DisconnectReasonCode AuthReasonCode
    );
    if let Some(code) = ReasonCode::from_number(any(1)) {
        look((code.number(), code.name(), code.is_error()));
    }
    look(ReasonCode::try_from(any(1)));
    look(RetainHandling::from_number(any(1)).map(RetainHandling::number));
    if let Some(identifier) = SubscriptionIdentifier::new(any(1)) {
        look((identifier.get(), u32::from(identifier)));
    }
    look(SubscriptionIdentifier::try_from(any(1)));
    look(v5::Limits::default());
    look(Capabilities::default());
    if let Some(error) = decode_error() {
        look((error.reason_code(), error.value(), error.reaction()));
        look(error.statement());
        look(PeerError::from(error).reason_code());
        look(Fault::<V5>::from(error).statement());
    }
}

// Properties

pub(crate) fn publish_properties() -> PublishProperties<&'static [u8]> {
    match packet() {
        Some(Packet::Publish(publish)) => publish.properties,
        _ => PublishProperties::default(),
    }
}

/// Calls the methods of the properties of every packet.
fn properties<K: PropertiesKind>(properties: Properties<&[u8], K>) {
    look((properties.as_bytes(), properties.is_empty()));
    look(properties.as_ref().as_bytes());
    for property in &properties {
        look((property.identifier(), property.field(), property));
    }
    look(properties.iter().clone().count());
    for (name, value) in properties.user_properties() {
        look((name, value));
    }
    let mut buffer = any([0; 64]);
    let made = Properties::<&[u8], K>::encode_to_slice(&mut buffer, properties.iter());
    look(made.map(|made| made.as_bytes().len()));
    look(Properties::<&[u8], K>::encoded_len(any([
        Property::MessageExpiryInterval(any(1)),
        Property::ContentType(text()),
    ])));
    look(Clone::clone(any(&properties)) == properties);
    properties.hash(&mut Sum(any(0)));
    look(properties.map(any).as_bytes());
}

/// Calls the getters of messages and Wills.
macro_rules! of_a_message {
    ($properties:expr) => {
        look($properties.payload_format_indicator());
        look($properties.message_expiry_interval());
        look($properties.content_type());
        look($properties.response_topic());
        look($properties.correlation_data());
    };
}

fn of_connect(connect: &Connect<&[u8]>) {
    let it = connect.properties;
    look((it.receive_maximum(), it.maximum_packet_size()));
    look((it.topic_alias_maximum(), it.session_expiry_interval()));
    look((
        it.request_response_information(),
        it.request_problem_information(),
    ));
    look((it.authentication_method(), it.authentication_data()));
    properties(it);
    if let Some(will) = connect.will {
        of_a_message!(will.properties);
        look(will.properties.will_delay_interval());
        properties(will.properties);
        look(will.as_ref());
        look(will.map(any));
    }
}

fn of_connack(it: v5::ConnAckProperties<&'static [u8]>) {
    look((it.receive_maximum(), it.maximum_packet_size()));
    look((it.topic_alias_maximum(), it.session_expiry_interval()));
    look((it.maximum_qos(), it.retain_available()));
    look(it.assigned_client_identifier());
    look(it.wildcard_subscription_available());
    look(it.subscription_identifier_available());
    look(it.shared_subscription_available());
    look((it.server_keep_alive(), it.response_information()));
    look((it.authentication_method(), it.authentication_data()));
    look((it.reason_string(), it.server_reference()));
    properties(it);
}

fn of_publish(it: PublishProperties<&'static [u8]>) {
    of_a_message!(it);
    look(it.topic_alias());
    for identifier in it.subscription_identifiers() {
        look(identifier);
    }
    properties(it);
}

// Packets

fn each<P: Encode>(packet: &P) {
    let mut buffer = any([0; 64]);
    look(packet.encoded_len());
    look(
        packet
            .encode_to_slice(&mut buffer)
            .map(|written| written.len()),
    );
    let anywhere: &mut dyn Output = &mut SliceOutput::new(any(&mut buffer[..]));
    look(packet.encode(any(anywhere)));
}

fn acknowledgement<K: v5::AckType>(ack: Acknowledgement<&'static [u8], K>)
where
    Packet<&'static [u8]>: From<Acknowledgement<&'static [u8], K>>,
    Acknowledgement<&'static [u8], K>: Encode + Copy,
    K::ReasonCode: Copy,
{
    each(&ack);
    look(ack.as_ref().packet_id);
    look(ack.properties.reason_string());
    properties(ack.properties);
    look(Packet::from(ack));
    look(ack.map(any).packet_id);
}

fn packets() {
    acknowledgement(PubAck::new(packet_id()));
    acknowledgement(PubRec::new(packet_id()));
    acknowledgement(PubRel::new(packet_id()));
    acknowledgement(PubComp::new(packet_id()));
    each(&Disconnect::new(any(
        DisconnectReasonCode::NormalDisconnection,
    )));
    each(&Publish::aliased(
        delivery(),
        any(true),
        publish_properties(),
        bytes(),
    ));
    let Some(packet) = packet() else {
        return;
    };
    look(packet.packet_type());
    look(packet.as_ref());
    each(&packet);
    match packet {
        Packet::Connect(connect) => {
            each::<EncodedConnect<&[u8]>>(&connect);
            look(connect.as_ref());
            look(connect.properties());
            let fields = connect.to_connect();
            each::<Connect<&[u8]>>(&fields);
            of_connect(&fields);
            look(fields.as_ref());
            let mut buffer = [0; 64];
            look(EncodedConnect::encode_to_slice(&mut buffer, &fields));
            look(fields.map(any));
            look(Packet::from(connect.map(any)));
        }
        Packet::ConnAck(connack) => {
            each(&connack);
            of_connack(connack.properties);
            look(connack.as_ref());
            look(Packet::from(connack.map(any)));
        }
        Packet::Publish(publish) => {
            each(&publish);
            of_publish(publish.properties);
            look(publish.as_ref());
            if let Ok(header) = publish.header() {
                each(&header);
                look(header.as_ref());
                look(header.map(any).with_payload(bytes()));
            }
            let message = Message::new(publish.topic, publish.payload);
            look(message.properties(publish.properties).map(any));
            look(Packet::from(publish.map(any)));
        }
        Packet::PubAck(ack) => acknowledgement(ack),
        Packet::PubRec(ack) => acknowledgement(ack),
        Packet::PubRel(ack) => acknowledgement(ack),
        Packet::PubComp(ack) => acknowledgement(ack),
        Packet::Subscribe(subscribe) => {
            each(&subscribe);
            look(subscribe.properties.subscription_identifier());
            properties(subscribe.properties);
            list(subscribe.subscriptions);
            for subscription in &subscribe.subscriptions {
                look(subscription.as_ref());
                look(subscription.map(any));
            }
            look(subscribe.as_ref());
            look(Packet::from(subscribe.map(any)));
        }
        Packet::SubAck(suback) => {
            each(&suback);
            look(suback.properties.reason_string());
            list(suback.reason_codes);
            look(suback.as_ref());
            look(Packet::from(suback.map(any)));
        }
        Packet::Unsubscribe(unsubscribe) => {
            each(&unsubscribe);
            properties(unsubscribe.properties);
            list(unsubscribe.topic_filters);
            look(unsubscribe.as_ref());
            look(Packet::from(unsubscribe.map(any)));
        }
        Packet::UnsubAck(unsuback) => {
            each(&unsuback);
            list(unsuback.reason_codes);
            look(unsuback.as_ref());
            look(Packet::from(unsuback.map(any)));
        }
        Packet::Disconnect(disconnect) => {
            each(&disconnect);
            look(disconnect.properties.session_expiry_interval());
            look(disconnect.properties.reason_string());
            look(disconnect.properties.server_reference());
            properties(disconnect.properties);
            look(disconnect.as_ref());
            look(Packet::from(disconnect.map(any)));
        }
        Packet::Auth(auth) => {
            each(&auth);
            look(auth.properties.authentication_method());
            look(auth.properties.authentication_data());
            look(auth.properties.reason_string());
            properties(auth.properties);
            look(auth.as_ref());
            look(Packet::from(auth.map(any)));
        }
        other => look(other.map(any)),
    }
}

fn aliases<T: TopicAliases + Clone>(names: T) {
    let alias = any(NonZeroU16::MIN);
    let mut own = any(names.clone());
    look(own.set(alias, bytes()));
    look(own.get(alias));
    look(own.maximum());
    look(AliasArray::<2, 8>::default().maximum());
    memory(any(WithTopicAliases::new([0; 64], names.clone())));
    memory(any(WholePackets(WithTopicAliases::new([0; 64], names))));
    look(v5::decode(&mut bytes(), &Options::new()));
}

fn memory<M: Buffer>(mut memory: M) {
    let alias = any(NonZeroU16::MIN);
    look(memory.append(any(1), bytes()));
    look(memory.capacity());
    look(memory.filled(any(1)));
    look(memory.set_topic(alias, bytes()));
    look(memory.set_topic_from_buffer(alias, any(1), any(1)..any(2_usize)));
    look(memory.topic(alias));
    memory.shrink(any(1));
    look(any(v5::Decoder::new(memory)).decode(&mut bytes()));
}

// Connections

pub(crate) fn subscriptions(buffer: &mut [u8]) -> Option<Subscriptions<&[u8]>> {
    List::encode_to_slice(buffer, [any(Subscription::new(filter()?, qos()))]).ok()
}

fn topic_filters(buffer: &mut [u8]) -> Option<TopicFilters<&[u8]>> {
    let filter: TopicFilter<&[u8]> = filter()?;
    List::encode_to_slice(buffer, [filter]).ok()
}

pub(crate) fn suback_codes(buffer: &mut [u8]) -> Option<SubscribeReasonCodes<&[u8]>> {
    codes_list(buffer, SubscribeReasonCode::from(qos()))
}

pub(crate) fn unsuback_codes(buffer: &mut [u8]) -> Option<UnsubscribeReasonCodes<&[u8]>> {
    codes_list(buffer, any(UnsubscribeReasonCode::UnspecifiedError))
}

fn codes_list<'b, E: Entry>(buffer: &'b mut [u8], code: E::Item<'_>) -> Option<List<&'b [u8], E>> {
    List::encode_to_slice(buffer, [code]).ok()
}

pub(crate) fn message() -> Option<Message<&'static [u8]>> {
    let message = Message::new(topic()?, bytes()).qos(qos()).retain(any(true));
    Some(message.properties(publish_properties()))
}

fn message_header() -> Option<MessageHeader<&'static [u8]>> {
    Some(MessageHeader {
        topic: topic()?,
        payload_len: any(1),
        qos: qos(),
        retain: any(true),
        properties: publish_properties(),
    })
}

pub(crate) fn auth() -> Option<Auth<&'static [u8]>> {
    match packet() {
        Some(Packet::Auth(auth)) => Some(auth),
        _ => None,
    }
}

pub(crate) fn disconnect_packet() -> Disconnect<&'static [u8]> {
    match packet() {
        Some(Packet::Disconnect(disconnect)) => disconnect,
        _ => Disconnect::new(any(DisconnectReasonCode::NormalDisconnection)),
    }
}

fn event(event: Option<Event<&[u8]>>) {
    look(event.map(|event| event.map(any)));
}

fn both_roles<R: Role, S: Slots>(peer: &mut Connection<V5, R, S>, out: &mut dyn Output)
where
    Session<S>: Default,
{
    if let Some(message) = message() {
        look(message.as_ref());
        look(any(&mut *peer).publish(now(), &message, out));
        look(any(&mut *peer).resend(now(), packet_id(), &message, out));
        let mut aliases = any(OutboundAliases::new(AliasArray::<2, 8>::new()));
        look(any(&mut *peer).publish_aliased(now(), &message, &mut aliases, out));
    }
    if let Some(message) = encoded_message(&mut any([0; 64])) {
        let mut aliases = any(OutboundAliases::new(AliasArray::<2, 8>::new()));
        let header = any(&mut *peer).publish_encoded(now(), &message, receiver());
        subscriber_header(&message, header);
        let header = any(&mut *peer).resend_encoded(now(), packet_id(), &message, receiver());
        subscriber_header(&message, header);
        let peer = any(&mut *peer);
        let header = peer.publish_encoded_aliased(now(), &message, receiver(), &mut aliases);
        subscriber_header(&message, header);
    }
    if let Some(header) = message_header() {
        look(any(&mut *peer).publish(now(), &header, out));
        look(any(&mut *peer).resend(now(), packet_id(), &header, out));
    }
    look(any(&mut *peer).payload(now(), bytes(), out));
    look(any(&mut *peer).payload_sent(now(), any(1)));
    look(any(&mut *peer).forget(packet_id()));
    if let Some(it) = any(&mut *peer).acknowledgement(packet_id()) {
        look(any(&mut *peer).acknowledge(it));
        look(any(&mut *peer).acknowledge_with(it, any(PubAckReasonCode::UnspecifiedError)));
    }
    look(any(&mut *peer).can_publish(qos()));
    if let Some(packet) = packet() {
        event(any(&mut *peer).handle_packet(now(), packet).ok().flatten());
    }
    let mut decoder = any(v5::Decoder::new(WithTopicAliases::new(
        [0; 64],
        AliasArray::<2, 8>::new(),
    )));
    if let Ok(Some(piece)) = decoder.decode_in_pieces(&mut bytes()) {
        event(any(&mut *peer).handle_piece(now(), piece).ok().flatten());
    }
    match any(&mut *peer).receive(now(), any(&mut decoder), any(&mut bytes())) {
        Ok(Some(step)) => {
            look(step.clone() == step);
            match step.map(any) {
                Step::Event(it) => event(Some(it)),
                Step::Action(it) => look(it),
            }
        }
        other => look(other.is_ok()),
    }
    if let Some(error) = decode_error() {
        any(&mut *peer).handle_decode_error(now(), error);
    }
    any(&mut *peer).handle_progress(now());
    any(&mut *peer).handle_timeout(now());
    any(&mut *peer).handle_transport_closed(now());
    look(any(&mut *peer).poll_action());
    look((peer.poll_timeout(), peer.state(), peer.keep_alive()));
    look((peer.limits(), peer.session_expiry_interval()));
    if let Some(auth) = auth() {
        look(any(&mut *peer).auth(now(), &auth, out));
    }
    look(any(&mut *peer).disconnect(now(), out));
    look(any(&mut *peer).disconnect_with(now(), &disconnect_packet(), out));
    any(&mut *peer).close(now());
    look(peer.session_ends());
    look(any(&mut *peer).take_session().is_empty());
}

pub(crate) fn client<S: Slots>(outbound: S, inbound: S)
where
    Session<S>: Default,
{
    let mut buffer = any([0; 64]);
    let out: &mut dyn Output = &mut SliceOutput::new(&mut buffer);
    let mut client = any(Connection::<V5, ClientRole, S>::new(
        Session::new(outbound, inbound),
        config(),
        now(),
    ));
    let connect = any(Connect::new(text()))
        .clean_start(any(true))
        .keep_alive(any(1))
        .credentials(text(), bytes())
        .properties(any(v5::ConnectProperties::default()));
    if let Some(Packet::Connect(other)) = packet()
        && let Some(will) = other.to_connect().will
    {
        look(connect.will(will));
    }

    look(any(&mut client).connect(now(), &connect, out));
    look(any(&mut client).ping(now()));
    if let Some(subscriptions) = subscriptions(&mut any([0; 64])) {
        look(any(&mut client).subscribe(now(), &subscriptions, out));
        let properties = any(v5::SubscribeProperties::default());
        look(any(&mut client).subscribe_with(now(), &subscriptions, &properties, out));
    }
    if let Some(filter) = filter() {
        look(any(&mut client).subscribe_to(now(), &filter, qos(), out));
        look(any(&mut client).unsubscribe_from(now(), &filter, out));
    }
    if let Some(topic_filters) = topic_filters(&mut any([0; 64])) {
        look(any(&mut client).unsubscribe(now(), &topic_filters, out));
        let properties = any(v5::UnsubscribeProperties::default());
        look(any(&mut client).unsubscribe_with(now(), &topic_filters, &properties, out));
    }
    both_roles(&mut client, out);
    look(any(client).into_session().is_empty());
}

pub(crate) fn server<S: Slots>(outbound: S, inbound: S, kept: &mut Session<S>)
where
    Session<S>: Default,
{
    let mut buffer = any([0; 64]);
    let out: &mut dyn Output = &mut SliceOutput::new(&mut buffer);
    let mut server = any(v5::Server::new(
        Session::new(outbound, inbound),
        config(),
        now(),
    ));
    let properties = any(v5::ConnAckProperties::default());
    look(any(&mut server).accept_new(now(), out));
    look(any(&mut server).accept_new_with(now(), &properties, out));
    look(any(&mut server).accept_resumed(now(), any(&mut *kept), out));
    look(any(&mut server).accept_resumed_with(now(), any(kept), &properties, out));
    let code = any(ConnectReasonCode::NotAuthorized);
    look(any(&mut server).refuse(now(), code, out));
    look(any(&mut server).refuse_with(now(), code, &properties, out));
    let properties = any(AckProperties::default());
    if let Some(codes) = suback_codes(&mut any([0; 64])) {
        look(any(&mut server).suback(now(), &codes, out));
        look(any(&mut server).suback_with(now(), &codes, &properties, out));
    }
    if let Some(codes) = unsuback_codes(&mut any([0; 64])) {
        look(any(&mut server).unsuback(now(), &codes, out));
        look(any(&mut server).unsuback_with(now(), &codes, &properties, out));
    }
    look(server.will_delay_interval());
    both_roles(&mut server, out);
    look(any(server).into_session().is_empty());
}
