use super::*;
use crate::v3::{self, DecodeError, Packet};
use crate::wire::ErrorKind;

type Setter = fn(Options, bool) -> Options;

/// Each option, with a packet whose outcome the option changes.
const SWITCHES: [(Setter, &[u8]); 5] = [
    (Options::accept_pubrel_flags, b"\x60\x02\0\x01"),
    (Options::accept_acknowledgement_flags, b"\x42\x02\0\x01"),
    (Options::accept_dup_on_requests, b"\x8a\x06\0\x01\0\x01a\0"),
    (Options::accept_dup_at_qos_0, b"\x38\x03\0\x01a"),
    (Options::refuse_overlong_remaining_length, b"\xc0\x80\x00"),
];

fn decode<'a>(mut src: &'a [u8], options: &Options) -> Result<Packet<&'a [u8]>, DecodeError> {
    v3::decode(&mut src, options).map(Option::unwrap)
}

fn is_accepted(src: &[u8], options: &Options) -> bool {
    decode(src, options).is_ok()
}

fn refusal(src: &[u8], options: &Options) -> (ErrorKind, Option<&'static str>) {
    let error = decode(src, options).unwrap_err();
    (error.kind(), error.statement())
}

#[test]
fn the_default_is_new() {
    assert_eq!(Options::default(), Options::new());
}

#[test]
fn the_default_limits_are_those_that_are_documented() {
    let options = Options::new();
    assert_eq!(options.packet_limit(), 1_048_576);
    assert_eq!(options.publish_limit(), u32::MAX);
    assert_eq!(options.filter_limit(), 65_535);
}

#[test]
fn the_default_has_no_leniency_and_takes_overlong_lengths() {
    let options = Options::new();
    assert!(!options.accepts_pubrel_flags());
    assert!(!options.accepts_acknowledgement_flags());
    assert!(!options.accepts_dup_on_requests());
    assert!(!options.accepts_dup_at_qos_0());
    assert!(!options.refuses_overlong_remaining_length());
}

#[test]
fn each_switch_turned_on_and_off_again_leaves_the_default() {
    for (set, _) in SWITCHES {
        assert_ne!(set(Options::new(), true), Options::new());
        assert_eq!(set(set(Options::new(), true), false), Options::new());
    }
}

#[test]
fn turning_a_switch_on_twice_is_turning_it_on() {
    for (set, _) in SWITCHES {
        assert_eq!(
            set(set(Options::new(), true), true),
            set(Options::new(), true)
        );
    }
}

#[test]
fn each_switch_changes_its_own_packet_and_no_other() {
    for (i, (set, _)) in SWITCHES.into_iter().enumerate() {
        let options = set(Options::new(), true);
        for (j, (_, packet)) in SWITCHES.into_iter().enumerate() {
            let changed = is_accepted(packet, &options) != is_accepted(packet, &Options::new());
            assert_eq!(changed, i == j, "switch {i}, packet {j}");
        }
    }
}

#[test]
fn turning_one_switch_off_leaves_the_others_on() {
    let all = SWITCHES
        .into_iter()
        .fold(Options::new(), |options, (set, _)| set(options, true));
    for (i, (set, _)) in SWITCHES.into_iter().enumerate() {
        let options = set(all, false);
        for (j, (_, packet)) in SWITCHES.into_iter().enumerate() {
            let changed = is_accepted(packet, &options) != is_accepted(packet, &all);
            assert_eq!(changed, i == j, "switch {i}, packet {j}");
        }
    }
}

#[test]
fn limits_and_switches_do_not_touch_each_other() {
    let options = Options::new()
        .max_packet_size(1)
        .accept_pubrel_flags(true)
        .max_publish_size(2)
        .refuse_overlong_remaining_length(true)
        .max_filters(3);
    assert_eq!(options.packet_limit(), 1);
    assert_eq!(options.publish_limit(), 2);
    assert_eq!(options.filter_limit(), 3);
    assert!(options.accepts_pubrel_flags());
    assert!(options.refuses_overlong_remaining_length());
    assert!(!options.accepts_acknowledgement_flags());
    assert!(!options.accepts_dup_on_requests());
    assert!(!options.accepts_dup_at_qos_0());
}

#[test]
fn the_order_of_the_setters_makes_no_difference() {
    let forwards = SWITCHES
        .into_iter()
        .fold(Options::new().max_filters(9), |options, (set, _)| {
            set(options, true)
        });
    let backwards = SWITCHES
        .into_iter()
        .rev()
        .fold(Options::new(), |options, (set, _)| set(options, true))
        .max_filters(9);
    assert_eq!(forwards, backwards);
}

#[test]
fn pubrel_takes_flags_0010_only_unless_told_otherwise() {
    let lenient = Options::new().accept_pubrel_flags(true);
    for flags in 0..16 {
        let pubrel = [0x60 | flags, 2, 0, 1];
        assert!(matches!(decode(&pubrel, &lenient), Ok(Packet::PubRel(_))));
        if flags != 0b0010 {
            assert_eq!(
                refusal(&pubrel, &Options::new()),
                (ErrorKind::InvalidFlags, Some("MQTT-3.6.1-1"))
            );
        }
    }
    assert!(is_accepted(b"\x62\x02\0\x01", &Options::new()));
}

#[test]
fn acknowledgements_take_flags_0000_only_unless_told_otherwise() {
    let lenient = Options::new().accept_acknowledgement_flags(true);
    for packet in [
        &[0x40, 2, 0, 1][..],
        &[0x50, 2, 0, 1],
        &[0x70, 2, 0, 1],
        &[0x90, 3, 0, 1, 0],
        &[0xb0, 2, 0, 1],
    ] {
        for flags in 1..16 {
            let mut with_flags = packet.to_vec();
            with_flags[0] |= flags;
            assert_eq!(
                refusal(&with_flags, &Options::new()),
                (ErrorKind::InvalidFlags, Some("MQTT-2.2.2-2"))
            );
            assert_eq!(decode(&with_flags, &lenient), decode(packet, &lenient));
        }
        assert!(is_accepted(packet, &Options::new()));
    }
}

#[test]
fn acknowledgement_flags_are_not_about_pubrel_connack_and_pingresp() {
    let lenient = Options::new().accept_acknowledgement_flags(true);
    for packet in [&b"\x60\x02\0\x01"[..], b"\x22\x02\0\0", b"\xd2\0"] {
        assert_eq!(refusal(packet, &lenient).0, ErrorKind::InvalidFlags);
    }
}

#[test]
fn requests_take_dup_and_no_other_flag_if_told_so() {
    let lenient = Options::new().accept_dup_on_requests(true);
    for (packet, statement) in [
        (&b"\x80\x06\0\x01\0\x01a\0"[..], "MQTT-3.8.1-1"),
        (b"\xa0\x05\0\x01\0\x01a", "MQTT-3.10.1-1"),
    ] {
        for flags in 0..16 {
            let mut with_flags = packet.to_vec();
            with_flags[0] |= flags;
            assert_eq!(
                is_accepted(&with_flags, &lenient),
                matches!(flags, 0b0010 | 0b1010)
            );
            if flags != 0b0010 {
                assert_eq!(
                    refusal(&with_flags, &Options::new()),
                    (ErrorKind::InvalidFlags, Some(statement))
                );
            }
        }
    }
}

#[test]
fn dup_at_qos_0_is_dropped_where_it_is_accepted() {
    let lenient = Options::new().accept_dup_at_qos_0(true);
    let Ok(Packet::Publish(publish)) = decode(b"\x39\x03\0\x01a", &lenient) else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.delivery, v3::Delivery::AtMostOnce);
    assert!(publish.retain);
    assert_eq!(
        refusal(b"\x39\x03\0\x01a", &Options::new()),
        (ErrorKind::DupAtQos0, Some("MQTT-3.3.1-2"))
    );
}

#[test]
fn qos_3_is_refused_even_where_dup_at_qos_0_is_not() {
    let lenient = Options::new().accept_dup_at_qos_0(true);
    assert_eq!(
        refusal(b"\x3e\x05\0\x01a\0\x01", &lenient),
        (ErrorKind::InvalidQos, Some("MQTT-3.3.1-4"))
    );
}

#[test]
fn overlong_remaining_lengths_break_no_statement() {
    let options = Options::new().refuse_overlong_remaining_length(true);
    assert_eq!(decode(b"\xc0\x80\0", &Options::new()), Ok(Packet::PingReq));
    assert_eq!(
        refusal(b"\xc0\x80\0", &options),
        (ErrorKind::RemainingLengthNotMinimal, None)
    );
}

#[test]
fn as_many_filters_pass_as_the_limit_says() {
    let subscribe = b"\x82\x0a\0\x01\0\x01a\0\0\x01b\0";
    let unsubscribe = b"\xa2\x08\0\x01\0\x01a\0\x01b";
    for packet in [&subscribe[..], unsubscribe] {
        assert!(is_accepted(packet, &Options::new().max_filters(2)));
        assert_eq!(
            refusal(packet, &Options::new().max_filters(1)),
            (ErrorKind::TooManyFilters, None)
        );
    }
}

#[test]
fn the_largest_packet_is_as_large_as_the_limit_says() {
    let packet = b"\x30\x05\0\x01abc";
    assert!(is_accepted(packet, &Options::new().max_packet_size(7)));
    assert_eq!(
        refusal(packet, &Options::new().max_packet_size(6)),
        (ErrorKind::PacketTooLarge, None)
    );
}

#[test]
fn each_option_is_stored_apart_from_the_others() {
    let set: [Setter; 12] = [
        Options::payloads_in_pieces,
        Options::skip_large_messages,
        Options::accept_pubrel_flags,
        Options::accept_acknowledgement_flags,
        Options::accept_dup_on_requests,
        Options::accept_dup_at_qos_0,
        Options::mqtt_3_1,
        Options::accept_bridge_levels,
        Options::accept_will_qos_without_will,
        Options::accept_packet_id_0,
        Options::accept_invalid_shared_filters,
        Options::refuse_overlong_remaining_length,
    ];
    let mut all = Options::new();
    for option in set {
        assert_ne!(option(all, true), all);
        all = option(all, true);
    }
    for option in set {
        assert_ne!(option(all, false), all);
        all = option(all, false);
    }
    assert_eq!(all, Options::new());
}
