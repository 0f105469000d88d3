//! One connection: a transport and a clock for [`Client`], which has neither. The part to copy, with
//! `driver.rs`.
//!
//! It waits in one place, for the inbox or for the next deadline, whichever comes first. What was
//! received goes in; then the actions that come out are carried out, until there are none.

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

/// What a connection leaves to the next one.
pub(crate) struct Kept {
    pub(crate) connect: Connect,
    pub(crate) retry: Retry,
    /// Which messages are under way, and how far.
    pub(crate) session: Session<Vec<Slot>>,
    /// Those messages, and messages that have not been sent yet.
    pub(crate) outgoing: Outgoing<Rc<Message>>,
    /// Where the next run finds them, if it is to.
    pub(crate) store: Option<Store>,
}

impl Kept {
    /// For the first connection.
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

/// What is to be done with a connection.
pub(crate) trait Application<V: Protocol> {
    /// Something has happened.
    fn event(&mut self, event: Event<'_>) -> Result<(), Failure>;

    /// Lines of standard input; none at its end.
    fn lines(&mut self, _: Vec<Vec<u8>>) {}

    /// A message is delivered, or not.
    fn finished(&mut self, _: Finished<Rc<Message>>) {}

    /// True if it takes no more messages. What comes then is not acknowledged, and so comes again
    /// when the session is resumed.
    fn is_satisfied(&self) -> bool;

    /// Commands, if any. Called on an accepted connection, whenever something may have changed.
    /// Returns how long to wait at most before the next call.
    fn act(&mut self, connection: &mut Connection<V>) -> Result<Option<Duration>, Failure>;
}

pub(crate) struct Connection<V: Protocol> {
    /// Tells its input from that of an earlier one.
    number: u64,
    transport: Transport,
    client: Client<V>,
    /// What is encoded and not yet sent.
    out: Vec<u8>,
    /// All but the session, which the client has.
    kept: Kept,
    /// What has become of messages, for the application.
    finished: Vec<Finished<Rc<Message>>>,
    /// A message of the application had to wait.
    has_queued: bool,
    disconnect: mqtt_sansio::v5::Disconnect<Vec<u8>>,
    started: Instant,
    closed: Option<Closed<V>>,
    /// Received and sent.
    traces: Option<(Trace<V>, Trace<V>)>,
}

/// How a connection has ended.
#[derive(Debug, Clone)]
pub(crate) struct Closed<V: Protocol> {
    pub(crate) reason: CloseReason<V>,
    /// Why the server has ended it, in its words.
    pub(crate) last_words: Option<String>,
}

impl<V: Protocol> Closed<V> {
    /// True if this side has ended it, not the server or the network.
    pub(crate) const fn is_ours(&self) -> bool {
        self.last_words.is_none()
            && matches!(
                self.reason,
                CloseReason::Disconnected | CloseReason::Aborted
            )
    }
}

impl<V: Protocol> Connection<V> {
    /// Begins with CONNECT.
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

    /// A decoder for this connection. It is apart from it: an event may borrow from the decoder.
    pub(crate) fn decoder(&self) -> Decoder<V> {
        self.kept.connect.decoder()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + self.started.elapsed()
    }

    /// Sends what is to be sent, then waits for one thing to happen, at most this long. To be
    /// called until it returns how the connection has ended. What comes, comes over TCP
    /// [MQTT-7.1.2-1].
    pub(crate) fn wait(
        &mut self,
        at_most: Option<Duration>,
        inbox: &Inbox,
        decoder: &mut Decoder<V>,
        application: &mut impl Application<V>,
    ) -> Result<Option<Closed<V>>, Failure> {
        self.receive(&[], decoder, application)?; // what commands have led to
        // An action, such as Store, may have been all that a message had to wait for.
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

    /// Sends what is to be sent.
    fn send(&mut self) -> Result<(), Failure> {
        if self.out.is_empty() {
            return Ok(());
        }
        // Stored before it is sent: a crash cannot come between them.
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
