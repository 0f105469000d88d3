//! `receive` returns steps for bytes. The conversations of `client.rs` and `server.rs` run with whole
//! packets and with bytes, so they show that the steps are the same. This file tests what only bytes
//! can show: streams that are split, have bytes left over, and have to wait.

#![cfg(feature = "alloc")]
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mqtt_sansio::v3::{
    self, Action, Client, CloseReason, Connect, Decoder, Event, Packet, PeerError, ReturnCode,
    ReturnCodes, Server, Step,
};
use mqtt_sansio::{
    Blocked, Buffer, Change, Config, Encode, Limit, Options, PacketId, ProtocolError, Session,
    Slot, Text, Timestamp, TopicName, WholePackets,
};

type Slots = [Slot; 2];

const NOW: Timestamp = Timestamp::from_millis(0);
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c";
const CONNECT_WITH_WILL: &[u8] = b"\x10\x12\0\x04MQTT\x04\x06\0\0\0\x01c\0\x01w\0\0";
const CONNACK: &[u8] = b"\x20\x02\0\0";
const AT_QOS_1: [&[u8]; 3] = [
    b"\x32\x06\0\x01t\0\x01a",
    b"\x32\x06\0\x01t\0\x02b",
    b"\x32\x06\0\x01t\0\x03c",
];

fn connected_client(config: Config) -> (Client<Slots>, Decoder<Vec<u8>>) {
    connected_client_with_keep_alive(config, 0)
}

fn connected_client_with_keep_alive(
    config: Config,
    seconds: u16,
) -> (Client<Slots>, Decoder<Vec<u8>>) {
    let mut client = begins(config, seconds);
    let mut decoder = Decoder::new(Vec::new());
    let step = client.receive(NOW, &mut decoder, &mut &CONNACK[..]);
    let session_present = false;
    let connected = Step::Event(Event::Connected { session_present });
    assert_eq!(step, Ok(Some(connected)));
    (client, decoder)
}

/// Returns a client that has sent CONNECT.
fn begins(config: Config, keep_alive: u16) -> Client<Slots> {
    let mut client = Client::new(Session::default(), config, NOW);
    let connect = Connect::new(Text::new("c").unwrap())
        .clean_session(false)
        .keep_alive(keep_alive);
    client.connect(NOW, &connect, &mut Vec::new()).unwrap();
    client
}

fn connected_server(connect: &[u8]) -> (Server<Slots>, Decoder<Vec<u8>>) {
    let mut server = Server::new(Session::default(), Config::new(), NOW);
    let mut decoder = Decoder::new(Vec::new());
    let step = server.receive(NOW, &mut decoder, &mut &connect[..]);
    let Ok(Some(Step::Event(Event::ConnectRequested(_)))) = step else {
        panic!("{step:?}");
    };
    let mut answer = Vec::new();
    server.accept_new(NOW, &mut answer).unwrap();
    assert_eq!(answer, CONNACK);
    (server, decoder)
}

/// Returns the payload of the message in a step.
fn message(step: Result<Option<Step<&[u8]>>, Blocked>) -> &[u8] {
    match step {
        Ok(Some(Step::Event(Event::Message(publish)))) => publish.payload,
        other => panic!("{other:?}"),
    }
}

/// Returns the bytes to send in a step.
fn sent(step: Result<Option<Step<&[u8]>>, Blocked>) -> Vec<u8> {
    match step {
        Ok(Some(Step::Action(Action::Transmit(control)))) => control.as_bytes().to_vec(),
        other => panic!("{other:?}"),
    }
}

const fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

#[test]
fn each_packet_is_followed_by_what_it_asks_for_before_the_next_one() {
    let (mut client, mut decoder) = connected_client(Config::new());
    let stream = AT_QOS_1.concat();
    let mut input = &stream[..];
    for (number, packet) in (1..).zip(AT_QOS_1) {
        let left = input.len();
        assert_eq!(
            message(client.receive(NOW, &mut decoder, &mut input)),
            &packet[7..]
        );
        assert_eq!(left - input.len(), packet.len());
        assert_eq!(
            sent(client.receive(NOW, &mut decoder, &mut input)),
            [0x40, 2, 0, number]
        );
    }
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn a_change_is_to_be_stored_before_the_answer_is_sent() {
    let (mut client, mut decoder) = connected_client(Config::new().journal(true));
    let mut input = &b"\x34\x06\0\x01t\0\x07m"[..];
    assert_eq!(message(client.receive(NOW, &mut decoder, &mut input)), b"m");
    let store = Action::Store(Change::InboundReceived(id(7)));
    assert_eq!(
        client.receive(NOW, &mut decoder, &mut input),
        Ok(Some(Step::Action(store)))
    );
    assert_eq!(
        sent(client.receive(NOW, &mut decoder, &mut input)),
        b"\x50\x02\0\x07"
    );
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn the_steps_are_the_same_however_the_stream_is_cut() {
    let stream = [
        CONNECT_WITH_WILL,
        AT_QOS_1[0],
        b"\x34\x06\0\x01t\0\x07m",                      // QoS 2
        b"\x3c\x06\0\x01t\0\x07m",                      // again
        b"\x62\x02\0\x07",                               // PUBREL
        b"\x82\x06\0\x09\0\x01a\x01",                    // SUBSCRIBE
        b"\xc0\0",                                        // PINGREQ
        b"\xa2\x05\0\x0a\0\x01a",                        // UNSUBSCRIBE
        b"\x30\x83\x01\0\x01t0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        b"\xe0\0",                                        // DISCONNECT
        b"\xc0\0",                                        // nothing may follow it
    ]
    .concat();

    fn steps<M: Buffer>(stream: &[u8], chunk: usize, memory: M) -> Vec<String> {
        let mut server = Server::<Slots>::new(Session::default(), Config::new(), NOW);
        let mut decoder = Decoder::new(memory);
        let mut steps = Vec::new();
        for mut input in stream.chunks(chunk) {
            while let Some(step) = server.receive(NOW, &mut decoder, &mut input).unwrap() {
                steps.push(format!("{step:?}"));
                let mut out = Vec::new();
                match step {
                    Step::Event(Event::ConnectRequested(_)) => {
                        server.accept_new(NOW, &mut out).unwrap();
                    }
                    Step::Event(Event::SubscribeRequested(_)) => {
                        let codes = [ReturnCode::Failure];
                        let codes = ReturnCodes::encode_to_vec(codes).unwrap();
                        server.suback(NOW, &codes, &mut out).unwrap();
                    }
                    Step::Event(Event::UnsubscribeRequested(_)) => {
                        server.unsuback(NOW, &mut out).unwrap();
                    }
                    _ => {}
                }
            }
            assert!(input.is_empty());
        }
        steps
    }

    let whole = steps(&stream, stream.len(), Vec::new());
    let beginnings: Vec<&str> = whole
        .iter()
        .map(|step| step.split_once(" {").map_or(&**step, |(start, _)| start))
        .collect();
    assert_eq!(
        beginnings,
        [
            "Event(ConnectRequested(Connect",
            "Event(Message(Publish",
            "Action(Transmit(PUBACK(1)))",
            "Event(Message(Publish",
            "Action(Transmit(PUBREC(7)))",
            "Action(Transmit(PUBREC(7)))",
            "Action(Transmit(PUBCOMP(7)))",
            "Event(SubscribeRequested(Subscribe",
            "Action(Transmit(PINGRESP))",
            "Event(UnsubscribeRequested(Unsubscribe",
            "Event(Message(Publish",
            "Event(Disconnected)",
            "Action(DiscardWill)",
            "Action(Close(Disconnected))",
        ]
    );
    for chunk in 1..stream.len() {
        assert_eq!(
            steps(&stream, chunk, Vec::new()),
            whole,
            "chunks of {chunk}"
        );
        assert_eq!(steps(&stream, chunk, [0; 256]), whole, "chunks of {chunk}");
    }
}

#[test]
fn an_action_that_is_due_comes_without_input_too() {
    let (mut client, mut decoder) = connected_client(Config::new().manual_acknowledgement(true));
    let mut input = AT_QOS_1[0];
    message(client.receive(NOW, &mut decoder, &mut input));
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
    let first = client.acknowledgement(id(1)).unwrap();
    client.acknowledge(first).unwrap();
    let nothing = &mut &b""[..];
    assert_eq!(
        sent(client.receive(NOW, &mut decoder, nothing)),
        b"\x40\x02\0\x01"
    );
    assert_eq!(client.receive(NOW, &mut decoder, nothing), Ok(None));
}

#[test]
fn what_comes_behind_a_request_stays_in_the_input_until_that_is_answered() {
    let mut server = Server::<Slots>::new(Session::default(), Config::new(), NOW);
    let mut decoder = Decoder::new(Vec::new());
    let stream = [CONNECT, b"\xc0\0"].concat();
    let mut input = &stream[..];
    server.receive(NOW, &mut decoder, &mut input).unwrap();
    for _ in 0..2 {
        assert_eq!(
            server.receive(NOW, &mut decoder, &mut input),
            Err(Blocked::AnswerPending)
        );
        assert_eq!(input, b"\xc0\0");
    }
    // Without input nothing has to wait.
    assert_eq!(server.receive(NOW, &mut decoder, &mut &b""[..]), Ok(None));
    server.accept_new(NOW, &mut Vec::new()).unwrap();
    assert_eq!(
        sent(server.receive(NOW, &mut decoder, &mut input)),
        b"\xd0\0"
    );
    assert_eq!(server.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn a_message_without_room_stays_in_the_input_and_comes_once() {
    let (mut client, mut decoder) = connected_client(Config::new().manual_acknowledgement(true));
    let stream = AT_QOS_1.concat();
    let mut input = &stream[..];
    message(client.receive(NOW, &mut decoder, &mut input));
    message(client.receive(NOW, &mut decoder, &mut input));
    let position = decoder.position();
    for _ in 0..2 {
        assert_eq!(
            client.receive(NOW, &mut decoder, &mut input),
            Err(Blocked::InboundFull)
        );
        assert_eq!((input, decoder.position()), (AT_QOS_1[2], position));
    }
    let first = client.acknowledgement(id(1)).unwrap();
    client.acknowledge(first).unwrap();
    assert_eq!(
        sent(client.receive(NOW, &mut decoder, &mut input)),
        b"\x40\x02\0\x01"
    );
    assert_eq!(message(client.receive(NOW, &mut decoder, &mut input)), b"c");
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn a_message_without_room_that_was_gathered_stays_in_the_decoder_and_comes_once() {
    let (mut client, mut decoder) = connected_client(Config::new().manual_acknowledgement(true));
    let stream = AT_QOS_1[..2].concat();
    let mut input = &stream[..];
    message(client.receive(NOW, &mut decoder, &mut input));
    message(client.receive(NOW, &mut decoder, &mut input));
    let (start, end) = AT_QOS_1[2].split_at(4);
    assert_eq!(client.receive(NOW, &mut decoder, &mut &start[..]), Ok(None));
    let mut input = end;
    for _ in 0..2 {
        assert_eq!(
            client.receive(NOW, &mut decoder, &mut input),
            Err(Blocked::InboundFull)
        );
        assert_eq!(input, b"");
        assert!(!decoder.is_at_packet_boundary());
    }
    // Available also to callers that decode themselves.
    let mut other = decoder.clone();
    let packet = other.decode(&mut &b""[..]);
    assert!(matches!(packet, Ok(Some(Packet::Publish(_)))), "{packet:?}");

    let first = client.acknowledgement(id(1)).unwrap();
    client.acknowledge(first).unwrap();
    assert_eq!(
        sent(client.receive(NOW, &mut decoder, &mut input)),
        b"\x40\x02\0\x01"
    );
    assert_eq!(message(client.receive(NOW, &mut decoder, &mut input)), b"c");
    assert!(decoder.is_at_packet_boundary());
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn the_start_of_a_message_in_pieces_without_room_stays_in_the_decoder_and_comes_once() {
    let (mut client, mut decoder) = connected_client(Config::new().manual_acknowledgement(true));
    let stream = AT_QOS_1[..2].concat();
    let mut input = &stream[..];
    message(client.receive(NOW, &mut decoder, &mut input));
    message(client.receive(NOW, &mut decoder, &mut input));
    let mut decoder = Decoder::with_options([0; 8], Options::new().payloads_in_pieces(true));
    let (start, end) = b"\x32\x08\0\x01t\0\x03".split_at(4);
    assert_eq!(client.receive(NOW, &mut decoder, &mut &start[..]), Ok(None));
    let mut input = end;
    for _ in 0..2 {
        assert_eq!(
            client.receive(NOW, &mut decoder, &mut input),
            Err(Blocked::InboundFull)
        );
        assert_eq!(input, b"");
    }
    let first = client.acknowledgement(id(1)).unwrap();
    client.acknowledge(first).unwrap();
    assert_eq!(
        sent(client.receive(NOW, &mut decoder, &mut input)),
        b"\x40\x02\0\x01"
    );
    let step = client.receive(NOW, &mut decoder, &mut input);
    let Ok(Some(Step::Event(Event::MessageHeader(header)))) = step else {
        panic!("{step:?}");
    };
    assert_eq!(
        (header.payload_len, header.delivery.packet_id()),
        (3, Some(id(3)))
    );
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn a_fault_of_the_peer_comes_out_as_what_it_leads_to_and_the_rest_is_not_looked_at() {
    for fault in [
        &b"\x32\x05\0\x01t\0\0"[..], // Packet Identifier 0
        b"\x40\x02\0\0",             // the same in PUBACK
        b"\xf0\0",                   // no such packet
        b"\xc0\x01\0",               // PINGREQ with a byte too many
    ] {
        for cut in 0..fault.len() {
            let (mut server, mut decoder) = connected_server(CONNECT_WITH_WILL);
            let stream = [fault, b"\xc0\0"].concat();
            let (start, end) = stream.split_at(cut);
            let mut steps = Vec::new();
            for mut input in [start, end] {
                while let Some(step) = server.receive(NOW, &mut decoder, &mut input).unwrap() {
                    steps.push(format!("{step:?}"));
                }
                assert_eq!(input, b"");
            }
            assert_eq!(steps.len(), 2, "{steps:?}");
            assert_eq!(steps[0], "Action(PublishWill)");
            assert!(
                steps[1].starts_with("Action(Close(Violation(Malformed("),
                "{steps:?}"
            );
            assert_eq!(
                server.receive(NOW, &mut decoder, &mut &stream[..]),
                Ok(None)
            );
        }
    }
}

#[test]
fn a_packet_that_must_not_come_ends_the_connection_and_says_why() {
    let (mut server, mut decoder) = connected_server(CONNECT);
    let mut input = CONNECT;
    let close = Action::Close(CloseReason::Violation(PeerError::Protocol(
        ProtocolError::SecondConnect,
    )));
    assert_eq!(
        server.receive(NOW, &mut decoder, &mut input),
        Ok(Some(Step::Action(close)))
    );
    assert_eq!(server.receive(NOW, &mut decoder, &mut input), Ok(None));
}

#[test]
fn an_acknowledgement_over_the_limit_is_too_large_as_any_other_packet() {
    for limit in 2..=4 {
        let options = Options::new().max_packet_size(limit);
        let (mut client, _) = connected_client(Config::new());
        let mut decoder = Decoder::with_options(Vec::new(), options);
        let puback = &b"\x40\x02\0\x05"[..];
        let is_taken = limit == 4;
        assert_eq!(decoder.clone().decode(&mut &*puback).is_ok(), is_taken);
        let step = client.receive(NOW, &mut decoder, &mut &*puback).unwrap();
        let is_closed = matches!(step, Some(Step::Action(Action::Close(_))));
        assert_eq!(is_closed, !is_taken, "{step:?}");
    }
}

#[test]
fn after_a_fault_the_decoder_gives_it_again_as_after_decode() {
    // UNSUBSCRIBE without a Topic Filter, whole and in the buffer.
    let malformed = b"\xa2\x02\0\x01";
    let fault = v3::decode(&mut &malformed[..], &Options::new()).unwrap_err();
    for cut in 0..malformed.len() {
        let (mut server, mut decoder) = connected_server(CONNECT);
        let (mut start, mut end) = malformed.split_at(cut);
        let step = server.receive(NOW, &mut decoder, &mut start);
        assert_eq!(step, Ok(None), "cut at {cut}");
        let step = server.receive(NOW, &mut decoder, &mut end);
        let close = Action::Close(CloseReason::Violation(PeerError::Malformed(fault)));
        assert_eq!(step, Ok(Some(Step::Action(close))), "cut at {cut}");
        assert_eq!(decoder.decode(&mut &b"\xc0\0"[..]), Err(fault));
    }
}

#[test]
fn what_looks_like_packets_within_a_payload_is_payload_wherever_it_is_cut() {
    // PUBACK, PUBLISH, PUBREL and PINGREQ, inside a message.
    let payload = b"\x40\x02\0\x01\x30\x04\0\x01tx\x62\x02\0\x01\xc0\0";
    let publish = [&b"\x30\x13\0\x01t"[..], payload].concat();
    for cut in 1..publish.len() {
        let (mut server, mut decoder) = connected_server(CONNECT);
        let (mut start, mut end) = publish.split_at(cut);
        let step = server.receive(NOW, &mut decoder, &mut start);
        assert_eq!(step, Ok(None), "cut at {cut}");
        let step = server.receive(NOW, &mut decoder, &mut end);
        assert_eq!(message(step), payload, "cut at {cut}");
        assert_eq!(server.receive(NOW, &mut decoder, &mut end), Ok(None));
    }
}

#[test]
fn a_longer_remaining_length_than_necessary_is_refused_if_that_is_asked_for() {
    let options = Options::new().refuse_overlong_remaining_length(true);
    for (publish, is_taken) in [
        (&b"\x30\x84\0\0\x01ta"[..], false),
        (b"\x30\x04\0\x01ta", true),
    ] {
        for cut in 0..publish.len() {
            let (mut client, _) = connected_client(Config::new());
            let mut decoder = Decoder::with_options(Vec::new(), options);
            let (start, end) = publish.split_at(cut);
            let mut steps = Vec::new();
            for mut input in [start, end] {
                while let Some(step) = client.receive(NOW, &mut decoder, &mut input).unwrap() {
                    steps.push(matches!(step, Step::Event(Event::Message(_))));
                }
            }
            assert_eq!(steps, [is_taken], "cut at {cut}");
        }
        assert_eq!(v3::decode(&mut &*publish, &options).is_ok(), is_taken);
    }
}

#[test]
fn an_acknowledgement_of_nothing_leads_to_nothing() {
    let (mut client, mut decoder) = connected_client(Config::new());
    for acknowledgement in [&b"\x40\x02\0\x05"[..], b"\x70\x02\0\x05", b"\xd0\0"] {
        let mut input = acknowledgement;
        assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
        assert_eq!(input, b"");
    }
    assert_eq!(decoder.position(), 4 + 4 + 4 + 2);
}

#[test]
fn a_payload_that_was_begun_in_pieces_is_skipped() {
    let (mut client, _) = connected_client(Config::new());
    let mut decoder = Decoder::new([0; 8]);
    let mut input = &b"\x30\x0a\0\x01t1234567\xd0\0"[..];
    decoder.decode_in_pieces(&mut input).unwrap().unwrap();
    assert_eq!(client.receive(NOW, &mut decoder, &mut input), Ok(None));
    assert!(decoder.is_at_packet_boundary());
}

// Limits of this side

/// Returns a PUBLISH at QoS 1 with Packet Identifier 1 to `t`, with this number of payload bytes.
fn large_publish(payload: usize) -> Vec<u8> {
    let message = v3::Publish {
        delivery: v3::Delivery::AtLeastOnce {
            packet_id: PacketId::MIN,
            dup: false,
        },
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload: &vec![b'x'; payload][..],
    };
    message.encode_to_vec().unwrap()
}

/// Returns the steps of a stream that is split in any way.
fn steps(
    client: &mut Client<Slots>,
    decoder: &mut Decoder<Vec<u8>>,
    stream: &[u8],
    cut: usize,
) -> Vec<String> {
    let (start, end) = stream.split_at(cut.min(stream.len()));
    let mut steps = Vec::new();
    for mut input in [start, end] {
        while let Some(step) = client.receive(NOW, decoder, &mut input).unwrap() {
            steps.push(format!("{step:?}"));
        }
    }
    steps
}

/// A 2 MB QoS 1 message exceeds the default of 1 MiB: the reason names the limit and the required
/// size.
#[test]
fn a_packet_over_the_limit_ends_the_connection_with_limit_and_size() {
    let publish = large_publish(2_000_000);
    let (mut client, mut decoder) = connected_client(Config::new());
    let mut input = &publish[..];
    let step = client.receive(NOW, &mut decoder, &mut input).unwrap();
    let reason = CloseReason::LimitExceeded {
        limit: Limit::PacketSize,
        value: 1_048_576,
        actual: u32::try_from(publish.len()).unwrap(),
    };
    assert_eq!(step, Some(Step::Action(Action::Close(reason))));
    assert_eq!(
        reason.to_string(),
        "limit of this side: packet size in bytes of 1048576: 2000009 came"
    );
}

/// The buffer is the limit if it is smaller; the decoder's error has the same value.
#[test]
fn a_packet_over_the_buffer_names_the_size_of_the_buffer_and_its_own() {
    let (mut client, _) = connected_client(Config::new());
    let mut decoder = Decoder::new([0; 64]);
    let publish = large_publish(100);
    let step = client.receive(NOW, &mut decoder, &mut &publish[..]);
    let reason = CloseReason::LimitExceeded {
        limit: Limit::PacketSize,
        value: 64,
        actual: 107,
    };
    assert_eq!(step, Ok(Some(Step::Action(Action::Close(reason)))));
    let error = decoder.decode(&mut &[][..]).unwrap_err();
    assert_eq!(error.packet_size(), Some(107));
    assert_eq!(error.offset(), 1);
    assert_eq!(
        error.to_string(),
        "PUBLISH Remaining Length: the packet is larger than this receiver takes (107 bytes)"
    );
}

#[test]
fn more_topic_filters_than_the_limit_end_the_connection_with_the_limit() {
    let (mut server, _) = connected_server(CONNECT);
    let options = Options::new().max_filters(1);
    let mut decoder = Decoder::with_options(Vec::new(), options);
    let subscribe = b"\x82\x0a\0\x01\0\x01a\0\0\x01b\0";
    let step = server.receive(NOW, &mut decoder, &mut &subscribe[..]);
    let reason = CloseReason::LimitExceeded {
        limit: Limit::TopicFilters,
        value: 1,
        actual: 2,
    };
    assert_eq!(step, Ok(Some(Step::Action(Action::Close(reason)))));
}

/// Pieces have two limits: for the header, and for the whole message.
#[test]
fn a_message_over_the_limit_for_pieces_names_that_limit() {
    let options = Options::new()
        .max_packet_size(64)
        .max_publish_size(1_000)
        .payloads_in_pieces(true);
    let (mut client, _) = connected_client(Config::new());
    let mut decoder = Decoder::with_options(Vec::new(), options);
    let publish = large_publish(2_000);
    let step = client.receive(NOW, &mut decoder, &mut &publish[..]);
    let reason = CloseReason::LimitExceeded {
        limit: Limit::PacketSize,
        value: 1_000,
        actual: 2_008,
    };
    assert_eq!(step, Ok(Some(Step::Action(Action::Close(reason)))));
}

/// A payload that is too large is acknowledged and skipped, however the stream is split, so that the
/// server does not resend it.
#[test]
fn a_message_that_is_too_large_is_skipped_and_acknowledged_where_that_is_asked_for() {
    let options = Options::new().max_packet_size(64).skip_large_messages(true);
    let stream = [&large_publish(100)[..], b"\x30\x04\0\x01ta"].concat();
    for config in [Config::new(), Config::new().manual_acknowledgement(true)] {
        for cut in 0..stream.len() {
            let (mut client, _) = connected_client(config);
            let mut decoder = Decoder::with_options(Vec::new(), options);
            let steps = steps(&mut client, &mut decoder, &stream, cut);
            assert_eq!(steps.len(), 3, "{steps:?}");
            assert!(steps[0].starts_with("Event(MessageSkipped("), "{steps:?}");
            assert!(steps[0].contains("payload_len: 100"), "{steps:?}");
            assert_eq!(steps[1], "Action(Transmit(PUBACK(1)))");
            assert!(steps[2].starts_with("Event(Message("), "{steps:?}");
        }
    }
}

/// [MQTT-4.6.0-2]: a skipped message is acknowledged in order too.
#[test]
fn a_skipped_message_is_acknowledged_after_those_before_it() {
    let (mut client, _) = connected_client(Config::new().manual_acknowledgement(true));
    let options = Options::new().max_packet_size(64).skip_large_messages(true);
    let mut decoder = Decoder::with_options(Vec::new(), options);
    let stream = [AT_QOS_1[1], &large_publish(100)].concat();
    let steps = steps(&mut client, &mut decoder, &stream, 0);
    assert_eq!(steps.len(), 2, "{steps:?}");
    let second = PacketId::new(2).unwrap();
    let second = client.acknowledgement(second).unwrap();
    client.acknowledge(second).unwrap();
    let sent: Vec<_> = core::iter::from_fn(|| client.poll_action())
        .map(|action| format!("{action:?}"))
        .collect();
    assert_eq!(sent, ["Transmit(PUBACK(2))", "Transmit(PUBACK(1))"]);
}

// Actions of `receive` itself

#[test]
fn a_client_that_is_fed_without_pause_still_sends_pingreq() {
    let (mut client, mut decoder) = connected_client_with_keep_alive(Config::new(), 2);
    let mut sent_at = Vec::new();
    for tenths in 1..600 {
        let now = Timestamp::from_millis(tenths * 100);
        let mut input = &b"\x30\x04\0\x01ta"[..];
        while let Some(step) = client.receive(now, &mut decoder, &mut input).unwrap() {
            if let Step::Action(Action::Transmit(pingreq)) = step {
                assert_eq!(pingreq.as_bytes(), b"\xc0\0");
                sent_at.push(tenths);
                let mut pingresp = &b"\xd0\0"[..];
                assert_eq!(client.receive(now, &mut decoder, &mut pingresp), Ok(None));
            }
        }
    }
    // An eighth of the Keep Alive early: 1.75 s, in steps of 0.1 s.
    let before_two_seconds: Vec<u64> = (1..=33).map(|n| n * 18).collect();
    assert_eq!(sent_at, before_two_seconds);
}

#[test]
fn a_client_waits_for_pingresp_while_a_large_message_arrives_in_parts() {
    let config = Config::new().ping_timeout(core::time::Duration::from_secs(5));
    let (mut client, mut decoder) = connected_client_with_keep_alive(config, 60);
    let due = client.poll_timeout().unwrap();
    let pingreq = client.receive(due, &mut decoder, &mut &[][..]).unwrap();
    assert!(matches!(pingreq, Some(Step::Action(Action::Transmit(_)))));
    let message = [&b"\x30\x67\0\x01t"[..], &[0; 100]].concat();
    let mut now = due;
    for part in message.chunks(10) {
        now = now.plus_millis(4_000);
        let mut input = part;
        let step = client.receive(now, &mut decoder, &mut input).unwrap();
        let is_whole = matches!(step, Some(Step::Event(Event::Message(_))));
        assert!(step.is_none() || is_whole, "{step:?}");
    }
    // A server that becomes silent in the middle of a packet is given up.
    assert_eq!(
        client.receive(now, &mut decoder, &mut &b"\x30"[..]),
        Ok(None)
    );
    let late = now.plus_millis(5_000);
    let close = client.receive(late, &mut decoder, &mut &[][..]).unwrap();
    assert_eq!(
        close,
        Some(Step::Action(Action::Close(CloseReason::PingTimeout)))
    );
}

#[test]
fn a_decoder_that_has_decoded_for_another_connection_is_refused() {
    let (_, mut decoder) = connected_client(Config::new());
    let mut client = begins(Config::new(), 0);
    let mut input = CONNACK;
    let step = client.receive(NOW, &mut decoder, &mut input);
    assert_eq!(step, Err(Blocked::UsedDecoder));
    assert_eq!(input, CONNACK);
    let mut decoder = Decoder::new(Vec::new());
    let step = client.receive(NOW, &mut decoder, &mut input);
    let session_present = false;
    let connected = Step::Event(Event::Connected { session_present });
    assert_eq!(step, Ok(Some(connected)));
}

/// Section 3.1.2.10.
#[test]
fn a_passed_deadline_is_reported_without_input() {
    let connect = b"\x10\x0d\0\x04MQTT\x04\x02\0\x0a\0\x01c";
    let (mut server, mut decoder) = connected_server(connect);
    let deadline = server.poll_timeout().unwrap();
    let early = Timestamp::from_millis(deadline.as_millis() - 1);
    let step = server.receive(early, &mut decoder, &mut &[][..]);
    assert_eq!(step, Ok(None));
    let step = server.receive(deadline, &mut decoder, &mut &[][..]);
    let close = Action::Close(CloseReason::KeepAliveTimeout);
    assert_eq!(step, Ok(Some(Step::Action(close))));
}

#[test]
fn a_pingreq_that_is_due_comes_before_the_next_message() {
    let (mut client, mut decoder) = connected_client_with_keep_alive(Config::new(), 10);
    let due = client.poll_timeout().unwrap();
    let mut input = &b"\x30\x04\0\x01tx"[..];
    match client.receive(due, &mut decoder, &mut input) {
        Ok(Some(Step::Action(Action::Transmit(reply)))) => {
            assert_eq!(reply.as_bytes(), b"\xc0\0");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(message(client.receive(due, &mut decoder, &mut input)), b"x");
}

#[test]
fn a_packet_for_which_there_is_no_memory_ends_the_connection_with_its_size() {
    struct NoMemory;
    impl Buffer for NoMemory {
        fn capacity(&self) -> usize {
            usize::MAX
        }
        fn append(&mut self, _: usize, _: &[u8]) -> bool {
            false
        }
        fn filled(&self, _: usize) -> &[u8] {
            &[]
        }
    }
    let mut client = begins(Config::new(), 0);
    let mut decoder = Decoder::new(NoMemory);
    let mut input = &b"\x20\x02\0\0\x30\x07\0\x01t"[..];
    let step = client.receive(NOW, &mut decoder, &mut input);
    let session_present = false;
    let connected = Step::Event(Event::Connected { session_present });
    assert_eq!(step, Ok(Some(connected)));
    let close = Action::Close(CloseReason::LimitExceeded {
        limit: Limit::Memory,
        value: 0,
        actual: 9,
    });
    let step = client.receive(NOW, &mut decoder, &mut input);
    assert_eq!(step, Ok(Some(Step::Action(close))));
}

#[test]
fn steps_are_equal_if_what_they_carry_is() {
    let session_present = false;
    let event: Step<&[u8]> = Step::Event(Event::Connected { session_present });
    let other = Step::Event(Event::Connected {
        session_present: true,
    });
    let action = Step::Action(Action::Resend(PacketId::MIN));
    assert_eq!(event, event.clone());
    assert_ne!(event, other);
    assert_ne!(event, action);
    assert_ne!(action, Step::Action(Action::Resend(PacketId::MAX)));
}

/// The limit of messages in pieces concerns no other packet.
#[test]
fn the_limit_that_a_suback_exceeds_is_that_of_whole_packets() {
    let options = Options::new().payloads_in_pieces(true).max_publish_size(20);
    for (suback, actual) in [(b"\x90\x12", 20), (b"\x90\x11", 19)] {
        let mut decoder = Decoder::with_options([0; 16], options);
        let mut client = begins(Config::new(), 0);
        let mut input = &[CONNACK, suback].concat()[..];
        let step = client.receive(NOW, &mut decoder, &mut input).unwrap();
        assert!(matches!(step, Some(Step::Event(Event::Connected { .. }))));
        let close = Action::Close(CloseReason::LimitExceeded {
            limit: Limit::PacketSize,
            value: 16,
            actual,
        });
        let step = client.receive(NOW, &mut decoder, &mut input).unwrap();
        assert_eq!(step, Some(Step::Action(close)));
    }
}

/// A program that receives whole packets only: the options for pieces have no effect.
#[test]
fn whole_packets_come_out_however_they_are_cut_and_a_larger_one_ends_the_connection() {
    let stream = [CONNACK, AT_QOS_1[0], b"\x30\x09\0\x01tlonger", b"\x30\x0a"].concat();
    for cut in 0..stream.len() {
        let options = Options::new()
            .payloads_in_pieces(true)
            .skip_large_messages(true);
        let mut decoder = Decoder::with_options(WholePackets([0; 11]), options);
        let mut client = begins(Config::new(), 0);
        let mut shown = Vec::new();
        for mut part in [&stream[..cut], &stream[cut..], b"\0\x01t"] {
            while let Some(step) = client.receive(NOW, &mut decoder, &mut part).unwrap() {
                shown.push(match step {
                    Step::Event(Event::Connected { .. }) => "connected".into(),
                    Step::Event(Event::Message(publish)) => {
                        String::from_utf8(publish.payload.to_vec()).unwrap()
                    }
                    Step::Action(Action::Transmit(reply)) => hex::encode(reply.as_bytes()),
                    Step::Action(Action::Close(CloseReason::LimitExceeded {
                        limit: Limit::PacketSize,
                        value: 11,
                        actual: 12,
                    })) => "too large".into(),
                    other => panic!("{other:?}"),
                });
            }
        }
        let expected = ["connected", "a", "40020001", "longer", "too large"];
        assert_eq!(shown, expected, "cut at {cut}");
    }
}

#[test]
fn a_payload_comes_in_pieces_where_the_options_say_so() {
    let (mut client, _) = connected_client(Config::new());
    let mut decoder = Decoder::with_options([0; 8], Options::new().payloads_in_pieces(true));
    let publish = b"\x30\x0a\0\x01t1234567";
    let (mut start, mut end) = publish.split_at(9);
    let mut payload = Vec::new();
    let mut left_then = Vec::new();
    for input in [&mut start, &mut end] {
        while let Some(step) = client.receive(NOW, &mut decoder, input).unwrap() {
            match step {
                Step::Event(Event::MessageHeader(message)) => {
                    assert_eq!(message.topic, TopicName::new(&b"t"[..]).unwrap());
                }
                Step::Event(Event::Payload { bytes, left }) => {
                    payload.extend_from_slice(bytes);
                    left_then.push(left);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(payload, b"1234567");
    assert_eq!(left_then, [3, 0]);
}

#[test]
fn a_step_outlives_the_bytes_that_it_borrowed_as_copy_or_shared() {
    let (mut client, mut decoder) = connected_client(Config::new());
    let copy = {
        let bytes = AT_QOS_1[0].to_vec();
        let step = client.receive(NOW, &mut decoder, &mut &bytes[..]);
        step.unwrap().unwrap().to_owned()
    };
    let Step::Event(Event::Message(publish)) = copy else {
        panic!("{copy:?}");
    };
    assert_eq!(
        (publish.payload, publish.topic.as_bytes().to_vec()),
        (b"a".to_vec(), b"t".to_vec())
    );
}
