//! The task behind a [`Client`](crate::Client): one connection after another.

use std::borrow::Borrow;
use std::io;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use client::Failure;
use client::outgoing::{Finished, MAX_OUT, Outgoing};
use client::protocol::{Client, Event, Message, Protocol};
use client::retry::Retry;
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{Acknowledgement, Action, CloseReason, Session, Slot, State, Step, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::client::{Error, Guard, Options, Received};
use crate::requests::{Done, Kind, Requests};

/// For the network, TLS and WebSocket to open a connection.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// For the server to close after DISCONNECT, and to release QoS 2 messages before it.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) enum Command {
    Publish(Publishing),
    Request(Kind),
    Disconnect(v5::Disconnect<Vec<u8>>),
}

/// A message, and who waits for it.
#[derive(Debug)]
pub(crate) struct Publishing {
    pub(crate) message: Message,
    pub(crate) done: Done<()>,
}

impl Borrow<Message> for Publishing {
    fn borrow(&self) -> &Message {
        &self.message
    }
}

/// The application may not wait for it.
fn report(finished: Option<Finished<Publishing>>) {
    if let Some((publishing, result)) = finished {
        let _ = publishing.done.send(result.map_err(Error::Undelivered));
    }
}

/// What outlives a connection.
pub(crate) struct Driver<V: Protocol> {
    options: Options,
    commands: mpsc::Receiver<Command>,
    acknowledged: mpsc::UnboundedReceiver<Acknowledgement>,
    acknowledge: mpsc::UnboundedSender<Acknowledgement>,
    session: Session<Vec<Slot>>,
    outgoing: Outgoing<Publishing>,
    requests: Requests,
    /// Disconnect when everything is done.
    disconnect: Option<v5::Disconnect<Vec<u8>>>,
    retry: Retry,
    version: core::marker::PhantomData<V>,
}

/// What belongs to one connection.
struct Link<'d, V: Protocol> {
    driver: &'d mut Driver<V>,
    client: Client<V>,
    /// Bytes to send.
    out: Vec<u8>,
    started: Instant,
    /// Why the server has ended the connection.
    last_words: Option<String>,
    /// All is done but for QoS 2 messages that the server has not released.
    done_since: Option<Instant>,
}

impl<V: Protocol> Driver<V> {
    pub(crate) fn new(mut options: Options, commands: mpsc::Receiver<Command>) -> Self {
        options.config = options.config.manual_acknowledgement(true);
        let (acknowledge, acknowledged) = mpsc::unbounded_channel();
        Self {
            retry: Retry::new(options.max_pause),
            options,
            commands,
            acknowledged,
            acknowledge,
            session: Session::default(),
            outgoing: Outgoing::default(),
            requests: Requests::default(),
            disconnect: None,
            version: core::marker::PhantomData,
        }
    }

    /// One connection after another.
    pub(crate) async fn run<D, F, S>(mut self, mut dial: D) -> Result<(), Failure>
    where
        D: FnMut() -> F,
        F: Future<Output = io::Result<S>>,
        S: AsyncRead + AsyncWrite,
    {
        loop {
            let dialled = timeout(DIAL_TIMEOUT, dial()).await;
            let lost = match dialled.unwrap_or_else(|elapsed| Err(elapsed.into())) {
                Ok(stream) => match Link::new(&mut self)?.run(stream).await? {
                    Some(lost) => lost,
                    None => return Ok(()),
                },
                Err(error) => Failure::Unreachable(error),
            };
            if self.disconnect.is_some() && self.is_delivered() {
                return Ok(());
            }
            match self.retry.pause() {
                Some(pause) if self.options.reconnect => {
                    (self.options.on_lost)(&lost);
                    sleep(pause).await;
                }
                _ => return Err(lost),
            }
        }
    }

    fn is_delivered(&self) -> bool {
        !self.outgoing.is_waiting() && self.session.outbound().next().is_none()
    }
}

impl<'d, V: Protocol> Link<'d, V> {
    /// Begins with CONNECT.
    fn new(driver: &'d mut Driver<V>) -> Result<Self, Failure> {
        let started = Instant::now();
        let start = Timestamp::from_millis(0);
        let mut client = Client::new(take(&mut driver.session), driver.options.config, start);
        let mut out = Vec::new();
        V::connect(&mut client, start, &driver.options.connect, &mut out)?;
        Ok(Self {
            driver,
            client,
            out,
            started,
            last_words: None,
            done_since: None,
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + self.started.elapsed()
    }

    /// Returns why the connection was lost, or `None` if this side has disconnected.
    async fn run<S: AsyncRead + AsyncWrite>(
        mut self,
        stream: S,
    ) -> Result<Option<Failure>, Failure> {
        let (mut reader, mut writer) = split(stream);
        let mut decoder = self.driver.options.connect.decoder::<V>();
        let mut buffer = vec![0; 16 * 1024];
        let mut is_flushed = false;
        loop {
            let (now, out) = (self.now(), &mut self.out);
            while let Some(finished) = self.driver.outgoing.publish(&mut self.client, now, out) {
                report(Some(finished));
            }
            self.disconnect_if_done();
            let takes_commands = !self.driver.outgoing.is_waiting()
                && self.driver.disconnect.is_none()
                && self.out.len() < MAX_OUT;
            is_flushed &= self.out.is_empty();
            let deadline = self.deadline();
            let mut input = &[][..];
            tokio::select! {
                // An acknowledgement comes before the commands that follow it, and a subscription
                // before the messages that a resumed session has for it.
                biased;
                Some(acknowledgement) = self.driver.acknowledged.recv() => {
                    // One of an earlier connection has no effect.
                    let _ = self.client.acknowledge(acknowledgement);
                }
                command = self.driver.commands.recv(), if takes_commands => self.command(command),
                read = reader.read(&mut buffer) => match read {
                    Ok(len @ 1..) => {
                        input = buffer.get(..len).unwrap_or_default();
                        // The server is alive, even if it needs long for a large message: PINGRESP
                        // comes behind it.
                        self.client.handle_progress(self.now());
                    }
                    Ok(0) | Err(_) => self.client.handle_transport_closed(self.now()),
                },
                sent = send(&mut writer, &mut self.out), if !is_flushed => match sent {
                    Ok(()) => is_flushed = true,
                    Err(_) => self.client.handle_transport_closed(self.now()),
                },
                () = sleep_until(deadline.unwrap_or(self.started)), if deadline.is_some() => {}
            }
            // `receive` also handles the deadline, and returns what the commands have led to.
            loop {
                let now = self.now();
                let step = self.client.receive(now, &mut decoder, &mut input);
                match step.map_err(|blocked| Failure::Lost(blocked.to_string()))? {
                    Some(Step::Event(event)) => self.event(V::translate(event)),
                    Some(Step::Action(Action::Close(reason))) => {
                        return self.close(reason, reader, writer).await;
                    }
                    Some(Step::Action(action)) => self.action(action)?,
                    None => break,
                }
            }
        }
    }

    /// When there is something to do even if nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let of_client = self.client.poll_timeout();
        let of_client = of_client.map(|at| self.started + Duration::from_millis(at.as_millis()));
        let of_end = self.done_since.map(|since| since + PATIENCE);
        of_client.into_iter().chain(of_end).min()
    }

    fn command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Publish(message)) => self.driver.outgoing.push(message),
            Some(Command::Request(kind)) => {
                let (now, requests) = (self.now(), &mut self.driver.requests);
                requests.send(kind, &mut self.client, now, &mut self.out);
            }
            Some(Command::Disconnect(disconnect)) => self.driver.disconnect = Some(disconnect),
            // All clients are dropped.
            None => {
                let code = v5::DisconnectReasonCode::NormalDisconnection;
                let disconnect = v5::Disconnect::new(code).map(<[u8]>::to_vec);
                self.driver.disconnect = Some(disconnect);
            }
        }
    }

    fn disconnect_if_done(&mut self) {
        let session = self.client.session();
        let is_delivered =
            !self.driver.outgoing.is_waiting() && session.outbound().next().is_none();
        let is_released = session.inbound().next().is_none();
        let is_connected = self.client.state() == State::Connected;
        let Some(disconnect) = &self.driver.disconnect else {
            return;
        };
        if !is_connected || !is_delivered {
            return;
        }
        let since = self.done_since.get_or_insert_with(Instant::now);
        if is_released || since.elapsed() >= PATIENCE {
            let now = Timestamp::from_millis(0) + self.started.elapsed();
            if V::disconnect(&mut self.client, now, disconnect, &mut self.out).is_err() {
                self.client.close(now);
            }
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Connected {
                session_present,
                properties,
            } => {
                self.driver.retry.accepted();
                let connect = &mut self.driver.options.connect;
                connect.resume_next(self.client.session_ends(), properties);
                let (now, requests) = (self.now(), &mut self.driver.requests);
                requests.resume(session_present, &mut self.client, now, &mut self.out);
            }
            Event::Message(publish) => self.deliver(publish),
            Event::Accepted(packet_id) => {
                report(self.driver.outgoing.finish(packet_id, ReasonCode::Success));
            }
            Event::Completed(packet_id, code) => {
                report(self.driver.outgoing.finish(packet_id, code));
            }
            Event::Subscribed(packet_id, codes) => {
                self.driver.requests.subscribed(packet_id, codes);
            }
            Event::Unsubscribed(packet_id) => self.driver.requests.unsubscribed(packet_id),
            Event::Ended(reason) => self.last_words = Some(reason),
            Event::Auth => {
                self.last_words = Some("it asks for enhanced authentication".to_owned());
                self.client.close(self.now());
            }
            Event::Other => {}
        }
    }

    /// Passes on a message. Above QoS 0 it is acknowledged when the application has dropped it.
    fn deliver(&self, publish: v5::Publish<&[u8]>) {
        let packet_id = publish.delivery.packet_id();
        let acknowledgement = packet_id.and_then(|id| self.client.acknowledgement(id));
        let guard = acknowledgement.map(|acknowledgement| {
            Arc::new(Guard {
                acknowledgement,
                acknowledged: self.driver.acknowledge.clone(),
            })
        });
        let message = v5::Message::from(publish).to_owned();
        let message = Received::new(message, guard);
        self.driver.requests.deliver(&message);
    }

    fn action(&mut self, action: Action<V>) -> Result<(), Failure> {
        match action {
            Action::Transmit(reply) => self.out.extend_from_slice(reply.as_ref()),
            Action::Resend(packet_id) => {
                let (now, out) = (self.now(), &mut self.out);
                let outgoing = &mut self.driver.outgoing;
                report(outgoing.resend(&mut self.client, now, packet_id, out)?);
            }
            Action::Lost {
                packet_id,
                received,
            } => report(self.driver.outgoing.lose(packet_id, received)),
            // The request is not answered, and sent again on the next connection. The others are for
            // those who keep a journal, and for servers.
            Action::Unanswered(_)
            | Action::Store(_)
            | Action::PublishWill
            | Action::DiscardWill
            | Action::Close(_) => {}
        }
        Ok(())
    }

    /// Returns what [`run`](Self::run) does.
    async fn close<S: AsyncRead + AsyncWrite>(
        mut self,
        reason: CloseReason<V>,
        reader: ReadHalf<S>,
        writer: WriteHalf<S>,
    ) -> Result<Option<Failure>, Failure> {
        let is_ours = reason == CloseReason::Disconnected && self.last_words.is_none();
        let _ = timeout(PATIENCE, send_rest(reader, writer, &mut self.out, is_ours)).await;
        self.driver.session = self.client.take_session();
        if let Some(failure) = Failure::of_close(&reason, self.last_words.as_deref()) {
            return Err(failure);
        }
        if is_ours {
            return Ok(None);
        }
        if self.driver.retry.is_accepted() {
            report(self.driver.outgoing.blame(&self.driver.session));
        }
        Ok(Some(Failure::of_loss(&reason, self.last_words.as_deref())))
    }
}

/// May be cancelled between two writes.
async fn send<S: AsyncWrite>(writer: &mut WriteHalf<S>, out: &mut Vec<u8>) -> io::Result<()> {
    while !out.is_empty() {
        match writer.write(out).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            len => drop(out.drain(..len)),
        }
    }
    writer.flush().await
}

/// If the socket went away with something in it that nobody has read, the system might throw away
/// what it has not sent yet: after DISCONNECT the server closes first.
async fn send_rest<S: AsyncRead + AsyncWrite>(
    mut reader: ReadHalf<S>,
    mut writer: WriteHalf<S>,
    out: &mut Vec<u8>,
    waits: bool,
) -> io::Result<()> {
    send(&mut writer, out).await?;
    writer.shutdown().await?;
    while waits && reader.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}
