//! A server of any version.

use std::marker::PhantomData;

use mqtt_sansio::v5::{self, AliasVec, OutboundAliases};
use mqtt_sansio::{Blocked, CommandError, Config, PacketId, Session, State, Timestamp, any};

use super::{Commands, Endpoint, Memory, Step, options};
use crate::simulation::plan::Storage;
use crate::simulation::version::{
    Action, Content, DISMISSAL, Dialect, How, Terms, outcome, told_by_any, v5_codes, v5_terms,
    v5_unsubscribe_codes,
};

/// A server of any version, with a client of the version `V`.
pub(crate) struct AnyServer<V> {
    server: any::Server<Storage>,
    decoder: any::Decoder<Memory>,
    version: PhantomData<V>,
}

impl<V: Dialect> Endpoint for AnyServer<V> {
    type Version = V;
    const SENDS_PIECES: bool = false;

    fn new(
        session: Session<Storage>,
        config: Config,
        memory: Memory,
        in_pieces: bool,
        now: Timestamp,
    ) -> Self {
        let fallback = any::ProtocolVersion::V3;
        Self {
            server: any::Server::new(session, config, now),
            decoder: any::Decoder::with_options(memory, options(in_pieces), fallback),
            version: PhantomData,
        }
    }
    fn publish(
        &mut self,
        now: Timestamp,
        content: &Content<'_>,
        aliases: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        match content.how {
            How::Aliased => self
                .server
                .publish_aliased(now, &content.v5(), aliases, out),
            How::Whole | How::InPieces => self.server.publish(now, &content.v5(), out),
        }
    }
    fn payload(&mut self, _: Timestamp, _: &[u8], _: &mut Vec<u8>) -> Result<u32, CommandError> {
        unreachable!("payloads are sent whole")
    }
    fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        content: &Content<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        self.server.resend(now, id, &content.v5(), out)
    }
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        self.server.forget(id)
    }
    fn acknowledge(&mut self, id: PacketId, refuses: bool) -> Result<(), CommandError> {
        let acknowledgement = self.server.acknowledgement(id);
        let acknowledgement = acknowledgement.ok_or(CommandError::NotAwaited)?;
        self.server.acknowledge(acknowledgement, outcome(refuses))
    }
    fn close(&mut self, now: Timestamp) {
        self.server.close(now);
    }
    fn receive(&mut self, now: Timestamp, input: &mut &[u8]) -> Result<Option<Step>, Blocked> {
        let step = self.server.receive(now, &mut self.decoder, input)?;
        Ok(step.map(|step| match step {
            any::Step::Event(event) => Step::Event(told_by_any(event)),
            any::Step::Action(action) => Step::Action(action.into()),
        }))
    }
    fn handle_timeout(&mut self, now: Timestamp) {
        self.server.handle_timeout(now);
    }
    fn handle_transport_closed(&mut self, now: Timestamp) {
        self.server.handle_transport_closed(now);
    }
    fn poll_action(&mut self) -> Option<Action> {
        self.server.poll_action().map(Into::into)
    }
    fn poll_timeout(&self) -> Option<Timestamp> {
        self.server.poll_timeout()
    }
    fn state(&self) -> State {
        self.server.state()
    }
    fn session(&self) -> &Session<Storage> {
        self.server.session().expect("it is never `None`")
    }
    fn into_session(self) -> Session<Storage> {
        assert!(self.server.has_ended(), "all actions have been polled");
        self.session().clone()
    }
    fn session_ends(&self) -> bool {
        self.server.session_expiry_interval() == 0
    }
    fn session_expiry(&self) -> u32 {
        self.server.session_expiry_interval()
    }
    fn handled(&self) -> u64 {
        self.decoder.position()
    }
}

impl<V> Commands for AnyServer<V> {
    fn accept(
        &mut self,
        now: Timestamp,
        session: Option<Session<Storage>>,
        terms: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let properties = v5_terms(terms);
        let server = &mut self.server;
        match session {
            Some(mut session) => server.accept_resumed_with(now, &mut session, &properties, out),
            None => server.accept_new_with(now, &properties, out),
        }
    }
    fn refuse(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), CommandError> {
        let code = v5::ConnectReasonCode::ServerUnavailable;
        self.server.refuse(now, code, out)
    }
    fn suback(
        &mut self,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        self.server.suback(now, &v5_codes(filters)?, out)
    }
    fn unsuback(
        &mut self,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let codes = v5_unsubscribe_codes(filters)?;
        self.server.unsuback(now, &codes, out)
    }
    fn dismiss(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), CommandError> {
        self.server.disconnect_with(now, &DISMISSAL, out)
    }
}
