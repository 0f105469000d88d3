//! One connection: a socket and a clock for [`Client`], which has neither. The part to copy.
//!
//! It waits in one place, for the socket or for the next deadline, whichever comes first. Whatever
//! happens there goes in; then the actions that come out are carried out, until there are none.

mod commands;

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mqtt_sansio::v3::{self, Connect, Decoder, Packet};
use mqtt_sansio::{
    Action, Client, CloseReason, Config, Event, HandleError, Message, Options, Outbox, SendError,
    Session, Slot, Timestamp,
};

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
        let config = config.journal(kept.store.is_some());
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
            store: kept.store,
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
    /// called until it says why the connection is over.
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

    /// Bytes have come: takes the packets in them one by one.
    fn receive(
        &mut self,
        mut bytes: &[u8],
        application: &mut impl Application,
    ) -> Result<(), Failure> {
        let now = self.now();
        loop {
            let packet = match self.decoder.decode(&mut bytes) {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.client.handle_decode_error(now, error);
                    return Ok(());
                }
            };
            if self.debug {
                eprintln!("received {packet:?}");
            }
            if matches!(packet, Packet::Publish(_)) && application.is_satisfied() {
                continue; // as if it had not come
            }
            match self.client.handle_packet(now, packet) {
                Ok(Some(event)) => {
                    match event {
                        Event::Connected { .. } => self.accepted = true,
                        // It will not be asked for again.
                        Event::Received(packet_id) | Event::Delivered(packet_id) => {
                            self.outbox.remove(packet_id);
                        }
                        _ => {}
                    }
                    application.event(event)?;
                }
                Ok(None) => {}
                // The actions say so, and why.
                Err(HandleError::Peer(_) | HandleError::Ended) => return Ok(()),
                Err(HandleError::NotNow(what)) => return Err(Failure::Lost(what.to_string())),
            }
            self.act()?;
        }
    }

    /// Does what the connection asks for, and then publishes what has been waiting, as far as the
    /// window allows. All of it ends in `out`.
    fn act(&mut self) -> Result<(), Failure> {
        loop {
            while let Some(action) = self.client.poll_action() {
                self.carry_out(action)?;
            }
            let Some(message) = self.queue.front() else {
                return Ok(());
            };
            match self.client.publish(self.now(), message, &mut self.out) {
                Ok(packet_id) => {
                    let message = self.queue.pop_front();
                    if let (Some(packet_id), Some(message)) = (packet_id, message) {
                        self.outbox.keep(packet_id, message);
                    }
                }
                Err(error @ SendError::Encode(_)) => return Err(error.into()),
                Err(_) => return Ok(()), // not now
            }
        }
    }

    fn carry_out(&mut self, action: Action) -> Result<(), Failure> {
        match action {
            Action::Transmit(packet) => self.out.extend_from_slice(packet.as_bytes()),
            Action::Resend(packet_id) => match self.outbox.get(packet_id) {
                Some(message) => {
                    let now = self.now();
                    self.client.resend(now, packet_id, message, &mut self.out)?;
                }
                None => self.client.forget(packet_id)?,
            },
            // The server knows nothing of it any more. If it had it, it is delivered; if it may
            // not have had it, once too often is better than never.
            Action::Lost {
                packet_id,
                received,
            } => {
                let message = self.outbox.remove(packet_id);
                self.queue.extend(message.filter(|_| !received));
            }
            // All of it instead of each change by itself: simple, and fast enough as long as not
            // too many messages are under way.
            Action::Store(_) => self.store.iter_mut().for_each(Store::changed),
            Action::Close(reason) => self.closed = Some(reason),
            Action::PublishWill | Action::DiscardWill => {} // a server's
        }
        Ok(())
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
