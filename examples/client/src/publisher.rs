//! `client pub`: publishes, waits until everything is delivered, and disconnects.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use client::Failure;
use client::arguments::Publish;
use client::outgoing::Finished;
use client::output::report_undelivered;
use client::protocol::{Event, Message, Protocol};

use crate::PROGRAM;
use crate::connection::{Application, Connection};
use crate::transport::{Inbox, Input};

pub(crate) struct Publisher {
    message: Message,
    source: Source,
    not_delivered: u64,
}

enum Source {
    /// One message, this number of times.
    Message(u64, Rc<Message>),
    /// Each line of standard input.
    Lines {
        waiting: VecDeque<Vec<u8>>,
        is_over: bool,
        more: Sender<()>,
    },
}

impl Publisher {
    pub(crate) fn new(publish: Publish, inbox: &Inbox) -> Result<Self, Failure> {
        let Publish {
            message,
            source,
            repeat,
        } = publish;
        let source = match source.read()? {
            Some(payload) => Source::Message(
                repeat,
                Rc::new(Message {
                    payload,
                    ..message.clone()
                }),
            ),
            None => Source::Lines {
                waiting: VecDeque::new(),
                is_over: false,
                more: read_lines(inbox.sender.clone()),
            },
        };
        Ok(Self {
            message,
            source,
            not_delivered: 0,
        })
    }

    pub(crate) const fn outcome(&self) -> Result<(), Failure> {
        match self.not_delivered {
            0 => Ok(()),
            count => Err(Failure::NotDelivered(count)),
        }
    }

    /// Returns the next message, if there is one.
    fn next(&mut self) -> Option<Rc<Message>> {
        match &mut self.source {
            Source::Message(0, _) => None,
            Source::Message(times, message) => {
                *times -= 1;
                Some(Rc::clone(message))
            }
            Source::Lines { waiting, more, .. } => {
                let payload = waiting.pop_front()?;
                if waiting.is_empty() {
                    // The thread ends with standard input.
                    let _ = more.send(());
                }
                Some(Rc::new(Message {
                    payload,
                    ..self.message.clone()
                }))
            }
        }
    }

    /// Returns true if there will be no more messages.
    fn is_over(&self) -> bool {
        match &self.source {
            Source::Message(times, _) => *times == 0,
            Source::Lines {
                waiting, is_over, ..
            } => *is_over && waiting.is_empty(),
        }
    }
}

/// Reads lines of standard input in a thread of its own. It waits until all earlier lines are
/// published.
fn read_lines(inbox: SyncSender<Input>) -> Sender<()> {
    let (sender, more) = mpsc::channel();
    thread::spawn(move || pass_lines(&inbox, &more));
    sender
}

/// Returns `None` when the program ends.
fn pass_lines(inbox: &SyncSender<Input>, more: &Receiver<()>) -> Option<()> {
    let mut input = io::stdin().lock();
    let mut rest = Vec::new();
    // A read error ends the input.
    while let Ok(bytes @ [_, ..]) = input.fill_buf() {
        rest.extend_from_slice(bytes);
        let len = bytes.len();
        input.consume(len);
        // All complete lines in the buffer.
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
            continue;
        };
        let tail = rest.split_off(end + 1);
        rest.pop();
        let lines = rest.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
        inbox.send(Input::Lines(lines.collect())).ok()?;
        rest = tail;
        more.recv().ok()?;
    }
    if !rest.is_empty() {
        inbox.send(Input::Lines(vec![rest])).ok()?;
    }
    inbox.send(Input::Lines(Vec::new())).ok()
}

/// Reports a message that was not delivered. Returns true if it was not.
pub(crate) fn report((message, result): Finished<Rc<Message>>) -> bool {
    let error = result.err();
    error.is_some_and(|error| {
        report_undelivered(PROGRAM.name(), &message.topic, error);
        true
    })
}

impl<V: Protocol> Application<V> for Publisher {
    fn event(&mut self, _: Event<'_>) -> Result<(), Failure> {
        Ok(()) // The connection keeps count of what is delivered.
    }

    fn lines(&mut self, lines: Vec<Vec<u8>>) {
        if let Source::Lines {
            waiting, is_over, ..
        } = &mut self.source
        {
            *is_over |= lines.is_empty();
            waiting.extend(lines);
        }
    }

    fn finished(&mut self, finished: Finished<Rc<Message>>) {
        self.not_delivered += u64::from(report(finished));
    }

    fn is_satisfied(&self) -> bool {
        false
    }

    fn act(&mut self, connection: &mut Connection<V>) -> Result<Option<Duration>, Failure> {
        // Only a few at once, because the server may have something to send.
        for _ in 0..1000 {
            if !connection.has_room() {
                return Ok(None); // until an acknowledgement comes
            }
            match self.next() {
                Some(message) => connection.publish(message)?,
                None => {
                    if self.is_over() && connection.is_delivered() {
                        connection.disconnect();
                    }
                    return Ok(None);
                }
            }
        }
        Ok(Some(Duration::ZERO))
    }
}
