//! One connection: passes bytes of its transport to the server side of the protocol, and handles its
//! events and actions.

mod characters;
mod connect;
mod requests;
mod send;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use mqtt_sansio::any::{self, Action, CloseReason, Event, Protocol, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{
    AliasVec, Disconnect, DisconnectReasonCode, OutboundAliases, WithTopicAliases,
};
use mqtt_sansio::{
    Blocked, CommandError, Config, Options, Outbox, PacketId, Session, Slot, Timestamp,
};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use characters::is_malformed;

use crate::Shared;
use crate::admission::{Admission, Pending};
use crate::broker::{Broker, ClientId};
use crate::client::{Ending, InFlight, Waker};
use crate::message::{Message, Outgoing};
use crate::transport::{Stream, Transport};

/// The largest packet that is accepted before the client is. One field of the largest size fits.
const MAX_CONNECT_SIZE: u32 = 128 * 1024;
/// While this many bytes wait to be sent to a client, nothing is read from it. Acknowledgements for
/// as many messages as there are Packet Identifiers fit.
const MAX_UNSENT: usize = 1024 * 1024;
/// The most Topic Aliases that the broker uses for one client.
const MAX_OUTBOUND_ALIASES: u16 = 64;

/// The limits of a connection: 100 messages in flight to the client. The client may send as many as
/// it has identifiers for, unless CONNACK limits it.
const CONFIG: Config = Config::new().max_inflight(100).receive_maximum(u16::MAX);

/// A decoder with memory for the client's Topic Aliases.
type Decoder = any::Decoder<WithTopicAliases<Vec<u8>, AliasVec>>;

struct Connection {
    shared: Arc<Shared>,
    /// The address of the client, for the log.
    peer: SocketAddr,
    server: Server<Vec<Slot>>,
    /// The options of the decoder.
    options: Options,
    wake: Waker,
    /// The CONNECT, once it is received.
    candidate: Option<connect::Candidate>,
    /// The future answer to CONNECT.
    admission: Option<Pending>,
    /// Bytes received after a CONNECT that has no answer yet.
    unread: Vec<u8>,
    /// The client, once it is accepted.
    client: Option<ClientId>,
    will: Option<Message>,
    /// The Will, and after how many seconds it is published.
    delayed_will: Option<(u32, Message)>,
    aliases: OutboundAliases<AliasVec>,
    /// Messages in flight.
    outbox: Outbox<Outgoing>,
    /// Messages to resend.
    resend: VecDeque<PacketId>,
    /// Bytes to send.
    out: Vec<u8>,
    /// True if messages wait for space in `out` only: then nothing but the transport wakes this task
    /// for them.
    has_more: bool,
    closed: Option<CloseReason>,
}

/// Serves a client until the connection ends.
pub(crate) async fn serve<S: Stream>(stream: S, peer: SocketAddr, shared: Arc<Shared>) {
    let mut transport = Transport::new(stream);
    let (wake, mut woken) = mpsc::channel(1);
    let mut connection = Connection::new(shared, peer, wake);
    // Replaced once the first bytes are received.
    let mut decoder = None;

    while connection.closed.is_none() {
        let reads = connection.may_read();
        let waits = !connection.out.is_empty() || !connection.has_more;
        let deadline = connection.deadline();
        tokio::select! {
            biased;
            transferred = transport.transfer(&connection.out, reads, waits) => {
                connection.sent(transferred.sent);
                match transferred.received {
                    Some(Ok(received)) => connection.receive(&mut decoder, received).await,
                    Some(Err(_)) => connection.transport_closed(),
                    None => {}
                }
            }
            admission = admitted(&mut connection.admission) => {
                connection.admission = None;
                if connection.answer(admission).is_err() {
                    connection.server.close(connection.now());
                }
                if let Some(decoder) = &mut decoder {
                    decoder.set_options(connection.options);
                }
                let unread = core::mem::take(&mut connection.unread);
                connection.receive(&mut decoder, unread).await;
            }
            _ = woken.recv() => connection.give_way(),
            () = wait_until(deadline) => {
                // If this task ran late, there may be unread bytes that the client has sent in
                // time.
                yield_now().await;
                let transferred = transport.transfer(&[], reads, false).await;
                match transferred.received {
                    Some(Ok(received)) => connection.receive(&mut decoder, received).await,
                    _ => connection.server.handle_timeout(connection.now()),
                }
            }
        }
        connection.act();
        connection.send_messages();
        // The receivers run before more is read.
        yield_now().await;
    }

    let rest = connection.finish();
    drop(woken); // Another connection of this client may continue.
    transport.close(&rest).await;
}

impl Connection {
    fn new(shared: Arc<Shared>, peer: SocketAddr, wake: Waker) -> Self {
        let settings = &shared.settings;
        let config = CONFIG
            .accept_resend_without_dup(settings.accept_resend_without_dup)
            .connect_timeout(Duration::from_millis(settings.connect_timeout.into()));
        let max_packet_size = shared.settings.max_packet_size().min(MAX_CONNECT_SIZE);
        Self {
            server: Server::new(Session::default(), config, shared.now()),
            options: Options::new()
                .max_filters(u32::MAX)
                .max_packet_size(max_packet_size),
            shared,
            peer,
            wake,
            candidate: None,
            admission: None,
            unread: Vec::new(),
            client: None,
            will: None,
            delayed_will: None,
            aliases: OutboundAliases::new(AliasVec::new(MAX_OUTBOUND_ALIASES)),
            outbox: Outbox::default(),
            resend: VecDeque::new(),
            out: Vec::new(),
            has_more: false,
            closed: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.shared.now()
    }

    // Protocol

    /// Handles received bytes.
    async fn receive(&mut self, decoder: &mut Option<Decoder>, received: Vec<u8>) {
        let decoder = decoder.get_or_insert_with(|| self.decoder(&received));
        let mut input = &received[..];
        let has_come = !input.is_empty();
        loop {
            match self.server.receive(self.now(), decoder, &mut input) {
                Ok(Some(Step::Event(event))) => match self.handle(event) {
                    Ok(is_crowded) => {
                        if is_crowded {
                            yield_now().await;
                        }
                    }
                    // [MQTT-4.8.0-2, MQTT5-4.13.1-1]
                    Err(_) => self.server.close(self.now()),
                },
                Ok(Some(Step::Action(action))) => self.carry_out(action),
                Ok(None) => break,
                // CONNECT has no answer yet; other requests are answered at once.
                Err(Blocked::AnswerPending) => {
                    self.unread = input.to_vec();
                    return;
                }
                Err(_) => {
                    self.server.close(self.now());
                    break;
                }
            }
        }
        if decoder.is_at_packet_boundary() {
            // Releases the memory of a large packet while the connection is idle.
            decoder.shrink();
        } else if has_come {
            // A part of a packet shows that the client is alive.
            self.server.handle_progress(self.now());
        }
    }

    /// Returns a decoder for a stream with this start. A client with a later Protocol Level than that of
    /// MQTT 5 is refused by the CONNACK of MQTT 5, one with another unknown level by that of MQTT 3.1.1
    /// [MQTT-3.1.2-2, MQTT5-3.1.2-2].
    fn decoder(&self, first: &[u8]) -> Decoder {
        let fallback = match Protocol::of(first) {
            Some(Protocol::UnsupportedLevel(6..=0x7f)) => ProtocolVersion::V5,
            _ => ProtocolVersion::V3,
        };
        let aliases = AliasVec::new(self.shared.settings.topic_alias_maximum);
        let buffer = WithTopicAliases::new(Vec::new(), aliases);
        Decoder::with_options(buffer, self.options, fallback)
    }

    /// Handles an event. Returns whether other connections should run next.
    fn handle(&mut self, event: Event<&[u8]>) -> Result<bool, CommandError> {
        if is_malformed(&event) {
            self.end_for_malformed(&event);
            return Ok(false);
        }
        match event {
            Event::ConnectRequested(connect) => self.connect(&connect)?,
            Event::Message(publish) => return Ok(self.publish(&publish)),
            Event::SubscribeRequested(subscribe) => self.subscribe(&subscribe)?,
            Event::UnsubscribeRequested(unsubscribe) => self.unsubscribe(&unsubscribe)?,
            Event::AcceptedByPeer { packet_id, .. }
            | Event::Delivered { packet_id, .. }
            | Event::Rejected { packet_id, .. } => {
                // A refused message does not go to another member of the group [MQTT5-4.8.2-6].
                self.outbox.remove(packet_id);
            }
            _ => {}
        }
        Ok(false)
    }

    /// Carries out an action of the server side of the protocol.
    fn act(&mut self) {
        while let Some(action) = self.server.poll_action() {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Transmit(packet) => self.out.extend_from_slice(packet.as_bytes()),
            Action::Resend(packet_id) => self.resend.push_back(packet_id),
            Action::Lost { packet_id, .. } => {
                // A message of a Shared Subscription goes to another member.
                if self
                    .outbox
                    .get(packet_id)
                    .is_some_and(|it| it.group.is_none())
                {
                    self.outbox.remove(packet_id);
                }
            }
            // [MQTT-3.1.2-8, MQTT-3.1.2-12, MQTT5-3.1.2-8]
            Action::PublishWill => {
                let delay = self.server.will_delay_interval();
                match self.will.take() {
                    Some(will) if delay == 0 => {
                        let now = self.now();
                        self.shared.broker().publish_will(now, will);
                    }
                    will => self.delayed_will = will.map(|will| (delay, will)),
                }
            }
            // [MQTT-3.1.2-10, MQTT-3.14.4-3, MQTT5-3.1.2-10, MQTT5-3.14.4-3]
            Action::DiscardWill => self.will = None,
            Action::Close(reason) => self.closed = Some(reason),
            Action::Store(_) => {} // The broker keeps no journal.
        }
    }

    /// Closes if the broker requires it. The Will is published, because the client has not sent
    /// DISCONNECT.
    fn give_way(&mut self) {
        let reason_code = match self.with_client(|broker, client| broker.ending(client)) {
            None => return,
            Some(Ending::TakenOver) => DisconnectReasonCode::SessionTakenOver,
            Some(Ending::ShuttingDown) => DisconnectReasonCode::ServerShuttingDown,
        };
        self.act();
        self.disconnect(reason_code);
    }

    /// Sends DISCONNECT if the client is accepted, its version has it, and no reply is due. Closes.
    fn disconnect(&mut self, reason_code: DisconnectReasonCode) {
        let now = self.now();
        let disconnect = Disconnect::new(reason_code);
        if self
            .server
            .disconnect_with(now, &disconnect, &mut self.out)
            .is_err()
        {
            self.server.close(now);
        }
    }

    fn transport_closed(&mut self) {
        self.server.handle_transport_closed(self.now());
    }

    /// Returns the result of `f` for this client, or the default before the client is accepted.
    fn with_client<T: Default>(&self, f: impl FnOnce(&mut Broker, &ClientId) -> T) -> T {
        match &self.client {
            Some(client) => f(&mut self.shared.broker(), client),
            None => T::default(),
        }
    }

    /// Returns the session, and the messages not sent yet, to the broker.
    fn finish(mut self) -> Vec<u8> {
        if let Some(reason) = self.closed {
            self.log(format_args!("{reason}"));
        }
        if let Some(client) = &self.client {
            let expiry = self.session_expiry_interval();
            let in_flight = InFlight {
                session: self.server.take_session(),
                outbox: self.outbox,
            };
            let now = self.shared.now();
            self.shared
                .broker()
                .detach(now, client, in_flight, expiry, self.delayed_will);
        }
        self.out
    }

    /// Returns how many seconds the session is kept: in MQTT 5 at most as many as the user allows,
    /// even if DISCONNECT asks for more.
    fn session_expiry_interval(&self) -> u32 {
        let expiry = self.server.session_expiry_interval();
        match self.server.version() {
            Some(ProtocolVersion::V5) => expiry.min(self.shared.settings.max_session_expiry),
            _ => expiry,
        }
    }

    // Transport

    /// Returns whether to read more from the client.
    fn may_read(&self) -> bool {
        self.admission.is_none() && self.out.len() < MAX_UNSENT
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = self.server.poll_timeout()?;
        Some(self.shared.instant(deadline))
    }

    /// The transport has written some bytes. If it accepts none any more, there may still be bytes to
    /// read, such as DISCONNECT, and reading reaches the end too.
    fn sent(&mut self, sent: Option<std::io::Result<usize>>) {
        match sent {
            None => return,
            Some(Ok(count)) => drop(self.out.drain(..count.min(self.out.len()))),
            Some(Err(_)) => self.out.clear(),
        }
        if self.out.is_empty() {
            self.out.shrink_to(send::SIZE);
        }
    }

    fn log(&self, line: core::fmt::Arguments<'_>) {
        self.shared.log(format_args!("{}: {line}", self.peer));
    }
}

async fn admitted(admission: &mut Option<Pending>) -> Admission {
    match admission {
        Some(admission) => admission.await,
        None => core::future::pending().await,
    }
}

pub(crate) async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => core::future::pending().await,
    }
}
