//! A relay between a client and a server: it forwards packets, records them, and simulates faults
//! of the network.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use mqtt_sansio::any::{Protocol, ProtocolVersion};
use mqtt_sansio::v3::{self, Packet};
use mqtt_sansio::{Options, PacketType, v5};

use crate::dissect;
use crate::process::Watched;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A fault of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// The side that sends the packet at which it happens,
    pub(crate) from: Side,
    /// the type of that packet,
    pub(crate) packet: PacketType,
    /// and how many packets of that type precede it in this connection.
    pub(crate) after: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The connection is cut before the packet arrives.
    CutBefore,
    /// The connection is cut after the packet has arrived.
    CutAfter,
    /// Neither the packet nor any later one from that side arrives, and neither side is notified.
    Silence,
}

/// A packet that one side has sent, whether or not it has arrived.
pub(crate) struct Sent {
    pub(crate) from: Side,
    pub(crate) has_arrived: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Sent {
    fn packet_type(&self) -> Option<PacketType> {
        PacketType::from_number(self.bytes[0] >> 4)
    }
}

#[derive(Default)]
struct State {
    /// For each connection, in order.
    connections: Vec<Vec<Sent>>,
    /// The faults of the next connections.
    faults: VecDeque<Fault>,
    sockets: Vec<TcpStream>,
    is_over: bool,
}

impl State {
    fn count(&self, from: Side, packet: PacketType) -> usize {
        let sent = self.connections.iter().flatten();
        sent.filter(|sent| sent.from == from && sent.packet_type() == Some(packet))
            .count()
    }

    /// Returns the bytes of this side in each connection, up to the last complete packet.
    fn sent(&self, from: Side) -> Vec<Vec<u8>> {
        let of_connection = |sent: &Vec<Sent>| {
            let sent = sent.iter().filter(|sent| sent.from == from);
            sent.flat_map(|sent| &sent.bytes).copied().collect()
        };
        self.connections.iter().map(of_connection).collect()
    }
}

/// Relays connections until it is dropped.
pub(crate) struct Relay {
    port: u16,
    state: Arc<Watched<State>>,
}

impl Relay {
    /// Creates a relay between the server at this port and the clients of [`port`](Self::port).
    pub(crate) fn to(server: u16) -> Self {
        Self::with_faults(server, [])
    }

    /// The first fault is that of the first connection, and so on.
    pub(crate) fn with_faults(server: u16, faults: impl IntoIterator<Item = Fault>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Watched::new(State {
            faults: faults.into_iter().collect(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if shared.change(|state| state.is_over) {
                    return;
                }
                // If the server cannot be reached, the client's socket is dropped.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    connect(&client, &server, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// Returns the port for clients.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state.change(|state| state.connections.len())
    }

    /// Returns how many faults have not happened yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.state.change(|state| state.faults.len())
    }

    /// Returns how many packets of this type this side has sent, in all connections.
    pub(crate) fn count(&self, from: Side, packet: PacketType) -> usize {
        self.state.change(|state| state.count(from, packet))
    }

    /// Waits for this number of packets.
    pub(crate) fn wait_for(&self, from: Side, packet: PacketType, count: usize) {
        let wanted = |state: &State| (state.count(from, packet) >= count).then_some(());
        assert!(
            self.state.wait(wanted).is_some(),
            "{} {packet:?} from the {from:?} instead of {count}",
            self.count(from, packet)
        );
    }

    /// Waits until the client has answered each message at QoS 2, and each PUBREL, that it has
    /// received.
    pub(crate) fn wait_for_answers(&self) {
        let is_answered = |state: &State, asked, answer| {
            let sent = state.connections.iter().flatten();
            let arrived = sent.filter(|sent| {
                sent.from == Side::Server && sent.packet_type() == Some(asked) && sent.has_arrived
            });
            state.count(Side::Client, answer) >= arrived.count()
        };
        let all_answered = |state: &State| {
            (is_answered(state, PacketType::Publish, PacketType::PubRec)
                && is_answered(state, PacketType::PubRel, PacketType::PubComp))
            .then_some(())
        };
        assert!(self.state.wait(all_answered).is_some(), "no answer");
    }

    /// Returns true if the server has sent a PUBLISH again after its PUBREL, which violates
    /// [MQTT-4.3.3-1]: the receiver has freed the identifier and delivers a new message. mosquitto
    /// 2.0.11 does so sometimes, when a client reconnects before the broker has noticed the end of
    /// the earlier connection.
    pub(crate) fn has_server_resent_what_was_released(&self) -> bool {
        self.state.change(|state| {
            let mut released = BTreeSet::new();
            let sent = state.connections.iter().flatten();
            for sent in sent.filter(|sent| sent.from == Side::Server) {
                match v3::decode(&mut &sent.bytes[..], &Options::new()) {
                    Ok(Some(Packet::PubRel(pubrel))) => {
                        released.insert(pubrel.packet_id);
                    }
                    Ok(Some(Packet::Publish(publish))) => {
                        let again = publish.delivery.dup();
                        let id = publish.delivery.packet_id();
                        if id.is_some_and(|id| released.remove(&id)) && again {
                            return true;
                        }
                    }
                    _ => {}
                }
            }
            false
        })
    }

    /// Decodes the bytes of our side with the library and, if it is installed, with tshark. Returns
    /// the types of packets.
    pub(crate) fn check(&self, ours: Side) -> BTreeSet<u8> {
        // Both decode the same bytes: a side that is being ended may still have bytes in transit.
        let types = self.state.change(|state| {
            let from_clients = state.sent(Side::Client);
            let types: Vec<_> = from_clients
                .iter()
                .zip(state.sent(ours))
                .map(|(from_client, ours)| types(version(from_client), &ours))
                .collect();
            dissect::check(&state.connections, ours, &types);
            types
        });
        types.into_iter().flatten().collect()
    }
}

/// Returns the version of a connection by what its client has sent.
fn version(from_client: &[u8]) -> ProtocolVersion {
    let protocol = Protocol::of(from_client);
    protocol
        .and_then(Protocol::version)
        .unwrap_or(ProtocolVersion::V3)
}

/// Returns the types of the packets, decoded by the library.
fn types(version: ProtocolVersion, mut stream: &[u8]) -> Vec<u8> {
    let options = Options::new().max_packet_size(u32::MAX);
    let mut types = Vec::new();
    loop {
        let packet_type = match version {
            ProtocolVersion::V3 => v3::decode(&mut stream, &options)
                .expect("what we send")
                .map(|packet| packet.packet_type()),
            ProtocolVersion::V5 => v5::decode(&mut stream, &options)
                .expect("what we send")
                .map(|packet| packet.packet_type()),
        };
        let Some(packet_type) = packet_type else {
            break;
        };
        types.push(packet_type as u8);
    }
    assert!(stream.is_empty(), "only whole packets are written down");
    types
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.change(|state| {
            state.is_over = true;
            cut(&mut state.sockets);
        });
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn cut(sockets: &mut Vec<TcpStream>) {
    for socket in sockets.drain(..) {
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// Relays one connection, in two threads.
fn connect(client: &TcpStream, server: &TcpStream, state: &Arc<Watched<State>>) {
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (connection, fault) = state.change(|state| {
        state.connections.push(Vec::new());
        for socket in [client, server] {
            state.sockets.push(socket.try_clone().unwrap());
        }
        (state.connections.len() - 1, state.faults.pop_front())
    });
    for (side, from, to) in [
        (Side::Client, client, server),
        (Side::Server, server, client),
    ] {
        let pump = Pump {
            from: from.try_clone().unwrap(),
            to: to.try_clone().unwrap(),
            side,
            connection,
            fault: fault.filter(|fault| fault.from == side),
            state: Arc::clone(state),
        };
        thread::spawn(move || pump.run());
    }
}

/// One direction of a connection.
struct Pump {
    from: TcpStream,
    to: TcpStream,
    side: Side,
    connection: usize,
    fault: Option<Fault>,
    state: Arc<Watched<State>>,
}

impl Pump {
    fn run(mut self) {
        let mut waiting = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut is_silent = false;
        while let Ok(len @ 1..) = self.from.read(&mut buffer) {
            waiting.extend(&buffer[..len]);
            let mut done = 0;
            while let Some(len) = packet_len(&waiting[done..]) {
                let packet = &waiting[done..done + len];
                done += len;
                let fault = self.fault_at(packet);
                is_silent |= fault == Some(What::Silence);
                let arrives = !is_silent && fault != Some(What::CutBefore);
                // Records the packet before it is forwarded, so that its answer is recorded later.
                self.write_down(packet, arrives);
                if arrives && self.to.write_all(packet).is_err() {
                    return self.end();
                }
                if matches!(fault, Some(What::CutBefore | What::CutAfter)) {
                    return self.cut();
                }
            }
            waiting.drain(..done);
        }
        self.end();
    }

    /// Returns the fault at this packet.
    fn fault_at(&mut self, packet: &[u8]) -> Option<What> {
        let fault = self.fault.as_mut()?;
        if packet[0] >> 4 != fault.packet as u8 {
            return None;
        }
        match fault.after.checked_sub(1) {
            Some(left) => {
                fault.after = left;
                None
            }
            None => self.fault.take().map(|fault| fault.what),
        }
    }

    fn write_down(&self, packet: &[u8], has_arrived: bool) {
        self.state.change(|state| {
            state.connections[self.connection].push(Sent {
                from: self.side,
                has_arrived,
                bytes: packet.to_vec(),
            });
        });
    }

    /// Handles that this side has closed its direction. The other may continue.
    fn end(&self) {
        let _ = self.to.shutdown(Shutdown::Write);
    }

    fn cut(&self) {
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }
}

/// Returns the length of the first packet, by section 2.2.3, or `None` if it is incomplete.
fn packet_len(bytes: &[u8]) -> Option<usize> {
    let (mut len, mut multiplier) = (0, 1);
    for (at, byte) in bytes.iter().enumerate().skip(1).take(4) {
        len += usize::from(byte & 127) * multiplier;
        if byte & 128 == 0 {
            return Some(at + 1 + len).filter(|&len| len <= bytes.len());
        }
        multiplier *= 128;
    }
    None
}
