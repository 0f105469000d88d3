use super::*;
use std::string::ToString;
use std::vec::Vec;

/// A CONNECT with this Protocol Name and Protocol Level, and a Remaining Length in this many bytes.
fn connect(name: &[u8], level: u8, length_bytes: usize) -> Vec<u8> {
    let value = 0x10;
    let length: &[u8] = match length_bytes {
        1 => &[value],
        2 => &[value | 0x80, 0],
        3 => &[value | 0x80, 0x80, 0],
        _ => &[value | 0x80, 0x80, 0x80, 0],
    };
    let name_len = [0, u8::try_from(name.len()).unwrap()];
    [&[CONNECT], length, &name_len, name, &[level, 2, 0, 60]].concat()
}

/// Every beginning that the tests use, with its protocol.
fn known() -> Vec<(Vec<u8>, Protocol)> {
    let mut all = Vec::new();
    for length_bytes in 1..=4 {
        for (name, level, protocol) in [
            (&b"MQTT"[..], 4, Protocol::V3_1_1),
            (b"MQTT", 5, Protocol::V5),
            (b"MQIsdp", 3, Protocol::V3_1),
            (b"MQTT", 3, Protocol::UnsupportedLevel(3)),
            (b"MQTT", 6, Protocol::UnsupportedLevel(6)),
            (b"MQIsdp", 4, Protocol::UnsupportedLevel(4)),
            (b"MQTT", 0x84, Protocol::UnsupportedLevel(0x84)),
            (b"MQIsdp", 0x83, Protocol::UnsupportedLevel(0x83)),
            (b"mqtt", 4, Protocol::UNKNOWN),
            (b"MQTTx", 5, Protocol::UNKNOWN),
            (b"MQIsdq", 3, Protocol::UNKNOWN),
        ] {
            all.push((connect(name, level, length_bytes), protocol));
        }
    }
    for (beginning, other) in OTHERS {
        let bytes = [beginning, b"and more"].concat();
        all.push((bytes, Protocol::NotMqtt(other)));
    }
    let no_mqtt: [&[u8]; 9] = [
        b"\x10\x80\x80\x80\x80\x01\x00\x04MQTT\x05", // a Remaining Length of five bytes
        b"\x10\x06\x00\x04MQTT\x05",
        b"\x10\x08\x00\x06MQIsdp\x03",
        b"\x10\x00",
        b"\x11\x0d\x00\x04MQTT\x05", // reserved flags
        b"\xc0\x00",
        b"\x20\x02\x00\x00",
        b"GETTING /",
        b"PUBLISH",
    ];
    all.extend(no_mqtt.map(|bytes| (bytes.to_vec(), Protocol::UNKNOWN)));
    all
}

#[test]
fn the_first_bytes_tell_the_protocol() {
    for (bytes, protocol) in known() {
        assert_eq!(Protocol::of(&bytes), Some(protocol), "{bytes:02x?}");
    }
}

#[test]
fn more_bytes_never_change_the_protocol() {
    for (bytes, protocol) in known() {
        let mut is_known = false;
        for len in 0..=bytes.len() {
            let told = Protocol::of(&bytes[..len]);
            assert!(
                told.is_none() || told == Some(protocol),
                "{len} {bytes:02x?}"
            );
            assert!(!is_known || told.is_some(), "{len} {bytes:02x?}");
            is_known |= told.is_some();
        }
    }
}

#[test]
fn a_connect_of_more_than_127_bytes_is_recognised() {
    let lengths: [&[u8]; 4] = [
        &[0x80, 1],
        &[0x80, 0x80, 1],
        &[0x80, 0x80, 0x80, 1],
        &[0xff, 0xff, 0xff, 0x7f],
    ];
    for length in lengths {
        let bytes = [&[CONNECT], length, b"\x00\x04MQTT\x05"].concat();
        assert_eq!(Protocol::of(&bytes), Some(Protocol::V5), "{bytes:02x?}");
    }
}

#[test]
fn fourteen_bytes_always_tell() {
    for (bytes, protocol) in known() {
        let bytes = &bytes[..bytes.len().min(Protocol::MAX_LEN)];
        assert_eq!(Protocol::of(bytes), Some(protocol), "{bytes:02x?}");
    }
    // MQTT 3.1 with a Remaining Length of four bytes needs all of them.
    let longest = connect(b"MQIsdp", 3, 4);
    assert_eq!(Protocol::of(&longest[..Protocol::MAX_LEN - 1]), None);
}

#[test]
fn no_other_protocol_begins_as_another_one_or_as_connect() {
    for (index, (beginning, _)) in OTHERS.iter().enumerate() {
        assert_ne!(beginning[0], CONNECT);
        assert!(beginning.len() <= Protocol::MAX_LEN);
        for (other, _) in &OTHERS[index + 1..] {
            assert!(!beginning.starts_with(other) && !other.starts_with(beginning));
        }
    }
}

#[test]
fn a_bridge_is_another_protocol_level_unless_asked_for() {
    let mqtt_3_1_1 = Protocol::of(&connect(b"MQTT", 0x84, 1)).unwrap();
    assert_eq!(mqtt_3_1_1.version(), None);
    assert_eq!(mqtt_3_1_1.of_bridge(), Some(Protocol::V3_1_1));
    let mqtt_3_1 = Protocol::of(&connect(b"MQIsdp", 0x83, 1)).unwrap();
    assert_eq!(mqtt_3_1.of_bridge(), Some(Protocol::V3_1));
    assert_eq!(Protocol::UnsupportedLevel(6).of_bridge(), None);
    assert_eq!(Protocol::V5.of_bridge(), None);
}

#[test]
fn a_protocol_prints_what_it_looks_like() {
    for (protocol, printed) in [
        (Protocol::V3_1, "MQTT 3.1"),
        (Protocol::V3_1_1, "MQTT 3.1.1"),
        (Protocol::V5, "MQTT 5"),
        (Protocol::UnsupportedLevel(6), "MQTT at Protocol Level 6"),
        (
            Protocol::UnsupportedLevel(0x84),
            "MQTT at Protocol Level 132, a bridge at Protocol Level 4",
        ),
        (
            Protocol::of(b"GET / HTTP/1.1").unwrap(),
            "not MQTT: it looks like HTTP",
        ),
        (
            Protocol::of(b"\x16\x03\x01").unwrap(),
            "not MQTT: it looks like TLS",
        ),
        (
            Protocol::of(b"SSH-2.0-x").unwrap(),
            "not MQTT: it looks like SSH",
        ),
        (
            Protocol::of(b"PROXY TCP4").unwrap(),
            "not MQTT: it looks like the PROXY protocol",
        ),
        (Protocol::of(b"\xff").unwrap(), "not MQTT"),
    ] {
        assert_eq!(protocol.to_string(), printed);
    }
}
