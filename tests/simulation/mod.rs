//! Two peers over a bad link, driven by one seed or by bytes. The same seed gives the same run.
//!
//! `plan.rs` describes a run. `app.rs` is an application with its storage, `peer.rs` drives the
//! library for it, `link.rs` is the transport between two peers. `wire.rs` checks the packets sent,
//! `check.rs` checks the result. Everything is generic over `endpoint.rs`, a client or a server of
//! MQTT 3.1.1, MQTT 5 or any version, and uses the types of `version.rs`.

mod app;
mod chance;
pub(crate) mod check;
mod connection;
mod context;
pub(crate) mod endpoint;
mod link;
mod peer;
pub(crate) mod plan;
mod version;
mod wire;

use std::rc::Rc;

use context::{Context, Outcome, ensure, fail};
use endpoint::{AnyServer, ClientOf, Endpoint, ServerOf};
use mqtt_sansio::Timestamp;
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use peer::Peer;

pub(crate) use chance::Chance;
pub(crate) use context::{Stats, Transcript};
use plan::{Pair, Side};
pub(crate) use plan::{Plan, Sabotage};

/// The result of a run.
pub(crate) struct Report {
    pub(crate) stats: Stats,
    pub(crate) failure: Option<String>,
}

pub(crate) fn run(plan: Plan, transcript: Option<&Transcript>) -> Report {
    // Not the random numbers that made the plan.
    let chance = Chance::from_seed(plan.seed ^ 0x5eed_0fc4_a05e);
    run_by(chance, plan, transcript)
}

/// Runs the plan with decisions from `chance`.
pub(crate) fn run_by(chance: Chance, plan: Plan, transcript: Option<&Transcript>) -> Report {
    let pair = plan.pair;
    let ctx = Context::new(Rc::new(plan), chance, transcript.cloned());
    match pair {
        Pair::V3 => World::<ClientOf<V3>, ServerOf<V3>>::report(ctx),
        Pair::V5 => World::<ClientOf<V5>, ServerOf<V5>>::report(ctx),
        Pair::V3Any => World::<ClientOf<V3>, AnyServer<V3>>::report(ctx),
        Pair::V5Any => World::<ClientOf<V5>, AnyServer<V5>>::report(ctx),
    }
}

struct World<C: Endpoint, S: Endpoint> {
    ctx: Context,
    client: Peer<C>,
    server: Peer<S>,
}

impl<C: Endpoint, S: Endpoint> World<C, S> {
    fn report(ctx: Context) -> Report {
        let mut world = Self::new(ctx);
        let outcome = world.run();
        Report {
            stats: world.ctx.stats,
            failure: outcome.err().map(|failure| failure.0),
        }
    }

    fn new(mut ctx: Context) -> Self {
        let plan = Rc::clone(&ctx.plan);
        ctx.note("", format_args!("{plan:?}"));
        Self {
            client: Peer::new(&ctx, Side::Client),
            server: Peer::new(&ctx, Side::Server),
            ctx,
        }
    }

    fn run(&mut self) -> Outcome {
        for _ in 0..self.ctx.plan.chaos {
            self.step()?;
        }
        self.ctx.calm = true;
        self.ctx
            .note("", format_args!("THE LINK IS GOOD FROM HERE ON"));
        self.come_to_rest()?;
        self.stay_at_rest()?;
        self.part()?;
        check::deliveries(
            &mut self.ctx,
            Side::Client,
            &self.server.app.memory.delivered,
        )?;
        check::deliveries(
            &mut self.ctx,
            Side::Server,
            &self.client.app.memory.delivered,
        )
    }

    // The bad link

    /// Performs one random step.
    fn step(&mut self) -> Outcome {
        let ctx = &mut self.ctx;
        if ctx.misfortune(ctx.plan.drops) {
            self.drop_connection();
            return Ok(());
        }
        ctx.millis += ctx.rng.u64(0..=ctx.plan.max_pause);
        if ctx.whim(150) {
            // Long enough for any deadline to pass.
            ctx.millis += ctx
                .rng
                .u64(0..=2_000 * u64::from(ctx.plan.keep_alive) + 4_000);
        }
        if self.client.connection.is_none() && ctx.rng.bool() {
            return self.connect();
        }
        if ctx.rng.bool() {
            self.client.act(ctx)
        } else {
            self.server.act(ctx)
        }
    }

    fn connect(&mut self) -> Outcome {
        let (near, far) = link::connection();
        self.server.listen(&mut self.ctx, far)?;
        self.client.connect(&mut self.ctx, near)
    }

    fn drop_connection(&mut self) {
        if let Some(connection) = &self.client.connection {
            self.ctx.stats.drops += 1;
            self.ctx.note("link", format_args!("DROPS THE CONNECTION"));
            connection.socket.sever(&mut self.ctx.rng);
        }
    }

    // The good link

    /// Performs everything that is possible. The clock advances only if nothing is.
    fn come_to_rest(&mut self) -> Outcome {
        let mut waits = 0;
        for _ in 0..2_000 {
            let mut any = false;
            if self.client.connection.is_none() {
                self.connect()?;
                any = true;
            }
            any |= self.client.do_all(&mut self.ctx)?;
            any |= self.server.do_all(&mut self.ctx)?;
            if any || self.catch_up()? {
                continue;
            }
            if self.client.is_connected() && self.client.is_idle() && self.server.is_idle() {
                return Ok(());
            }
            waits += 1;
            ensure!(
                waits <= 10 && self.wait()?,
                "no progress: neither side has anything to do, and not everything is done"
            );
        }
        fail!("no progress: it goes on for ever");
    }

    fn next_deadline(&self) -> Option<u64> {
        let deadlines = [self.client.poll_timeout(), self.server.poll_timeout()];
        let next = deadlines.into_iter().flatten().min();
        next.map(Timestamp::as_millis)
    }

    /// Handles a deadline that has passed; returns false if there is none.
    fn catch_up(&mut self) -> Outcome<bool> {
        match self.next_deadline() {
            Some(next) if next <= self.ctx.millis => self.wait(),
            _ => Ok(false),
        }
    }

    /// Advances to the next deadline; returns false if there is none.
    fn wait(&mut self) -> Outcome<bool> {
        let Some(next) = self.next_deadline() else {
            return Ok(false);
        };
        self.ctx.millis = self.ctx.millis.max(next);
        for newcomer in [false, true] {
            self.client.look_at_clock(&mut self.ctx, newcomer)?;
        }
        for newcomer in [false, true] {
            self.server.look_at_clock(&mut self.ctx, newcomer)?;
        }
        Ok(true)
    }

    /// Only Keep Alive is left to do.
    fn stay_at_rest(&mut self) -> Outcome {
        let before = (self.ctx.stats, self.ctx.plan.keep_alive);
        for _ in 0..3 {
            ensure!(
                self.wait()? == (before.1 > 0),
                "Keep Alive is {}, and the deadlines are {:?} and {:?}",
                before.1,
                self.client.poll_timeout(),
                self.server.poll_timeout()
            );
            self.server.receive(&mut self.ctx, false)?;
            self.client.receive(&mut self.ctx, false)?;
            ensure!(
                self.client.is_connected() && self.server.is_connected(),
                "an idle connection does not last"
            );
        }
        let pings = self.ctx.stats.pings - before.0.pings;
        ensure!(
            pings == if before.1 > 0 { 3 } else { 0 },
            "{pings} pings in three periods"
        );
        ensure!(
            self.client.is_idle() && self.server.is_idle(),
            "something has begun by itself"
        );
        Ok(())
    }

    /// The client disconnects. Nothing may remain on either side.
    fn part(&mut self) -> Outcome {
        self.client.end(&mut self.ctx)?;
        self.server.receive(&mut self.ctx, false)?;
        ensure!(
            self.client.connection.is_none() && self.server.connection.is_none(),
            "a connection that goes on after DISCONNECT"
        );
        let sessions = [
            (Side::Client, self.client.take_session()),
            (Side::Server, self.server.take_session()),
        ];
        for (side, session) in sessions {
            let plan = self.ctx.plan.side(side);
            if let Some(session) = session {
                check::slots(side, session, plan.outbound, plan.inbound)?;
            }
        }
        Ok(())
    }
}
