//! Prints a counterexample as tests in the style of `tests/conversation`: one for each side.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use mqtt_sansio::{Change, PacketId, QoS};

use super::endpoint::{Act, Step, letter};
use super::plan::{Plan, Side};
use super::wire::hex;
use super::world::{Choice, World};

/// One line of the test: a command of the side, or a step of its connection.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    Begins,
    /// A command, and the bytes that it wrote.
    Command(Command, Vec<u8>),
    Closes,
    TransportCloses,
    Wakes,
    Crashes,
    Restarts,
    Receives(Vec<u8>),
    /// The packet was not handled.
    PutOff,
    Sends(Vec<u8>),
    Step(Step),
    Act(Act),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    Connect,
    Accept { resumes: bool },
    Publish { number: u8, qos: QoS },
    Resend { id: PacketId, number: u8, qos: QoS },
    Acknowledge { id: PacketId, qos: QoS },
    Refuse { id: PacketId, qos: QoS },
    Subscribe,
    SubAck,
    Disconnect,
}

/// The lines of both sides, in order.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<(Side, u64, Line)>);

pub(crate) type Log = Rc<RefCell<Lines>>;

impl Lines {
    pub(crate) fn push(&mut self, side: Side, now: u64, line: Line) {
        self.0.push((side, now, line));
    }
}

/// Returns the path as a list of moves, and each side's part of it as a test.
pub(crate) fn transcript(plan: Plan, path: &[Choice]) -> String {
    let log = Log::default();
    let mut world = World::new(plan);
    world.log = Some(Rc::clone(&log));
    let mut shown = String::new();
    for choice in path {
        // The last move may panic, or fail a check.
        let _ = catch_unwind(AssertUnwindSafe(|| world.make(*choice)));
        writeln!(shown, "// {choice:?}").unwrap();
    }
    for side in Side::BOTH {
        let mut test = Test::new(plan, side);
        for (of, now, line) in &log.borrow().0 {
            if *of == side {
                test.add(*now, line);
            }
        }
        test.end(&mut shown);
    }
    shown
}

struct Test {
    plan: Plan,
    side: Side,
    text: String,
    /// The clock of the connection, if there is one.
    has_connection: bool,
    now: u64,
    received: String,
    /// The changes of the session that the journal has.
    changes: Vec<Change>,
}

impl Test {
    fn new(plan: Plan, side: Side) -> Self {
        Self {
            plan,
            side,
            text: String::new(),
            has_connection: false,
            now: 0,
            received: String::new(),
            changes: Vec::new(),
        }
    }

    /// Begins a statement.
    fn calls(&mut self, call: &str) {
        write!(self.text, ";\n    us.{call}").unwrap();
    }

    fn statement(&mut self, statement: &str) {
        write!(self.text, ";\n    {statement}").unwrap();
    }

    /// Writes the steps that the connection returned.
    fn sees(&mut self, step: &str) {
        write!(self.text, "\n        .{step}").unwrap();
    }

    fn add(&mut self, now: u64, line: &Line) {
        if now != self.now && self.has_connection {
            self.now = now;
            if !matches!(line, Line::Wakes) {
                self.calls(&format!("at({now})"));
            }
        }
        let is_v5 = self.plan.pair.is_v5();
        match line {
            Line::Begins => self.begins(),
            Line::Command(command, out) if is_v5 => self.command_of_v5(*command, &hex(out)),
            Line::Command(command, _) => self.command_of_v3(*command),
            Line::Closes => self.calls("close()"),
            Line::TransportCloses => self.calls("transport_closes()"),
            Line::Wakes if is_v5 => self.calls(&format!("at({now}).receives(\"\")")),
            Line::Wakes => self.calls(&format!("wakes_at({now})")),
            Line::Crashes => self.crashes(),
            Line::Restarts => self.statement(
                "let session = Session::restore(&session.save_to_vec(), Vec::new(), Vec::new()).unwrap()",
            ),
            Line::Receives(bytes) => {
                self.received = hex(bytes);
                self.calls(&format!("receives(\"{}\")", hex(bytes)));
            }
            Line::PutOff => self.text.push_str(" // not handled: `not_now`"),
            Line::Sends(bytes) => self.sees(&format!("sends(\"{}\")", hex(bytes))),
            Line::Step(step) => self.step(step),
            Line::Act(act) => self.act(act),
        }
    }

    fn begins(&mut self) {
        let config = "config()";
        let begin = match (self.plan.pair.is_v5(), self.side) {
            (false, Side::Client) => format!("Talk::client(session, {config})"),
            (false, Side::Server) => format!("Talk::<Server<Vec<Slot>>>::server({config})"),
            (true, Side::Client) => format!("ClientTalk::begins(session, {config})"),
            (true, Side::Server) => format!("ServerTalk::begins({config})"),
        };
        write!(self.text, ";\n    let mut us = {begin}").unwrap();
        (self.has_connection, self.now) = (true, 0);
    }

    fn command_of_v3(&mut self, command: Command) {
        let text = |number| char::from(letter(number));
        let call = match command {
            Command::Connect => {
                format!(
                    "connect({}, {})",
                    self.plan.is_clean(),
                    self.plan.keep_alive
                )
            }
            Command::Accept { resumes: true } => "accepts(Some(session))".to_owned(),
            Command::Accept { resumes: false } => "accepts(None)".to_owned(),
            Command::Publish { number, qos } => {
                format!("publish({}, \"{}\")", shown_qos(qos), text(number))
            }
            Command::Resend { id, number, qos } => {
                format!("resend({id}, {}, \"{}\")", shown_qos(qos), text(number))
            }
            Command::Acknowledge { id, .. } | Command::Refuse { id, .. } => {
                format!("acknowledge({id})")
            }
            Command::Subscribe => "subscribe(&[\"t\"])".to_owned(),
            Command::SubAck => "suback(&[2])".to_owned(),
            Command::Disconnect => "disconnect()".to_owned(),
        };
        self.calls(&call);
    }

    fn command_of_v5(&mut self, command: Command, out: &str) {
        let call = match command {
            Command::Accept { resumes: true } => {
                format!("try_transmit_with(\"{out}\", session)")
            }
            Command::Resend { id, .. } => format!("try_resend({id}, \"{out}\")"),
            Command::Acknowledge { id, qos } => {
                let first = if qos == QoS::ExactlyOnce { 0x50 } else { 0x40 };
                let [high, low] = id.get().to_be_bytes();
                format!("try_transmit(\"{}\")", hex(&[first, 2, high, low]))
            }
            Command::Refuse { id, qos } => {
                let first = if qos == QoS::ExactlyOnce { 0x50 } else { 0x40 };
                let [high, low] = id.get().to_be_bytes();
                format!("try_transmit(\"{}\")", hex(&[first, 3, high, low, 0x80]))
            }
            _ => format!("try_transmit(\"{out}\")"),
        };
        write!(self.text, ";\n    assert_eq!(us.{call}, Ok(()));\n    us").unwrap();
    }

    fn crashes(&mut self) {
        let changes: Vec<String> = self.changes.iter().map(shown_change).collect();
        if core::mem::take(&mut self.has_connection) {
            self.text
                .push_str(";\n    // A crash: what else came out has not happened.");
            self.text.push_str("\n    while us.log_pop().is_some() {}");
        }
        write!(
            self.text,
            ";\n    let mut session = fresh::<Vec<Slot>>();\n    \
             for change in [{}] {{\n        assert!(session.apply(change));\n    }}",
            changes.join(", ")
        )
        .unwrap();
    }

    fn step(&mut self, step: &Step) {
        let is_v5 = self.plan.pair.is_v5();
        let received = self.received.clone();
        let seen = match step {
            Step::AcceptedByPeer(id) if is_v5 => format!("accepted_by_peer({id}, 0)"),
            Step::Delivered(id) if is_v5 => format!("delivered({id}, {})", self.code()),
            Step::Rejected(id) => format!("rejected({id}, ReasonCode::UnspecifiedError)"),
            Step::Other(other) => format!("event({other})"),
            Step::Act(_) => return,
            _ if is_v5 => format!("reports(\"{received}\")"),
            Step::SubscribeRequested => "subscribe_requested()".to_owned(),
            // Uses the codes of the last SUBACK received.
            Step::Subscribed(_) => "log_pop()".to_owned(),
            Step::ConnectRequested => "connect_requested()".to_owned(),
            Step::Connected { session_present } => format!("connected({session_present})"),
            Step::Message(_) => format!("message(\"{received}\")"),
            Step::AcceptedByPeer(id) => format!("received({id})"),
            Step::Delivered(id) => format!("delivered({id})"),
            Step::Disconnected => "event(Event::Disconnected)".to_owned(),
        };
        self.sees(&seen);
    }

    /// Returns the Reason Code of the last acknowledgement received.
    fn code(&self) -> String {
        match self.received.split(' ').nth(4) {
            Some(code) => format!("0x{code}"),
            None => "0".to_owned(),
        }
    }

    fn act(&mut self, act: &Act) {
        let is_v5 = self.plan.pair.is_v5();
        let seen = match act {
            Act::Store(change) => {
                self.changes.push(*change);
                format!("stores({})", shown_change(change))
            }
            Act::Transmit(bytes) => format!("sends(\"{}\")", hex(bytes)),
            Act::Resend(id) => format!("asks_for({id})"),
            Act::Lost { id, received } => format!("lost({id}, {received})"),
            Act::Unanswered(id) if is_v5 => {
                format!("action(Action::Unanswered(id({id})))")
            }
            Act::Unanswered(id) => format!("unanswered({id})"),
            Act::Close(reason) => {
                self.has_connection = false;
                format!("closes(CloseReason::{reason});\n    let session = us.peer.into_session()")
            }
            Act::Other(other) => format!("action(Action::{other})"),
        };
        self.sees(&seen);
    }

    fn end(self, to: &mut String) {
        let plan = self.plan.side(self.side);
        let text = self.text.trim_start_matches(";\n");
        write!(
            to,
            "\n#[test]\nfn what_the_{}_does() {{\n    let config = || {{\n        \
             Config::new()\n            .max_inflight({})\n            .receive_maximum({})\n            \
             .manual_acknowledgement({})\n            .journal({})\n    }};\n    \
             let session = fresh::<Vec<Slot>>();\n{text};\n}}\n",
            format!("{:?}", self.side).to_lowercase(),
            plan.window,
            plan.receive_maximum,
            plan.manual,
            plan.journal
        )
        .unwrap();
    }
}

const fn shown_qos(qos: QoS) -> &'static str {
    match qos {
        QoS::AtMostOnce => "Q0",
        QoS::AtLeastOnce => "Q1",
        QoS::ExactlyOnce => "Q2",
    }
}

fn shown_change(change: &Change) -> String {
    match change {
        Change::Sent { packet_id, qos } => format!(
            "Change::Sent {{ packet_id: id({packet_id}), qos: {} }}",
            shown_qos(*qos)
        ),
        Change::Released(id) => format!("Change::Released(id({id}))"),
        Change::Completed(id) => format!("Change::Completed(id({id}))"),
        Change::InboundReceived(id) => format!("Change::InboundReceived(id({id}))"),
        Change::Forgotten(id) => format!("Change::Forgotten(id({id}))"),
        Change::Cleared => "Change::Cleared".to_owned(),
    }
}
