//! One side: an application with its connection, its storage and its restarts. This file has the
//! start and the end of connections and processes.

mod actions;
mod commands;
mod inputs;

use mqtt_sansio::{CommandError, Session, State, Timestamp};

use super::app::App;
use super::connection::Connection;
use super::context::{Context, Outcome, ensure, fail};
use super::endpoint::Endpoint;
use super::link::Socket;
use super::plan::{Sessions, Side, SidePlan, Storage};
use super::version::{Dialect, Farewell, Opening, Terms};

/// Whether the connection still exists after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Flow {
    Goes,
    Ended,
    Crashed,
}

pub(crate) struct Peer<E: Endpoint> {
    side: Side,
    plan: SidePlan,
    pub(crate) app: App,
    /// The session between connections.
    session: Option<Session<Storage>>,
    pub(crate) connection: Option<Connection<E>>,
    /// Server: a connection that is not accepted yet. The earlier one may still exist.
    pub(crate) newcomer: Option<Connection<E>>,
}

impl<E: Endpoint> Peer<E> {
    pub(crate) fn new(ctx: &Context, side: Side) -> Self {
        let plan = ctx.plan.side(side).clone();
        let session = Session::new(plan.outbound.storage(), plan.inbound.storage());
        Self {
            side,
            app: App::new(ctx, side),
            session: (side == Side::Client).then_some(session),
            plan,
            connection: None,
            newcomer: None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|c| c.endpoint.state() == State::Connected)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let connections = self.connection.iter().chain(&self.newcomer);
        connections.filter_map(|c| c.endpoint.poll_timeout()).min()
    }

    /// Returns true if nothing is left to do.
    pub(crate) fn is_idle(&self) -> bool {
        let is_quiet = |c: &Connection<E>| {
            c.input.is_empty()
                && !c.is_blocked
                && c.out.is_empty()
                && c.sending.is_none()
                && c.resends.is_empty()
                && c.requests.is_empty()
                && c.socket.is_quiet()
                && c.endpoint.session().is_empty()
                && c.tap.in_flight() == 0
        };
        self.app.is_done() && self.newcomer.is_none() && self.connection.iter().all(is_quiet)
    }

    /// Returns the session, once the connection has ended.
    pub(crate) const fn take_session(&mut self) -> Option<Session<Storage>> {
        self.session.take()
    }

    // Steps

    /// Performs one random step of this side.
    pub(crate) fn act(&mut self, ctx: &mut Context) -> Outcome {
        let newcomer = self.newcomer.is_some() && ctx.rng.u32(0..4) > 0;
        match ctx.rng.u32(0..100) {
            0..=45 => self.receive(ctx, newcomer).map(drop),
            46..=61 => self.publish(ctx).map(drop),
            62..=69 => self.acknowledge(ctx).map(drop),
            70..=77 => self.answer(ctx, newcomer).map(drop),
            78..=84 => self.send_piece(ctx).map(drop),
            85..=89 => self.resend_next(ctx).map(drop),
            90..=96 => self.look_at_clock(ctx, newcomer),
            97..=98 if self.side == Side::Client => self.request(ctx),
            99 if ctx.rng.u32(0..3) == 0 => self.end(ctx),
            99 if ctx.misfortune(ctx.plan.crashes * 10) => self.crash(ctx),
            _ => Ok(()),
        }
    }

    /// Performs everything that this side can do. Returns true if there was anything.
    pub(crate) fn do_all(&mut self, ctx: &mut Context) -> Outcome<bool> {
        let mut any = false;
        for newcomer in [false, true] {
            any |= self.receive(ctx, newcomer)?;
            any |= self.answer(ctx, newcomer)?;
        }
        any |= self.acknowledge(ctx)?;
        any |= self.send_piece(ctx)?;
        any |= self.resend_next(ctx)?;
        any |= self.publish(ctx)?;
        Ok(any)
    }

    // The start and the end of connections

    /// Calls a function with the connection (or the newcomer), and ends the connection if it is
    /// over.
    fn with(
        &mut self,
        ctx: &mut Context,
        newcomer: bool,
        work: impl FnOnce(&mut Self, &mut Context, &mut Connection<E>) -> Outcome<Flow>,
    ) -> Outcome {
        let place = if newcomer {
            &mut self.newcomer
        } else {
            &mut self.connection
        };
        let Some(mut connection) = place.take() else {
            return Ok(());
        };
        match work(self, ctx, &mut connection)? {
            Flow::Goes if connection.owns_session() => self.connection = Some(connection),
            Flow::Goes => self.newcomer = Some(connection),
            Flow::Ended => self.ended(ctx, connection),
            Flow::Crashed => {
                connection.socket.sever(&mut ctx.rng);
                self.crash(ctx)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, ctx: &mut Context, connection: Connection<E>) {
        if !connection.owns_session() {
            return;
        }
        self.app.connection_ended(ctx);
        let session_ends = connection.endpoint.session_ends();
        let session = connection.endpoint.into_session();
        if session_ends {
            self.app.drop_session(ctx);
        }
        let keeps = self.side == Side::Client || !session_ends;
        self.session = keeps.then_some(session);
    }

    /// The process ends, and restarts with what is stored.
    pub(crate) fn crash(&mut self, ctx: &mut Context) -> Outcome {
        ctx.note(self.side, format_args!("CRASH"));
        let connections = [self.connection.take(), self.newcomer.take()];
        for connection in connections.into_iter().flatten() {
            connection.socket.sever(&mut ctx.rng);
        }
        self.app.crash(ctx);
        let memory = &self.app.memory;
        if memory.is_clean || self.side == Side::Server && !memory.has_session {
            self.app.drop_session(ctx);
            self.session = None;
        } else {
            let session = self.app.restored(ctx)?;
            self.app.begin_again(ctx, &session);
            self.session = Some(session);
        }
        Ok(())
    }

    /// Client: opens a new connection.
    pub(crate) fn connect(&mut self, ctx: &mut Context, socket: Socket) -> Outcome {
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::new(self.plan.outbound.storage(), self.plan.inbound.storage()),
        };
        let mut connection = Connection::new(ctx, self.side, session, socket);
        while !self.app.memory.unacknowledged.is_empty() && ctx.whim(2) {
            ctx.stats.acknowledged_while_away += 1;
            self.acknowledge_any(ctx, &mut connection)?;
        }
        let opening = self.opening(ctx, &connection);
        ctx.note(self.side, format_args!("connects: {opening:?}"));
        self.connection = Some(connection);
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            let result = connection
                .endpoint
                .connect(now, &opening, &mut connection.out);
            ensure!(result.is_ok(), "connect: {result:?}");
            connection.clean_start = opening.clean_start;
            if opening.clean_start {
                peer.app.end_receiving();
            }
            peer.drain(ctx, connection)
        })
    }

    /// Returns what the client asks for in CONNECT.
    fn opening(&mut self, ctx: &mut Context, connection: &Connection<E>) -> Opening {
        let sessions = ctx.plan.sessions;
        let is_mixed = sessions == Sessions::Mixed;
        let memory = &mut self.app.memory;
        memory.starts_over |= sessions == Sessions::Clean || is_mixed && ctx.whim(4);
        let clean_start = memory.starts_over;
        // In MQTT 5 Clean Start and the end of the session are independent.
        let session_ends = if is_mixed && E::Version::IS_V5 {
            ctx.whim(if clean_start { 2 } else { 8 })
        } else {
            clean_start
        };
        memory.is_clean = session_ends;
        // The next connection has no session to resume.
        memory.starts_over |= session_ends;
        Opening {
            clean_start,
            session_expiry: match sessions {
                _ if session_ends => 0,
                Sessions::LostByServer => ctx.plan.session_expiry,
                Sessions::Kept | Sessions::Clean | Sessions::Mixed => u32::MAX,
            },
            // In MQTT 5 the server replaces it.
            keep_alive: if E::Version::IS_V5 {
                ctx.plan.keep_alive / 2
            } else {
                ctx.plan.keep_alive
            },
            has_will: ctx.plan.will,
            announced: connection.announced,
        }
    }

    /// Server: a transport was opened. An earlier one without a CONNECT is closed.
    pub(crate) fn listen(&mut self, ctx: &mut Context, socket: Socket) -> Outcome {
        if let Some(connection) = self.newcomer.take() {
            connection.socket.close();
        }
        let session = Session::new(self.plan.outbound.storage(), self.plan.inbound.storage());
        self.newcomer = Some(Connection::new(ctx, self.side, session, socket));
        Ok(())
    }

    /// Ends the connection, with or without DISCONNECT.
    pub(crate) fn end(&mut self, ctx: &mut Context) -> Outcome {
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            if ctx.whim(3) {
                ctx.note(peer.side, format_args!("closes"));
                connection.endpoint.close(now);
                return peer.drain(ctx, connection);
            }
            if peer.side == Side::Server {
                peer.dismiss(ctx, connection)?;
                return peer.drain(ctx, connection);
            }
            let farewell = Farewell {
                with_will: ctx.whim(4),
                ends_session: E::Version::IS_V5
                    && ctx.plan.sessions == Sessions::Mixed
                    && ctx.rng.bool(),
            };
            let result = connection
                .endpoint
                .leave(now, &farewell, &mut connection.out);
            match result {
                Ok(()) => {
                    ctx.stats.disconnects += 1;
                    // The DISCONNECT may not reach the server.
                    peer.app.memory.starts_over |= farewell.ends_session;
                }
                Err(CommandError::NotConnected) => {
                    ensure!(!connection.is_accepted, "disconnect: {result:?}");
                }
                Err(CommandError::SendingPayload) => {
                    ensure!(connection.sending.is_some(), "disconnect: {result:?}");
                }
                Err(_) => fail!("disconnect: {result:?}"),
            }
            peer.drain(ctx, connection)
        })
    }

    /// Server: ends the connection, with DISCONNECT if the version has one.
    fn dismiss(&self, ctx: &mut Context, connection: &mut Connection<E>) -> Outcome {
        let now = connection.now(ctx);
        let result = connection.endpoint.dismiss(now, &mut connection.out);
        match result {
            Ok(()) => ctx.stats.dismissed += u64::from(E::Version::IS_V5),
            Err(CommandError::SendingPayload) => {
                ensure!(connection.sending.is_some(), "dismiss: {result:?}");
                connection.endpoint.close(now);
            }
            Err(_) => fail!("dismiss: {result:?}"),
        }
        ctx.note(self.side, format_args!("dismisses the client"));
        Ok(())
    }

    /// Server: answers CONNECT. An earlier connection of the client ends [MQTT-3.1.4-2].
    fn accept(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
        opening: Opening,
    ) -> Outcome<Flow> {
        if ctx.whim(12) {
            ctx.note(self.side, format_args!("refuses"));
            let now = connection.now(ctx);
            let result = connection.endpoint.refuse(now, &mut connection.out);
            ensure!(result.is_ok(), "refuse: {result:?}");
            return self.drain(ctx, connection);
        }
        if let Some(mut earlier) = self.connection.take() {
            ctx.stats.takeovers += 1;
            ctx.note(
                self.side,
                format_args!("takes over from an earlier connection"),
            );
            self.dismiss(ctx, &mut earlier)?;
            match self.drain(ctx, &mut earlier)? {
                Flow::Goes => fail!("the earlier connection goes on"),
                Flow::Ended => self.ended(ctx, earlier),
                Flow::Crashed => {
                    earlier.socket.sever(&mut ctx.rng);
                    return Ok(Flow::Crashed);
                }
            }
        }
        let memory = &self.app.memory;
        // [MQTT5-4.1.0-2]
        let expired = memory.has_session && memory.expires.is_some_and(|at| at <= ctx.millis);
        ctx.stats.expired += u64::from(expired);
        let loses = ctx.plan.sessions == Sessions::LostByServer
            && (expired || !memory.is_established || ctx.whim(4));
        ensure!(
            loses || !expired,
            "a session that is kept for ever has expired"
        );
        if loses && memory.has_session {
            ctx.stats.lost_by_server += 1;
            ctx.note(self.side, format_args!("LOSES THE SESSION"));
        }
        if opening.clean_start || loses || !memory.has_session {
            self.app.drop_session(ctx);
            self.session = None;
        }
        let shorter = if E::Version::IS_V5 && !opening.session_ends() && ctx.whim(4) {
            match ctx.plan.sessions {
                Sessions::LostByServer => Some(ctx.rng.u32(0..=1)),
                // A client that does not receive CONNACK would not know.
                Sessions::Kept | Sessions::Clean | Sessions::Mixed => None,
            }
        } else {
            None
        };
        ctx.stats.expiry_shortened += u64::from(shorter.is_some());
        let session_expiry = shorter.unwrap_or(opening.session_expiry);
        let session = self.session.take();
        ensure!(
            session.is_some() == self.app.memory.has_session,
            "the server has mislaid a session"
        );
        self.app.memory.has_session = session_expiry > 0;
        self.app.memory.is_clean = session_expiry == 0;
        self.app.memory.session_expiry = session_expiry;
        self.app.memory.expires = None;
        ctx.note(
            self.side,
            format_args!("accepts, session present: {}", session.is_some()),
        );
        let now = connection.now(ctx);
        let terms = Terms {
            keep_alive: ctx.plan.keep_alive,
            session_expiry: shorter,
            announced: connection.announced,
        };
        let result = connection
            .endpoint
            .accept(now, session, &terms, &mut connection.out);
        ensure!(result.is_ok(), "accept: {result:?}");
        let endpoint = &connection.endpoint;
        ensure!(
            endpoint.session_ends() == (session_expiry == 0)
                && (endpoint.session_ends() || endpoint.session_expiry() == session_expiry),
            "the session is kept for {} seconds",
            endpoint.session_expiry()
        );
        connection.is_accepted = true;
        connection.last_received = connection.clock;
        match self.drain(ctx, connection)? {
            Flow::Goes => self.work_off(ctx, connection, &mut false),
            over => Ok(over),
        }
    }
}
