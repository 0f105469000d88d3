//! A client and a server in one process. The program passes bytes between them in memory, and the
//! clock is a number, so that it never waits.
//!
//! A client publishes a message at QoS 2. The connection is cut before the server's answer arrives.
//! On the next connection the client resends the message, and the server recognises the duplicate.
//! Then Keep Alive makes the client send PINGREQ. At last the client is switched off, and the
//! server closes when its Keep Alive passes.

#![allow(
    clippy::std_instead_of_core,
    reason = "a program for an operating system"
)]

use std::error::Error;
use std::fmt::Arguments;
use std::mem::{replace, take};

use mqtt_sansio::v3::{self, Action, Client, Connect, Decoder, Event, Message, Server, Step};
use mqtt_sansio::{Config, Options, QoS, Session, Slot, Text, Timestamp, TopicName};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Slots for four messages in flight in each direction, without a heap.
type Slots = [Slot; 4];

/// One side: a connection, its decoder, and the bytes to send.
struct End<C> {
    connection: C,
    decoder: Decoder<[u8; 256]>,
    out: Vec<u8>,
}

impl End<Client<Slots>> {
    /// Handles received bytes, if any, and carries out the actions.
    fn receive(&mut self, now: Timestamp, mut bytes: &[u8], message: &Message<&[u8]>) -> Outcome {
        let (connection, out) = (&mut self.connection, &mut self.out);
        while let Some(step) = connection.receive(now, &mut self.decoder, &mut bytes)? {
            match step {
                Step::Event(event) => say(now, format_args!("client: {event:?}")),
                Step::Action(Action::Transmit(packet)) => out.extend_from_slice(packet.as_bytes()),
                // The client keeps no other message.
                Step::Action(Action::Resend(id)) => connection.resend(now, id, message, out)?,
                Step::Action(other) => say(now, format_args!("client: {other:?}")),
            }
        }
        Ok(())
    }
}

impl End<Server<Slots>> {
    /// `kept` is the session that the server has for the client.
    fn receive(
        &mut self,
        now: Timestamp,
        mut bytes: &[u8],
        kept: &mut Option<Session<Slots>>,
    ) -> Outcome {
        let (connection, out) = (&mut self.connection, &mut self.out);
        while let Some(step) = connection.receive(now, &mut self.decoder, &mut bytes)? {
            match step {
                Step::Event(Event::ConnectRequested(_)) => match kept.take() {
                    Some(mut session) => connection.accept_resumed(now, &mut session, out)?,
                    None => connection.accept_new(now, out)?,
                },
                Step::Event(Event::Message(message)) => {
                    let payload = String::from_utf8_lossy(message.payload);
                    say(now, format_args!("server: {} is {payload}", message.topic));
                }
                Step::Event(event) => say(now, format_args!("server: {event:?}")),
                Step::Action(Action::Transmit(packet)) => out.extend_from_slice(packet.as_bytes()),
                Step::Action(other) => say(now, format_args!("server: {other:?}")),
            }
        }
        Ok(())
    }
}

/// The whole program.
struct World {
    now: Timestamp,
    client: End<Client<Slots>>,
    server: End<Server<Slots>>,
    kept: Option<Session<Slots>>,
    message: Message<&'static [u8]>,
}

const fn end<C>(connection: C) -> End<C> {
    End {
        connection,
        decoder: Decoder::new([0; 256]),
        out: Vec::new(),
    }
}

fn new_client(session: Session<Slots>, now: Timestamp) -> End<Client<Slots>> {
    end(Client::new(session, Config::new(), now))
}

/// The server gets its session after CONNECT.
fn new_server(now: Timestamp) -> End<Server<Slots>> {
    end(Server::new(Session::default(), Config::new(), now))
}

impl World {
    fn client_to_server(&mut self) -> Outcome {
        let bytes = take(&mut self.client.out);
        show(self.now, "client", &bytes)?;
        self.server.receive(self.now, &bytes, &mut self.kept)
    }

    fn server_to_client(&mut self) -> Outcome {
        let bytes = take(&mut self.server.out);
        show(self.now, "server", &bytes)?;
        self.client.receive(self.now, &bytes, &self.message)
    }

    /// Passes bytes in both directions until neither side has any to send.
    fn converse(&mut self) -> Outcome {
        while !(self.client.out.is_empty() && self.server.out.is_empty()) {
            self.client_to_server()?;
            self.server_to_client()?;
        }
        Ok(())
    }

    /// Both sides notice that the connection is lost, and keep their sessions for the next one.
    fn cut_and_connect_again_after(&mut self, millis: u64) -> Outcome {
        say(self.now, format_args!("(the connection is cut)"));
        self.client.connection.handle_transport_closed(self.now);
        self.client.receive(self.now, &[], &self.message)?;
        self.server.connection.handle_transport_closed(self.now);
        self.server.receive(self.now, &[], &mut self.kept)?;

        self.now = self.now.plus_millis(millis);
        let server = replace(&mut self.server, new_server(self.now));
        self.kept = Some(server.connection.into_session());
        let client = replace(&mut self.client, new_client(Session::default(), self.now));
        self.client = new_client(client.connection.into_session(), self.now);
        self.connect()
    }

    fn connect(&mut self) -> Outcome {
        let mut connect = Connect::new(Text::new("device-7")?);
        (connect.clean_session, connect.keep_alive) = (false, 60);
        let End {
            connection, out, ..
        } = &mut self.client;
        connection.connect(self.now, &connect, out)?;
        self.converse()
    }

    /// Advances the clock to the next deadline of the client or, if that is off, of the server.
    fn let_time_pass(&mut self, client_is_on: bool) -> Outcome {
        let deadline = if client_is_on {
            self.client.connection.poll_timeout()
        } else {
            self.server.connection.poll_timeout()
        };
        self.now = deadline.unwrap_or(self.now);
        if client_is_on {
            self.client.connection.handle_timeout(self.now);
            self.client.receive(self.now, &[], &self.message)?;
        }
        self.server.connection.handle_timeout(self.now);
        self.server.receive(self.now, &[], &mut self.kept)?;
        self.converse()
    }
}

fn say(now: Timestamp, what: Arguments<'_>) {
    println!("{:>6} ms  {what}", now.as_millis());
}

/// Prints the packets that one side sends to the other.
fn show(now: Timestamp, sender: &str, mut bytes: &[u8]) -> Outcome {
    while let Some(packet) = v3::decode(&mut bytes, &Options::new())? {
        say(now, format_args!("{sender} sends {packet:?}"));
    }
    Ok(())
}

fn main() -> Outcome {
    let now = Timestamp::from_millis(0);
    let mut world = World {
        now,
        client: new_client(Session::default(), now),
        server: new_server(now),
        kept: None,
        message: Message {
            topic: TopicName::new("kitchen/temperature")?,
            payload: b"21.5",
            qos: QoS::ExactlyOnce,
            retain: false,
        },
    };
    world.connect()?;

    let End {
        connection, out, ..
    } = &mut world.client;
    connection.publish(now, &world.message, out)?;
    world.client_to_server()?; // and what the server answers is lost
    world.cut_and_connect_again_after(5_000)?;

    world.let_time_pass(true)?;
    say(world.now, format_args!("(the client is switched off)"));
    world.let_time_pass(false)
}
