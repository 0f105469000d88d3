//! The task of a [`Client`](crate::Client), which opens one connection after another.

use std::borrow::Borrow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use client::Failure;
use client::outgoing::{Finished, MAX_OUT, Outgoing};
use client::protocol::{Client, Event, Message, Protocol};
use client::retry::Retry;
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{Acknowledgement, Action, CloseReason, Session, State, Step, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::client::{Error, Guard, Options, Received};
use crate::requests::{Done, Kind, Requests};

/// The time to open a connection, with TLS and WebSocket.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for the server to close after DISCONNECT, and before it to release QoS 2 messages.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) enum Command {
    Publish(Publishing),
    Request(Kind),
    Disconnect(v5::Disconnect<Vec<u8>>),
}

/// A message, and the channel for its result.
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

/// The application may have dropped the receiver.
fn report(finished: Option<Finished<Publishing>>) {
    if let Some((publishing, result)) = finished {
        let _ = publishing.done.send(result.map_err(Error::Undelivered));
    }
}

pub(crate) struct Driver<V: Protocol> {
    options: Options,
    commands: mpsc::Receiver<Command>,
    acknowledged: mpsc::UnboundedReceiver<Acknowledgement>,
    acknowledge: mpsc::UnboundedSender<Acknowledgement>,
    started: Instant,
    retry: Retry,
    /// The connection that is open, or was open last. It has the session.
    client: Client<V>,
    outgoing: Outgoing<Publishing>,
    requests: Requests,
    /// Bytes to send.
    out: Vec<u8>,
    /// The server's reason to end the connection.
    last_words: Option<String>,
    /// Disconnect when everything is delivered.
    disconnect: Option<v5::Disconnect<Vec<u8>>>,
    /// When everything was delivered.
    done_since: Option<Instant>,
}

impl<V: Protocol> Driver<V> {
    pub(crate) fn new(mut options: Options, commands: mpsc::Receiver<Command>) -> Self {
        options.config = options.config.manual_acknowledgement(true);
        let (acknowledge, acknowledged) = mpsc::unbounded_channel();
        let start = Timestamp::from_millis(0);
        Self {
            started: Instant::now(),
            retry: Retry::new(options.max_pause),
            client: Client::new(Session::default(), options.config, start),
            options,
            commands,
            acknowledged,
            acknowledge,
            outgoing: Outgoing::default(),
            requests: Requests::default(),
            out: Vec::new(),
            last_words: None,
            disconnect: None,
            done_since: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + self.started.elapsed()
    }

    /// Opens one connection after another.
    pub(crate) async fn run<D, F, S>(mut self, mut dial: D) -> Result<(), Failure>
    where
        D: FnMut() -> F,
        F: Future<Output = io::Result<S>>,
        S: AsyncRead + AsyncWrite,
    {
        loop {
            let dialled = timeout(DIAL_TIMEOUT, dial()).await;
            let lost = match dialled.unwrap_or_else(|elapsed| Err(elapsed.into())) {
                Ok(stream) => self.serve(stream).await?,
                Err(error) => Some(Failure::Unreachable(error)),
            };
            let Some(lost) = lost.filter(|_| self.disconnect.is_none() || !self.is_delivered())
            else {
                return Ok(());
            };
            match self.retry.pause() {
                Some(pause) if self.options.reconnect => {
                    (self.options.on_lost)(&lost);
                    sleep(pause).await;
                }
                _ => return Err(lost),
            }
        }
    }

    /// Runs one connection, from CONNECT to its end. Returns why it was lost, or `None` if this
    /// side disconnected.
    async fn serve<S: AsyncRead + AsyncWrite>(
        &mut self,
        stream: S,
    ) -> Result<Option<Failure>, Failure> {
        let (mut reader, mut writer) = split(stream);
        let mut decoder = self.options.connect.decoder::<V>();
        let mut buffer = vec![0; 16 * 1024];
        let mut is_flushed = false;
        let (now, session) = (self.now(), self.client.take_session());
        self.client = Client::new(session, self.options.config, now);
        (self.last_words, self.done_since) = (None, None);
        self.out.clear();
        V::connect(&mut self.client, now, &self.options.connect, &mut self.out)?;
        loop {
            self.publish_or_disconnect();
            let takes_commands = !self.outgoing.is_waiting()
                && self.disconnect.is_none()
                && self.out.len() < MAX_OUT;
            is_flushed &= self.out.is_empty();
            let deadline = self.deadline();
            let mut input = &[][..];
            tokio::select! {
                // An acknowledgement is handled before later commands, and a subscription before
                // the messages that a resumed session has for it.
                biased;
                Some(acknowledgement) = self.acknowledged.recv() => {
                    // An acknowledgement of an earlier connection has no effect.
                    let _ = self.client.acknowledge(acknowledgement);
                }
                command = self.commands.recv(), if takes_commands => self.command(command),
                read = reader.read(&mut buffer) => match read {
                    Ok(len @ 1..) => input = buffer.get(..len).unwrap_or_default(),
                    Ok(0) | Err(_) => self.client.handle_transport_closed(self.now()),
                },
                sent = send(&mut writer, &mut self.out), if !is_flushed => match sent {
                    Ok(()) => is_flushed = true,
                    Err(_) => self.client.handle_transport_closed(self.now()),
                },
                () = sleep_until(deadline.unwrap_or(self.started)), if deadline.is_some() => {}
            }
            // `receive` also handles the deadline, and returns the actions of the commands.
            loop {
                let step = (self.client).receive(self.now(), &mut decoder, &mut input);
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

    /// Returns the time of the next deadline.
    fn deadline(&self) -> Option<Instant> {
        let of_client = self.client.poll_timeout();
        let of_client = of_client.map(|at| self.started + Duration::from_millis(at.as_millis()));
        let of_end = self.done_since.map(|since| since + PATIENCE);
        of_client.into_iter().chain(of_end).min()
    }

    fn command(&mut self, command: Option<Command>) {
        let now = self.now();
        match command {
            Some(Command::Publish(message)) => self.outgoing.push(message),
            Some(Command::Request(kind)) => {
                (self.requests).send(kind, &mut self.client, now, &mut self.out);
            }
            Some(Command::Disconnect(disconnect)) => self.disconnect = Some(disconnect),
            // All clients were dropped.
            None => {
                let code = v5::DisconnectReasonCode::NormalDisconnection;
                self.disconnect = Some(v5::Disconnect::new(code).map(<[u8]>::to_vec));
            }
        }
    }

    fn is_delivered(&self) -> bool {
        !self.outgoing.is_waiting() && self.client.session().outbound().next().is_none()
    }

    /// Publishes waiting messages as far as the connection allows. When everything is delivered,
    /// disconnects if the application asked for it.
    fn publish_or_disconnect(&mut self) {
        let now = self.now();
        while let Some(finished) = (self.outgoing).publish(&mut self.client, now, &mut self.out) {
            report(Some(finished));
        }
        let is_done = self.client.state() == State::Connected && self.is_delivered();
        if let Some(disconnect) = self.disconnect.as_ref().filter(|_| is_done) {
            let since = self.done_since.get_or_insert_with(Instant::now);
            let is_released = self.client.session().inbound().next().is_none();
            if (is_released || since.elapsed() >= PATIENCE)
                && V::disconnect(&mut self.client, now, disconnect, &mut self.out).is_err()
            {
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
                self.retry.accepted();
                let connect = &mut self.options.connect;
                connect.resume_next(self.client.session_ends(), properties);
                let (now, client) = (self.now(), &mut self.client);
                (self.requests).resume(session_present, client, now, &mut self.out);
            }
            Event::Message(publish) => self.deliver(publish),
            Event::Accepted(packet_id) => {
                report(self.outgoing.finish(packet_id, ReasonCode::Success));
            }
            Event::Completed(packet_id, code) => report(self.outgoing.finish(packet_id, code)),
            Event::Subscribed(packet_id, codes) => self.requests.subscribed(packet_id, codes),
            Event::Unsubscribed(packet_id) => self.requests.unsubscribed(packet_id),
            Event::Ended(reason) => self.last_words = Some(reason),
            Event::Auth => {
                self.last_words = Some("it asks for enhanced authentication".to_owned());
                self.client.close(self.now());
            }
            Event::Other => {}
        }
    }

    /// Forwards a message. Above QoS 0 it is acknowledged when the application drops it.
    fn deliver(&self, publish: v5::Publish<&[u8]>) {
        let packet_id = publish.delivery.packet_id();
        let acknowledgement = packet_id.and_then(|id| self.client.acknowledgement(id));
        let guard = acknowledgement.map(|acknowledgement| {
            Arc::new(Guard {
                acknowledgement,
                acknowledged: self.acknowledge.clone(),
            })
        });
        let message = v5::Message::from(publish).to_owned();
        self.requests.deliver(&Received::new(message, guard));
    }

    fn action(&mut self, action: Action<V>) -> Result<(), Failure> {
        let (now, out) = (self.now(), &mut self.out);
        match action {
            Action::Transmit(reply) => out.extend_from_slice(reply.as_ref()),
            Action::Resend(packet_id) => {
                report((self.outgoing).resend(&mut self.client, now, packet_id, out)?);
            }
            Action::Lost {
                packet_id,
                received,
            } => report(self.outgoing.lose(packet_id, received)),
            // Requests without an answer are repeated on the next connection. Other actions are for
            // journals and servers.
            _ => {}
        }
        Ok(())
    }

    /// Ends the connection. Returns the result of [`serve`](Self::serve).
    async fn close<S: AsyncRead + AsyncWrite>(
        &mut self,
        reason: CloseReason<V>,
        reader: ReadHalf<S>,
        writer: WriteHalf<S>,
    ) -> Result<Option<Failure>, Failure> {
        let last_words = self.last_words.take();
        let is_ours = reason == CloseReason::Disconnected && last_words.is_none();
        let _ = timeout(PATIENCE, send_rest(reader, writer, &mut self.out, is_ours)).await;
        if let Some(failure) = Failure::of_close(&reason, last_words.as_deref()) {
            return Err(failure);
        }
        if is_ours {
            return Ok(None);
        }
        if self.retry.is_accepted() {
            report(self.outgoing.blame(self.client.session()));
        }
        Ok(Some(Failure::of_loss(&reason, last_words.as_deref())))
    }
}

/// Cancel safe between two writes.
async fn send<S: AsyncWrite>(writer: &mut WriteHalf<S>, out: &mut Vec<u8>) -> io::Result<()> {
    while !out.is_empty() {
        match writer.write(out).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            len => drop(out.drain(..len)),
        }
    }
    writer.flush().await
}

/// If a socket is closed with unread bytes, the system may discard bytes that it has not sent yet.
/// So after DISCONNECT this side waits for the server to close.
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
