//! One connection: bytes come from its transport, events from the server side of the protocol; what is
//! to be sent goes back the same way.

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

use crate::Shared;
use crate::admission::{Admission, Pending};
use crate::broker::{Broker, ClientId};
use crate::client::{Ending, InFlight, Waker};
use crate::message::{Message, Outgoing};
use crate::transport::{Stream, Transport};

/// The largest packet to take from someone who has not been let in. There is room for one field of
/// the largest size.
const MAX_CONNECT_SIZE: u32 = 128 * 1024;
/// A client that does not read the answers to what it sends is not read from either. Those to as
/// many messages as there are Packet Identifiers fit in.
const MAX_UNSENT: usize = 1024 * 1024;
/// The most Topic Aliases to use for one client.
const MAX_OUTBOUND_ALIASES: u16 = 64;

/// How messages are sent to a client: so many at once, the others wait their turn. The client may
/// send as many as it has identifiers for, unless CONNACK has told it another number.
const CONFIG: Config = Config::new().max_inflight(100).receive_maximum(u16::MAX);

/// A decoder with room for the client's Topic Aliases.
type Decoder = any::Decoder<WithTopicAliases<Vec<u8>, AliasVec>>;

struct Connection {
    shared: Arc<Shared>,
    /// Who it is, for the log.
    peer: SocketAddr,
    server: Server<Vec<Slot>>,
    /// What the decoder accepts.
    options: Options,
    wake: Waker,
    /// Once CONNECT has come.
    candidate: Option<connect::Candidate>,
    /// The answer to CONNECT, until it is there.
    admission: Option<Pending>,
    /// What has come behind a CONNECT that is not answered.
    unread: Vec<u8>,
    /// Once the client has been let in.
    client: Option<ClientId>,
    will: Option<Message>,
    /// The Will, and after how many seconds it is to be published.
    delayed_will: Option<(u32, Message)>,
    aliases: OutboundAliases<AliasVec>,
    /// Messages under way, which the client has not acknowledged.
    outbox: Outbox<Outgoing>,
    /// Those of them that are to be sent again.
    resend: VecDeque<PacketId>,
    /// What is to be sent.
    out: Vec<u8>,
    /// Whether there are messages to send as soon as the transport has taken `out`: nothing but room
    /// is missing, so nothing else will wake this task for them.
    has_more: bool,
    closed: Option<CloseReason>,
}

/// Serves a client until the connection ends.
pub(crate) async fn serve<S: Stream>(stream: S, peer: SocketAddr, shared: Arc<Shared>) {
    let mut transport = Transport::new(stream);
    let (wake, mut woken) = mpsc::channel(1);
    let mut connection = Connection::new(shared, peer, wake);
    // Made for the first bytes.
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
                // If this task was late, what the client has sent in time may not have been read.
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
        // The receivers of what was sent have a turn before more is read.
        yield_now().await;
    }

    let rest = connection.finish();
    drop(woken); // Another connection of this client may go on now.
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

    // The protocol

    /// Bytes have come.
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
                // CONNECT is not answered yet; other requests are answered at once.
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
            // What a large packet needed is not for the connection to keep while it is idle.
            decoder.shrink();
        } else if has_come {
            // A slow upload is a sign of life too.
            self.server.handle_progress(self.now());
        }
    }

    /// A decoder for a stream that begins so. A client with a later Protocol Level than that of MQTT 5 is
    /// refused by the CONNACK of MQTT 5, one with another unknown level by that of MQTT 3.1.1
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

    /// Something has happened that the broker has to know of. Returns whether others should have a
    /// turn.
    fn handle(&mut self, event: Event<&[u8]>) -> Result<bool, CommandError> {
        match event {
            Event::ConnectRequested(connect) => self.connect(&connect)?,
            Event::Message(publish) => return Ok(self.publish(&publish)),
            Event::SubscribeRequested(subscribe) => self.subscribe(&subscribe)?,
            Event::UnsubscribeRequested(unsubscribe) => self.unsubscribe(&unsubscribe)?,
            Event::AcceptedByPeer { packet_id, .. }
            | Event::Delivered { packet_id, .. }
            | Event::Rejected { packet_id, .. } => {
                // Refused or not, it goes to no other member of a group [MQTT5-4.8.2-6].
                self.outbox.remove(packet_id);
            }
            _ => {}
        }
        Ok(false)
    }

    /// Carries out what the server side of the protocol asks for.
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
                // What the client gets by a Shared Subscription is for another member then.
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
            Action::Store(_) => {} // There is no journal.
        }
    }

    /// Closes if the broker says so. The Will is published: the client has not sent DISCONNECT.
    fn give_way(&mut self) {
        let reason_code = match self.with_client(|broker, client| broker.ending(client)) {
            None => return,
            Some(Ending::TakenOver) => DisconnectReasonCode::SessionTakenOver,
            Some(Ending::ShuttingDown) => DisconnectReasonCode::ServerShuttingDown,
        };
        self.act();
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

    /// What `f` returns of this client; the default if it has not been let in.
    fn with_client<T: Default>(&self, f: impl FnOnce(&mut Broker, &ClientId) -> T) -> T {
        match &self.client {
            Some(client) => f(&mut self.shared.broker(), client),
            None => T::default(),
        }
    }

    /// Gives the session back, and what is still to be sent.
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

    /// How many seconds the session is kept: in MQTT 5 as many as the user allows, also if DISCONNECT
    /// asks for more.
    fn session_expiry_interval(&self) -> u32 {
        let expiry = self.server.session_expiry_interval();
        match self.server.version() {
            Some(ProtocolVersion::V5) => expiry.min(self.shared.settings.max_session_expiry),
            _ => expiry,
        }
    }

    // The transport

    /// Whether to take more from the client.
    fn may_read(&self) -> bool {
        self.admission.is_none() && self.out.len() < MAX_UNSENT
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = self.server.poll_timeout()?;
        Some(self.shared.instant(deadline))
    }

    /// The transport has taken some bytes. If it takes nothing any more, there may still be something to
    /// read, such as DISCONNECT; reading comes to the end too.
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
