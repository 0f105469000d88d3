//! Runs the example `in_memory` as a program.

#![cfg(feature = "alloc")] // The example needs it too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::{self, consts::EXE_SUFFIX};
use std::path::PathBuf;
use std::process::Command;

/// Returns where cargo puts the example. `cargo test` has built it; it may be missing if only one
/// test was selected.
fn example() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = profile.join(format!("examples/in_memory{EXE_SUFFIX}"));
    if !example.exists() {
        let profile_name = match profile.file_name().and_then(|name| name.to_str()).unwrap() {
            "debug" => "dev",
            name => name,
        };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "in_memory"])
            .args(["--profile", profile_name, "--target-dir"])
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.unwrap().success());
    }
    example
}

#[test]
fn in_memory_tells_its_story() {
    let output = Command::new(example()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let story = String::from_utf8(output.stdout).unwrap();
    let connect = "client sends Connect { protocol_level: V3_1_1, clean_session: false, \
                   keep_alive: 60, client_id: \"device-7\", will: None, credentials: None }";
    let publish = |dup| {
        format!(
            "client sends Publish {{ delivery: ExactlyOnce {{ packet_id: PacketId(1), dup: {dup} \
             }}, retain: false, topic: \"kitchen/temperature\", payload: b\"21.5\" }}"
        )
    };
    let expected = [
        ("0", connect),
        (
            "0",
            "server sends ConnAck(Accepted { session_present: false })",
        ),
        ("0", "client: Connected { session_present: false }"),
        ("0", &publish(false)),
        ("0", "server: kitchen/temperature is 21.5"),
        ("0", "(the connection is cut)"),
        ("0", "client: Close(TransportClosed)"),
        ("0", "server: Close(TransportClosed)"),
        ("5000", connect),
        (
            "5000",
            "server sends ConnAck(Accepted { session_present: true })",
        ),
        ("5000", "client: Connected { session_present: true }"),
        ("5000", &publish(true)),
        ("5000", "server sends PubRec { packet_id: PacketId(1) }"),
        ("5000", "client: AcceptedByPeer(PacketId(1))"),
        ("5000", "client sends PubRel { packet_id: PacketId(1) }"),
        ("5000", "server sends PubComp { packet_id: PacketId(1) }"),
        ("5000", "client: Delivered(PacketId(1))"),
        ("57500", "client sends PingReq"),
        ("57500", "server sends PingResp"),
        ("57500", "(the client is switched off)"),
        ("147500", "server: Close(KeepAliveTimeout)"),
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|(millis, line)| format!("{millis:>6} ms  {line}"))
        .collect();
    assert_eq!(story.lines().collect::<Vec<_>>(), expected);
}
