//! The functions of `any`: a decoder and a server for all versions.

use mqtt_sansio::any::{CloseReason, Decoder, Protocol, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{
    AckProperties, AliasArray, ConnAckProperties, ConnectReasonCode, OutboundAliases,
    PubAckReasonCode,
};
use mqtt_sansio::{Buffer, Options, Output, Session, SliceOutput, Slots};

use crate::{
    any, bytes, config, encoded_message, look, now, packet_id, qos, receiver, subscriber_header, v5,
};

pub(crate) fn decode<M: Buffer>(memory: M) {
    if let Some(protocol) = Protocol::of(bytes()) {
        look((protocol.version(), protocol.of_bridge()));
    }
    let version = any(ProtocolVersion::V3);
    let options = any(Options::new());
    look(Decoder::of_version([0; 16], options, version).decode(&mut bytes()));
    let mut decoder = any(Decoder::with_options(memory, options, version));
    match decoder.decode(&mut bytes()) {
        Ok(Some(packet)) => look(packet.packet_type()),
        Ok(None) => {}
        Err(error) => {
            look((error.version(), error.kind(), error.field()));
            look((error.packet_type(), error.offset(), error.statement()));
        }
    }
    any(&mut decoder).set_options(options);
    any(&mut decoder).shrink();
    look(any(&mut decoder).decode(&mut bytes()));
    look((decoder.protocol(), decoder.version(), decoder.position()));
    look(decoder.is_at_packet_boundary());
}

pub(crate) fn server<S: Slots>(outbound: S, inbound: S, kept: &mut Session<S>)
where
    Session<S>: Default,
{
    let mut buffer = any([0; 64]);
    let out: &mut dyn Output = &mut SliceOutput::new(&mut buffer);
    let mut server = any(Server::new(
        Session::new(outbound, inbound),
        config(),
        now(),
    ));
    let version = any(ProtocolVersion::V3);
    let mut decoder = any(Decoder::with_options([0; 64], Options::new(), version));
    match any(&mut server).receive(now(), any(&mut decoder), any(&mut bytes())) {
        Ok(Some(Step::Event(event))) => {
            if let mqtt_sansio::any::Event::ConnectRequested(connect) = event {
                look((connect.version(), connect.to_connect()));
                look(connect.map(any));
            }
            look(event.map(any));
            look(Step::Event(event).map(any));
        }
        Ok(Some(Step::Action(action))) => look(action),
        other => look(other.is_ok()),
    }
    let properties = any(ConnAckProperties::default());
    look(any(&mut server).accept_new(now(), out));
    look(any(&mut server).accept_new_with(now(), &properties, out));
    look(any(&mut server).accept_resumed(now(), any(&mut *kept), out));
    look(any(&mut server).accept_resumed_with(now(), any(kept), &properties, out));
    let code = any(ConnectReasonCode::NotAuthorized);
    look(any(&mut server).refuse(now(), code, out));
    look(any(&mut server).refuse_with(now(), code, &properties, out));
    let properties = any(AckProperties::default());
    if let Some(codes) = v5::suback_codes(&mut any([0; 64])) {
        look(any(&mut server).suback(now(), &codes, out));
        look(any(&mut server).suback_with(now(), &codes, &properties, out));
    }
    if let Some(codes) = v5::unsuback_codes(&mut any([0; 64])) {
        look(any(&mut server).unsuback(now(), &codes, out));
        look(any(&mut server).unsuback_with(now(), &codes, &properties, out));
    }
    if let Some(message) = v5::message() {
        look(any(&mut server).publish(now(), &message, out));
        look(any(&mut server).resend(now(), packet_id(), &message, out));
        let mut aliases = any(OutboundAliases::new(AliasArray::<2, 8>::new()));
        look(any(&mut server).publish_aliased(now(), &message, &mut aliases, out));
    }
    if let Some(message) = encoded_message(&mut any([0; 64])) {
        let header = any(&mut server).publish_encoded(now(), &message, receiver());
        subscriber_header(&message, header);
        let header = any(&mut server).resend_encoded(now(), packet_id(), &message, receiver());
        subscriber_header(&message, header);
        let mut aliases = any(OutboundAliases::new(AliasArray::<2, 8>::new()));
        let server = any(&mut server);
        let header = server.publish_encoded_aliased(now(), &message, receiver(), &mut aliases);
        subscriber_header(&message, header);
    }
    look(any(&mut server).forget(packet_id()));
    if let Some(it) = any(&mut server).acknowledgement(packet_id()) {
        look(any(&mut server).acknowledge(it, any(PubAckReasonCode::UnspecifiedError)));
    }
    look(any(&mut server).can_publish(qos()));
    if let Some(auth) = v5::auth() {
        look(any(&mut server).auth(now(), &auth, out));
    }
    look(any(&mut server).disconnect(now(), out));
    look(any(&mut server).disconnect_with(now(), &v5::disconnect_packet(), out));
    any(&mut server).handle_progress(now());
    any(&mut server).handle_timeout(now());
    any(&mut server).handle_transport_closed(now());
    any(&mut server).close(now());
    look(any(&mut server).poll_action());
    look((server.poll_timeout(), server.state(), server.version()));
    look(server.session().map(Session::is_empty));
    look((server.limits(), server.session_expiry_interval()));
    look((server.will_delay_interval(), server.has_ended()));
    let reason = any(CloseReason::V5(mqtt_sansio::v5::CloseReason::Disconnected));
    look(reason.is_disconnected());
    look(any(&mut server).take_session().is_empty());
    look(any(server).into_session().map(|session| session.is_empty()));
}
