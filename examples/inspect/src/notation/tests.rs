//! Tests each notation, with text as the tools print it.

use super::{Stream, argument, input, line};

const CONNECT: &[u8] = b"\x10\x12\0\x04MQTT\x04\x02\0<\0\x06sensor";
const PUBLISH: &[u8] = b"0\x19\0\x13kitchen/temperature21.5";
const START: &[u8] = b"\x10\x0c\0\x04MQTT";

#[track_caller]
fn reads(text: &str, expected: &[u8]) {
    assert_eq!(line(text).as_deref(), Ok(expected), "{text}");
}

/// Returns the error for a text.
fn complaint(text: &str) -> String {
    input(text).unwrap_err()
}

/// Returns the only stream of an input.
fn bytes(text: &str) -> Vec<u8> {
    let [Stream { name: None, bytes }] = &input(text).unwrap()[..] else {
        panic!("{text}");
    };
    bytes.clone()
}

fn stream(name: &str, bytes: &[&[u8]]) -> Stream {
    Stream {
        name: Some(name.to_owned()),
        bytes: bytes.concat(),
    }
}

#[test]
fn digits() {
    for text in [
        "100c00044d515454",
        "10 0C 00 04 4D 51 54 54",
        "10:0c:00:04:4d:51:54:54",
        "0x10, 0x0c, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54",
        "100c 0004\n4d51 5454\n",
    ] {
        reads(text, START);
    }
}

#[test]
fn decimal_lists() {
    for text in [
        "[16, 12, 0, 4, 77, 81, 84, 84]",
        "[16 12 0 4 77 81 84 84]",
        "vec![16u8, 12, 0, 4, 77, 81, 84, 84]",
        "Uint8Array(8) [\n  16, 12,  0,  4,\n  77, 81, 84, 84\n]",
        "array('B', [16, 12, 0, 4, 77, 81, 84, 84])",
        "Buffer.from([16, 12, 0, 4, 77, 81, 84, 84]);",
        "{16, 12, 0, 4, 77, 81, 84, 84}",
        "<<16,12,0,4,77,81,84,84>>",
        "byteArrayOf(16, 12, 0, 4, 77, 81, 84, 84)",
    ] {
        reads(text, START);
    }
}

#[test]
fn the_signed_bytes_of_java() {
    reads("[-48, 0]", &[0xd0, 0]);
    reads("new byte[] {(byte) 0xd0, 0x00}", &[0xd0, 0]);
    assert!(
        line("[-129]")
            .unwrap_err()
            .contains("\"-129\" is not a byte")
    );
}

#[test]
fn hexadecimal_lists() {
    for text in [
        "[0x10, 12, 0x00, 4, 0x4d, 0x51, 0x54, 0x54]",
        "{0x10, 0x0c, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54}",
        "&[]byte{0x10, 0xc, 0x0, 0x4, 0x4d, 0x51, 0x54, 0x54}",
        "<Buffer 10 0c 00 04 4d 51 54 54>",
        // Rust's {:x?} and {:02x?}: with a letter these cannot be decimal.
        "[10, c, 0, 4, 4d, 51, 54, 54]",
        "[10, 0c, 00, 04, 4d, 51, 54, 54]",
    ] {
        reads(text, START);
    }
}

#[test]
fn a_number_that_is_no_byte_is_named() {
    for (text, number) in [
        ("[16, 256]", "256"),
        ("[0x10, 0c]", "0c"),
        ("{0x100}", "0x100"),
        ("[a, 300]", "a"),
    ] {
        let complaint = complaint(text);
        assert!(
            complaint.starts_with(&format!(
                "{number:?} is not a byte: in a list, numbers are decimal"
            )),
            "{complaint}"
        );
    }
}

#[test]
fn what_xxd_i_prints() {
    reads("  0x10, 0x0c, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54\n", START);
    let file = "unsigned char connect_bin[] = {\n  0x10, 0x0c, 0x00, 0x04, 0x4d, 0x51,\n  0x54, 0x54\n};\n\
                unsigned int connect_bin_len = 8;\n";
    reads(file, START);
}

#[test]
fn lists_that_were_shortened_cannot_be_read() {
    for text in ["<Buffer 10 0c 00 ... 50 more bytes>", "[16, 12, ..., 84]"] {
        let complaint = complaint(text);
        assert!(complaint.contains("buffer.toString('hex')"), "{complaint}");
    }
}

#[test]
fn escapes_without_quotes() {
    reads(r"\x10\x0c\x00\x04MQTT", START);
    reads(r"\x10\f\0\x04MQTT", START);
    // As printf reads them.
    reads(r"\020\014\000\004MQTT", START);
}

#[test]
fn strings_of_rust() {
    reads(r#"b"\x10\x0c\0\x04MQTT""#, START);
    reads(r#"b"\x10\x12\0\x04MQTT\x04\x02\0<\0\x06sensor""#, CONNECT);
    // Not octal.
    reads(r#"b"\012\"\\""#, b"\x0012\"\\");
    reads(r#""\u{10}\u{c}\0\u{4}MQTT""#, START);
}

#[test]
fn strings_of_python() {
    reads(r"b'\x10\x0c\x00\x04MQTT'", START);
    reads(r"bytearray(b'\x10\x0c\x00\x04MQTT')", START);
    reads(r#"b"it's""#, b"it's");
}

#[test]
fn strings_of_javascript() {
    reads(r#""\u0010\f\u0000\u0004MQTT""#, START);
}

#[test]
fn the_escaped_string_that_wireshark_copies() {
    let text = "\"\\x10\\x12\\x00\\x04\\x4d\\x51\\x54\\x54\\x04\\x02\\x00\\x3c\\x00\\x06\\x73\\x65\" \\\n\
                \"\\x6e\\x73\\x6f\\x72\"\n";
    reads(text, CONNECT);
}

#[test]
fn what_is_wrong_with_a_string_is_named() {
    for (text, expected) in [
        (r"\x1", "lacks two hexadecimal digits"),
        (r"\xzz", "lacks two hexadecimal digits"),
        (r"\q", r"\q is not an escape: write \\ for"),
        (r"\777", "not a byte in octal digits"),
        (r"\u{d800}", "is not a character"),
        ("\\x10\\", "a backslash at the end"),
        (r#"b"\x10"#, "without its closing \""),
        (
            r#"b"\x10" rest"#,
            "\"rest\" comes after the end of a string",
        ),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(expected), "{text}: {complaint}");
    }
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    for (text, expected) in [
        ("EAwABE1RVFQ=", "base64 -d | inspect --binary -"),
        ("x10x0cx00x04MQTT", "single quotes"),
        ("10 0c zz", "'z' is not a hexadecimal digit"),
        ("100", "odd number"),
        ("0000000 0c10 0400 514d 5454\n0000008\n", "xxd -p"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(expected), "{text}: {complaint}");
    }
}

const NODES: [&str; 2] = ["from 127.0.0.1:50876", "from 127.0.0.1:1883"];

#[test]
fn tshark_follow_hex() {
    let text = "
===================================================================
Follow: tcp,hex
Filter: tcp.stream eq 1
Node 0: 127.0.0.1:50876
Node 1: 127.0.0.1:1883
00000000  10 12 00 04 4d 51 54 54  04 02 00 3c 00 06 73 65  ....MQTT ...<..se
00000010  6e 73 6f 72                                       nsor
\t00000000  20 02 00 00                                        ...
00000014  30 19 00 13 6b 69 74 63  68 65 6e 2f 74 65 6d 70  0...kitc hen/temp
00000024  65 72 61 74 75 72 65 32  31 2e 35                 erature2 1.5
0000002F  e0 00                                             ..
===================================================================
";
    let client = [CONNECT, PUBLISH, b"\xe0\0"];
    let expected = [
        stream(NODES[0], &client),
        stream(NODES[1], &[b"\x20\x02\0\0"]),
    ];
    assert_eq!(input(text).unwrap(), expected);

    // Wireshark shows the same without the head.
    let rows = text
        .lines()
        .filter(|line| line.contains("  "))
        .collect::<Vec<_>>();
    let rows = rows.join("\n").replace('\t', "    ");
    let expected = [
        stream("Node 0", &client),
        stream("Node 1", &[b"\x20\x02\0\0"]),
    ];
    assert_eq!(input(&rows).unwrap(), expected);
}

#[test]
fn tshark_follow_raw() {
    let text = "
===================================================================
Follow: tcp,raw
Filter: tcp.stream eq 1
Node 0: 127.0.0.1:50876
Node 1: 127.0.0.1:1883
101200044d5154540402003c000673656e736f72
\t20020000
e000
===================================================================
";
    let expected = [
        stream(NODES[0], &[CONNECT, b"\xe0\0"]),
        stream(NODES[1], &[b"\x20\x02\0\0"]),
    ];
    assert_eq!(input(text).unwrap(), expected);
    let ascii = text.replace("raw", "ascii");
    assert!(complaint(&ascii).contains("take hex or raw"));
    let twice = text.repeat(2).replace("e000", "e00");
    assert!(complaint(&twice).starts_with("line 9 does not continue"));
}

const SUMMARY: &str = "16:01:45.500380 IP 127.0.0.1.50866 > 127.0.0.1.1883: Flags [P.], seq 1:22, ack 1, win 64, length 21\n";

#[test]
fn tcpdump_x_upper_case() {
    let text = [
        "16:01:45.500333 IP localhost.50866 > localhost.1883: Flags [.], ack 1, win 64, length 0
	0x0000:  4500 0034 f7f3 4000 4006 44ce 7f00 0001  E..4..@.@.D.....
	0x0010:  7f00 0001 c6b2 075b c9d5 ba9f cce1 63aa  .......[......c.
	0x0020:  8010 0040 fe28 0000 0101 080a 91f3 8fe0  ...@.(..........
	0x0030:  89ef cca8                                ....
",
        SUMMARY,
        "	0x0000:  4500 0049 f7f4 4000 4006 44b8 7f00 0001  E..I..@.@.D.....
	0x0010:  7f00 0001 c6b2 075b c9d5 ba9f cce1 63aa  .......[......c.
	0x0020:  8018 0040 fe3d 0000 0101 080a 91f3 8fe0  ...@.=..........
	0x0030:  89ef cca8 1013 0004 4d51 5454 0402 003c  ........MQTT...<
	0x0040:  0007 7761 7463 6865 72                   ..watcher
",
    ]
    .concat();
    let expected = stream(
        "127.0.0.1:50866 to 127.0.0.1:1883",
        &[b"\x10\x13\0\x04MQTT\x04\x02\0<\0\x07watcher"],
    );
    assert_eq!(input(&text).unwrap(), [expected]);
}

#[test]
fn tcpdump_x_of_ipv6_without_text() {
    let text = "	0x0000:  6009 aef9 0034 0640 0000 0000 0000 0000
	0x0010:  0000 0000 0000 0001 0000 0000 0000 0000
	0x0020:  0000 0000 0000 0001 ed50 075b 6700 eb4c
	0x0030:  b8e0 c5d9 8018 0040 003c 0000 0101 080a
	0x0040:  88b9 909c 3f5f 07ff 1012 0004 4d51 5454
	0x0050:  0402 003c 0006 7365 6e73 6f72
";
    let expected = stream("[::1]:60752 to [::1]:1883", &[CONNECT]);
    assert_eq!(input(text).unwrap(), [expected]);
}

#[test]
fn tcpdump_xx_with_the_link_layer() {
    let text = format!(
        "{SUMMARY}	0x0000:  0000 0000 0000 0000 0000 0000 0800 4500
	0x0010:  0049 f7f4 4000 4006 44b8 7f00 0001 7f00
	0x0020:  0001 c6b2 075b c9d5 ba9f cce1 63aa 8018
	0x0030:  0040 fe3d 0000 0101 080a 91f3 8fe0 89ef
	0x0040:  cca8 1013 0004 4d51 5454 0402 003c 0007
	0x0050:  7761 7463 6865 72
"
    );
    let streams = input(&text).unwrap();
    assert_eq!(
        streams[0].bytes,
        b"\x10\x13\0\x04MQTT\x04\x02\0<\0\x07watcher"
    );
}

#[test]
fn tcpdump_without_bytes_says_which_option_prints_them() {
    assert!(complaint(SUMMARY).contains("with -x"));
    let text = format!("{SUMMARY}E..I..@.@.D\n");
    assert!(complaint(&text).contains("with -x"));
}

#[test]
fn rows_of_mqtt_alone_are_no_packets() {
    let text = "0x0000:  1012 0004 4d51 5454 0402 003c 0006 7365\n0x0010:  6e73 6f72\n";
    assert_eq!(bytes(text), CONNECT);
}

#[test]
fn an_argument_on_one_line_is_no_dump() {
    assert_eq!(argument("c0 00").unwrap(), [Stream::from(vec![0xc0, 0])]);
    assert!(argument("0000 c0 00").is_ok());
}
