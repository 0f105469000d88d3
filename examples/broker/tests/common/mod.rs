//! The broker's process.

use core::time::Duration;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The time limit of each step.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A broker of one test, on a free port.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// With `--listen-ws`.
    #[allow(dead_code, reason = "not all tests need it")]
    pub(crate) websocket_port: Option<u16>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_broker"))
            .args(["--port", "0", "--quiet"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut port_after = |prefix| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let port = line.trim_end().strip_prefix(prefix);
            let port = port.and_then(|port| port.parse().ok());
            port.unwrap_or_else(|| panic!("{line:?}"))
        };
        let port = port_after("listening on 127.0.0.1:");
        let has_websocket = arguments.contains(&"--listen-ws=0");
        let websocket_port =
            has_websocket.then(|| port_after("listening for WebSocket on 127.0.0.1:"));
        Self {
            child,
            port,
            websocket_port,
        }
    }

    /// Returns a connection on which nothing was sent.
    pub(crate) fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}
