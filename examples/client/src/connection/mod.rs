//! One connection: a socket and a clock for [`Client`], which has neither. The part to copy, with
//! `driver.rs`.
//!
//! It waits in one place, for the socket or for the next deadline, whichever comes first. Whatever
//! happens there goes in; then the actions that come out are carried out, until there are none.

mod commands;
mod driver;

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mqtt_sansio::v3::{self, Client, CloseReason, Connect, Decoder, Event, Message};
use mqtt_sansio::{Config, Options, Outbox, Session, Slot, Timestamp};

use crate::Failure;
use crate::store::Store;

/// What a connection leaves to the next one.
#[derive(Default)]
pub(crate) struct Kept {
    /// Which messages are under way, and how far.
    pub(crate) session: Session<Vec<Slot>>,
    /// Those messages.
    pub(crate) outbox: Outbox<Rc<Message<Vec<u8>>>>,
    /// Messages that have not been sent yet.
    pub(crate) queue: VecDeque<Rc<Message<Vec<u8>>>>,
    /// Where the next run finds them, if it is to.
    pub(crate) store: Option<Store>,
}

/// What is to be done with a connection.
pub(crate) trait Application {
    /// Something has happened.
    fn event(&mut self, event: Event<&[u8]>) -> Result<(), Failure>;

    /// True if it takes no more messages. What comes then is not acknowledged, and so comes again
    /// when the session is resumed.
    fn is_satisfied(&self) -> bool;

    /// Commands, if any. Called on an accepted connection, whenever something may have changed.
    /// Returns how long to wait at most before the next call.
    fn act(&mut self, connection: &mut Connection) -> Result<Option<Duration>, Failure>;
}

pub(crate) struct Connection {
    socket: TcpStream,
    client: Client<Vec<Slot>>,
    decoder: Decoder<Vec<u8>>,
    /// What is encoded and not yet written to the socket.
    out: Vec<u8>,
    outbox: Outbox<Rc<Message<Vec<u8>>>>,
    queue: VecDeque<Rc<Message<Vec<u8>>>>,
    store: Option<Store>,
    started: Instant,
    accepted: bool,
    closed: Option<CloseReason>,
    debug: bool,
}

/// A limit is for peers that one has not chosen: memory follows what has come, not what was
/// announced.
const OPTIONS: Options = Options::new().max_packet_size(u32::MAX);

impl Connection {
    /// Begins with CONNECT.
    pub(crate) fn open(
        socket: TcpStream,
        kept: Kept,
        connect: &Connect<Vec<u8>>,
        config: Config,
        debug: bool,
    ) -> Result<Self, Failure> {
        let now = Timestamp::from_millis(0);
        // With Clean Session the session ends with the connection: nothing of it may come back.
        let store = kept.store.filter(|_| !connect.clean_session);
        let config = config.journal(store.is_some());
        let mut client = Client::new(kept.session, config, now);
        let mut out = Vec::new();
        client.connect(now, connect, &mut out)?;
        Ok(Self {
            socket,
            client,
            decoder: Decoder::with_options(Vec::new(), OPTIONS),
            out,
            outbox: kept.outbox,
            queue: kept.queue,
            store,
            started: Instant::now(),
            accepted: false,
            closed: None,
            debug,
        })
    }

    fn now(&self) -> Timestamp {
        let millis = self.started.elapsed().as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Sends what is to be sent, then waits for one thing to happen, at most this long. To be
    /// called until it says why the connection is over. What comes, comes over TCP [MQTT-7.1.2-1].
    pub(crate) fn wait(
        &mut self,
        at_most: Option<Duration>,
        application: &mut impl Application,
    ) -> Result<Option<CloseReason>, Failure> {
        self.send()?;
        if self.closed.is_some() {
            return Ok(self.closed);
        }
        let now = self.now();
        let deadline = self.client.poll_timeout();
        let deadline = deadline.map(|at| Duration::from_millis(at.millis_since(now)));
        let timeout = at_most.into_iter().chain(deadline).min();
        // None waits for ever; zero would be an error.
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        let mut buffer = [0; 16 * 1024];
        let read = match self.socket.set_read_timeout(timeout) {
            Ok(()) => self.socket.read(&mut buffer),
            Err(error) => Err(error),
        };
        match read {
            Ok(0) => self.client.handle_transport_closed(self.now()),
            Ok(len) => self.receive(buffer.get(..len).unwrap_or_default(), application)?,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => self.client.handle_transport_closed(self.now()),
            },
        }
        // Also if something has come: a server that sends all the time still wants PINGREQ.
        self.client.handle_timeout(self.now());
        self.send()?;
        Ok(self.closed)
    }

    /// Sends until there is nothing left to send.
    fn send(&mut self) -> Result<(), Failure> {
        loop {
            self.act()?;
            if self.out.is_empty() {
                return Ok(());
            }
            // Stored before it is sent: a crash cannot come between them.
            if let Some(store) = &mut self.store {
                store.save_if_changed(self.client.session(), &self.outbox)?;
            }
            if self.debug {
                let mut sent = &self.out[..];
                while let Ok(Some(packet)) = v3::decode(&mut sent, &OPTIONS) {
                    eprintln!("sent {packet:?}");
                }
            }
            if self.socket.write_all(&self.out).is_err() {
                self.client.handle_transport_closed(self.now());
            }
            self.out.clear();
        }
    }
}
