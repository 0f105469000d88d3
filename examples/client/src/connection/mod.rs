//! One connection: adds a transport and a clock to [`Client`], which has neither. Copy this file and
//! `driver.rs`.
//!
//! The loop waits in one place, for the inbox or for the next deadline. It passes received bytes to
//! the client and carries out the actions.

mod commands;
mod driver;

use std::mem::take;
use std::rc::Rc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use client::Failure;
use client::arguments::Link;
use client::outgoing::{Finished, Outgoing};
use client::protocol::{Client, Connect, Decoder, Event, Message, Protocol};
use client::retry::Retry;
use client::trace::Trace;
use mqtt_sansio::{CloseReason, Session, Slot, Timestamp};

use crate::store::Store;
use crate::transport::{Inbox, Input, Transport};

/// The state that one connection leaves to the next.
pub(crate) struct Kept {
    pub(crate) connect: Connect,
    pub(crate) retry: Retry,
    /// The Packet Identifiers in flight.
    pub(crate) session: Session<Vec<Slot>>,
    /// The messages in flight, and messages that have not been sent yet.
    pub(crate) outgoing: Outgoing<Rc<Message>>,
    /// The file for the next run, if there is one.
    pub(crate) store: Option<Store>,
}

impl Kept {
    /// Returns the state for the first connection.
    pub(crate) fn new(link: &Link) -> Self {
        Self {
            connect: link.connect.clone(),
            retry: Retry::new(link.max_pause),
            session: Session::default(),
            outgoing: Outgoing::default(),
            store: None,
        }
    }
}

/// An application that uses a connection.
pub(crate) trait Application<V: Protocol> {
    /// Handles an event.
    fn event(&mut self, event: Event<'_>) -> Result<(), Failure>;

    /// Handles lines of standard input; an empty list at its end.
    fn lines(&mut self, _: Vec<Vec<u8>>) {}

    /// Handles a message that was delivered, or could not be.
    fn finished(&mut self, _: Finished<Rc<Message>>) {}

    /// Returns true if the application accepts no more messages. Later ones are not acknowledged,
    /// so the server resends them when the session is resumed.
    fn is_satisfied(&self) -> bool;

    /// Issues commands, if any. Called on an accepted connection whenever something may have
    /// changed. Returns the longest time to wait before the next call.
    fn act(&mut self, connection: &mut Connection<V>) -> Result<Option<Duration>, Failure>;
}

pub(crate) struct Connection<V: Protocol> {
    /// Distinguishes its input from that of an earlier connection.
    number: u64,
    transport: Transport,
    client: Client<V>,
    /// Encoded bytes that are not sent yet.
    out: Vec<u8>,
    /// The state for the next connection, except the session, which the client has.
    kept: Kept,
    /// Messages that were delivered, or could not be, for the application.
    finished: Vec<Finished<Rc<Message>>>,
    /// A message of the application had to wait.
    has_queued: bool,
    disconnect: mqtt_sansio::v5::Disconnect<Vec<u8>>,
    started: Instant,
    closed: Option<Closed<V>>,
    /// The packets sent and received, if they are printed.
    traces: Option<(Trace<V>, Trace<V>)>,
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(crate) struct Closed<V: Protocol> {
    pub(crate) reason: CloseReason<V>,
    /// The server's reason, in its own words.
    pub(crate) last_words: Option<String>,
}

impl<V: Protocol> Closed<V> {
    /// True if this side ended it, not the server or the network.
    pub(crate) const fn is_ours(&self) -> bool {
        self.last_words.is_none()
            && matches!(
                self.reason,
                CloseReason::Disconnected | CloseReason::Aborted
            )
    }
}

impl<V: Protocol> Connection<V> {
    /// Starts a connection with CONNECT.
    pub(crate) fn open(
        number: u64,
        transport: Transport,
        mut kept: Kept,
        link: &Link,
    ) -> Result<Self, Failure> {
        let now = Timestamp::from_millis(0);
        // Without a session file nothing is stored.
        let config = link.config.journal(kept.store.is_some());
        let config = config.manual_acknowledgement(true);
        let mut client = Client::new(take(&mut kept.session), config, now);
        let mut out = Vec::new();
        V::connect(&mut client, now, &kept.connect, &mut out)?;
        Ok(Self {
            number,
            transport,
            client,
            out,
            kept,
            finished: Vec::new(),
            has_queued: false,
            disconnect: link.disconnect.clone(),
            started: Instant::now(),
            closed: None,
            traces: (link.debug).then(|| (Trace::new("received"), Trace::new("sent"))),
        })
    }

    /// Returns a decoder for this connection. It is a separate value because an event may borrow
    /// from it.
    pub(crate) fn decoder(&self) -> Decoder<V> {
        self.kept.connect.decoder()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + self.started.elapsed()
    }

    /// Sends pending bytes, then waits for one input, at most this long. Call it until it returns
    /// how the connection ended. Bytes arrive over TCP [MQTT-7.1.2-1].
    pub(crate) fn wait(
        &mut self,
        at_most: Option<Duration>,
        inbox: &Inbox,
        decoder: &mut Decoder<V>,
        application: &mut impl Application<V>,
    ) -> Result<Option<Closed<V>>, Failure> {
        self.receive(&[], decoder, application)?; // what commands have led to
        // An action, such as Store, may have blocked a message.
        let may_go_on = take(&mut self.has_queued) && self.has_room();
        if self.closed.is_none() && !may_go_on {
            let deadline = self.client.poll_timeout();
            let deadline = deadline.map(|at| at - self.now());
            let timeout = at_most.into_iter().chain(deadline).min();
            let input = match timeout {
                Some(timeout) => inbox.receiver.recv_timeout(timeout),
                None => (inbox.receiver.recv()).map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut received = Vec::new();
            match input {
                Ok(Input::Received(number, bytes)) if number == self.number => {
                    let is_open = self.transport.receive(&bytes, &mut received);
                    self.receive(&received, decoder, application)?;
                    if !is_open.unwrap_or(false) {
                        self.client.handle_transport_closed(self.now());
                    }
                }
                Ok(Input::Received(..)) => {} // of an earlier connection
                Ok(Input::Lines(lines)) => application.lines(lines),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            self.receive(&[], decoder, application)?;
        }
        Ok(self.closed.clone())
    }

    /// Sends pending bytes.
    fn send(&mut self) -> Result<(), Failure> {
        if self.out.is_empty() {
            return Ok(());
        }
        // The session is stored before it is sent, so that a crash cannot come between.
        if let Some(store) = &mut self.kept.store {
            store.save_if_changed(self.client.session(), &self.kept.outgoing)?;
        }
        let all = self.traces.as_ref().map(|_| self.out.clone());
        if self.transport.send(&mut self.out).is_err() {
            self.client.handle_transport_closed(self.now());
            self.out.clear();
        }
        if let (Some((_, trace)), Some(all)) = (&mut self.traces, all) {
            let sent = all.len() - self.out.len();
            trace.print(all.get(..sent).unwrap_or_default());
        }
        Ok(())
    }
}
