//! Properties of MQTT 5: the largest number, the largest size, and an error at the end.

use std::num::NonZeroU32;

use mqtt_sansio::v5::{ConnAckProperties, Event, Packet, Property, ReasonCode};
use mqtt_sansio::{CloseReason, ErrorKind, Limit, Step};

use crate::agreed::{agreed, requested};
use crate::bytes::{REMAINING, comes_in_parts, largest_header, refusal};
use crate::common::{Version, frame, unlimited};
use crate::conversation::fresh;
use crate::*;

/// The number of User Properties, of 7 bytes each.
pub(crate) fn user_properties(count: usize) -> Vec<u8> {
    b"\x26\0\x01a\0\x01b".repeat(count)
}

/// A Variable Byte Integer.
fn variable(number: usize) -> Vec<u8> {
    let packet = frame(0, &vec![0; number]);
    packet[1..packet.len() - number].to_vec()
}

/// Returns a packet with these properties, then `last`: CONNECT, CONNACK, PUBLISH to `t` at QoS 0,
/// SUBSCRIBE to `a`, UNSUBSCRIBE, an acknowledgement or DISCONNECT, by its first byte.
pub(crate) fn with_properties(first_byte: u8, properties: &[u8], last: &[u8]) -> Vec<u8> {
    let (before, after): (&[u8], &[u8]) = match first_byte {
        0x10 => (b"\0\x04MQTT\x05\0\0\0", b"\0\x01c"),
        0x20 => (b"\0\0", b""),
        0x30 => (b"\0\x01t", b""),
        0x82 => (b"\0\x01", b"\0\x01a\0"),
        0xa2 => (b"\0\x01", b"\0\x01a"),
        0x90 | 0xb0 => (b"\0\x01", b"\0"),
        0xe0 | 0xf0 => (b"\0", b""),
        _ => (b"\0\x01\0", b""),
    };
    let len = variable(properties.len() + last.len());
    frame(
        first_byte,
        &[before, &len, properties, last, after].concat(),
    )
}

/// The most bytes of properties in a packet with a fixed header, a topic of one letter and their
/// lengths.
fn largest_publish() -> Vec<u8> {
    let mut bytes = largest_header(0x30);
    let room = REMAINING - 3 - 4;
    let (count, rest) = (room / 7, room % 7);
    bytes.extend(b"\0\x01t");
    let mut left = room;
    for last in [false, false, false, true] {
        bytes.push(u8::try_from(left % 128).unwrap() | if last { 0 } else { 0x80 });
        left /= 128;
    }
    bytes.extend(user_properties(count - 1));
    bytes.extend(b"\x26\0\x01a\0");
    bytes.push(u8::try_from(1 + rest).unwrap());
    bytes.extend(vec![b'b'; 1 + rest]);
    assert_eq!(bytes.len(), 5 + REMAINING);
    bytes
}

const USER_PROPERTIES: usize = 65_535;

/// 65,535 User Properties, in every packet that can have them.
#[test]
fn a_packet_with_65535_user_properties_is_read_where_it_is() {
    let properties = user_properties(USER_PROPERTIES);
    for first_byte in [
        0x10, 0x20, 0x30, 0x40, 0x50, 0x62, 0x70, 0x82, 0x90, 0xa2, 0xb0, 0xe0, 0xf0,
    ] {
        let method: &[u8] = if first_byte == 0xf0 {
            b"\x15\0\x01m"
        } else {
            b""
        };
        let bytes = with_properties(first_byte, &properties, method);
        let held = heap(|| {
            let packet = V5::decode(&mut &bytes[..], &unlimited()).unwrap().unwrap();
            assert_eq!(count_user_properties(&packet), USER_PROPERTIES);
        });
        assert_eq!(held.count_total, 0, "{first_byte:#x}");
        comes_in_parts::<V5>(&bytes);
    }
}

fn count_user_properties(packet: &Packet<&[u8]>) -> usize {
    macro_rules! count {
        ($properties:expr) => {
            $properties
                .iter()
                .filter(|property| matches!(property, Property::UserProperty { .. }))
                .count()
        };
    }
    match packet {
        Packet::Connect(packet) => count!(packet.to_connect().properties),
        Packet::ConnAck(packet) => count!(packet.properties),
        Packet::Publish(packet) => count!(packet.properties),
        Packet::PubAck(packet) => count!(packet.properties),
        Packet::PubRec(packet) => count!(packet.properties),
        Packet::PubRel(packet) => count!(packet.properties),
        Packet::PubComp(packet) => count!(packet.properties),
        Packet::Subscribe(packet) => count!(packet.properties),
        Packet::SubAck(packet) => count!(packet.properties),
        Packet::Unsubscribe(packet) => count!(packet.properties),
        Packet::UnsubAck(packet) => count!(packet.properties),
        Packet::Disconnect(packet) => count!(packet.properties),
        Packet::Auth(packet) => count!(packet.properties),
        Packet::PingReq | Packet::PingResp => 0,
    }
}

for_both_roles_of_mqtt_5! {
    /// The connection keeps none of them, and sends none.
    fn user_properties_of_messages_and_acknowledgements_are_told_and_not_kept<R>() {
        let mut us = agreed::<R>(CONFIG, &[], &[]);
        let properties = user_properties(USER_PROPERTIES);
        us.publish(ms(0), &V5::message(QoS::ExactlyOnce), &mut Vec::new()).unwrap();
        let message = with_properties(0x30, &properties, b"");
        let refused = with_properties(0x50, &properties, b"");
        let held = heap(|| {
            let packet = V5::decode(&mut &message[..], &unlimited()).unwrap().unwrap();
            let Ok(Some(Event::Message(publish))) = us.handle_packet(ms(0), packet) else {
                panic!("the message is told");
            };
            assert_eq!(publish.properties.iter().count(), USER_PROPERTIES);
            let packet = V5::decode(&mut &refused[..], &unlimited()).unwrap().unwrap();
            let Ok(Some(Event::AcceptedByPeer { properties, .. })) = us.handle_packet(ms(0), packet) else {
                panic!("the acknowledgement is told");
            };
            assert_eq!(properties.iter().count(), USER_PROPERTIES);
        });
        assert_eq!(held.count_total, 0);
        assert_eq!(carry_out(&mut us, false, None), answered(pubrel(1)));
    }
}

/// The largest CONNECT: properties, a Will with properties, and every string at its largest length.
/// The server that answers keeps none of it.
#[test]
fn a_connect_with_properties_in_both_places_is_answered_and_not_kept() {
    let string = [vec![0xff, 0xff], vec![b'x'; 65_535]].concat();
    let properties = [
        variable(7 * USER_PROPERTIES),
        user_properties(USER_PROPERTIES),
    ]
    .concat();
    let body = [
        &b"\0\x04MQTT\x05\xc4\0\0"[..],
        &properties,
        &string,
        &properties,
        &string.repeat(4),
    ]
    .concat();
    let connect = frame(0x10, &body);
    let mut us = Connection::<V5, ServerRole, Counted>::new(fresh(), CONFIG, ms(0));
    let mut out = Vec::with_capacity(8);
    let held = heap(|| {
        let packet = V5::decode(&mut &connect[..], &unlimited())
            .unwrap()
            .unwrap();
        let Ok(Some(Event::ConnectRequested(connect))) = us.handle_packet(ms(0), packet) else {
            panic!("CONNECT is told");
        };
        let will = connect.to_connect().will.unwrap();
        assert_eq!(will.properties.iter().count(), USER_PROPERTIES);
        us.accept_new(ms(0), &mut out).unwrap();
    });
    assert_eq!((held.count_total, &out[..]), (0, &b"\x20\x03\0\0\0"[..]));
    comes_in_parts::<V5>(&connect);
}

/// 256 MB of properties are refused by default at the fixed header, with 0x95: a server sends
/// CONNACK or, once connected, DISCONNECT.
#[test]
fn properties_of_256_mb_are_refused_by_default_before_any_of_them() {
    let closed = |us: &mut Connection<V5, ServerRole, Counted>, mut input: &[u8]| {
        let mut decoder = decoder::<V5>(Options::new());
        let sent = match us.receive(ms(0), &mut decoder, &mut input).unwrap() {
            Some(Step::Action(Action::Transmit(reply))) => Sent::of(reply.as_ref()),
            other => panic!("{other:?}"),
        };
        let reason = match us.receive(ms(0), &mut decoder, &mut input).unwrap() {
            Some(Step::Action(Action::Close(reason))) => reason,
            other => panic!("{other:?}"),
        };
        assert!(matches!(
            us.receive(ms(0), &mut decoder, &mut input),
            Ok(None)
        ));
        assert!(input.is_empty());
        let limit = Limit::PacketSize;
        assert!(matches!(reason, CloseReason::LimitExceeded { limit: it, .. } if it == limit));
        sent
    };
    let code = ReasonCode::PacketTooLarge.number();
    let mut us = Connection::<V5, ServerRole, Counted>::new(fresh(), CONFIG, ms(0));
    let held = heap(|| {
        let sent = closed(&mut us, b"\x10\xff\xff\xff\x7f");
        assert_eq!(sent, Sent::of(&[0x20, 3, 0, code, 0]));
    });
    assert_eq!(held.count_total, 0);
    for first_byte in [0x30, 0x40, 0x82, 0xe0, 0xf0] {
        let mut us = connected::<(V5, ServerRole)>(CONFIG);
        let held = heap(|| {
            let sent = closed(&mut us, &[first_byte, 0xff, 0xff, 0xff, 0x7f]);
            assert_eq!(sent, Sent::of(&[0xe0, 1, code]));
        });
        assert_eq!(held.count_total, 0);
    }
}

/// Without limits they are accepted, and take the memory of their bytes.
#[test]
fn properties_as_large_as_can_be_are_read_where_they_are() {
    let bytes = largest_publish();
    let mut us = connected::<(V5, ServerRole)>(CONFIG);
    let held = heap(|| {
        let packet = V5::decode(&mut &bytes[..], &unlimited()).unwrap().unwrap();
        let Ok(Some(Event::Message(publish))) = us.handle_packet(ms(0), packet) else {
            panic!("the message is told");
        };
        assert_eq!(publish.properties.iter().count(), (REMAINING - 7) / 7);
    });
    assert_eq!(held.count_total, 0);
    comes_in_parts::<V5>(&bytes);
}

/// An error in the last property has its offset, and costs no more work than the packet.
#[test]
fn a_fault_at_the_very_end_of_the_properties_has_its_place() {
    let mut bytes = largest_publish();
    let last = bytes.len() - 1;
    bytes[last] = 0;
    let held = heap(|| {
        let error = refusal::<V5>(&bytes, &unlimited());
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::NullCharacter, last)
        );
        assert_eq!(error.statement(), Some("MQTT-1.5.4-2"));
    });
    assert_eq!(held.count_total, 0);
}

/// A Property Length beyond the packet, and one that never ends, are refused before more bytes
/// arrive.
#[test]
fn a_property_length_that_is_announced_and_not_there_is_refused_at_once() {
    for (body, kind) in [
        (&b"\0\x01t\xff\xff\xff\x7f"[..], ErrorKind::Truncated),
        (
            b"\0\x01t\xff\xff\xff\xff\x7f",
            ErrorKind::VariableByteIntegerTooLong,
        ),
        (b"\0\x01t\x80", ErrorKind::Truncated),
        (b"\0\x01t\x05\x26\xff\xff", ErrorKind::Truncated),
    ] {
        let bytes = frame(0x30, body);
        let held = heap(|| {
            let error = refusal::<V5>(&bytes, &unlimited());
            assert_eq!(error.kind(), kind, "{body:x?}");
        });
        assert_eq!(held.count_total, 0);
    }
}

/// A client that requests no problem information refuses User Properties of its server, however many
/// [MQTT5-3.1.2-29].
#[test]
fn user_properties_that_were_not_asked_for_end_the_connection() {
    let wanted = [Property::RequestProblemInformation(false)];
    let mut us = agreed::<ClientRole>(CONFIG, &wanted, &[]);
    let puback = with_properties(0x40, &user_properties(2_000), b"");
    let error = PeerError::Protocol(mqtt_sansio::ProtocolError::ProblemInformation);
    let held = heap(|| assert_eq!(deal(&mut us, &puback), closed_for(error)));
    assert_eq!(held.count_total, 0);
    assert_eq!(error.statement(), Some("MQTT-3.1.2-29"));
}

/// A client with a small Maximum Packet Size receives no larger packet, however long the server's reason
/// [MQTT5-3.2.2-19, MQTT5-3.14.2-3].
#[test]
fn a_reason_that_does_not_fit_is_left_out() {
    let reason = "x".repeat(60_000);
    let reason = [Property::ReasonString(
        mqtt_sansio::Text::new(&*reason).unwrap(),
    )];
    let refused = ConnAckProperties::encode_to_vec(reason).unwrap();
    let small = Property::MaximumPacketSize(NonZeroU32::new(5).unwrap());
    let mut us = requested(CONFIG, &[small]);
    let mut out = Vec::new();
    let code = mqtt_sansio::v5::ConnectReasonCode::QuotaExceeded;
    us.refuse_with(ms(0), code, &refused, &mut out).unwrap();
    assert_eq!(out, b"\x20\x03\0\x97\0");
}
