//! Places the program in memory, and converts the vectors of `testdata` to tables.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use self::digest::Digest;

#[path = "src/digest.rs"]
mod digest;

/// The largest packet of the self-test.
const FITS: usize = 1024;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let memory = match env::var("CARGO_CFG_TARGET_ARCH").unwrap().as_str() {
        "arm" => "memory/arm.x",
        "riscv32" => "memory/riscv.x",
        other => panic!("build for a Cortex-M or a RISC-V target, not for {other}: see README.md"),
    };
    println!("cargo:rerun-if-changed={memory}");
    fs::copy(memory, out.join("memory.x")).unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    fs::write(out.join("vectors.rs"), vectors()).unwrap();
}

/// Returns the lines of a file in `testdata`.
fn lines(name: &str) -> Vec<Value> {
    let path = Path::new("../../testdata").join(name);
    println!("cargo:rerun-if-changed={}", path.display());
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn vectors() -> String {
    let mut code = String::new();
    let mut left_out = 0;

    code += "pub const VALID: &[Valid] = &[\n";
    for name in ["conformance/valid.jsonl", "device.jsonl", "golden.jsonl"] {
        for row in lines(name) {
            let Some(bytes) = row["hex"].as_str().map(unhex).filter(|b| b.len() <= FITS) else {
                left_out += 1;
                continue;
            };
            let encoded = match row["minimal"].as_bool() {
                Some(false) => format!("Some(&{:?})", minimal(&bytes)),
                _ => "None".to_owned(),
            };
            let mut digest = Digest::new();
            fields(row["type"].as_str().unwrap(), &row["fields"], &mut digest);
            writeln!(
                code,
                "Valid {{ id: {}, bytes: &{bytes:?}, encoded: {encoded}, fields: {} }},",
                row["id"],
                digest.get()
            )
            .unwrap();
        }
    }

    code += "];\npub const MALFORMED: &[Malformed] = &[\n";
    for row in lines("malformed_own.jsonl") {
        let fault = format!(
            "Some((ErrorKind::{}, Field::{}, {}))",
            row["kind"].as_str().unwrap(),
            row["field"].as_str().unwrap(),
            row["offset"]
        );
        malformed(&mut code, &row, &fault);
    }
    for row in lines("conformance/malformed.jsonl") {
        // Conforming receivers differ in these, so they are not tested.
        if row["kind"] == "codec" && row["insist"] == true {
            malformed(&mut code, &row, "None");
        }
    }

    code += "];\npub const INCOMPLETE: &[&[u8]] = &[\n";
    for row in lines("conformance/incomplete.jsonl") {
        writeln!(code, "&{:?},", unhex(row["hex"].as_str().unwrap())).unwrap();
    }

    code += "];\npub const STREAMS: &[Stream] = &[\n";
    for row in lines("conformance/streams.jsonl") {
        for direction in ["c2s", "s2c"] {
            let packets = row[format!("packets_{direction}")].as_array().unwrap();
            let mut digest = Digest::new();
            for packet in packets {
                fields(packet["type"].as_str().unwrap(), packet, &mut digest);
            }
            writeln!(
                code,
                "Stream {{ name: {}, bytes: &{:?}, packets: {}, fields: {} }},",
                row["name"],
                unhex(row[direction].as_str().unwrap()),
                packets.len(),
                digest.get()
            )
            .unwrap();
        }
    }
    writeln!(code, "];\npub const LEFT_OUT: usize = {left_out};").unwrap();
    code
}

fn malformed(code: &mut String, row: &Value, fault: &str) {
    let bytes = unhex(row["hex"].as_str().unwrap());
    writeln!(
        code,
        "Malformed {{ id: {}, bytes: &{bytes:?}, fault: {fault} }},",
        row["id"]
    )
    .unwrap();
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// Returns the same packet with the shortest Remaining Length.
fn minimal(bytes: &[u8]) -> Vec<u8> {
    let header_len = 2 + bytes[1..]
        .iter()
        .take_while(|byte| **byte & 128 != 0)
        .count();
    let body = &bytes[header_len..];
    let mut packet = vec![bytes[0]];
    let mut left = body.len();
    loop {
        let more = left >= 128;
        packet.push((left % 128) as u8 | if more { 128 } else { 0 });
        left /= 128;
        if !more {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// Returns all fields of a packet in the notation of the vectors; `src/vectors.rs` does the same
/// for a decoded one.
fn fields(packet_type: &str, fields: &Value, digest: &mut Digest) {
    let number = |value: &Value| match value {
        Value::Bool(value) => u32::from(*value),
        Value::Null => u32::MAX,
        value => value.as_u64().unwrap() as u32,
    };
    digest.field(Some(packet_type.as_bytes()));
    match packet_type {
        "CONNECT" => {
            let will = &fields["will"];
            digest.field(text(&fields["protocol_name"]).as_deref());
            for key in ["protocol_level", "clean_session", "keep_alive"] {
                digest.number(number(&fields[key]));
            }
            digest.field(text(&fields["client_id"]).as_deref());
            digest.field(text(&will["topic"]).as_deref());
            digest.field(message(&will["payload"]).as_deref());
            digest.number(number(&will["qos"]));
            digest.number(number(&will["retain"]));
            digest.field(text(&fields["username"]).as_deref());
            digest.field(message(&fields["password"]).as_deref());
        }
        "CONNACK" => {
            digest.number(number(&fields["session_present"]));
            digest.number(number(&fields["return_code"]));
        }
        "PUBLISH" => {
            for key in ["dup", "qos", "retain", "packet_id"] {
                digest.number(number(&fields[key]));
            }
            digest.field(text(&fields["topic"]).as_deref());
            digest.field(message(&fields["payload"]).as_deref());
        }
        "SUBSCRIBE" => {
            digest.number(number(&fields["packet_id"]));
            for entry in fields["filters"].as_array().unwrap() {
                digest.field(text(&entry["filter"]).as_deref());
                digest.number(number(&entry["qos"]));
            }
        }
        "SUBACK" => {
            digest.number(number(&fields["packet_id"]));
            let codes = fields["return_codes"].as_array().unwrap();
            codes.iter().for_each(|code| digest.number(number(code)));
        }
        "UNSUBSCRIBE" => {
            digest.number(number(&fields["packet_id"]));
            for filter in fields["filters"].as_array().unwrap() {
                digest.field(text(filter).as_deref());
            }
        }
        "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP" | "UNSUBACK" => {
            digest.number(number(&fields["packet_id"]));
        }
        "PINGREQ" | "PINGRESP" | "DISCONNECT" => {}
        other => panic!("{other}"),
    }
}

/// Returns a string, with `{"repeat": .., "n": ..}` expanded.
fn text(value: &Value) -> Option<Vec<u8>> {
    match (&value["repeat"], &value["n"], value) {
        (Value::String(part), Value::Number(n), _) => {
            Some(part.repeat(n.as_u64().unwrap() as usize).into_bytes())
        }
        (.., Value::String(text)) => Some(text.clone().into_bytes()),
        (.., Value::Null) => None,
        (.., other) => panic!("{other}"),
    }
}

/// A message or a password: hexadecimal.
fn message(value: &Value) -> Option<Vec<u8>> {
    text(value).map(|digits| hex::decode(digits).unwrap())
}
