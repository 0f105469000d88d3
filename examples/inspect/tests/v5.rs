//! Runs `inspect` on packets of MQTT 5: vectors of other implementations, and their labels.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;

use serde_json::{Map, Value, json};

use common::run;

/// Sizes of chunks: whole packets, byte by byte, and two in between.
const CHUNKS: [&str; 4] = ["1000000000", "1", "2", "7"];

fn vectors(name: &str) -> Vec<Value> {
    let directory = env!("CARGO_MANIFEST_DIR");
    let path = format!("{directory}/../../testdata/mqtt5/{name}.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns the digits of a row: `hex`, or the pieces of `gen`.
fn digits(row: &Value) -> String {
    if let Some(digits) = row["hex"].as_str() {
        return digits.to_owned();
    }
    let pieces = row["gen"].as_array().unwrap().iter();
    let pieces = pieces.map(|piece| {
        let count = piece[1].as_u64().unwrap_or(1);
        piece[0].as_str().unwrap().repeat(count.try_into().unwrap())
    });
    pieces.collect()
}

/// Expands the long strings in a field of a row.
fn expand(value: &Value) -> Value {
    match value {
        Value::Object(object) => match (object.get("repeat"), object.get("n")) {
            (Some(Value::String(part)), Some(count)) => {
                let count = count.as_u64().unwrap();
                json!(part.repeat(count.try_into().unwrap()))
            }
            _ => {
                let entries = object.iter();
                entries
                    .map(|(key, value)| (key.clone(), expand(value)))
                    .collect()
            }
        },
        Value::Array(values) => values.iter().map(expand).collect(),
        other => other.clone(),
    }
}

/// Returns what `--lines` prints for each line.
fn answers(arguments: &[&str], lines: &[String]) -> Vec<Vec<Value>> {
    let arguments = [&["--lines", "--json"], arguments].concat();
    let output = run(&arguments, lines.join("\n").as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

/// Runs a check on each row and its output, whole and in chunks. Fails with all errors that the
/// check returns.
fn check_each(
    rows: &[Value],
    arguments: &[&str],
    digits: impl Fn(&Value) -> String,
    check: impl Fn(&Value, &[Value]) -> Result<(), String>,
) {
    assert!(!rows.is_empty());
    let lines: Vec<_> = rows.iter().map(digits).collect();
    let mut complaints = Vec::new();
    for chunk in CHUNKS {
        let arguments = [arguments, &["--chunk", chunk]].concat();
        for (row, answer) in rows.iter().zip(answers(&arguments, &lines)) {
            if let Err(complaint) = check(row, &answer) {
                let name = row.get("id").or_else(|| row.get("name"));
                complaints.push(format!("{name:?} in chunks of {chunk}: {complaint}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

fn expect_equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what} is {found}, not {expected}"))
    }
}

/// Returns the fields of an object without those that every packet has.
fn fields(object: &Value) -> Value {
    let mut fields: Map<_, _> = object.as_object().unwrap().clone();
    for key in ["offset", "length", "type", "encoded"] {
        assert!(fields.remove(key).is_some(), "{object} has no {key}");
    }
    Value::Object(fields)
}

#[test]
fn every_valid_packet_has_the_fields_that_other_implementations_read() {
    check_each(
        &vectors("valid"),
        &["--mqtt", "5"],
        digits,
        |row, answer| {
            let [packet] = answer else {
                return Err(format!("{answer:?}"));
            };
            if let Some(error) = packet.get("error") {
                return Err(error.to_string());
            }
            let digits = digits(row);
            expect_equal("offset", &packet["offset"], &json!(0))?;
            expect_equal("length", &packet["length"], &json!(digits.len() >> 1))?;
            expect_equal("type", &packet["type"], &row["type"])?;
            expect_equal("fields", &fields(packet), &expand(&row["fields"]))?;
            if row["shortest"] == true {
                expect_equal("encoded", &packet["encoded"], &json!(digits))?;
            }
            Ok(())
        },
    );
}

#[test]
fn every_malformed_packet_is_refused_with_its_reason_code_and_statement() {
    let mut rows = vectors("malformed");
    rows.retain(|row| row["kind"] == "codec");
    check_each(&rows, &["--mqtt", "5"], digits, |row, answer| {
        let may = |outcome| row["expect"].as_array().unwrap().contains(&json!(outcome));
        let error = answer.last().ok_or("no answer")?;
        if error.get("error").is_none() {
            return if row["insist"] == true || !may("accept") {
                Err(format!("{} is accepted: {error}", row["why"]))
            } else {
                Ok(())
            };
        }
        let code = &error["reason_code"];
        let mut codes = vec![row["reason"].clone()];
        codes.extend(row["reason_also"].as_array().into_iter().flatten().cloned());
        if !codes.contains(code) {
            return Err(format!("Reason Code is {code}, not one of {codes:?}"));
        }
        expect_equal("statement", &error["statement"], &row["statement"])
    });
}

#[test]
fn of_an_incomplete_packet_nothing_comes_out() {
    let incomplete = [json!({ "offset": 0, "incomplete": true })];
    check_each(
        &vectors("incomplete"),
        &["--mqtt", "5"],
        digits,
        |_, answer| expect_equal("the answer", &json!(answer), &json!(incomplete)),
    );
}

/// Checks what one side of a conversation has sent.
fn check_stream(packets: &Value, answer: &[Value]) -> Result<(), String> {
    let packets = packets.as_array().unwrap();
    expect_equal("count", &json!(answer.len()), &json!(packets.len()))?;
    for (packet, found) in packets.iter().zip(answer) {
        if packet.get("error").is_some() {
            if found.get("error").is_none() {
                return Err(format!("{found} is accepted"));
            }
            expect_equal(
                "Reason Code",
                &found["reason_code"],
                &packet["error_reason"],
            )?;
            if let Some(statement) = packet.get("error_statement") {
                expect_equal("statement", &found["statement"], statement)?;
            }
            continue;
        }
        if let Some(error) = found.get("error") {
            return Err(error.to_string());
        }
        let mut expected = expand(packet);
        let packet_type = expected.as_object_mut().unwrap().remove("type").unwrap();
        expect_equal("type", &found["type"], &packet_type)?;
        expect_equal("fields", &fields(found), &expected)?;
    }
    Ok(())
}

fn stream(row: &Value, side: &str) -> String {
    row[side].as_str().unwrap().to_owned()
}

#[test]
fn of_real_conversations_both_sides_are_read() {
    let rows = vectors("streams");
    for side in ["c2s", "s2c"] {
        check_each(
            &rows,
            &["--mqtt", "5"],
            |row| stream(row, side),
            |row, answer| check_stream(&row[format!("packets_{side}")], answer),
        );
    }
}

#[test]
fn a_connect_of_mqtt_5_decides_for_what_follows() {
    let mut rows = vectors("streams");
    // The stream with an unknown Protocol Level is an error of MQTT 3.1.1.
    rows.retain(|row| row["c2s"].as_str().unwrap().contains("4d51545405"));
    check_each(
        &rows,
        &[],
        |row| stream(row, "c2s"),
        |row, answer| check_stream(&row["packets_c2s"], answer),
    );
}

#[test]
fn a_connect_of_mqtt_3_1_1_decides_although_another_version_was_named() {
    let stream = "100d00044d5154540402003c000163 4002000b".to_owned();
    let [answer] = &answers(&["--mqtt", "5"], &[stream])[..] else {
        panic!("one line has one answer");
    };
    assert_eq!(answer[0]["clean_session"], true);
    assert_eq!(answer[0].get("properties"), None);
    assert_eq!(fields(&answer[1]), json!({ "packet_id": 11 }));
}

#[test]
fn without_connect_the_version_is_3_1_1_unless_named() {
    let puback = "4003000b10".to_owned();
    for version in [&[][..], &["--mqtt", "3.1.1"], &["--mqtt", "3.1"]] {
        let answer = &answers(version, core::slice::from_ref(&puback))[0];
        assert_eq!(answer[0].get("reason_code"), None);
        assert!(answer[0]["error"].is_string());
    }
    let answer = &answers(&["--mqtt", "5"], &[puback])[0];
    assert_eq!(
        fields(&answer[0]),
        json!({ "packet_id": 11, "reason_code": 16, "properties": {} })
    );
}

#[test]
fn each_property_has_a_row_of_its_own() {
    let output = run(
        &[
            "--mqtt",
            "5",
            "2012 00 00 0f 21 0014 26 0001 6b 0003 766574 22 000a",
        ],
        b"",
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
CONNACK at 0, 20 bytes
        0  20                       Packet Type and Flags      CONNACK
           0010 ....                  Packet Type              2
           .... 0000                  Reserved                 0
        1  12                       Remaining Length           18
        2  00                       Connect Acknowledge Flags  0x00
           0000 000.                  Reserved                 0
           .... ...0                  Session Present          0
        3  00                       Reason Code                0x00, Success
        4  0f                       Property Length            15
        5  21 00 14                 Receive Maximum            20
        8  26 00 01 6b 00 03 76 65  User Property              \"k\": \"vet\"
       16  74
       17  22 00 0a                 Topic Alias Maximum        10
"
    );
}

/// Returns the offsets of the bytes that rows of fields show.
fn labelled(stdout: &str) -> Vec<usize> {
    let mut offsets = Vec::new();
    for line in stdout.lines().skip(1) {
        let (start, rest) = line.split_at(line.len().min(11));
        let Ok(start) = start.trim().parse::<usize>() else {
            continue;
        };
        let bytes = rest.get(..23).unwrap_or(rest).split_whitespace();
        offsets.extend((start..).take(bytes.count()));
    }
    offsets
}

#[test]
fn every_byte_is_labelled_exactly_once() {
    let mut types = Vec::new();
    for row in vectors("valid") {
        let digits = digits(&row);
        // The middle of a longer field is left out.
        if digits.len() > 2 * 64 {
            continue;
        }
        let stdout = run(&["--mqtt", "5", &digits], b"").stdout;
        let stdout = String::from_utf8(stdout).unwrap();
        let all: Vec<_> = (0..digits.len() >> 1).collect();
        assert_eq!(labelled(&stdout), all, "{stdout}");
        types.push(row["type"].to_string());
    }
    types.sort_unstable();
    types.dedup();
    // All but PINGREQ and PINGRESP, which have no fields.
    assert_eq!(types.len(), 13);
}

#[test]
fn an_error_is_shown_with_what_the_standard_asks_for() {
    for (digits, rows) in [
        (
            "100e 0004 4d515454 06 02 003c 00 0001 63",
            "MQTT-3.1.2-2: a server sends CONNACK with Reason Code 0x84 (Unsupported Protocol \
             Version), then closes the Network Connection; a client closes it at once",
        ),
        (
            "4403000b10",
            "MQTT-2.1.3-1: the receiver sends DISCONNECT with Reason Code 0x81 (Malformed \
             Packet), then closes the Network Connection",
        ),
    ] {
        let output = run(&["--mqtt", "5", digits], b"");
        assert_eq!(output.status.code(), Some(1));
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(rows), "{stdout}");
    }
}

#[test]
fn what_looks_like_another_protocol_is_named() {
    for (text, name) in [("GET / HTTP/1.1", "HTTP"), ("SSH-2.0-x", "SSH")] {
        let output = run(&[&hex::encode(text)], b"");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let expected = format!("The input is not MQTT: it looks like {name}\n");
        assert!(stdout.ends_with(&expected), "{stdout}");
    }
}

#[test]
fn the_connect_of_a_followed_stream_decides_for_both_sides() {
    let followed = "Follow: tcp,raw\nNode 0: 10.0.0.1:50000\nNode 1: 10.0.0.2:1883\n\
                    100e00044d5154540502003c00000163\n\t2003000000\n";
    let output = run(&["--json", "-"], followed.as_bytes());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let connack: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(connack["type"], "CONNACK");
    assert_eq!(connack["properties"], json!({}));
    assert_eq!(output.status.code(), Some(0));
}
