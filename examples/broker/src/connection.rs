//! One connection: bytes come from its socket, packets from the decoder, events from the server
//! side of the protocol; what is to be sent goes back the same way.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use mqtt_sansio::v3::{
    Action, CloseReason, Connect, ConnectRefusal, Decoder, Event, HandleError, ProtocolLevel,
    ReturnCodes, Server,
};
use mqtt_sansio::{CommandError, Config, Options, Outbox, PacketId, Session, Slot, Timestamp};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use crate::Shared;
use crate::broker::{Broker, ClientId, Delivery, Message, Waker};

/// The most to read at once, before others have their turn.
const READ_SIZE: usize = 16 * 1024;
/// The largest packet to take from someone who has not been let in. There is room for one field of
/// the largest size.
const MAX_CONNECT_SIZE: u32 = 128 * 1024;
/// Messages wait in the queue, where they can still be dropped, once this much is to be sent.
const SEND_SIZE: usize = 64 * 1024;
/// A client that does not read the answers to what it sends is not read from either. Those to as
/// many messages as there are Packet Identifiers fit in.
const MAX_UNSENT: usize = 1024 * 1024;
/// The most filters in one request. A client that has more asks more than once.
const MAX_FILTERS: u32 = 1000;
/// How long to wait at the end for the client to take what is still to be sent.
const LINGER: Duration = Duration::from_secs(1);

/// How messages are sent to a client: so many at once, the others wait their turn. The client may
/// send as many as it has identifiers for.
const CONFIG: Config = Config::new().max_inflight(100).receive_maximum(u16::MAX);

struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    server: Server<Vec<Slot>>,
    /// What the decoder accepts.
    options: Options,
    wake: Waker,
    /// Once the client has been let in.
    client: Option<ClientId>,
    will: Option<Message>,
    /// Messages under way, which the client has not acknowledged.
    outbox: Outbox<Message>,
    /// Those of them that are to be sent again.
    resend: VecDeque<PacketId>,
    /// What is to be sent.
    out: Vec<u8>,
    /// Whether there are messages to send as soon as the socket has taken `out`: nothing but room
    /// is missing, so nothing else will wake this task for them.
    has_more: bool,
    closed: Option<CloseReason>,
}

/// Serves a client until the connection ends.
pub(crate) async fn serve(mut stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // An acknowledgement is not to wait for more to be sent along with it.
    let _ = stream.set_nodelay(true);
    let (wake, mut woken) = mpsc::channel(1);
    let mut connection = Connection::new(shared, peer, wake);
    let mut decoder = Decoder::with_options(Vec::new(), connection.options);

    while connection.closed.is_none() {
        tokio::select! {
            ready = stream.ready(connection.interest()) => {
                match ready.and_then(|_| connection.read(&stream)) {
                    Ok(received) => connection.receive(&mut decoder, &received).await,
                    Err(_) => connection.server.handle_transport_closed(connection.now()),
                }
            }
            () = wait_until(connection.deadline()) => {
                // If this task was late, what the client has sent in time may not have been read.
                yield_now().await;
                match connection.read(&stream) {
                    Ok(received) if !received.is_empty() => {
                        connection.receive(&mut decoder, &received).await;
                    }
                    _ => connection.server.handle_timeout(connection.now()),
                }
            }
            _ = woken.recv() => connection.give_way(),
        }
        connection.act();
        connection.send_messages();
        connection.write(&stream);
        // Whoever was sent something can take it before more is read.
        yield_now().await;
    }

    let rest = connection.finish();
    drop(woken); // Another connection of this client may go on now.
    let _ = timeout(LINGER, close(&mut stream, &rest)).await;
}

impl Connection {
    fn new(shared: Arc<Shared>, peer: SocketAddr, wake: Waker) -> Self {
        let config = CONFIG.connect_timeout(Duration::from_millis(
            (shared.settings.connect_timeout).into(),
        ));
        let max_packet_size = shared.settings.max_packet_size.min(MAX_CONNECT_SIZE);
        Self {
            server: Server::new(Session::default(), config, shared.now()),
            options: Options::new()
                .max_filters(MAX_FILTERS)
                .max_packet_size(max_packet_size),
            shared,
            peer,
            wake,
            client: None,
            will: None,
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
    async fn receive(&mut self, decoder: &mut Decoder<Vec<u8>>, mut received: &[u8]) {
        let mut has_completed = false;
        while self.closed.is_none() {
            let packet = match decoder.decode(&mut received) {
                Ok(Some(packet)) => packet,
                Ok(None) => {
                    if has_completed {
                        decoder.shrink();
                    }
                    return;
                }
                Err(error) => return self.server.handle_decode_error(self.now(), error),
            };
            match self.server.handle_packet(self.now(), packet) {
                Ok(Some(event)) => {
                    // [MQTT-4.8.0-2]
                    if self.handle(event).await.is_err() {
                        self.server.close(self.now());
                    }
                }
                // If it is the client's fault, the connection is over.
                Ok(None) | Err(HandleError::Peer(_) | HandleError::Ended) => {}
                // Requests are answered and actions carried out at once, so this does not happen.
                Err(HandleError::Blocked(_)) => self.server.close(self.now()),
            }
            self.act();
            decoder.set_options(self.options);
            // What a large packet needed is not for the connection to keep while it is idle.
            has_completed = true;
        }
    }

    /// Something has happened that the broker has to know of.
    async fn handle(&mut self, event: Event<&[u8]>) -> Result<(), CommandError> {
        match event {
            Event::ConnectRequested(connect) => self.connect(connect.to_connect()).await?,
            Event::Message(publish) => {
                // Copied, so that a message that is kept does not keep what it came with.
                let message = Message::from(publish.map(Arc::from));
                let is_crowded = self.shared.broker().publish(&message);
                if is_crowded {
                    yield_now().await;
                }
            }
            // Each filter as if it stood alone, and one answer, in their order
            // [MQTT-3.8.4-4, MQTT-3.9.3-1].
            Event::SubscribeRequested(subscribe) => {
                let return_codes = self.with_client(|broker, client| {
                    let subscriptions = subscribe.subscriptions.iter();
                    subscriptions
                        .map(|subscription| broker.subscribe(client, &subscription))
                        .collect::<Vec<_>>()
                });
                let return_codes = ReturnCodes::encode_to_vec(return_codes)?;
                self.server
                    .suback(self.now(), &return_codes, &mut self.out)?;
            }
            // [MQTT-3.10.4-5, MQTT-3.10.4-6]
            Event::UnsubscribeRequested(unsubscribe) => {
                self.with_client(|broker, client| {
                    for topic_filter in unsubscribe.topic_filters.iter() {
                        broker.unsubscribe(client, topic_filter);
                    }
                });
                self.server.unsuback(self.now(), &mut self.out)?;
            }
            Event::AcceptedByPeer(packet_id) | Event::Delivered(packet_id) => {
                self.outbox.remove(packet_id);
            }
            _ => {}
        }
        Ok(())
    }

    async fn connect(&mut self, connect: Connect<&[u8]>) -> Result<(), CommandError> {
        if let Some(refusal) = self.refusal(&connect) {
            return self.server.refuse(self.now(), refusal, &mut self.out);
        }
        let client: ClientId = match connect.client_id.as_str() {
            "" => self.shared.broker().unused_id(),
            id => id.into(), // [MQTT-3.1.3-2]
        };
        let kept = loop {
            let attached = self
                .shared
                .broker()
                .attach(&client, connect.clean_session, &self.wake);
            match attached {
                Ok(kept) => break kept,
                Err(older) => older.closed().await,
            }
        };
        self.log(format_args!("connected as {client:?}"));
        self.client = Some(client);
        let now = self.now();
        match kept {
            Some(mut kept) => {
                self.outbox = kept.outbox;
                self.server
                    .accept_resumed(now, &mut kept.session, &mut self.out)?;
            }
            None => self.server.accept_new(now, &mut self.out)?,
        }
        self.will = connect.will.map(|will| Message {
            topic: will.topic.map(Arc::from),
            payload: Arc::from(will.message),
            qos: will.qos,
            retain: will.retain, // [MQTT-3.1.2-16, MQTT-3.1.2-17]
        });
        // MQTT 3.1 lets a client set DUP where MQTT 3.1.1 does not.
        let is_3_1 = connect.protocol_level == ProtocolLevel::V3_1;
        self.options = Options::new()
            .max_filters(MAX_FILTERS)
            .max_packet_size(self.shared.settings.max_packet_size)
            .accept_pubrel_flags(is_3_1)
            .accept_dup_on_requests(is_3_1);
        Ok(())
    }

    /// Whom not to let in. Any Client Identifier will do [MQTT-3.1.3-5].
    fn refusal(&self, connect: &Connect<&[u8]>) -> Option<ConnectRefusal> {
        let login = self.shared.settings.login.as_ref()?;
        match &connect.credentials {
            None => Some(ConnectRefusal::NotAuthorized),
            Some(said) => {
                // How long this takes is not to tell how much of the password is right.
                let is_right = said.user_name == *login.user_name
                    && match (said.password, &login.password) {
                        (Some(said), Some(password)) => said.ct_eq(password.as_bytes()).into(),
                        (said, password) => said.is_none() && password.is_none(),
                    };
                (!is_right).then_some(ConnectRefusal::BadUserNameOrPassword)
            }
        }
    }

    /// Does what the server side of the protocol asks for.
    fn act(&mut self) {
        while let Some(action) = self.server.poll_action() {
            match action {
                Action::Transmit(packet) => self.out.extend_from_slice(packet.as_bytes()),
                Action::Resend(packet_id) => self.resend.push_back(packet_id),
                Action::Lost { packet_id, .. } => {
                    self.outbox.remove(packet_id);
                }
                // [MQTT-3.1.2-8, MQTT-3.1.2-12]
                Action::PublishWill => {
                    if let Some(will) = self.will.take() {
                        self.shared.broker().publish(&will);
                    }
                }
                Action::DiscardWill => self.will = None, // [MQTT-3.1.2-10, MQTT-3.14.4-3]
                Action::Close(reason) => self.closed = Some(reason),
                Action::Store(_) => {}      // There is no journal.
                Action::Unanswered(_) => {} // a client's
            }
        }
    }

    /// Sends what has been asked for again, then what is in the queue, as far as there is room.
    fn send_messages(&mut self) {
        self.has_more = false;
        let now = self.now();
        while self.out.len() < SEND_SIZE {
            let Some(packet_id) = self.resend.pop_front() else {
                break;
            };
            // An error means that an acknowledgement has come in the meantime, or the end.
            let _ = match self.outbox.get(packet_id) {
                Some(message) => self.server.resend(now, packet_id, message, &mut self.out),
                None => self.server.forget(packet_id),
            };
            self.act();
        }
        let Some(client) = &self.client else { return };
        let mut broker = self.shared.broker();
        self.has_more = broker.replay(client);
        let Some(queue) = broker.queue(client) else {
            return;
        };
        while self.out.len() < SEND_SIZE {
            let Some(message) = queue.front() else { break };
            let Ok(packet_id) = self.server.publish(now, message, &mut self.out) else {
                // An acknowledgement has to come first.
                self.has_more = false;
                return;
            };
            if let (Some(message), Some(packet_id)) = (queue.pop(), packet_id) {
                self.outbox.keep(packet_id, message);
            }
        }
        self.has_more |= self.out.len() >= SEND_SIZE;
    }

    /// Closes if another connection of the same client has come. Its Will is published: it has not
    /// sent DISCONNECT [MQTT-3.1.2-8].
    fn give_way(&mut self) {
        if self.with_client(|broker, client| broker.is_evicted(client)) {
            self.server.close(self.now());
        }
    }

    /// What `f` says of this client; the default if it has not been let in.
    fn with_client<T: Default>(&self, f: impl FnOnce(&mut Broker, &ClientId) -> T) -> T {
        match &self.client {
            Some(client) => f(&mut self.shared.broker(), client),
            None => T::default(),
        }
    }

    /// Gives the session back, and what is still to be sent.
    fn finish(self) -> Vec<u8> {
        if let Some(reason) = self.closed {
            self.log(format_args!("{reason}"));
        }
        if let Some(client) = &self.client {
            let delivery = Delivery {
                session: self.server.into_session(),
                outbox: self.outbox,
            };
            self.shared.broker().detach(client, delivery);
        }
        self.out
    }

    // The socket

    /// What to wait for.
    fn interest(&self) -> Interest {
        if self.out.is_empty() && !self.has_more {
            Interest::READABLE
        } else if self.out.len() < MAX_UNSENT {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::WRITABLE
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = self.server.poll_timeout()?;
        Some(self.shared.instant(deadline))
    }

    /// Reads what has come, from TCP [MQTT-7.1.1-1]. An idle connection has no buffer for that.
    fn read(&self, stream: &TcpStream) -> io::Result<Vec<u8>> {
        let mut received = Vec::new();
        if self.out.len() < MAX_UNSENT {
            received.reserve(READ_SIZE);
            match stream.try_read_buf(&mut received) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(received)
    }

    /// Writes as much as the socket takes. If it takes nothing any more, there may still be
    /// something to read, such as DISCONNECT; reading comes to the end too.
    fn write(&mut self, stream: &TcpStream) {
        while !self.out.is_empty() {
            match stream.try_write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.out.clear(),
            }
        }
        self.out.shrink_to(SEND_SIZE);
    }

    fn log(&self, line: core::fmt::Arguments<'_>) {
        self.shared.log(format_args!("{}: {line}", self.peer));
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => core::future::pending().await,
    }
}

/// Sends the rest and closes.
async fn close(stream: &mut TcpStream, rest: &[u8]) -> io::Result<()> {
    stream.write_all(rest).await?;
    stream.shutdown().await?;
    // If the socket went away with bytes in it that nobody has read, the client would be told that
    // the connection was reset, and might not read what was sent last.
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}
