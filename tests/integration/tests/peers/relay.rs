//! What stands between a client and a server: it passes packets on, writes them down, and brings
//! about what a network does to them.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use mqtt_sansio::v3::{self, Packet};
use mqtt_sansio::{Options, PacketType};

use crate::dissect;
use crate::process::Watched;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What is to happen to a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// It happens at a packet from this side,
    pub(crate) from: Side,
    /// of this type,
    pub(crate) packet: PacketType,
    /// when so many of that type have come before it in this connection.
    pub(crate) after: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The connection is cut, and the packet does not arrive.
    CutBefore,
    /// The packet arrives, and the connection is cut.
    CutAfter,
    /// Neither the packet nor any later one from that side arrives. Nobody notices.
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
    /// For each connection, in the order in which they were made.
    connections: Vec<Vec<Sent>>,
    /// One for each connection, as long as there are any.
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

    /// What has come from this side in each connection, as far as the packets are whole.
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
    /// Between the server at this port and whoever connects to [`port`](Self::port).
    pub(crate) fn to(server: u16) -> Self {
        Self::with_faults(server, [])
    }

    /// The first fault befalls the first connection, and so on.
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
                // Dropping the client is what it sees of a server that is not there.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    connect(&client, &server, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// Where a client is to connect to.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state.change(|state| state.connections.len())
    }

    /// How many faults have not been used up.
    pub(crate) fn faults_left(&self) -> usize {
        self.state.change(|state| state.faults.len())
    }

    /// How many packets of this type have come from this side, in all connections.
    pub(crate) fn count(&self, from: Side, packet: PacketType) -> usize {
        self.state.change(|state| state.count(from, packet))
    }

    /// Waits until there are so many.
    pub(crate) fn wait_for(&self, from: Side, packet: PacketType, count: usize) {
        let wanted = |state: &State| (state.count(from, packet) >= count).then_some(());
        assert!(
            self.state.wait(wanted).is_some(),
            "{} {packet:?} from the {from:?} instead of {count}",
            self.count(from, packet)
        );
    }

    /// Waits until the client has answered each message at QoS 2, and each PUBREL, that has arrived
    /// at it.
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

    /// True if the server has sent a PUBLISH again after its PUBREL, which it must not
    /// [MQTT-4.3.3-1]: the receiver has forgotten the identifier and takes it for a new message.
    /// mosquitto 2.0.11 does so now and then, when a client is back before the end of its earlier
    /// connection has been noticed.
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

    /// Has the library and, if it is installed, tshark decode what our side has sent. Returns the
    /// types of packets that there were.
    pub(crate) fn check(&self, ours: Side) -> BTreeSet<u8> {
        // Both of the same state: what a side that is being ended has sent may still be on its way.
        let types = self.state.change(|state| {
            let types: Vec<_> = state.sent(ours).iter().map(|sent| types(sent)).collect();
            dissect::check(&state.connections, ours, &types);
            types
        });
        types.into_iter().flatten().collect()
    }
}

/// The types of the packets, as the library decodes them.
fn types(mut stream: &[u8]) -> Vec<u8> {
    let options = Options::new().max_packet_size(u32::MAX);
    let mut types = Vec::new();
    while let Some(packet) = v3::decode(&mut stream, &options).expect("what we send") {
        types.push(packet.packet_type() as u8);
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
        // So that the listener looks.
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
                // First, so that the answer cannot be earlier.
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

    /// What is to happen at this packet.
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

    /// This side has nothing more to say; the other may.
    fn end(&self) {
        let _ = self.to.shutdown(Shutdown::Write);
    }

    fn cut(&self) {
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }
}

/// How long the packet at the start is, straight from section 2.2.3: `None` if it is not whole.
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
