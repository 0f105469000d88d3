//! Packets of MQTT 5.

use mqtt_sansio::ErrorKind::*;
use mqtt_sansio::v5::{DisconnectReasonCode, Packet, V5};

use super::{How, Known, PROTO, known};

#[rustfmt::skip]
pub(in crate::differential) const KNOWN: &[Known<V5>] = &[
    known(PROTO, How::Takes(DupAtQos0), "MQTT5-3.3.1-2", "3803000000"),
    // SUBACK and UNSUBACK without a Reason Code.
    known(PROTO, How::Takes(EmptyList), "3.9.3", "90030b0000"),
    // No Topic Name, and no Topic Alias.
    known(PROTO, How::Takes(EmptyTopic), "3.3.2.3.4", "3003000000"),
    known(PROTO, How::Takes(EmptyTopic), "MQTT5-4.7.3-1", "101400044d5154540506003c0000016300000000016d"),
    known(PROTO, How::Takes(MisplacedSingleLevelWildcard), "MQTT5-4.7.1-2", "a20705010000022b3b"),
    known(PROTO, How::Takes(MissingAuthenticationMethod), "3.15.2.2.2", "f0021800"),
    known(PROTO, How::Takes(NoLocalOnSharedSubscription), "MQTT5-3.8.3-4", "8210000100000a2473686172652f672f2305"),
    // In a Topic Name or Topic Filter it does not.
    known(PROTO, How::Takes(NullCharacter), "MQTT5-1.5.4-2", "f006180415000100"),
    known(PROTO, How::Takes(RemainingLengthNotMinimal), "MQTT5-1.5.5-1", "e08000"),
    known(PROTO, How::Takes(SessionPresentWithRefusal), "MQTT5-3.2.2-6", "2003018000"),
    // PINGREQ and PINGRESP of any length.
    known(PROTO, How::Takes(TrailingBytes), "3.12.1", "d00100"),
    // Subscription Identifier 0, Receive Maximum 0 and the like.
    known(PROTO, How::Takes(ValueOutOfRange), "3.3.2.3.8", "3006000161020b00"),
    known(PROTO, How::Takes(ValueOutOfRange), "MQTT5-3.3.2-8", "300700016103230000"),
    known(PROTO, How::Takes(VariableByteIntegerNotMinimal), "MQTT5-1.5.5-1", "e003808000"),
    known(PROTO, How::Takes(WillRetainWithoutWill), "MQTT5-3.1.2-13", "100e00044d5154540522003c00000163"),
    // A server sends one for each matching subscription.
    known(PROTO, How::Refuses(has_several_identifiers), "MQTT5-3.3.4-4", "3017000c73706f72742f74656e6e6973040b010b0268656c7f"),
    // The application checks whether the payload is UTF-8.
    known(PROTO, How::Refuses(has_invalid_text), "3.3.2.3.2", "3016000c73706f72742f74656e6e697402010168656c806f"),
    // Table 2-6 has 0x8C for DISCONNECT, table 3-10 does not.
    known(PROTO, How::Refuses(has_bad_method), "2.4", "e0018c"),
    // AUTH of Remaining Length 1.
    known(PROTO, How::Refuses(is_plain_auth), "3.15.2.1", "f00100"),
];

fn has_several_identifiers(packet: &Packet<Vec<u8>>) -> bool {
    match packet {
        Packet::Publish(publish) => publish.properties.subscription_identifiers().count() > 1,
        _ => false,
    }
}

fn has_invalid_text(packet: &Packet<Vec<u8>>) -> bool {
    match packet {
        Packet::Publish(publish) => {
            publish.properties.payload_format_indicator()
                && str::from_utf8(&publish.payload).is_err()
        }
        // The payload of a Will is a payload too.
        Packet::Connect(connect) => connect.to_connect().will.is_some_and(|will| {
            will.properties.payload_format_indicator() && str::from_utf8(will.payload).is_err()
        }),
        _ => false,
    }
}

fn has_bad_method(packet: &Packet<Vec<u8>>) -> bool {
    match packet {
        Packet::Disconnect(disconnect) => {
            disconnect.reason_code == DisconnectReasonCode::BadAuthenticationMethod
        }
        _ => false,
    }
}

fn is_plain_auth(packet: &Packet<Vec<u8>>) -> bool {
    match packet {
        Packet::Auth(auth) => auth.properties.is_empty(),
        _ => false,
    }
}
