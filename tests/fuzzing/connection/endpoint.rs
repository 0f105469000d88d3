//! The library's two roles behind one set of methods, so that one application can play either.

use mqtt_sansio::v3::{
    Action, Client, Connect, ConnectRefusal, DecodeError, Decoder, Event, HandleError, Packet,
    PublishHeader, ReturnCodes, Server, Subscriptions, TopicFilters, V3,
};
use mqtt_sansio::{
    Blocked, CommandError, Encode, Options, OutgoingMessage, PacketId, Piece, Session, State,
    Timestamp,
};

use crate::simulation::plan::Storage;

#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Client(Client<Storage>),
    Server(Server<Storage>),
}

/// What a decoder has yielded, kept until it is dealt with.
#[derive(Debug, Clone)]
pub(crate) enum Incoming {
    Packet(Packet<Vec<u8>>),
    Header(PublishHeader<Vec<u8>>),
    Payload { bytes: Vec<u8>, left: usize },
}

macro_rules! either {
    ($this:expr, $endpoint:ident => $call:expr) => {
        match $this {
            Self::Client($endpoint) => $call,
            Self::Server($endpoint) => $call,
        }
    };
}

/// For what only one role has; the harness never asks the other.
macro_rules! only {
    ($role:ident, $this:expr, $endpoint:ident => $call:expr) => {
        match $this {
            Self::$role($endpoint) => $call,
            _ => unreachable!("only a {} does this", stringify!($role)),
        }
    };
}

impl Endpoint {
    // Commands of both

    pub(crate) fn publish<M: OutgoingMessage<V3>>(
        &mut self,
        now: Timestamp,
        message: &M,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        either!(self, endpoint => endpoint.publish(now, message, out))
    }

    pub(crate) fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<u32, CommandError> {
        either!(self, endpoint => endpoint.payload(now, bytes, out))
    }

    pub(crate) fn resend<M: OutgoingMessage<V3>>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &M,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        either!(self, endpoint => endpoint.resend(now, id, message, out))
    }

    pub(crate) fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        either!(self, endpoint => endpoint.forget(id))
    }

    pub(crate) fn acknowledge(&mut self, id: PacketId) -> Result<(), CommandError> {
        either!(self, endpoint => {
            let acknowledgement = endpoint.acknowledgement(id);
            endpoint.acknowledge(acknowledgement.ok_or(CommandError::NotAwaited)?)
        })
    }

    pub(crate) fn close(&mut self, now: Timestamp) {
        either!(self, endpoint => endpoint.close(now));
    }

    // Commands of one

    pub(crate) fn connect(
        &mut self,
        now: Timestamp,
        connect: &Connect<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Client, self, client => client.connect(now, connect, out))
    }

    pub(crate) fn subscribe(
        &mut self,
        now: Timestamp,
        subscriptions: &Subscriptions<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        only!(Client, self, client => client.subscribe(now, subscriptions, out))
    }

    pub(crate) fn unsubscribe(
        &mut self,
        now: Timestamp,
        filters: &TopicFilters<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        only!(Client, self, client => client.unsubscribe(now, filters, out))
    }

    pub(crate) fn disconnect(
        &mut self,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Client, self, client => client.disconnect(now, out))
    }

    pub(crate) fn accept(
        &mut self,
        now: Timestamp,
        mut session: Option<Session<Storage>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Server, self, server => match &mut session {
            Some(session) => server.accept_resumed(now, session, out),
            None => server.accept_new(now, out),
        })
    }

    pub(crate) fn refuse(
        &mut self,
        now: Timestamp,
        refusal: ConnectRefusal,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Server, self, server => server.refuse(now, refusal, out))
    }

    pub(crate) fn suback(
        &mut self,
        now: Timestamp,
        codes: &ReturnCodes<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Server, self, server => server.suback(now, codes, out))
    }

    pub(crate) fn unsuback(
        &mut self,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        only!(Server, self, server => server.unsuback(now, out))
    }

    // Inputs

    /// `receive` makes of the packet's bytes, `before` it came, what `handle_packet` has made of the
    /// packet.
    fn check_receive(
        &self,
        mut before: Self,
        now: Timestamp,
        packet: &Packet<Vec<u8>>,
        outcome: &Result<Option<Event<Vec<u8>>>, HandleError>,
    ) {
        let Ok(bytes) = packet.encode_to_vec() else {
            return;
        };
        let mut after = self.clone();
        let expected = match outcome {
            // `receive` would begin with the actions.
            Err(HandleError::Blocked(Blocked::ActionsPending)) => return,
            Err(HandleError::Blocked(why)) => format!("{:?}", Err::<(), _>(why)),
            Ok(Some(event)) => format!("Ok(Some(Event({event:?})))"),
            Ok(None) | Err(_) => match after.poll_action() {
                Some(action) => format!("Ok(Some(Action({action:?})))"),
                None => "Ok(None)".to_owned(),
            },
        };
        // An action may be due that can wait, and comes first here; so may PINGREQ.
        let mut due = before.clone();
        either!(&mut due, endpoint => endpoint.handle_timeout(now));
        if before.clone().poll_action().is_some() || due.poll_action().is_some() {
            return;
        }
        let options = Options::new().max_packet_size(u32::MAX);
        let mut decoder = Decoder::with_options(Vec::new(), options);
        let mut input = &bytes[..];
        let step = either!(&mut before, endpoint => {
            format!("{:?}", endpoint.receive(now, &mut decoder, &mut input))
        });
        assert_eq!(step, expected, "{packet:?}");
        assert_eq!(format!("{before:?}"), format!("{after:?}"), "{packet:?}");
        let is_left = matches!(outcome, Err(HandleError::Blocked(_)));
        assert_eq!(input.len(), if is_left { bytes.len() } else { 0 });
    }

    pub(crate) fn handle(
        &mut self,
        now: Timestamp,
        incoming: &Incoming,
    ) -> Result<Option<Event<Vec<u8>>>, HandleError> {
        let piece = match incoming {
            Incoming::Packet(packet) => {
                let before = self.clone();
                let outcome =
                    either!(self, endpoint => endpoint.handle_packet(now, packet.as_ref()))
                        .map(|event| event.map(Event::to_owned));
                // It takes longer than all the rest.
                if now.as_millis() % 8 == 0 {
                    self.check_receive(before, now, packet, &outcome);
                }
                return outcome;
            }
            Incoming::Header(header) => Piece::PublishHeader(PublishHeader {
                delivery: header.delivery,
                retain: header.retain,
                topic: header.topic.as_ref(),
                payload_len: header.payload_len,
            }),
            Incoming::Payload { bytes, left } => Piece::Payload { bytes, left: *left },
        };
        let event = either!(self, endpoint => endpoint.handle_piece(now, piece))?;
        Ok(event.map(|event| match event {
            Event::MessageHeader(header) => Event::MessageHeader(header.to_owned()),
            Event::Payload { bytes, left } => Event::Payload {
                bytes: bytes.to_vec(),
                left,
            },
            other => unreachable!("a piece has led to {other:?}"),
        }))
    }

    pub(crate) fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError) {
        either!(self, endpoint => endpoint.handle_decode_error(now, error));
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        either!(self, endpoint => endpoint.handle_timeout(now));
    }

    pub(crate) fn handle_transport_closed(&mut self, now: Timestamp) {
        either!(self, endpoint => endpoint.handle_transport_closed(now));
    }

    // Outputs and views

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        either!(self, endpoint => endpoint.poll_action())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        either!(self, endpoint => endpoint.poll_timeout())
    }

    pub(crate) const fn state(&self) -> State {
        either!(self, endpoint => endpoint.state())
    }

    pub(crate) const fn session(&self) -> &Session<Storage> {
        either!(self, endpoint => endpoint.session())
    }

    pub(crate) fn into_session(self) -> Session<Storage> {
        either!(self, endpoint => endpoint.into_session())
    }
}
