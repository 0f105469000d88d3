//! AUTH without end, in the wrong state, and with another method (section 4.12 of MQTT 5).

use mqtt_sansio::v5::{Auth, AuthProperties, AuthReasonCode, ConnAckProperties, Property, Server};
use mqtt_sansio::{Blocked, CommandError, PacketType, ProtocolError, SliceOutput, Text};

use crate::agreed::{NO_LIMIT, agreed, requested};
use crate::common::frame;
use crate::*;

const METHOD: [Property<'static>; 1] = [Property::AuthenticationMethod(Text::from_static("m"))];
/// AUTH with Reason Code 0x18 and the method `m`.
const AUTH: &[u8] = b"\xf0\x06\x18\x04\x15\0\x01m";

/// Returns a server that received CONNECT with an Authentication Method.
pub(crate) fn authenticating() -> Server<Counted> {
    let mut us = requested(CONFIG, &METHOD);
    answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
    us
}

/// Sends AUTH.
pub(crate) fn answer<R: Role>(
    us: &mut Connection<V5, R, Counted>,
    reason_code: AuthReasonCode,
) -> Result<(), CommandError> {
    let mut buffer = [0; 8];
    let properties = AuthProperties::encode_to_slice(&mut buffer, METHOD).unwrap();
    let mut out = [0; 16];
    let mut out = SliceOutput::new(&mut out);
    us.auth(
        ms(0),
        &Auth {
            reason_code,
            properties,
        },
        &mut out,
    )
}

/// Each AUTH is answered by one AUTH, and its data, of the largest size, is not kept.
#[test]
fn auth_again_and_again_is_answered_one_by_one_and_takes_no_memory() {
    let mut us = authenticating();
    let data = [b"\x16\xff\xff", &[b'x'; 65_535][..], b"\x15\0\x01m"].concat();
    let body = [b"\x18\x86\x80\x04", &data[..]].concat();
    let large = frame(0xf0, &body);
    let held = heap(|| {
        for turn in 0..20_000 {
            let auth = if turn % 100 == 0 { &large[..] } else { AUTH };
            assert_eq!(deal(&mut us, &auth), Dealt::TOLD);
            // No other packet is handled before the answer.
            let early = deal(&mut us, &&b"\xc0\0"[..]);
            assert_eq!(
                early.error,
                Some(HandleError::Blocked(Blocked::AnswerPending))
            );
            answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
        }
    });
    assert_eq!(held.count_total, 0);
    let properties = ConnAckProperties::encode_to_vec(METHOD).unwrap();
    let mut out = Vec::new();
    let early = us.accept_new_with(ms(0), &properties, &mut out);
    assert_eq!(early, Err(CommandError::AuthenticationOrder));
    assert_eq!(deal(&mut us, &AUTH), Dealt::TOLD);
    us.accept_new_with(ms(0), &properties, &mut out).unwrap();
}

/// Each AUTH has to arrive in time.
#[test]
fn an_auth_that_does_not_come_ends_the_connection_in_time() {
    let mut us = authenticating();
    for turn in 1..=3 {
        let now = turn * 9_999;
        us.handle_timeout(ms(now));
        assert_eq!(us.poll_action(), None);
        assert_eq!(deal_at(&mut us, ms(now), &AUTH), Dealt::TOLD);
        answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
        assert_eq!(us.poll_timeout(), Some(ms(now + 10_000)));
    }
    us.handle_timeout(ms(40_000));
    assert_eq!(
        us.poll_action(),
        Some(Action::Close(CloseReason::ConnectTimeout))
    );
}

for_both_roles_of_mqtt_5! {
    /// [MQTT5-4.12.0-6, MQTT5-4.12.0-7]: without an Authentication Method on the connection.
    fn auth_that_nobody_asked_for_ends_the_connection_and_more_of_them_lead_to_nothing<R>() {
        let error = PeerError::Protocol(ProtocolError::Unexpected(PacketType::Auth));
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
        assert_eq!(deal(&mut us, &AUTH), closed_for(error));
        let held = heap(|| {
            for _ in 0..1000 {
                assert_eq!(deal(&mut us, &AUTH), ended());
            }
        });
        assert_eq!(held.count_total, 0);
    }

    /// A second AUTH before the answer to the first, and one with another method [MQTT5-4.12.0-5].
    fn auth_out_of_turn_or_with_another_method_ends_the_connection<R>() {
        let other = b"\xf0\x06\x18\x04\x15\0\x01n";
        for (packet, error) in [
            (AUTH, ProtocolError::Unexpected(PacketType::Auth)),
            (other, ProtocolError::Unexpected(PacketType::Auth)),
            // This side must not send it, or not in this state.
            (b"\xf0\0", ProtocolError::Unexpected(PacketType::Auth)),
        ] {
            let mut us = agreed::<R>(CONFIG, &METHOD, &METHOD);
            assert_eq!(deal(&mut us, &packet), closed_for(error.into()));
        }
    }
}

/// [MQTT5-4.12.0-5]: while AUTH is awaited.
#[test]
fn auth_with_another_method_ends_the_connection() {
    let mut us = authenticating();
    let error = PeerError::Protocol(ProtocolError::AuthenticationMethod);
    let dealt = deal(&mut us, &&b"\xf0\x06\x18\x04\x15\0\x01n"[..]);
    let connack = Some(Sent::of(b"\x20\x03\0\x8c\0"));
    assert_eq!(
        dealt,
        Dealt {
            sent: connack,
            ..closed_for(error)
        }
    );
    assert_eq!(error.statement(), Some("MQTT-4.12.0-5"));
}

/// A client may authenticate again as often as it wants, once at a time [MQTT5-4.12.1-1].
#[test]
fn re_authentication_again_and_again_takes_no_memory() {
    let mut us = agreed::<ServerRole>(CONFIG, &METHOD, &METHOD);
    let again = &b"\xf0\x06\x19\x04\x15\0\x01m"[..];
    let held = heap(|| {
        for _ in 0..20_000 {
            assert_eq!(deal(&mut us, &again), Dealt::TOLD);
            answer(&mut us, AuthReasonCode::Success).unwrap();
        }
    });
    assert_eq!(held.count_total, 0);
}
