//! Runs `inspect` as a user does.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use common::run;

const CONNECT: &str = "102f 0004 4d515454 04 ee 003c 0003 636c69 0006 77696c6c2f74 0003 00ff41 \
                       0004 75736572 000b 70617373776f72640a00ff";
const SUBSCRIBE: &str = "820e 0007 0003 612f2b 01 0003 622f23 02";
const PUBLISH: &str = "3d0b 0003 612f62 000a deadbeef";

/// One packet of each type.
const STREAM: [&str; 14] = [
    CONNECT,
    "20020100",
    PUBLISH,
    "4002000b",
    "5002000b",
    "6202000b",
    "7002000b",
    SUBSCRIBE,
    "9006000700010280",
    "a20a 0008 0001 61 0003 622f23",
    "b0020008",
    "c000",
    "d000",
    "e000",
];

/// Returns standard output and exit status.
fn inspect(arguments: &[&str]) -> (String, i32) {
    let output = run(arguments, b"");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let stdout = String::from_utf8(output.stdout).unwrap();
    (stdout, output.status.code().unwrap())
}

/// Returns the line that `--json` prints for one whole packet.
fn json(packet: &str) -> String {
    let (stdout, status) = inspect(&["--json", packet]);
    assert_eq!(status, 0, "{stdout}");
    stdout.strip_suffix('\n').unwrap().to_owned()
}

/// Returns what `--lines` prints for one line.
fn answer(line: &str) -> String {
    let output = run(&["--lines"], line.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    stdout.strip_suffix('\n').unwrap().to_owned()
}

/// Returns the error message for a command line that cannot be understood.
fn usage_error(arguments: &[&str]) -> String {
    let output = run(arguments, b"");
    assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn temporary_file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

fn without_spaces(text: &str) -> String {
    text.replace(' ', "")
}

/// Returns a PUBLISH at QoS 0 to `a` with this many bytes of payload, and its hexadecimal digits.
fn large_publish(payload: usize) -> (Vec<u8>, String) {
    let length = u32::try_from(payload + 3).unwrap();
    let bits = |shift: u32| u8::try_from(length >> shift & 0x7f).unwrap();
    let mut bytes = vec![0x30, bits(0) | 0x80, bits(7) | 0x80, bits(14), 0, 1, b'a'];
    bytes.resize(bytes.len() + payload, b'x');
    let text = hex::encode(&bytes);
    (bytes, text)
}

#[test]
fn a_connect_is_an_object() {
    let expected = concat!(
        r#"{"offset":0,"length":49,"type":"CONNECT","#,
        r#""protocol_name":"MQTT","protocol_level":4,"clean_session":true,"keep_alive":60,"#,
        r#""client_id":"cli","#,
        r#""will":{"topic":"will/t","payload":"00ff41","qos":1,"retain":true},"#,
        r#""username":"user","password":"70617373776f72640a00ff","#,
        r#""encoded":"102f0004"#,
    );
    let printed = json(CONNECT);
    assert_eq!(printed.get(..expected.len()), Some(expected));
    assert!(printed.ends_with(&format!("\"{}\"}}", without_spaces(CONNECT))));
}

#[test]
fn what_a_connect_does_not_have_is_null() {
    assert_eq!(
        json("100c00044d5154540402000a0000"),
        concat!(
            r#"{"offset":0,"length":14,"type":"CONNECT","#,
            r#""protocol_name":"MQTT","protocol_level":4,"clean_session":true,"keep_alive":10,"#,
            r#""client_id":"","will":null,"username":null,"password":null,"#,
            r#""encoded":"100c00044d5154540402000a0000"}"#,
        )
    );
}

#[test]
fn a_connect_of_mqtt_3_1_says_so() {
    let connect: Value = serde_json::from_str(&json("100f00064d51497364700302003c000163")).unwrap();
    assert_eq!(connect["protocol_name"], "MQIsdp");
    assert_eq!(connect["protocol_level"], 3);
}

#[test]
fn a_connack_is_an_object() {
    assert_eq!(
        json("20020100"),
        r#"{"offset":0,"length":4,"type":"CONNACK","session_present":true,"return_code":0,"encoded":"20020100"}"#
    );
    assert_eq!(
        json("20020005"),
        r#"{"offset":0,"length":4,"type":"CONNACK","session_present":false,"return_code":5,"encoded":"20020005"}"#
    );
}

#[test]
fn a_publish_is_an_object() {
    assert_eq!(
        json(PUBLISH),
        concat!(
            r#"{"offset":0,"length":13,"type":"PUBLISH","dup":true,"qos":2,"retain":true,"#,
            r#""topic":"a/b","packet_id":10,"payload":"deadbeef","#,
            r#""encoded":"3d0b0003612f62000adeadbeef"}"#,
        )
    );
}

#[test]
fn a_publish_at_qos_0_has_no_packet_identifier() {
    assert_eq!(
        json("3003000161"),
        concat!(
            r#"{"offset":0,"length":5,"type":"PUBLISH","dup":false,"qos":0,"retain":false,"#,
            r#""topic":"a","packet_id":null,"payload":"","encoded":"3003000161"}"#,
        )
    );
}

#[test]
fn an_acknowledgement_is_an_object() {
    for (packet, name) in [
        ("4002000b", "PUBACK"),
        ("5002000b", "PUBREC"),
        ("6202000b", "PUBREL"),
        ("7002000b", "PUBCOMP"),
        ("b002000b", "UNSUBACK"),
    ] {
        assert_eq!(
            json(packet),
            format!(
                r#"{{"offset":0,"length":4,"type":"{name}","packet_id":11,"encoded":"{packet}"}}"#
            )
        );
    }
}

#[test]
fn a_subscribe_is_an_object() {
    assert_eq!(
        json(SUBSCRIBE),
        concat!(
            r#"{"offset":0,"length":16,"type":"SUBSCRIBE","packet_id":7,"#,
            r#""filters":[{"filter":"a/+","qos":1},{"filter":"b/#","qos":2}],"#,
            r#""encoded":"820e00070003612f2b010003622f2302"}"#,
        )
    );
}

#[test]
fn a_suback_is_an_object() {
    assert_eq!(
        json("9006000700010280"),
        concat!(
            r#"{"offset":0,"length":8,"type":"SUBACK","packet_id":7,"#,
            r#""return_codes":[0,1,2,128],"encoded":"9006000700010280"}"#,
        )
    );
}

#[test]
fn an_unsubscribe_is_an_object() {
    assert_eq!(
        json("a20a 0008 0001 61 0003 622f23"),
        concat!(
            r#"{"offset":0,"length":12,"type":"UNSUBSCRIBE","packet_id":8,"#,
            r#""filters":["a","b/#"],"encoded":"a20a00080001610003622f23"}"#,
        )
    );
}

#[test]
fn a_packet_without_fields_is_an_object() {
    for (packet, name) in [
        ("c000", "PINGREQ"),
        ("d000", "PINGRESP"),
        ("e000", "DISCONNECT"),
    ] {
        assert_eq!(
            json(packet),
            format!(r#"{{"offset":0,"length":2,"type":"{name}","encoded":"{packet}"}}"#)
        );
    }
}

#[test]
fn objects_come_one_a_line_with_offset_and_length_in_the_input() {
    let (stdout, status) = inspect(&["--json", &STREAM.join(" ")]);
    assert_eq!(status, 0);
    assert_eq!(stdout.lines().count(), STREAM.len());
    let mut offset = 0;
    for (line, packet) in stdout.lines().zip(STREAM) {
        let object: Value = serde_json::from_str(line).unwrap();
        let length = without_spaces(packet).len() / 2;
        assert_eq!(object["offset"], offset, "{line}");
        assert_eq!(object["length"], length, "{line}");
        assert_eq!(object["encoded"], without_spaces(packet), "{line}");
        offset += length;
    }
}

#[test]
fn an_overlong_remaining_length_counts_in_length_and_is_encoded_short() {
    assert_eq!(
        json("c0 80 00"),
        r#"{"offset":0,"length":3,"type":"PINGREQ","encoded":"c000"}"#
    );
}

#[test]
fn a_malformed_packet_is_an_object_and_exit_status_1() {
    let (stdout, status) = inspect(&["--json", "c000 8206000100016103 c000"]);
    assert_eq!(status, 1);
    let (first, second) = stdout.trim_end().split_once('\n').unwrap();
    assert_eq!(
        first,
        r#"{"offset":0,"length":2,"type":"PINGREQ","encoded":"c000"}"#
    );
    assert_eq!(
        second,
        concat!(
            r#"{"offset":9,"error":"SUBSCRIBE Requested QoS: Requested QoS is 0, 1 or 2 "#,
            r#"(0x03 at byte 7 of the packet)","statement":"MQTT-3.8.3-4"}"#,
        )
    );
}

#[test]
fn a_fault_without_a_statement_has_null() {
    let (stdout, status) = inspect(&["--json", "40020000"]);
    assert_eq!(status, 1);
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(object["offset"], 2);
    assert_eq!(object["statement"], Value::Null);
    assert_eq!(object.as_object().unwrap().len(), 3);
}

#[test]
fn an_incomplete_packet_is_an_object_and_exit_status_2() {
    let (stdout, status) = inspect(&["--json", "c000 3005 0001"]);
    assert_eq!(status, 2);
    assert_eq!(
        stdout,
        "{\"offset\":0,\"length\":2,\"type\":\"PINGREQ\",\"encoded\":\"c000\"}\n\
         {\"offset\":2,\"incomplete\":true}\n"
    );
}

#[test]
fn no_bytes_are_no_objects() {
    for arguments in [&["--json", ""][..], &["--json", "-"]] {
        assert_eq!(inspect(arguments), (String::new(), 0));
    }
}

#[test]
fn no_bytes_are_nothing_to_label() {
    let file = temporary_file("empty.bin", b"");
    for arguments in [
        &[""][..],
        &[" \n"],
        &["-"],
        &[],
        &["--binary", file.to_str().unwrap()],
    ] {
        let stderr = usage_error(arguments);
        assert_eq!(
            stderr, "inspect: no bytes: give hexadecimal digits or another input\nTry --help.\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn lines_are_answered_one_by_one_and_exit_status_0() {
    let input = "c000 d000\n\n8206000100016103\n30\nnot hex\r\nE0:00";
    let output = run(&["--lines"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .collect::<Vec<_>>(),
        [
            concat!(
                r#"[{"offset":0,"length":2,"type":"PINGREQ","encoded":"c000"},"#,
                r#"{"offset":2,"length":2,"type":"PINGRESP","encoded":"d000"}]"#,
            ),
            "[]",
            concat!(
                r#"[{"offset":7,"error":"SUBSCRIBE Requested QoS: Requested QoS is 0, 1 or 2 "#,
                r#"(0x03 at byte 7 of the packet)","statement":"MQTT-3.8.3-4"}]"#,
            ),
            r#"[{"offset":0,"incomplete":true}]"#,
            r#"[{"offset":0,"error":"'n' is not a hexadecimal digit","statement":null}]"#,
            r#"[{"offset":0,"length":2,"type":"DISCONNECT","encoded":"e000"}]"#,
        ]
    );
}

#[test]
fn lines_may_be_asked_for_with_json_or_standard_input_spelled_out() {
    let input = b"c000\n8206000100016103\n";
    let expected = run(&["--lines"], input).stdout;
    assert!(expected.starts_with(b"[{"));
    for arguments in [
        &["--lines", "--json"][..],
        &["--json", "--lines"],
        &["--lines", "-"],
        &["--chunk", "1", "--lines"],
    ] {
        assert_eq!(run(arguments, input).stdout, expected, "{arguments:?}");
    }
}

#[test]
fn a_line_that_is_not_even_text_is_answered() {
    let output = run(&["--lines"], b"\xff\xfe\nc000\n");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (first, second) = stdout.split_once('\n').unwrap();
    assert!(first.ends_with(r#""statement":null}]"#), "{first}");
    assert!(second.starts_with(r#"[{"offset":0,"length":2"#), "{second}");
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    use std::io::{BufRead, BufReader};

    let mut inspect = Command::new(env!("CARGO_BIN_EXE_inspect"))
        .arg("--lines")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = inspect.stdin.take().unwrap();
    let mut stdout = BufReader::new(inspect.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(b"c000\n").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with("[{"), "{line}");
    }
    drop(stdin);
    assert!(inspect.wait().unwrap().success());
}

#[test]
fn the_size_of_the_chunks_makes_no_difference() {
    let whole = STREAM.join(" ");
    let malformed = format!("{whole} 8206000100016103 c000");
    let incomplete = format!("{whole} 3005 0001");
    for stream in [&whole, &malformed, &incomplete] {
        for format in [&[][..], &["--json"]] {
            let expected = inspect(&[format, &[stream]].concat());
            for size in ["1", "2", "7", "1000000"] {
                let chunked = inspect(&[format, &["--chunk", size, stream]].concat());
                assert_eq!(chunked, expected, "in chunks of {size}");
            }
        }
    }
}

#[test]
fn hexadecimal_comes_from_standard_input_too() {
    let expected = inspect(&[PUBLISH]);
    let output = run(&["-"], PUBLISH.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected.0);
    assert_eq!(output.status.code(), Some(expected.1));
}

#[test]
fn raw_bytes_come_from_a_file() {
    let bytes = hex::decode(STREAM.concat().replace(' ', "")).unwrap();
    let file = temporary_file("stream.bin", &bytes);
    let expected = inspect(&[&STREAM.join(" ")]);
    assert_eq!(inspect(&["--binary", file.to_str().unwrap()]), expected);

    let output = run(&["--binary", "-"], &bytes);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected.0);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let output = run(&["--binary", "no/such/file"], b"");
    assert_eq!(output.status.code(), Some(66));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("no/such/file"), "{stderr}");
}

#[test]
fn a_packet_of_a_mebibyte_comes_out_whole() {
    let (bytes, text) = large_publish(1 << 20);
    let file = temporary_file("large.bin", &bytes);
    for chunk in ["1000", "100000000"] {
        let arguments = [
            "--json",
            "--chunk",
            chunk,
            "--binary",
            file.to_str().unwrap(),
        ];
        let (stdout, status) = inspect(&arguments);
        assert_eq!(status, 0);
        let object: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(object["length"], bytes.len());
        assert!(object["encoded"] == text);
    }
}

#[test]
fn whoever_stops_reading_gets_no_complaint() {
    let (bytes, _) = large_publish(1 << 20);
    let mut inspect = Command::new(env!("CARGO_BIN_EXE_inspect"))
        .args(["--json", "--binary"])
        .arg(temporary_file("unread.bin", &bytes))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(inspect.stdout.take());
    let output = inspect.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

/// Returns the rows of the text output as offset, number of bytes, and field with value. Rows
/// without an offset, which explain the row above, are left out.
fn rows(stdout: &str) -> Vec<(usize, usize, &str)> {
    let mut rows = Vec::new();
    for line in stdout.lines() {
        let Some(Ok(offset)) = line.get(..9).map(|cell| cell.trim().parse()) else {
            continue;
        };
        let row = &line[11..];
        let (bytes, label) = row.split_at_checked(25).unwrap_or((row, ""));
        let count = match bytes.strip_prefix(".. ") {
            Some(omitted) => omitted.split(' ').next().unwrap().parse().unwrap(),
            None => hex::decode(without_spaces(bytes)).unwrap().len(),
        };
        rows.push((offset, count, label));
    }
    rows
}

#[test]
fn every_byte_is_labelled_exactly_once() {
    let (_, large) = large_publish(5000);
    let stream = format!("{} {large} c08000", STREAM.join(" "));
    let (stdout, status) = inspect(&[&stream]);
    assert_eq!(status, 0);
    let mut next = 0;
    for (offset, count, _) in rows(&stdout) {
        assert_eq!(offset, next, "{stdout}");
        next += count;
    }
    assert_eq!(next, without_spaces(&stream).len() / 2);
}

#[test]
fn a_connect_is_labelled_byte_by_byte() {
    let (stdout, _) = inspect(&[CONNECT]);
    let expected = r#"CONNECT at 0, 49 bytes
        0  10                       Packet Type and Flags      CONNECT
           0001 ....                  Packet Type              1
           .... 0000                  Reserved                 0
        1  2f                       Remaining Length           47
        2  00 04                    Protocol Name length       4
        4  4d 51 54 54              Protocol Name              "MQTT"
        8  04                       Protocol Level             4
        9  ee                       Connect Flags              0xee
           1... ....                  User Name Flag           1
           .1.. ....                  Password Flag            1
           ..1. ....                  Will Retain              1
           ...0 1...                  Will QoS                 1
           .... .1..                  Will Flag                1
           .... ..1.                  Clean Session            1
           .... ...0                  Reserved                 0
       10  00 3c                    Keep Alive                 60 s
       12  00 03                    Client Identifier length   3
       14  63 6c 69                 Client Identifier          "cli"
       17  00 06                    Will Topic length          6
       19  77 69 6c 6c 2f 74        Will Topic                 "will/t"
       25  00 03                    Will Message length        3
       27  00 ff 41                 Will Message               b"\x00\xffA"
       30  00 04                    User Name length           4
       32  75 73 65 72              User Name                  "user"
       36  00 0b                    Password length            11
       38  70 61 73 73 77 6f 72 64  Password                   b"password\n\x00\xff"
       46  0a 00 ff
"#;
    assert_eq!(stdout, expected);
}

#[test]
fn a_publish_is_labelled_byte_by_byte() {
    let (stdout, _) = inspect(&["3b0b 0003 612f62 000a 68656c6c"]);
    let expected = r#"PUBLISH at 0, 13 bytes
        0  3b                       Packet Type and Flags      PUBLISH
           0011 ....                  Packet Type              3
           .... 1...                  DUP                      1
           .... .01.                  QoS                      1
           .... ...1                  RETAIN                   1
        1  0b                       Remaining Length           11
        2  00 03                    Topic Name length          3
        4  61 2f 62                 Topic Name                 "a/b"
        7  00 0a                    Packet Identifier          10
        9  68 65 6c 6c              Payload                    "hell"
"#;
    assert_eq!(stdout, expected);
}

#[test]
fn packets_are_apart_by_an_empty_line() {
    let (stdout, _) = inspect(&["20020005 9005 0001 000280"]);
    let expected = r#"CONNACK at 0, 4 bytes
        0  20                       Packet Type and Flags      CONNACK
           0010 ....                  Packet Type              2
           .... 0000                  Reserved                 0
        1  02                       Remaining Length           2
        2  00                       Connect Acknowledge Flags  0x00
           0000 000.                  Reserved                 0
           .... ...0                  Session Present          0
        3  05                       Connect Return Code        5, not authorized

SUBACK at 4, 7 bytes
        4  90                       Packet Type and Flags      SUBACK
           1001 ....                  Packet Type              9
           .... 0000                  Reserved                 0
        5  05                       Remaining Length           5
        6  00 01                    Packet Identifier          1
        8  00                       Return Code                0, maximum QoS 0
        9  02                       Return Code                2, maximum QoS 2
       10  80                       Return Code                128, failure
"#;
    assert_eq!(stdout, expected);
}

#[test]
fn each_filter_is_labelled() {
    let (stdout, _) = inspect(&[SUBSCRIBE]);
    let labels: Vec<_> = rows(&stdout)
        .into_iter()
        .map(|(offset, _, label)| {
            let (name, value) = label.split_once("  ").unwrap();
            (offset, name, value.trim_start())
        })
        .collect();
    assert_eq!(
        labels,
        [
            (0, "Packet Type and Flags", "SUBSCRIBE"),
            (1, "Remaining Length", "14"),
            (2, "Packet Identifier", "7"),
            (4, "Topic Filter length", "3"),
            (6, "Topic Filter", r#""a/+""#),
            (9, "Requested QoS", "1"),
            (10, "Topic Filter length", "3"),
            (12, "Topic Filter", r##""b/#""##),
            (15, "Requested QoS", "2"),
        ]
    );
}

#[test]
fn an_empty_field_is_named_without_bytes() {
    let (stdout, _) = inspect(&["100c00044d5154540402000a0000"]);
    let last = stdout.lines().last().unwrap();
    assert_eq!(last.trim_start(), r#"Client Identifier          """#);
}

#[test]
fn of_a_long_field_both_ends_are_shown() {
    let (_, large) = large_publish(5000);
    let (stdout, _) = inspect(&[&large]);
    assert!(
        stdout.contains("\n       31  .. 4968 bytes ..\n"),
        "{stdout}"
    );
    assert!(stdout.contains("x\" and 4936 bytes more\n"), "{stdout}");
}

#[test]
fn nothing_in_a_packet_reaches_the_terminal_as_a_control_character() {
    // ESC, DEL, CSI as U+009B and the right-to-left override, as topic and as payload.
    let text = "1b5b324a7fc29be280ae";
    let (stdout, status) = inspect(&[&format!("3016 000a {text} {text}")]);
    assert_eq!(status, 0);
    assert!(
        stdout.contains(r#""\u{1b}[2J\u{7f}\u{9b}\u{202e}""#),
        "{stdout}"
    );
    assert!(
        stdout.chars().all(|c| c == '\n' || matches!(c, ' '..='~')),
        "{stdout}"
    );
}

#[test]
fn a_fault_is_marked_in_the_bytes_of_its_packet() {
    let (stdout, status) = inspect(&["c000 8206000100016103 c000"]);
    assert_eq!(status, 1);
    let (_, fault) = stdout.split_once("\n\n").unwrap();
    let expected = "Malformed SUBSCRIBE at 2, 8 bytes
        2  82 06 00 01 00 01 61 03
                                ^^ offset 9
           SUBSCRIBE Requested QoS: Requested QoS is 0, 1 or 2 (0x03 at byte 7 of the packet)
           MQTT-3.8.3-4: the receiver closes the Network Connection
";
    assert_eq!(fault, expected);
}

#[test]
fn a_missing_field_is_marked_behind_the_last_byte() {
    let (stdout, status) = inspect(&["8206 0001 0002 6161"]);
    assert_eq!(status, 1);
    let mut lines = stdout.lines().skip(1);
    assert_eq!(lines.next(), Some("        0  82 06 00 01 00 02 61 61"));
    assert_eq!(lines.next(), Some("        8"));
    assert_eq!(lines.next(), Some("           ^^ offset 8"));
}

#[test]
fn a_fault_deep_in_a_long_packet_is_shown_with_what_is_around_it() {
    let filters = |count| "0003 616263 01".repeat(count);
    let stream = format!(
        "82 dc12 0001 {} 0003 612b62 01 {}",
        filters(200),
        filters(198)
    );
    let (stdout, status) = inspect(&[&stream]);
    assert_eq!(status, 1);
    let expected = "Malformed SUBSCRIBE at 0, 2399 bytes
        0  .. 1192 bytes ..
";
    assert!(stdout.starts_with(expected), "{stdout}");
    assert!(stdout.contains("^^ offset 1208\n"), "{stdout}");
    assert!(
        stdout.contains(" bytes ..\n           SUBSCRIBE Topic Filter: "),
        "{stdout}"
    );
    assert!(stdout.lines().count() < 12, "{stdout}");
}

#[test]
fn a_fault_for_which_the_standard_has_an_answer_is_shown_with_it() {
    let (stdout, _) = inspect(&["100c 0004 4d515454 06 02 000a 0000"]);
    assert!(
        stdout.contains("MQTT-3.1.2-2: a server sends CONNACK with Connect Return Code 1, then"),
        "{stdout}"
    );
}

#[test]
fn a_reserved_packet_type_is_marked_although_its_packet_has_no_known_end() {
    let (stdout, status) = inspect(&[&format!("f0 {}", "00".repeat(100))]);
    assert_eq!(status, 1);
    let mut lines = stdout.lines();
    assert_eq!(lines.next(), Some("Malformed packet at 0"));
    assert_eq!(lines.next(), Some("        0  f0 00 00 00 00 00 00 00"));
    assert_eq!(lines.next(), Some("           ^^ offset 0"));
    assert_eq!(lines.count(), 5, "{stdout}");
}

#[test]
fn of_an_incomplete_packet_it_is_said_how_much_is_missing() {
    assert_eq!(
        inspect(&["300a 0003 61"]),
        (
            "Incomplete PUBLISH at 0, 5 of 12 bytes: 7 more needed\n\
             \x20       0  30 0a 00 03 61\n"
                .to_owned(),
            2
        )
    );
    assert_eq!(
        inspect(&["30"]),
        (
            "Incomplete PUBLISH at 0, 1 byte: at least 1 more needed\n\
             \x20       0  30\n"
                .to_owned(),
            2
        )
    );
}

#[test]
fn pubrel_flags_are_accepted_only_if_asked_for() {
    let refused: Value = serde_json::from_str(&answer("60020001")).unwrap();
    assert_eq!(refused[0]["statement"], "MQTT-3.6.1-1");

    let (stdout, status) = inspect(&["--json", "--accept", "pubrel-flags", "60 02 00 01"]);
    assert_eq!(status, 0);
    assert_eq!(
        stdout,
        "{\"offset\":0,\"length\":4,\"type\":\"PUBREL\",\"packet_id\":1,\"encoded\":\"62020001\"}\n"
    );
}

#[test]
fn each_leniency_lets_in_its_own_packets_only() {
    let packets = [
        ("pubrel-flags", "6a020001", "62020001"),
        ("acknowledgement-flags", "9203000100", "9003000100"),
        ("dup-on-requests", "8a06000100016100", "8206000100016100"),
        ("dup-at-qos-0", "3803000161", "3003000161"),
    ];
    for (name, _, _) in packets {
        for (accepted_by, packet, encoded) in packets {
            let (stdout, status) = inspect(&["--json", "--accept", name, packet]);
            if name == accepted_by {
                let object: Value = serde_json::from_str(&stdout).unwrap();
                assert_eq!((&object["encoded"], status), (&encoded.into(), 0));
            } else {
                assert_eq!(status, 1, "{packet} with {name}");
            }
        }
    }
}

#[test]
fn several_leniencies_may_be_given() {
    let stream = "6a020001 3803000161 8a06000100016100 92 03 0001 00";
    let (_, status) = inspect(&[
        "--accept",
        "pubrel-flags",
        "--accept=dup-at-qos-0",
        "--accept=dup-on-requests",
        "--accept=acknowledgement-flags",
        stream,
    ]);
    assert_eq!(status, 0);
}

#[test]
fn what_a_leniency_let_in_is_pointed_out() {
    let (stdout, _) = inspect(&["--accept", "pubrel-flags", "60020001"]);
    assert!(
        stdout.contains("PUBREL, which is 62 in the standard\n"),
        "{stdout}"
    );
    let (stdout, _) = inspect(&["62020001"]);
    assert!(!stdout.contains("in the standard"), "{stdout}");
}

#[test]
fn an_overlong_remaining_length_is_refused_if_asked_for() {
    let arguments = ["--json", "--refuse", "overlong-remaining-length", "c08000"];
    let (stdout, status) = inspect(&arguments);
    assert_eq!(status, 1);
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(object["offset"], 1);
}

#[test]
fn hexadecimal_is_taken_as_it_is_pasted() {
    let expected = inspect(&["3d0b0003612f62000adeadbeef"]);
    assert_eq!(expected.1, 0);
    for pasted in [
        "3D0B0003612F62000ADEADBEEF",
        "3d:0b:00:03:61:2f:62:00:0a:de:ad:be:ef",
        "0x3d, 0x0b, 0x00, 0x03, 0x61, 0x2f, 0x62, 0x00, 0x0a, 0xde, 0xad, 0xbe, 0xef",
        "0X3D0b,0003612f62000adeadbeef",
        " 3d 0b 00 03\t61 2f 62 00\r\n 0a de ad be ef\n\n",
        "3d0b\u{a0}0003612f62\u{2003}000adeadbeef",
    ] {
        assert_eq!(inspect(&[pasted]), expected, "{pasted:?}");
    }
    assert_eq!(
        inspect(&["3d", "0b", "0003612f62", "000a", "deadbeef"]),
        expected
    );
}

/// A CONNECT of 40 bytes, which is two and a half rows of a dump.
const DUMPED: &str = "1026 0004 4d515454 04 c2 0078 0009 383934363732303839 0006 343839343032 \
                      0007 646e646673736a";

const WIRESHARK: &str = "\
0000   10 26 00 04 4d 51 54 54 04 c2 00 78 00 09 38 39   .&..MQTT...x..89
0010   34 36 37 32 30 38 39 00 06 34 38 39 34 30 32 00   4672089..489402.
0020   07 64 6e 64 66 73 73 6a                           .dndfssj
";

const HEXDUMP: &str = "\
00000000  10 26 00 04 4d 51 54 54  04 c2 00 78 00 09 38 39  |.&..MQTT...x..89|
00000010  34 36 37 32 30 38 39 00  06 34 38 39 34 30 32 00  |4672089..489402.|
00000020  07 64 6e 64 66 73 73 6a                           |.dndfssj|
00000028
";

const XXD: &str = "\
00000000: 1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
00000010: 3436 3732 3038 3900 0634 3839 3430 3200  4672089..489402.
00000020: 0764 6e64 6673 736a                      .dndfssj
";

const TCPDUMP: &str = "\
\t0x0000:  1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
\t0x0010:  3436 3732 3038 3900 0634 3839 3430 3200  4672089..489402.
\t0x0020:  0764 6e64 6673 736a                      .dndfssj
";

/// Checks that a text on standard input means the same as these digits.
#[track_caller]
fn assert_read_as(input: &str, digits: &str) {
    let expected = inspect(&["--json", digits]);
    let output = run(&["--json", "-"], input.as_bytes());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stderr, "", "{input}");
    assert_eq!((stdout, output.status.code().unwrap()), expected, "{input}");
}

/// Checks that a text on standard input is refused, and what the error contains.
#[track_caller]
fn refusal(input: &str) -> String {
    let output = run(&["-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(64), "{input}");
    assert_eq!(output.stdout, b"", "{input}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_dump_of_wireshark_is_read() {
    assert_read_as(WIRESHARK, DUMPED);
    assert_read_as(&WIRESHARK.replacen("   ", "  ", 1), DUMPED);
}

#[test]
fn a_dump_of_hexdump_is_read() {
    assert_read_as(HEXDUMP, DUMPED);
    assert_read_as(&HEXDUMP.replace("  |", " |"), DUMPED);
}

#[test]
fn a_dump_of_xxd_is_read() {
    assert_read_as(XXD, DUMPED);
}

#[test]
fn a_dump_of_tcpdump_is_read() {
    assert_read_as(TCPDUMP, DUMPED);
}

#[test]
fn a_dump_with_an_odd_byte_at_the_end_of_groups_of_four_digits_is_read() {
    assert_read_as("00000000: 3003 0001 61  0...a\n", "3003000161");
}

#[test]
fn a_dump_without_text_is_read() {
    let rows = WIRESHARK.lines().map(|row| row[..54].trim_end());
    assert_read_as(&rows.collect::<Vec<_>>().join("\n"), DUMPED);
}

#[test]
fn a_dump_with_crlf_capitals_and_empty_lines_is_read() {
    let bytes = |row: &str| row[..54].to_uppercase() + &row[54..];
    let rows: Vec<_> = WIRESHARK.lines().map(bytes).collect();
    assert_read_as(&format!("\r\n{}\r\n\r\n", rows.join("\r\n")), DUMPED);
}

#[test]
fn a_dump_in_an_argument_is_read() {
    let expected = inspect(&[DUMPED]);
    for dump in [WIRESHARK, HEXDUMP, XXD, TCPDUMP] {
        assert_eq!(inspect(&[dump]), expected, "{dump}");
    }
}

#[test]
fn a_dump_on_standard_input_without_arguments_is_read() {
    let output = run(&[], WIRESHARK.as_bytes());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!((stdout, output.status.code().unwrap()), inspect(&[DUMPED]));
}

#[test]
fn dumps_one_after_the_other_are_one_stream() {
    assert_read_as(
        &format!("{WIRESHARK}\n0000   c0 00   ..\n\n{HEXDUMP}"),
        &format!("{DUMPED} c000 {DUMPED}"),
    );
}

#[test]
fn text_that_looks_like_bytes_is_not_read() {
    for (dump, digits) in [
        (
            "0000   30 08 00 01 61 64 65 20 61 64   de ad\n",
            "3008000161 6465206164",
        ),
        (
            "00000000: 3008 0004 6265 6566 3030  beef\n",
            "3008000462656566 3030",
        ),
        // Here two spaces after the eighth byte are not the gap of `hexdump -C`.
        (
            "0000  30 0e 00 04 62 65 65 66  0...beef\n\
             0008  64 65 20 61 64 20 30 30  de ad 00\n",
            "300e 0004 62656566 6465206164203030",
        ),
    ] {
        assert_read_as(dump, digits);
    }
}

#[test]
fn digits_that_are_not_rows_at_their_offsets_are_bytes() {
    for (lines, digits) in [
        // At 0, but with no bytes.
        ("0000\nc000\n", "0000c000"),
        // Not at 0.
        ("3003 00 01 61\n3003 00 01 62\n", "3003000161 3003000162"),
        ("4002 00 0b\n0004 c0 00\n", "4002000b 0004c000"),
        // Too short and too long for an offset.
        ("00 c0 00\n", "00c000"),
        ("0000000000 c0 00\n", "0000000000c000"),
        // Four digits without a colon may be swapped bytes, so this is not read as a dump.
        ("0000 c000 d000\n", "0000c000d000"),
    ] {
        assert_read_as(lines, digits);
    }
}

#[test]
fn an_argument_of_one_line_is_bytes() {
    let printed = inspect(&["0000", "c0", "00"]);
    assert_eq!(inspect(&["0000c000"]), printed);
    assert_eq!(inspect(&["0000 c0 00"]), printed);
}

#[test]
fn a_line_by_itself_is_no_dump() {
    assert_eq!(answer("0000  c0 00"), answer("0000c000"));
    assert_eq!(
        answer("0000  c0 00   .."),
        r#"[{"offset":0,"error":"'.' is not a hexadecimal digit","statement":null}]"#
    );
}

#[test]
fn a_dump_with_a_row_missing_is_refused() {
    let (first, rest) = WIRESHARK.split_once('\n').unwrap();
    let (_, last) = rest.split_once('\n').unwrap();
    let stderr = refusal(&format!("{first}\n{last}"));
    assert!(
        stderr.contains("line 2 is not the row at 0010 of the dump above it\n"),
        "{stderr}"
    );
}

#[test]
fn a_dump_that_cannot_be_read_has_a_hint() {
    let in_one_line = WIRESHARK.replace('\n', " ");
    assert!(usage_error(&[&in_one_line]).contains("Copy as Hex Stream"));
    let (first, rest) = WIRESHARK.split_once('\n').unwrap();
    for dump in [
        rest,
        &format!("{first}\nFrame (66 bytes):\n{rest}"),
        // Repeated rows are left out.
        &format!("{first}\n*\n00000030\n"),
        // Octal offsets.
        &format!("000{first}\n0000020 c0 00\n"),
        // Words, which may be swapped.
        "0000000 2610 0400\n0000004\n",
    ] {
        let stderr = refusal(dump);
        assert!(stderr.contains("Copy as Hex Stream"), "{stderr}");
        assert!(stderr.ends_with("\nTry --help.\n"), "{stderr}");
    }
}

#[test]
fn what_does_not_look_like_a_dump_has_no_hint_of_one() {
    assert!(!usage_error(&["c0", "0g"]).contains("Copy as Hex Stream"));
}

#[test]
fn what_is_not_hexadecimal_is_a_usage_error() {
    assert!(usage_error(&["c0", "0g"]).contains("'g' is not a hexadecimal digit"));
    assert!(usage_error(&["--json", "c00"]).contains("c00 has an odd number of"));
    let output = run(&["-"], b"c0 0");
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    for arguments in [
        &["--json"][..],
        &["--no-such-option", "c000"],
        &["-x", "c000"],
        &["--chunk", "0", "c000"],
        &["--chunk", "many", "c000"],
        &["--chunk"],
        &["--accept", "everything", "c000"],
        &["--refuse", "everything", "c000"],
        &["--lines", "c000"],
        &["--lines", "--binary", "-"],
        &["--binary", "-", "c000"],
        &["-", "c000"],
    ] {
        let stderr = usage_error(arguments);
        assert!(
            stderr.starts_with("inspect: ") && stderr.ends_with("Try --help.\n"),
            "{stderr}"
        );
    }
}

#[test]
fn help_names_every_option() {
    let (help, status) = inspect(&["--help"]);
    assert_eq!(status, 0);
    for option in [
        "--json",
        "--lines",
        "--chunk",
        "--binary",
        "pubrel-flags",
        "acknowledgement-flags",
        "dup-on-requests",
        "dup-at-qos-0",
        "overlong-remaining-length",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn without_arguments_standard_input_is_read() {
    let output = run(&[], PUBLISH.as_bytes());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!((stdout, output.status.code().unwrap()), inspect(&[PUBLISH]));
}

#[test]
#[cfg(target_os = "linux")]
fn without_arguments_at_a_terminal_there_is_help() {
    let terminal = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/ptmx")
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_inspect"))
        .stdin(terminal)
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        (stdout, output.status.code().unwrap()),
        inspect(&["--help"])
    );
}

// Captures

/// Returns the path of a capture of mosquitto and its clients. testdata/README.md describes how they
/// were made.
fn capture(name: &str) -> String {
    format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Returns what `--pcap --json` prints for a capture.
fn events(name: &str) -> Vec<Value> {
    let (stdout, status) = inspect(&["--json", "--pcap", &capture(name)]);
    assert_eq!(status, 0, "{name}");
    let lines = stdout.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Returns the types of the packets in one conversation.
fn packets(events: &[Value], conversation: u64) -> Vec<&str> {
    let of_it = events
        .iter()
        .filter(|event| event["conversation"] == conversation);
    of_it.filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn conversations_are_shown_as_ladders() {
    let (stdout, status) = inspect(&["--pcap", &capture("qos.pcapng")]);
    assert_eq!(status, 0);
    let conversation = stdout.split("\n\n").nth(3).unwrap();
    assert_eq!(
        conversation,
        "\
Conversation 4: client 127.0.0.1:50892, server 127.0.0.1:1883, MQTT 3.1.1, Client Identifier \"sensor\"
      0.313536  -->  CONNECT \"sensor\", Keep Alive 60, Clean Session, Will to \"kitchen/state\" at QoS 0, \
User Name \"user\", Password
      0.313564  <--  CONNACK accepted, Session Present 0  [answers CONNECT after 27.878µs]
      0.313582  -->  PUBLISH 1 QoS 2 \"kitchen/temperature\": 4 bytes \"21.7\"
      0.313594  <--  PUBREC 1  [answers PUBLISH 1 after 11.509µs]
      0.313601  -->  PUBREL 1  [answers PUBREC 1 after 7.934µs]
      0.313643  <--  PUBCOMP 1  [answers PUBREL 1 after 41.056µs]
      0.313652  -->  DISCONNECT
      0.313656  -->  (client closes the connection)
      0.313819  <--  (server closes the connection)"
    );
}

/// The numbers are those that tshark finds.
#[test]
fn every_packet_of_a_real_capture_is_found() {
    for (name, conversations, count) in [
        ("qos.pcapng", 5, 35),
        ("session.pcapng", 4, 26),
        ("cooked.pcap", 5, 35),
        ("cooked2.pcap", 1, 5),
        ("v5.pcap", 1, 5),
    ] {
        let events = events(name);
        let types = events.iter().filter(|event| event["type"].is_string());
        assert_eq!(types.count(), count, "{name}");
        let ends: Vec<_> = events
            .iter()
            .filter(|event| event["event"] == "end")
            .collect();
        assert_eq!(ends.len(), conversations, "{name}");
        for end in ends {
            assert_eq!(end["unanswered"], Value::from(Vec::<Value>::new()));
            assert_eq!(end["missing_bytes"], 0);
        }
    }
}

#[test]
fn a_resumed_session_is_shown_with_its_messages() {
    let events = events("session.pcapng");
    assert_eq!(
        packets(&events, 4),
        [
            "CONNECT",
            "CONNACK",
            "SUBSCRIBE",
            "PUBLISH",
            "PUBACK",
            "DISCONNECT",
            "SUBACK"
        ]
    );
    let publish = events
        .iter()
        .find(|event| event["conversation"] == 4 && event["type"] == "PUBLISH")
        .unwrap();
    assert_eq!(publish["from"], "server");
    assert_eq!(publish["time"], "7.512151330");
    assert_eq!(publish["topic"], "k/1");
    assert_eq!(publish["payload"], hex::encode("while-away"));
    let pong = events.iter().find(|event| event["type"] == "PINGRESP");
    assert_eq!(pong.unwrap()["notes"][0]["answers"], "PINGREQ");
    assert_eq!(pong.unwrap()["notes"][0]["after_nanoseconds"], 93_237);
}

#[test]
fn a_capture_comes_from_standard_input_too() {
    let file = fs::read(capture("cooked2.pcap")).unwrap();
    let output = run(&["--pcap", "-"], &file);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("PUBLISH 1 QoS 1 \"a\"")
    );
}

#[test]
fn a_capture_without_mqtt_says_what_to_do() {
    let output = run(&["--pcap", &capture("README.md")], b"");
    assert_eq!(output.status.code(), Some(66));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("neither pcap nor pcapng"), "{stderr}");
    assert!(usage_error(&["--port", "1884", "c000"]).contains("--port works only with --pcap"));
    assert!(usage_error(&["--pcap", "x", "c000"]).contains("give one of"));
}

// Text with more than one stream

#[test]
fn the_two_sides_of_a_connection_are_two_streams() {
    let followed =
        "Follow: tcp,raw\nNode 0: 10.0.0.1:50000\nNode 1: 10.0.0.2:1883\nc000\n\td000\nc0\n";
    let output = run(&["-"], followed.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let heads: Vec<_> = stdout
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    assert_eq!(
        heads,
        [
            "from 10.0.0.1:50000",
            "PINGREQ at 0, 2 bytes",
            "Incomplete PINGREQ at 2, 1 byte: at least 1 more needed",
            "from 10.0.0.2:1883",
            "PINGRESP at 0, 2 bytes",
        ]
    );
    let output = run(&["--json", "-"], followed.as_bytes());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let streams: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["stream"].clone())
        .collect();
    let (client, server) = ("from 10.0.0.1:50000", "from 10.0.0.2:1883");
    assert_eq!(streams, [client, client, server]);
}

#[test]
fn an_argument_may_be_a_list_or_a_string() {
    for text in ["[192, 0]", "<Buffer c0 00>", r#"b"\xc0\0""#, r"\xc0\x00"] {
        let (stdout, status) = inspect(&[text]);
        assert_eq!(status, 0, "{text}");
        assert!(stdout.starts_with("PINGREQ at 0, 2 bytes"), "{text}");
    }
    assert!(answer("[192, 0]").contains("PINGREQ"));
}
