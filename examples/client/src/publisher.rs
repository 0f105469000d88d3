//! `client pub`: publishes, waits until all of it is delivered, and disconnects.

use std::io::{self, BufRead};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use mqtt_sansio::v3::{Event, Message};
use mqtt_sansio::{QoS, TopicName};

use crate::Failure;
use crate::connection::{Application, Connection};

/// What the user asks for.
pub(crate) struct Options {
    pub(crate) topic: TopicName<Vec<u8>>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) payload: Payload,
}

pub(crate) enum Payload {
    /// This one, so many times.
    Times(u64, Vec<u8>),
    /// Each line of standard input.
    Lines,
}

pub(crate) struct Publisher {
    topic: TopicName<Vec<u8>>,
    qos: QoS,
    retain: bool,
    source: Source,
}

enum Source {
    Message(u64, Rc<Message<Vec<u8>>>),
    Lines(Receiver<Vec<u8>>),
}

/// `std` cannot wait for a socket and for a line at the same time, so while there may be more
/// lines, they are looked for this often.
const LOOK_FOR_LINES: Duration = Duration::from_millis(20);

impl Publisher {
    pub(crate) fn new(options: Options) -> Self {
        let Options {
            topic,
            qos,
            retain,
            payload,
        } = options;
        let source = match payload {
            Payload::Lines => Source::Lines(lines()),
            Payload::Times(times, payload) => {
                let message = Message {
                    topic: topic.clone(),
                    payload,
                    qos,
                    retain,
                };
                Source::Message(times, Rc::new(message))
            }
        };
        Self {
            topic,
            qos,
            retain,
            source,
        }
    }

    /// The next message; if there is none now, whether there may be one later.
    fn next(&mut self) -> Result<Rc<Message<Vec<u8>>>, TryRecvError> {
        match &mut self.source {
            Source::Message(0, _) => Err(TryRecvError::Disconnected),
            Source::Message(times, message) => {
                *times -= 1;
                Ok(Rc::clone(message))
            }
            Source::Lines(lines) => Ok(Rc::new(Message {
                payload: lines.try_recv()?,
                topic: self.topic.clone(),
                qos: self.qos,
                retain: self.retain,
            })),
        }
    }
}

/// The lines of standard input, from a thread of its own. It stays a little ahead, no more.
fn lines() -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(64);
    thread::spawn(move || {
        // What cannot be read ends it as the end of the input does.
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Application for Publisher {
    fn event(&mut self, _: Event<&[u8]>) -> Result<(), Failure> {
        Ok(()) // The connection keeps count of what is delivered.
    }

    fn is_satisfied(&self) -> bool {
        false
    }

    fn act(&mut self, connection: &mut Connection) -> Result<Option<Duration>, Failure> {
        // Not too many at once: the server may have something to say.
        for _ in 0..1000 {
            if !connection.has_room() {
                return Ok(None); // until an acknowledgement comes
            }
            match self.next() {
                Ok(message) => connection.publish(message)?,
                Err(TryRecvError::Empty) => return Ok(Some(LOOK_FOR_LINES)),
                Err(TryRecvError::Disconnected) => {
                    if connection.is_delivered() {
                        connection.disconnect();
                    }
                    return Ok(None);
                }
            }
        }
        Ok(Some(Duration::ZERO))
    }
}
