//! Packets of MQTT 3.1 and 3.1.1.

use mqtt_sansio::ErrorKind::*;
use mqtt_sansio::v3::{self, Packet, V3};

use super::{How, KIT, Known, PROTO, known};

#[rustfmt::skip]
pub(in crate::differential) const KNOWN: &[Known<V3>] = &[
    known(PROTO, How::Takes(ClientIdentifierRequired), "MQTT-3.1.3-8", "100c00044d515454040000000000"),
    known(PROTO, How::Takes(DupAtQos0), "MQTT-3.3.1-2", "39020000"),
    known(PROTO, How::Takes(EmptyList), "MQTT-3.8.4-5", "90020001"),
    known(PROTO, How::Takes(EmptyTopic), "MQTT-4.7.3-1", "30020000"),
    known(PROTO, How::Takes(MisplacedSingleLevelWildcard), "MQTT-4.7.1-3", "a206000100022b61"),
    // In a Topic Name or Topic Filter it does not.
    known(PROTO, How::Takes(NullCharacter), "MQTT-1.5.3-2", "100d00044d51545404020000000100"),
    known(PROTO, How::Takes(PasswordWithoutUserName), "MQTT-3.1.2-22", "101000044d51545404420000000163000170"),
    known(PROTO, How::Takes(SessionPresentWithRefusal), "MQTT-3.2.2-4", "20020103"),
    // PINGREQ, PINGRESP and DISCONNECT of any length.
    known(PROTO, How::Takes(TrailingBytes), "MQTT-4.8.0-1", "e00100"),
    known(PROTO, How::Takes(WillRetainWithoutWill), "MQTT-3.1.2-15", "100d00044d51545404220000000163"),
    // `$share` has a meaning in MQTT 5 only. Here it is a level like any other.
    known(PROTO, How::Refuses(shares), "MQTT-4.7.1-3", "a20e000b000a2473686172652f672473"),
    // Return Code 0x80, which it writes as 3.
    known(PROTO, How::Rewrites(fails), "MQTT-3.9.3-2", "9003000a80"),
    // MQTT 3.1 allows a client to leave out fields that its flags announce, and ignores some flags.
    known(PROTO, How::Refuses(is_of_mqtt_3_1), "MQTT 3.1, section 3.1", "101200064d514973647003c0003c000163000175"),

    known(KIT, How::Takes(ClientIdentifierRequired), "MQTT-3.1.3-8", "100c00044d515454040000000000"),
    known(KIT, How::Takes(DupAtQos0), "MQTT-3.3.1-2", "3903000130"),
    known(KIT, How::Takes(EmptyList), "MQTT-3.8.3-3", "82020001"),
    known(KIT, How::Takes(EmptyList), "MQTT-3.10.3-2", "a2020001"),
    known(KIT, How::Takes(EmptyList), "MQTT-3.8.4-5", "90020001"),
    known(KIT, How::Takes(InvalidConnectReturnCode), "3.2.2.3", "200200ff"),
    known(KIT, How::Takes(InvalidWillQos), "MQTT-3.1.2-14", "101300044d515454041e000000016300017700016d"),
    // After `$share/`, which is MQTT 5.
    known(KIT, How::Takes(MisplacedMultiLevelWildcard), "MQTT-4.7.1-2", "a20e000b000a2473686172652f23232f"),
    known(KIT, How::Takes(MisplacedSingleLevelWildcard), "MQTT-4.7.1-3", "a20e000b000a2473686172652f2b652f"),
    known(KIT, How::Takes(NullCharacter), "MQTT-1.5.3-2", "3003000100"),
    known(KIT, How::Takes(PasswordWithoutUserName), "MQTT-3.1.2-22", "101000044d51545404420000000163000170"),
    known(KIT, How::Takes(SessionPresentWithRefusal), "MQTT-3.2.2-4", "20020103"),
    // A string that the end of the packet truncates.
    known(KIT, How::Takes(Truncated), "MQTT-4.8.0-1", "3003000561"),
    known(KIT, How::Takes(Truncated), "MQTT-3.1.4-1", "100c00044d515454040000000093"),
    known(KIT, How::Takes(Truncated), "MQTT-3.1.2-9", "101200044d5154540406003c000163000177d000"),
    known(KIT, How::Takes(Truncated), "MQTT-3.1.2-19", "100f00044d5154540482043c0001620200"),
    known(KIT, How::Takes(Truncated), "MQTT-3.1.2-21", "101000044d51545404c20000000000000200"),
    known(KIT, How::Takes(UnknownProtocolName), "MQTT-3.1.2-1", "10080000040000040454"),
    known(KIT, How::Takes(UnsupportedProtocolLevel), "MQTT-3.1.2-2", "100c00044d515454050000000000"),
    known(KIT, How::Takes(WillQosWithoutWill), "MQTT-3.1.2-13", "100c00044d515454040800c4ff00"),
    known(KIT, How::Takes(WillRetainWithoutWill), "MQTT-3.1.2-15", "100d00044d51545404220000000163"),
    known(KIT, How::Takes(ZeroPacketIdentifier), "MQTT-2.3.1-1", "320500012a0000"),
    // In an acknowledgement: no request can have this identifier.
    known(KIT, How::Takes(ZeroPacketIdentifier), "2.3.1", "40020000"),
    // As above.
    known(KIT, How::Refuses(is_of_mqtt_3_1), "MQTT 3.1, section 3.1", "101200064d514973647003c0003c000163000175"),
    known(KIT, How::Rewrites(is_of_mqtt_3_1), "MQTT 3.1, section 3.1", "101000064d51497364700322003c00026d6c"),
    // A password is bytes, not a string.
    known(KIT, How::Refuses(has_binary_password), "3.1.3.5", "101300044d51545404c2003c0001630001750001ff"),
];

fn shares(packet: &Packet<Vec<u8>>) -> bool {
    let is_share = |filter: &str| filter.starts_with("$share");
    match packet {
        Packet::Subscribe(packet) => {
            let mut filters = packet.subscriptions.iter();
            filters.any(|entry| is_share(entry.topic_filter.as_str()))
        }
        Packet::Unsubscribe(packet) => {
            let mut filters = packet.topic_filters.iter();
            filters.any(|filter| is_share(filter.as_str()))
        }
        _ => false,
    }
}

fn fails(packet: &Packet<Vec<u8>>) -> bool {
    match packet {
        Packet::SubAck(suback) => suback.return_codes.iter().any(|code| code.number() == 0x80),
        _ => false,
    }
}

fn is_of_mqtt_3_1(packet: &Packet<Vec<u8>>) -> bool {
    let level = match packet {
        Packet::Connect(connect) => connect.to_connect().protocol_level,
        _ => return false,
    };
    level == v3::ProtocolLevel::V3_1
}

fn has_binary_password(packet: &Packet<Vec<u8>>) -> bool {
    let Packet::Connect(connect) = packet else {
        return false;
    };
    let credentials = connect.to_connect().credentials;
    let password = credentials.and_then(|credentials| credentials.password);
    password.is_some_and(|password| str::from_utf8(password).is_err())
}
