//! One side: an application with its connection, its storage and its restarts. Here: how
//! connections and processes begin and end.

mod actions;
mod commands;
mod inputs;

use mqtt_sansio::v3::{Client, Connect, ConnectRefusal, Server, Will};
use mqtt_sansio::{CommandError, QoS, Session, State, Text, Timestamp, TopicName};

use super::app::App;
use super::connection::Connection;
use super::context::{Context, Outcome, ensure, fail};
use super::endpoint::Endpoint;
use super::link::Socket;
use super::plan::{Sessions, Side, SidePlan, Storage};

/// Whether the connection is still there after something was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Flow {
    Goes,
    Ended,
    Crashed,
}

pub(crate) struct Peer {
    side: Side,
    plan: SidePlan,
    pub(crate) app: App,
    /// Between connections.
    session: Option<Session<Storage>>,
    pub(crate) connection: Option<Connection>,
    /// Server: a connection that is not accepted yet; the one before may still be there.
    pub(crate) newcomer: Option<Connection>,
}

impl Peer {
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

    /// True if nothing is left to be done.
    pub(crate) fn is_idle(&self) -> bool {
        let is_quiet = |c: &Connection| {
            c.input.is_empty()
                && c.held.is_none()
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

    /// The session, once the connection has ended.
    pub(crate) const fn take_session(&mut self) -> Option<Session<Storage>> {
        self.session.take()
    }

    // How connections begin and end

    /// Does something with the connection (or with the newcomer), and whatever follows from it.
    fn with(
        &mut self,
        ctx: &mut Context,
        newcomer: bool,
        work: impl FnOnce(&mut Self, &mut Context, &mut Connection) -> Outcome<Flow>,
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
            Flow::Ended => self.ended(connection),
            Flow::Crashed => {
                connection.socket.sever(&mut ctx.rng);
                self.crash(ctx)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, connection: Connection) {
        if !connection.owns_session() {
            return;
        }
        self.app.connection_ended();
        let session = connection.endpoint.into_session();
        let keeps = self.side == Side::Client || !self.app.memory.is_clean;
        self.session = keeps.then_some(session);
    }

    /// The process ends, and begins again with what is stored.
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
            self.session = Some(self.app.restored(ctx)?);
        }
        Ok(())
    }

    /// Client: a new connection.
    pub(crate) fn connect(&mut self, ctx: &mut Context, socket: Socket) -> Outcome {
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::new(self.plan.outbound.storage(), self.plan.inbound.storage()),
        };
        let mut connection = Connection::new(
            ctx,
            self.side,
            |config, now| Endpoint::Client(Client::new(session, config, now)),
            socket,
        );
        while !self.app.memory.unacknowledged.is_empty() && ctx.whim(2) {
            ctx.stats.acknowledged_while_away += 1;
            self.acknowledge_any(ctx, &mut connection)?;
        }
        let memory = &mut self.app.memory;
        memory.starts_over |= ctx.plan.sessions == Sessions::Clean
            || ctx.plan.sessions == Sessions::Mixed && ctx.whim(4);
        memory.is_clean = memory.starts_over;
        let name = |topic| TopicName::new(topic).map_err(|_| ());
        let mut connect = Connect {
            clean_session: memory.is_clean,
            keep_alive: ctx.plan.keep_alive,
            ..Connect::new(Text::EMPTY)
        };
        if let (Ok(client_id), Ok(topic)) = (Text::new("sim"), name("will")) {
            connect.client_id = client_id;
            connect.will = ctx.plan.will.then_some(Will {
                topic,
                message: b"gone",
                qos: QoS::AtMostOnce,
                retain: false,
            });
        }
        ctx.note(
            self.side,
            format_args!("connects, clean: {}", connect.clean_session),
        );
        self.connection = Some(connection);
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            let result = connection
                .endpoint
                .connect(now, &connect, &mut connection.out);
            ensure!(result.is_ok(), "connect: {result:?}");
            if connect.clean_session {
                peer.app.end_receiving();
            }
            peer.drain(ctx, connection)
        })
    }

    /// Server: a transport is open. An earlier one that has not said anything is given up.
    pub(crate) fn listen(&mut self, ctx: &mut Context, socket: Socket) -> Outcome {
        if let Some(connection) = self.newcomer.take() {
            connection.socket.close();
        }
        let session = Session::new(self.plan.outbound.storage(), self.plan.inbound.storage());
        self.newcomer = Some(Connection::new(
            ctx,
            self.side,
            |config, now| Endpoint::Server(Server::new(session, config, now)),
            socket,
        ));
        Ok(())
    }

    /// Client: ends the connection with DISCONNECT; server: without any.
    pub(crate) fn end(&mut self, ctx: &mut Context) -> Outcome {
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            if peer.side == Side::Server || ctx.whim(3) {
                ctx.note(peer.side, format_args!("closes"));
                connection.endpoint.close(now);
                return peer.drain(ctx, connection);
            }
            let result = connection.endpoint.disconnect(now, &mut connection.out);
            match result {
                Ok(()) => ctx.stats.disconnects += 1,
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

    /// Server: CONNECT is answered. Whatever connection there was before ends [MQTT-3.1.4-2].
    fn accept(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection,
        clean: bool,
    ) -> Outcome<Flow> {
        if ctx.whim(12) {
            ctx.note(self.side, format_args!("refuses"));
            let now = connection.now(ctx);
            let result = {
                let refusal = ConnectRefusal::ServerUnavailable;
                connection
                    .endpoint
                    .refuse(now, refusal, &mut connection.out)
            };
            ensure!(result.is_ok(), "refuse: {result:?}");
            return self.drain(ctx, connection);
        }
        if let Some(mut earlier) = self.connection.take() {
            ctx.stats.takeovers += 1;
            ctx.note(
                self.side,
                format_args!("takes over from an earlier connection"),
            );
            let now = earlier.now(ctx);
            earlier.endpoint.close(now);
            match self.drain(ctx, &mut earlier)? {
                Flow::Goes => fail!("the earlier connection goes on"),
                Flow::Ended => self.ended(earlier),
                Flow::Crashed => {
                    earlier.socket.sever(&mut ctx.rng);
                    return Ok(Flow::Crashed);
                }
            }
        }
        let loses = ctx.plan.sessions == Sessions::LostByServer
            && (!self.app.memory.is_established || ctx.whim(4));
        if loses && self.app.memory.has_session {
            ctx.stats.lost_by_server += 1;
            ctx.note(self.side, format_args!("LOSES THE SESSION"));
        }
        if clean || loses || !self.app.memory.has_session {
            self.app.drop_session(ctx);
            self.session = None;
        }
        let session = self.session.take();
        ensure!(
            session.is_some() == self.app.memory.has_session,
            "the server has mislaid a session"
        );
        self.app.memory.has_session = !clean;
        self.app.memory.is_clean = clean;
        ctx.note(
            self.side,
            format_args!("accepts, session present: {}", session.is_some()),
        );
        let now = connection.now(ctx);
        let result = connection
            .endpoint
            .accept(now, session, &mut connection.out);
        ensure!(result.is_ok(), "accept: {result:?}");
        connection.is_accepted = true;
        connection.last_received = connection.clock;
        match self.drain(ctx, connection)? {
            Flow::Goes => self.work_off(ctx, connection, &mut false),
            over => Ok(over),
        }
    }
}
