use super::*;
use crate::any::{CloseReason, Event};
use crate::session::Slot;
use crate::types::{PacketId, QoS, TopicName};
#[cfg(feature = "alloc")]
use crate::v5::{AliasVec, ConnAckProperties, WithTopicAliases};
use crate::v5::{
    Disconnect, DisconnectReasonCode, Message, Property, PublishProperties, SubscribeReasonCode,
    SubscribeReasonCodes,
};
use crate::wire::{Options, Output, SliceOutput};
use std::format;
use std::string::String;
use std::vec::Vec;

const NOW: Timestamp = Timestamp::from_millis(0);
const CONNECT_3: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
const CONNECT_5: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c";

struct Broker {
    server: Server<[Slot; 4]>,
    decoder: Decoder<[u8; 256]>,
    sent: Vec<u8>,
    events: Vec<String>,
}

impl Broker {
    fn new() -> Self {
        Self {
            server: Server::new(Session::default(), Config::new(), NOW),
            decoder: Decoder::with_options([0; 256], Options::new(), ProtocolVersion::V3),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Receives bytes, accepts a connection, grants every subscription.
    fn receives(&mut self, mut bytes: &[u8]) -> &mut Self {
        let mut room = [0; 128];
        let mut out = SliceOutput::new(&mut room);
        while let Some(step) = self
            .server
            .receive(NOW, &mut self.decoder, &mut bytes)
            .unwrap()
        {
            match step {
                Step::Event(event) => {
                    let shown = format!("{event:?}");
                    let end = shown.find(|c: char| !c.is_alphanumeric());
                    self.events.push(shown[..end.unwrap_or(shown.len())].into());
                    match event {
                        Event::ConnectRequested(_) => {
                            self.server.accept_new(NOW, &mut out).unwrap()
                        }
                        Event::SubscribeRequested(subscribe) => {
                            let codes = subscribe
                                .subscriptions
                                .iter()
                                .map(|_| SubscribeReasonCode::QuotaExceeded);
                            let mut room = [0; 8];
                            let codes = SubscribeReasonCodes::encode_to_slice(&mut room, codes);
                            self.server.suback(NOW, &codes.unwrap(), &mut out).unwrap();
                        }
                        _ => {}
                    }
                }
                Step::Action(Action::Transmit(reply)) => out.put(reply.as_bytes()).unwrap(),
                Step::Action(_) => {}
            }
            self.sent.extend_from_slice(out.written());
            out.clear();
        }
        self
    }

    fn sends(&mut self, bytes: &[u8]) -> &mut Self {
        assert_eq!(core::mem::take(&mut self.sent), bytes);
        self
    }
}

#[test]
fn connect_decides_the_version_however_it_is_cut() {
    for (connect, connack, version) in [
        (CONNECT_3, &b"\x20\x02\0\0"[..], ProtocolVersion::V3),
        (CONNECT_5, b"\x20\x03\0\0\0", ProtocolVersion::V5),
    ] {
        for cut in 0..connect.len() {
            let mut broker = Broker::new();
            broker.receives(&connect[..cut]).receives(&connect[cut..]);
            broker.sends(connack);
            assert_eq!(broker.server.version(), Some(version), "{cut}");
        }
    }
}

#[test]
fn a_client_that_sends_nothing_is_given_up() {
    let mut broker = Broker::new();
    let deadline = broker.server.poll_timeout().unwrap();
    let step = broker
        .server
        .receive(deadline, &mut broker.decoder, &mut &b"\x10"[..]);
    assert!(matches!(step, Ok(Some(Step::Action(Action::Close(_))))));
}

#[test]
fn a_message_to_a_client_of_mqtt_3_1_1_goes_without_its_properties() {
    let mut room = [0; 8];
    let properties =
        PublishProperties::encode_to_slice(&mut room, [Property::MessageExpiryInterval(7)]);
    let message = Message::new(TopicName::new("a").unwrap(), "x").properties(properties.unwrap());
    for (connect, expected) in [
        (CONNECT_3, &b"\x30\x04\0\x01ax"[..]),
        (CONNECT_5, b"\x30\x0a\0\x01a\x05\x02\0\0\0\x07x"),
    ] {
        let mut broker = Broker::new();
        broker.receives(connect);
        let mut room = [0; 32];
        let mut out = SliceOutput::new(&mut room);
        broker.server.publish(NOW, &message, &mut out).unwrap();
        assert_eq!(out.written(), expected);
    }
}

#[test]
fn each_reason_code_from_0x80_on_is_0x80_for_mqtt_3_1_1() {
    let mut broker = Broker::new();
    broker.receives(CONNECT_3).sends(b"\x20\x02\0\0");
    broker.receives(b"\x82\x06\0\x01\0\x01a\x01");
    broker.sends(b"\x90\x03\0\x01\x80");
    let mut broker = Broker::new();
    broker.receives(CONNECT_5).sends(b"\x20\x03\0\0\0");
    broker.receives(b"\x82\x07\0\x01\0\0\x01a\x01");
    broker.sends(b"\x90\x04\0\x01\0\x97");
}

#[test]
fn a_disconnect_from_the_server_is_a_close_for_mqtt_3_1_1() {
    let takeover = Disconnect::new(DisconnectReasonCode::SessionTakenOver);
    for (connect, expected) in [(CONNECT_3, &b""[..]), (CONNECT_5, b"\xe0\x01\x8e")] {
        let mut broker = Broker::new();
        broker.receives(connect);
        let mut room = [0; 8];
        let mut out = SliceOutput::new(&mut room);
        broker
            .server
            .disconnect_with(NOW, &takeover, &mut out)
            .unwrap();
        assert_eq!(out.written(), expected);
        assert_eq!(broker.server.state(), State::Ending);
        let again = broker.server.disconnect_with(NOW, &takeover, &mut out);
        assert_eq!(again, Err(CommandError::Ended));
    }
}

/// [MQTT5-3.1.2-8]
#[test]
fn a_disconnect_from_the_server_publishes_the_will() {
    let connect = b"\x10\x14\0\x04MQTT\x05\x06\0\0\0\0\x01c\0\0\x01w\0\x00";
    let takeover = Disconnect::new(DisconnectReasonCode::SessionTakenOver);
    let mut broker = Broker::new();
    broker.receives(connect);
    let mut room = [0; 8];
    let mut out = SliceOutput::new(&mut room);
    broker
        .server
        .disconnect_with(NOW, &takeover, &mut out)
        .unwrap();
    assert_eq!(broker.server.poll_action(), Some(Action::PublishWill));
}

#[test]
fn commands_before_the_version_is_known_are_refused_as_before_connect_or_after_the_end() {
    let mut server = Broker::new().server;
    let message = Message::new(TopicName::new("a").unwrap(), "x");
    let mut room = [0; 32];
    let out = &mut SliceOutput::new(&mut room);
    assert_eq!(server.accept_new(NOW, out), Err(CommandError::NotConnected));
    assert_eq!(
        server.publish(NOW, &message, out),
        Err(CommandError::NotConnected)
    );
    server.handle_transport_closed(NOW);
    let reason = Some(Action::Close(CloseReason::V5(
        v5::CloseReason::TransportClosed,
    )));
    assert_eq!(server.poll_action(), reason);
    assert_eq!(server.accept_new(NOW, out), Err(CommandError::Ended));
    assert_eq!(server.publish(NOW, &message, out), Err(CommandError::Ended));
    assert_eq!(server.disconnect(NOW, out), Err(CommandError::Ended));
}

#[test]
fn an_unknown_protocol_level_is_refused_by_the_version_of_choice() {
    let mut broker = Broker::new();
    broker.receives(b"\x10\x0d\0\x04MQTT\x06\x02\0\x3c\0\x01c");
    broker.sends(b"\x20\x02\0\x01");
    assert_eq!(broker.server.state(), State::Ended);
}

#[test]
fn without_clean_session_a_session_of_mqtt_3_1_1_is_kept_for_ever() {
    let mut kept = CONNECT_3.to_vec();
    kept[9] = 0;
    for (connect, expiry) in [(CONNECT_3, 0), (&kept[..], u32::MAX), (CONNECT_5, 0)] {
        let mut broker = Broker::new();
        broker.receives(connect);
        assert_eq!(broker.server.session_expiry_interval(), expiry);
    }
}

#[test]
fn acknowledgements_of_either_version_are_the_same_events() {
    for connect in [CONNECT_3, CONNECT_5] {
        let mut broker = Broker::new();
        broker.receives(connect);
        let message = Message::new(TopicName::new("a").unwrap(), "x").qos(QoS::ExactlyOnce);
        let mut room = [0; 32];
        let id = broker
            .server
            .publish(NOW, &message, &mut SliceOutput::new(&mut room));
        assert_eq!(id, Ok(Some(PacketId::MIN)));
        broker.receives(b"\x50\x02\0\x01\x70\x02\0\x01");
        assert_eq!(
            broker.events,
            ["ConnectRequested", "AcceptedByPeer", "Delivered"]
        );
    }
}

#[cfg(all(feature = "alloc", target_pointer_width = "64"))]
#[test]
fn an_idle_connection_with_its_decoder_has_at_most_320_bytes() {
    use crate::session::Slot;
    let server = size_of::<Server<Vec<Slot>>>();
    let decoder = size_of::<Decoder<Vec<u8>>>();
    assert!(server + decoder <= 320, "{server} and {decoder}");
}

/// [MQTT5-3.3.2-9]
#[cfg(feature = "alloc")]
#[test]
fn a_topic_alias_above_the_maximum_is_invalid_and_one_not_known_is_a_protocol_error() {
    for (alias, code) in [(1, 0x82), (10, 0x82), (11, 0x94)] {
        let buffer = WithTopicAliases::new(Vec::new(), AliasVec::new(20));
        let mut decoder = Decoder::with_options(buffer, Options::new(), ProtocolVersion::V3);
        let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), NOW);
        let mut sent = Vec::new();
        let publish = [&b"\x30\x06\0\0\x03\x23\0"[..], &[alias]].concat();
        let mut bytes = &[CONNECT_5, &publish].concat()[..];
        while let Some(step) = server.receive(NOW, &mut decoder, &mut bytes).unwrap() {
            match step {
                Step::Event(Event::ConnectRequested(_)) => {
                    let announced = [Property::TopicAliasMaximum(10)];
                    let properties = ConnAckProperties::encode_to_vec(announced).unwrap();
                    server.accept_new_with(NOW, &properties, &mut sent).unwrap();
                    sent.clear();
                }
                Step::Action(Action::Transmit(reply)) => sent.extend_from_slice(reply.as_bytes()),
                Step::Action(Action::Close(_)) => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, [0xe0, 1, code]);
    }
}

#[cfg(feature = "bytes")]
#[test]
fn a_step_keeps_its_event_in_every_storage() {
    let whole = bytes::Bytes::from_static(CONNECT_5);
    let mut decoder = Decoder::with_options([0; 64], Options::new(), ProtocolVersion::V3);
    let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), NOW);
    let step = server.receive(NOW, &mut decoder, &mut &whole[..]);
    let step = step.unwrap().unwrap();
    assert!(matches!(step, Step::Event(Event::ConnectRequested(_))));
    assert_eq!(format!("{:?}", step.to_owned()), format!("{step:?}"));
    assert_eq!(format!("{:?}", step.share(&whole)), format!("{step:?}"));
}

/// MQTT 3.1.1 has no Reason Codes: the message counts as delivered.
#[test]
fn a_refusal_is_no_error_with_a_client_of_3_1_1() {
    let mut broker = Broker::new();
    broker.receives(CONNECT_3);
    let mut message = &b"\x32\x06\0\x01a\0\x07x"[..];
    let step = broker
        .server
        .receive(NOW, &mut broker.decoder, &mut message)
        .unwrap();
    assert!(matches!(step, Some(Step::Event(Event::Message(_)))));
    let id = PacketId::new(7).unwrap();
    let acknowledgement = broker.server.acknowledgement(id).unwrap();
    let refused = v5::PubAckReasonCode::NotAuthorized;
    assert_eq!(broker.server.acknowledge(acknowledgement, refused), Ok(()));
    let Some(Action::Transmit(puback)) = broker.server.poll_action() else {
        panic!("no PUBACK");
    };
    assert_eq!(puback.as_bytes(), b"\x40\x02\0\x07");
}

#[test]
fn a_server_that_has_given_up_waiting_for_connect_keeps_its_reason() {
    let mut broker = Broker::new();
    let deadline = broker.server.poll_timeout().unwrap();
    broker.server.handle_timeout(deadline);
    let step = broker
        .server
        .receive(deadline, &mut broker.decoder, &mut &CONNECT_3[..])
        .unwrap();
    let reason = CloseReason::V5(v5::CloseReason::ConnectTimeout);
    assert_eq!(step, Some(Step::Action(Action::Close(reason))));
}

#[test]
fn the_reason_code_of_a_refusal_is_the_closest_return_code_for_mqtt_3_1_1() {
    use crate::any::lowered::refusal;
    use crate::v3::ConnectRefusal;
    use crate::v5::ConnectReasonCode as Code;

    for (code, expected) in [
        (
            Code::UnsupportedProtocolVersion,
            ConnectRefusal::UnacceptableProtocolVersion,
        ),
        (
            Code::ClientIdentifierNotValid,
            ConnectRefusal::IdentifierRejected,
        ),
        (
            Code::BadUserNameOrPassword,
            ConnectRefusal::BadUserNameOrPassword,
        ),
        (
            Code::BadAuthenticationMethod,
            ConnectRefusal::BadUserNameOrPassword,
        ),
        (Code::NotAuthorized, ConnectRefusal::NotAuthorized),
        (Code::Banned, ConnectRefusal::NotAuthorized),
        (Code::ServerBusy, ConnectRefusal::ServerUnavailable),
        (Code::QuotaExceeded, ConnectRefusal::ServerUnavailable),
    ] {
        assert_eq!(refusal(code), Ok(expected), "{code:?}");
    }
    assert_eq!(refusal(Code::Success), Err(CommandError::ReasonCodeOfPeer));
}

#[test]
fn only_a_disconnect_is_a_disconnect_in_either_version() {
    assert!(CloseReason::V3(v3::CloseReason::Disconnected).is_disconnected());
    assert!(CloseReason::V5(v5::CloseReason::Disconnected).is_disconnected());
    assert!(!CloseReason::V3(v3::CloseReason::TransportClosed).is_disconnected());
    assert!(!CloseReason::V5(v5::CloseReason::Aborted).is_disconnected());
}
