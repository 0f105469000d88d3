//! The installed peers, and our programs.

use std::env::consts::EXE_SUFFIX;
use std::env::{self};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use mqtt_sansio::PacketType;

use crate::process::{self, Process};
use crate::relay::{Relay, Side};

/// Where `.ci/peers` installs programs that are not for the whole system.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");

#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    Mosquitto,
    MosquittoPasswd,
    MosquittoPub,
    MosquittoRr,
    MosquittoSub,
    Paho,
    Gmqtt,
    Aiomqtt,
    MqttJs,
    Rumqttc,
    Tshark,
}

impl Peer {
    const fn name(self) -> &'static str {
        match self {
            Self::Mosquitto => "mosquitto",
            Self::MosquittoPasswd => "mosquitto_passwd",
            Self::MosquittoPub => "mosquitto_pub",
            Self::MosquittoRr => "mosquitto_rr",
            Self::MosquittoSub => "mosquitto_sub",
            Self::Paho => "paho-mqtt",
            Self::Gmqtt => "gmqtt",
            Self::Aiomqtt => "aiomqtt",
            Self::MqttJs => "MQTT.js",
            Self::Rumqttc => "rumqttc",
            Self::Tshark => "tshark",
        }
    }

    /// Returns the command that starts it. If it is not installed, prints that, or panics if it is
    /// required.
    pub(crate) fn command(self) -> Option<Command> {
        let command = match self {
            // Debian keeps servers where only an administrator looks for programs.
            Self::Mosquitto => first_that_runs([self.name(), "/usr/sbin/mosquitto"], &["-h"]),
            Self::MosquittoPasswd => first_that_runs([self.name()], &["--help"]),
            Self::MosquittoPub | Self::MosquittoRr | Self::MosquittoSub => {
                first_that_runs([self.name()], &["--help"])
            }
            Self::Tshark => first_that_runs([self.name()], &["--version"]),
            Self::Paho => python_script(self.name(), "2.", "paho_client.py"),
            Self::Gmqtt => python_script(self.name(), "0.8.", "asyncio_clients.py"),
            Self::Aiomqtt => python_script(self.name(), "2.", "asyncio_clients.py"),
            Self::MqttJs => {
                let package = format!("{TARGET}/node/node_modules/mqtt/package.json");
                let installed = Path::new(&package).exists();
                first_that_runs(["node"], &["--version"])
                    .filter(|_| installed)
                    .map(|mut node| {
                        node.arg(format!("{SCRIPTS}/mqttjs_client.mjs"))
                            .arg(package);
                        node
                    })
            }
            Self::Rumqttc => {
                let program = format!("{TARGET}/rumqttc/debug/peer-rumqttc{EXE_SUFFIX}");
                Path::new(&program).exists().then(|| Command::new(program))
            }
        };
        let wanted = env::var("MQTT_PEERS").unwrap_or_default();
        if wanted == "none" {
            println!("skipped: MQTT_PEERS is none");
            return None;
        }
        if command.is_none() {
            assert!(wanted != "required", "{} is not installed", self.name());
            println!("skipped: {} is not installed", self.name());
        }
        command
    }
}

/// Returns the command for a script that needs such a version of a package.
fn python_script(package: &str, version: &str, script: &str) -> Option<Command> {
    let check = "import sys; from importlib import metadata; \
                 sys.exit(not metadata.version(sys.argv[1]).startswith(sys.argv[2]))";
    let candidates = [format!("{TARGET}/python/bin/python3"), "python3".to_owned()];
    let python = candidates.into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", check, package, version]);
        let status = command.stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    });
    python.map(|python| {
        let mut command = Command::new(python);
        // Writes no bytecode next to the sources.
        command.arg("-B").arg(format!("{SCRIPTS}/{script}"));
        command
    })
}

/// Returns the first of these programs that exists. Its output is ignored.
fn first_that_runs<const N: usize>(programs: [&str; N], arguments: &[&str]) -> Option<Command> {
    let runs = |program: &&str| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok()
    };
    programs.into_iter().find(runs).map(Command::new)
}

/// Returns where cargo puts our programs. `cargo test` has built them. If only these tests were
/// selected, they may be missing or outdated, so this runs cargo.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let name = match profile.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        name => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--profile", name]);
    for program in ["broker", "client", "client_tokio"] {
        cargo.args(["--package", program]);
    }
    cargo.arg("--target-dir").arg(profile.parent().unwrap());
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(cargo.status().unwrap().success());
    profile.to_owned()
});

pub(crate) fn program(name: &str) -> Command {
    Command::new(PROGRAMS.join(format!("{name}{EXE_SUFFIX}")))
}

/// A directory that is removed when this is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates a file with this content.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates an empty directory for this caller alone.
pub(crate) fn directory(name: &str) -> Directory {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("peers-{}-{number}-{name}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).unwrap();
    Directory(path)
}

/// A running server, which is killed when this is dropped.
pub(crate) struct Server {
    port: u16,
    _process: Process,
    _directory: Option<Directory>,
}

impl Server {
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Starts the example broker.
    pub(crate) fn ours(arguments: &[&str]) -> Self {
        let mut broker = program("broker");
        let process = Process::start(broker.args(["--port", "0", "--quiet"]).args(arguments));
        let port = process.wait_for_line("listening on 127.0.0.1:");
        Self {
            port: port.parse().unwrap(),
            _process: process,
            _directory: None,
        }
    }

    /// Starts mosquitto, which accepts any client, or only the user `ours` with the password
    /// `secret`.
    pub(crate) fn mosquitto(with_login: bool) -> Option<Self> {
        // It cannot choose a free port itself, so another program may use the port first.
        for _ in 0..10 {
            let port = free_port();
            let directory = directory("mosquitto");
            // As root it would switch to a user who cannot read this directory.
            let mut config = format!("listener {port} 127.0.0.1\nuser root\n");
            if with_login {
                let file = directory.path().join("passwords");
                let mut passwd = Peer::MosquittoPasswd.command()?;
                passwd
                    .args(["-b", "-c"])
                    .arg(&file)
                    .args(["ours", "secret"]);
                process::run(&mut passwd);
                config += &format!("password_file {}\n", file.display());
            } else {
                config += "allow_anonymous true\n";
            }
            config += "log_dest stderr\nlog_type all\nset_tcp_nodelay true\n";
            config += "max_queued_messages 0\n"; // no limit
            let config = directory.file("mosquitto.conf", config.as_bytes());
            let process = Process::start(Peer::Mosquitto.command()?.arg("-c").arg(config));
            if process.wait_for_error(" running\n") {
                return Some(Self {
                    port,
                    _process: process,
                    _directory: Some(directory),
                });
            }
            println!("mosquitto at port {port}: {}", process.errors());
        }
        panic!("mosquitto does not start");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A program that has subscribed.
pub(crate) struct Subscriber {
    pub(crate) relay: Relay,
    pub(crate) process: Process,
}

impl Subscriber {
    /// Starts it, and waits until the server has granted its subscription.
    pub(crate) fn start(relay: Relay, mut command: Command, arguments: &[&str]) -> Self {
        command.args(at(relay.port())).args(arguments);
        let before = relay.count(Side::Server, PacketType::SubAck);
        let process = Process::start(&mut command);
        relay.wait_for(Side::Server, PacketType::SubAck, before + 1);
        Self { relay, process }
    }

    /// `mosquitto_sub`, which prints topic, QoS, RETAIN and the payload in hexadecimal.
    pub(crate) fn mosquitto(port: u16, arguments: &[&str]) -> Option<Self> {
        let mut command = Peer::MosquittoSub.command()?;
        command.args(["-F", "%t %q %r %x"]);
        Some(Self::start(Relay::to(port), command, arguments))
    }

    /// Waits until it exits. Returns the lines that it has printed.
    pub(crate) fn lines(self) -> Vec<String> {
        lines(&self.process.succeed())
    }
}

/// The options for the address, which all programs share.
pub(crate) fn at(port: u16) -> [String; 4] {
    ["-h", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned)
}

pub(crate) fn lines(printed: &[u8]) -> Vec<String> {
    let text = String::from_utf8(printed.to_vec()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Returns the output of `mosquitto_sub` for such a message.
pub(crate) fn line(topic: &str, qos: u8, retain: u8, payload: &[u8]) -> String {
    format!("{topic} {qos} {retain} {}", hex::encode(payload))
}

/// `mosquitto_pub` publishes one message, or each line of its standard input.
pub(crate) fn mosquitto_pub(port: u16, arguments: &[&str], input: &str) -> Option<()> {
    let mut command = Peer::MosquittoPub.command()?;
    command.args(at(port)).args(arguments);
    let mut process = Process::start(&mut command);
    process.write(input.as_bytes());
    process.succeed();
    Some(())
}

/// Payloads for all programs that publish, as arguments.
pub(crate) struct Payloads {
    pub(crate) all: [Vec<u8>; 4],
    _directory: Directory,
    binary: String,
    large: String,
}

impl Payloads {
    pub(crate) fn new() -> Self {
        let binary: Vec<u8> = (0..=255).collect();
        let large: Vec<u8> = b"\0one MiB\xff"
            .iter()
            .copied()
            .cycle()
            .take(1 << 20)
            .collect();
        let directory = directory("payloads");
        let file = |name, content: &[u8]| directory.file(name, content).display().to_string();
        Self {
            binary: file("binary", &binary),
            large: file("large", &large),
            all: [b"text".to_vec(), binary, Vec::new(), large],
            _directory: directory,
        }
    }

    pub(crate) fn arguments(&self) -> [Vec<&str>; 4] {
        [
            vec!["-m", "text"],
            vec!["-f", &self.binary],
            vec!["-n"],
            vec!["-f", &self.large],
        ]
    }
}

/// Returns lines to publish, each one different.
pub(crate) fn numbers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("number {number}"))
        .collect()
}
