//! Subscribes, prints what comes, and publishes the lines of standard input, with tokio.
//!
//! ```text
//! $ cargo run -p client_tokio -- -t 'chat/#' --publish chat/me
//! ```
//!
//! `Connection` is the part to copy: `Framed` and `Codec` for the packets, and one `select!` over the
//! socket, the next deadline and the application. What is under way when a connection breaks is in
//! `Kept`, and is sent again on the next.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the clock does not reach the end of time"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program for an operating system"
)]

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use lexopt::prelude::*;
use mqtt_sansio::v3::{
    Action, Client, CloseReason, Connect, Credentials, Event, HandleError, Message, Packet, Reply,
    ReturnCode, Subscription, Subscriptions, V3,
};
use mqtt_sansio::{
    Codec, CodecError, CommandError, Config, Options, Outbox, QoS, Session, Slot, State, Text,
    Timestamp, TopicFilter, TopicName,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines, Stdin};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::codec::Framed;

const HELP: &str = "\
Subscribes, prints what comes, and publishes the lines of standard input.

Usage: client_tokio [-t FILTER]... [--publish TOPIC] [OPTION...]

  -h HOST          default 127.0.0.1
  -p PORT          default 1883
  -i ID            Client Identifier; if there is none, the server makes one up
  -c               keep the session when the connection is lost; needs -i
  -k SECONDS       Keep Alive, default 60; 0 turns it off
  -u NAME, -P PASSWORD
  -q QOS           of the subscriptions and of what is published; default 0
  -t FILTER        subscribe to this; may be given more than once
  --publish TOPIC  publish each line of standard input to this; end when they are delivered
  -d               print each packet that comes to standard error
  --help           print this
";

struct Arguments {
    host: String,
    port: u16,
    connect: Connect<Vec<u8>>,
    subscriptions: Option<Subscriptions<Vec<u8>>>,
    topic: Option<TopicName<Vec<u8>>>,
    qos: QoS,
    debug: bool,
}

/// For the network to take a connection, or what is written to it.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);
/// Before connecting again.
const PAUSE: Duration = Duration::from_millis(500);
const MOST_FAILURES: u32 = 20;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What outlives a connection.
#[derive(Default)]
struct Kept {
    /// Which messages are under way, and how far.
    session: Session<Vec<Slot>>,
    /// Those messages.
    outbox: Outbox<Message<Vec<u8>>>,
    /// Messages that have not been sent yet.
    queue: VecDeque<Message<Vec<u8>>>,
    is_subscribed: bool,
    /// Connections that were not accepted, since the last one that was.
    failures: u32,
}

struct Connection<'a> {
    framed: Framed<TcpStream, Codec<V3>>,
    client: Client<Vec<Slot>>,
    kept: &'a mut Kept,
    arguments: &'a Arguments,
    started: Instant,
}

impl<'a> Connection<'a> {
    fn new(socket: TcpStream, arguments: &'a Arguments, kept: &'a mut Kept) -> Self {
        let session = std::mem::take(&mut kept.session);
        let options = Options::new().max_packet_size(u32::MAX);
        Self {
            framed: Framed::new(socket, Codec::<V3>::new(options)),
            client: Client::new(
                session,
                Config::new().max_inflight(20),
                Timestamp::from_millis(0),
            ),
            kept,
            arguments,
            started: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        let millis = self.started.elapsed().as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// From CONNECT to the end. Publishes what comes from `lines`, if it is there; at its end,
    /// when all of it is delivered, the connection ends too.
    async fn run(mut self, lines: &mut Option<Lines<BufReader<Stdin>>>) -> Outcome<CloseReason> {
        let out = self.framed.write_buffer_mut();
        let connect = &self.arguments.connect;
        self.client
            .connect(Timestamp::from_millis(0), connect, out)?;
        let reason = loop {
            if let Some(reason) = self.act().await? {
                break reason;
            }
            let deadline = self.client.poll_timeout();
            let deadline = deadline.map(|at| self.started + Duration::from_millis(at.as_millis()));
            let wants_line = lines.is_some()
                && self.client.state() == State::Connected
                && self.kept.queue.is_empty();
            tokio::select! {
                packet = self.framed.next() => match packet {
                    Some(Ok(packet)) => self.take(packet)?,
                    Some(Err(CodecError::Decode(error))) => {
                        self.client.handle_decode_error(self.now(), error);
                    }
                    Some(Err(_)) | None => self.client.handle_transport_closed(self.now()),
                },
                line = next_line(lines), if wants_line => match (line?, &self.arguments.topic) {
                    (Some(line), Some(topic)) => self.kept.queue.push_back(Message {
                        topic: topic.clone(),
                        payload: line.into_bytes(),
                        qos: self.arguments.qos,
                        retain: false,
                    }),
                    _ => *lines = None,
                },
                () = sleep_until(deadline.unwrap_or(self.started)), if deadline.is_some() => {}
            }
            // Also if something else has happened: a server that sends all the time still wants
            // PINGREQ.
            self.client.handle_timeout(self.now());
            if self.is_finished(lines.is_some()) {
                let (now, out) = (self.now(), self.framed.write_buffer_mut());
                self.client.disconnect(now, out)?;
            }
        };
        if reason == CloseReason::Disconnected {
            let _ = timeout(Duration::from_secs(1), close(self.framed.get_mut())).await;
        }
        self.kept.session = self.client.into_session();
        Ok(reason)
    }

    /// A packet has come.
    fn take(&mut self, packet: Packet<Bytes>) -> Outcome {
        if self.arguments.debug {
            eprintln!("received {packet:?}");
        }
        match self.client.handle_packet(self.now(), packet.as_ref()) {
            Ok(Some(Event::Message(message))) => {
                let mut out = io::stdout().lock();
                write!(out, "{} ", message.topic)?;
                out.write_all(message.payload)?;
                writeln!(out)?;
            }
            Ok(Some(Event::Connected { session_present })) => {
                self.kept.failures = 0;
                // A session that the server has kept includes its subscriptions.
                let is_subscribed = session_present && self.kept.is_subscribed;
                if let (Some(list), false) = (&self.arguments.subscriptions, is_subscribed) {
                    let (now, out) = (self.now(), self.framed.write_buffer_mut());
                    self.client.subscribe(now, list, out)?;
                }
            }
            Ok(Some(Event::Subscribed(suback))) => {
                for code in &suback.return_codes {
                    self.kept.is_subscribed |= matches!(code, ReturnCode::Success(_));
                    eprintln!("subscribed: {code:?}");
                }
            }
            Ok(Some(Event::AcceptedByPeer(id) | Event::Delivered(id))) => {
                self.kept.outbox.remove(id); // it will not be asked for again
            }
            Ok(_) => {}
            Err(HandleError::Peer(_) | HandleError::Ended) => {} // the actions say so, and why
            Err(HandleError::Blocked(what)) => return Err(what.into()),
        }
        Ok(())
    }

    /// Carries out what the connection asks for, publishes what waits as far as the window allows,
    /// and sends all that.
    async fn act(&mut self) -> Outcome<Option<CloseReason>> {
        let mut closed = None;
        let mut lost = Vec::new();
        loop {
            let (now, out) = (self.now(), self.framed.write_buffer_mut());
            match self.client.poll_action() {
                Some(Action::Transmit(packet)) => out.extend_from_slice(packet.as_bytes()),
                Some(Action::Resend(id)) => match self.kept.outbox.get(id) {
                    Some(message) => self.client.resend(now, id, message, out)?,
                    None => self.client.forget(id)?,
                },
                Some(Action::Lost {
                    packet_id,
                    received,
                }) => {
                    let message = self.kept.outbox.remove(packet_id);
                    lost.extend(message.filter(|_| !received));
                }
                Some(Action::Close(reason)) => closed = Some(reason),
                // For those who keep a journal, and for servers.
                Some(
                    Action::Unanswered(_)
                    | Action::Store(_)
                    | Action::PublishWill
                    | Action::DiscardWill,
                ) => {}
                None => {
                    // What is lost is older than all that has been waiting.
                    for message in lost.drain(..).rev() {
                        self.kept.queue.push_front(message);
                    }
                    if self.publish_next()? {
                        continue;
                    }
                    let flush = SinkExt::<Reply>::flush(&mut self.framed);
                    let flushed = timeout(NETWORK_TIMEOUT, flush).await;
                    if closed.is_some() || matches!(flushed, Ok(Ok(()))) {
                        return Ok(closed);
                    }
                    self.client.handle_transport_closed(self.now());
                }
            }
        }
    }

    /// False if nothing waits, or not now.
    fn publish_next(&mut self) -> Outcome<bool> {
        let (now, out) = (self.now(), self.framed.write_buffer_mut());
        let Some(message) = self.kept.queue.front() else {
            return Ok(false);
        };
        match self.client.publish(now, message, out) {
            Ok(packet_id) => {
                let message = self.kept.queue.pop_front();
                if let (Some(packet_id), Some(message)) = (packet_id, message) {
                    self.kept.outbox.keep(packet_id, message);
                }
                Ok(true)
            }
            Err(error @ CommandError::Encode(_)) => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    fn is_finished(&self, may_publish_more: bool) -> bool {
        self.client.state() == State::Connected
            && self.arguments.topic.is_some()
            && !may_publish_more
            && self.kept.queue.is_empty()
            && self.client.session().outbound().next().is_none()
    }
}

async fn next_line(lines: &mut Option<Lines<BufReader<Stdin>>>) -> io::Result<Option<String>> {
    match lines {
        Some(lines) => lines.next_line().await,
        None => Ok(None),
    }
}

/// One connection after another. Gives up if the server refuses, or cannot be reached for long.
async fn keep_connected(arguments: &Arguments) -> Outcome<ExitCode> {
    let mut kept = Kept::default();
    let reads_lines = arguments.topic.is_some();
    let mut lines = reads_lines.then(|| BufReader::new(tokio::io::stdin()).lines());
    loop {
        let address = (&*arguments.host, arguments.port);
        let dialled = timeout(NETWORK_TIMEOUT, TcpStream::connect(address)).await;
        let lost = match dialled.unwrap_or_else(|elapsed| Err(elapsed.into())) {
            Ok(socket) => {
                socket.set_nodelay(true)?; // acknowledgements are small, and awaited
                let connection = Connection::new(socket, arguments, &mut kept);
                match connection.run(&mut lines).await? {
                    CloseReason::Disconnected => return Ok(ExitCode::SUCCESS),
                    CloseReason::Refused(refusal) => {
                        eprintln!("client_tokio: connection refused: {refusal}");
                        return Ok(ExitCode::from(refusal.return_code()));
                    }
                    CloseReason::Violation(error) => return Err(error.into()),
                    lost => lost.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        kept.failures += 1;
        if kept.failures > MOST_FAILURES {
            return Err(lost.into());
        }
        eprintln!("client_tokio: {lost}; connecting again");
        sleep(PAUSE).await;
    }
}

fn parse(mut parser: lexopt::Parser) -> Outcome<Option<Arguments>> {
    let mut arguments = Arguments {
        host: "127.0.0.1".to_owned(),
        port: 1883,
        connect: Connect::new(Text::default()),
        subscriptions: None,
        topic: None,
        qos: QoS::AtMostOnce,
        debug: false,
    };
    let connect = &mut arguments.connect;
    connect.keep_alive = 60;
    let (mut filters, mut user_name, mut password) = (Vec::new(), None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') => arguments.host = parser.value()?.string()?,
            Short('p') => arguments.port = parser.value()?.parse()?,
            Short('i') => connect.client_id = Text::from_bytes(bytes(&mut parser)?)?,
            Short('c') => connect.clean_session = false,
            Short('k') => connect.keep_alive = parser.value()?.parse()?,
            Short('u') => user_name = Some(Text::from_bytes(bytes(&mut parser)?)?),
            Short('P') => password = Some(bytes(&mut parser)?),
            Short('q') => {
                let number = parser.value()?.parse()?;
                arguments.qos = QoS::from_number(number).ok_or("QoS is 0, 1 or 2")?;
            }
            Short('t') => filters.push(TopicFilter::from_bytes(bytes(&mut parser)?)?),
            Long("publish") => arguments.topic = Some(TopicName::from_bytes(bytes(&mut parser)?)?),
            Short('d') => arguments.debug = true,
            Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    connect.credentials = user_name.map(|user_name| Credentials {
        user_name,
        password,
    });
    if filters.is_empty() && arguments.topic.is_none() {
        return Ok(None);
    }
    if !filters.is_empty() {
        let subscriptions = filters.iter().map(|filter| Subscription {
            topic_filter: filter.as_ref(),
            qos: arguments.qos,
        });
        arguments.subscriptions = Some(Subscriptions::encode_to_vec(subscriptions)?);
    }
    Ok(Some(arguments))
}

fn bytes(parser: &mut lexopt::Parser) -> Outcome<Vec<u8>> {
    Ok(parser.value()?.into_encoded_bytes())
}

fn run() -> Outcome<ExitCode> {
    let Some(arguments) = parse(lexopt::Parser::from_env())? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(keep_connected(&arguments));
    // Without waiting for the thread that may still wait for a line.
    runtime.shutdown_background();
    outcome
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("client_tokio: {error}");
        ExitCode::FAILURE
    })
}

/// If the socket went away with something in it that nobody has read, the system might throw away
/// what it has not sent yet: the server closes first.
async fn close(socket: &mut TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    while socket.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}
