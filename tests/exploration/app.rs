//! The state of an application: what it stores, and what a crash destroys.

use std::collections::VecDeque;

use mqtt_sansio::{Acknowledgement, Change, PacketId, QoS, Session};

use super::Outcome;
use super::endpoint::{Arrival, Room};
use super::plan::{Fault, Plan, Side};
use super::wire::{Ledger, ensure};

/// The most messages that a side publishes.
pub(crate) const MOST: usize = 8;

/// A received message that is not acknowledged yet.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) arrival: Arrival,
    pub(crate) acknowledgement: Acknowledgement,
}

#[derive(Clone)]
pub(crate) struct App {
    // Stored: survives a crash.
    /// The number of its messages that were published.
    pub(crate) next: u8,
    /// Messages to publish again, as new ones.
    pub(crate) again: Vec<u8>,
    /// The messages in flight: identifier and number.
    pub(crate) outbox: Vec<(u16, u8)>,
    /// How often each message of the peer was delivered, counted up to 2.
    pub(crate) arrived: [u8; MOST],
    /// The session after all stored changes.
    pub(crate) stored: Session<Room>,
    /// Server: there is a session for the client.
    pub(crate) has_session: bool,
    /// Server: the client has shown that it knows this session.
    pub(crate) is_established: bool,

    /// Client: the server has answered its SUBSCRIBE.
    pub(crate) is_subscribed: bool,

    // In memory: lost in a crash.
    /// Client: the identifier of a SUBSCRIBE without a SUBACK.
    pub(crate) request: Option<u16>,
    /// A published message whose change is not stored yet.
    pub(crate) sending: Option<(u16, u8)>,
    /// Received QoS 2 messages whose change is not stored yet.
    pub(crate) unstored: Vec<Arrival>,
    pub(crate) unacknowledged: Vec<Held>,
    /// QoS 2 messages that were refused, but whose PUBREC was not sent yet.
    pub(crate) refusing: Vec<PacketId>,
    /// Messages that the connection asked to resend, and that were not resent yet.
    pub(crate) resends: VecDeque<PacketId>,

    // Known to the checks only, not to the application.
    /// The stored changes of identifiers, if the journal has gaps. Then the order of the changes
    /// decides which identifiers the restored session uses next.
    pub(crate) with_gaps: Vec<(bool, u16)>,
    /// Messages that the peer refused: they need not arrive.
    pub(crate) rejected: [bool; MOST],
    /// Messages that were published more than once: they may arrive as often.
    pub(crate) republished: [bool; MOST],
}

impl App {
    pub(crate) fn new(stored: Session<Room>) -> Self {
        Self {
            next: 0,
            again: Vec::new(),
            outbox: Vec::new(),
            arrived: [0; MOST],
            stored,
            has_session: false,
            is_established: false,
            is_subscribed: false,
            request: None,
            sending: None,
            unstored: Vec::new(),
            unacknowledged: Vec::new(),
            refusing: Vec::new(),
            resends: VecDeque::new(),
            with_gaps: Vec::new(),
            rejected: [false; MOST],
            republished: [false; MOST],
        }
    }

    pub(crate) fn next_message(&self, plan: &Plan, side: Side) -> Option<(u8, QoS)> {
        let number = self.again.first().copied().unwrap_or(self.next);
        let qos = plan.side(side).messages.get(usize::from(number))?;
        Some((number, *qos))
    }

    /// Returns false if the session ends with its connection: then there is nothing to store.
    pub(crate) const fn keeps_journal(plan: &Plan, side: Side) -> bool {
        plan.side(side).journal && !plan.is_clean()
    }

    /// Records that the next message was encoded.
    pub(crate) fn published(&mut self, journal: bool, id: Option<PacketId>, number: u8) {
        match id {
            Some(id) if journal => self.sending = Some((id.get(), number)),
            _ => self.commit_published(id.map(PacketId::get), number),
        }
    }

    fn commit_published(&mut self, id: Option<u16>, number: u8) {
        match self.again.iter().position(|again| *again == number) {
            Some(at) => drop(self.again.remove(at)),
            None => self.next += 1,
        }
        if let Some(id) = id {
            self.outbox.push((id, number));
            self.outbox.sort_unstable();
        }
    }

    pub(crate) fn number_of(&self, id: PacketId) -> Option<u8> {
        let found = self.outbox.iter().find(|(held, _)| *held == id.get());
        found.map(|(_, number)| *number)
    }

    fn remove(&mut self, id: PacketId) -> Option<u8> {
        let at = self.outbox.iter().position(|(held, _)| *held == id.get())?;
        Some(self.outbox.remove(at).1)
    }

    /// Records that the peer refused this message.
    pub(crate) fn is_rejected(&mut self, id: PacketId) {
        if let Some(number) = self.number_of(id) {
            self.rejected[usize::from(number)] = true;
        }
    }

    /// Records, without a journal, that the peer has this message.
    pub(crate) fn peer_has(&mut self, journal: bool, id: PacketId) {
        if !journal {
            self.remove(id);
        }
    }

    fn publish_anew(&mut self, ledger: &mut Ledger, number: u8) {
        self.again.push(number);
        self.again.sort_unstable();
        self.republished[usize::from(number)] = true;
        ledger.republished(number);
    }

    /// Marks every message in flight to be published again.
    pub(crate) fn publish_all_anew(&mut self, ledger: &mut Ledger) {
        for (_, number) in core::mem::take(&mut self.outbox) {
            self.publish_anew(ledger, number);
        }
        ledger.clear();
    }

    /// Handles `Action::Lost`.
    pub(crate) fn lost(&mut self, ledger: &mut Ledger, id: PacketId, received: bool) -> Outcome {
        ledger.release(id.get());
        // Otherwise `Change::Cleared` removed it, or the peer has it.
        if let Some(number) = self.remove(id) {
            ensure!(!received, "{id:?} is lost, received, and kept");
            self.publish_anew(ledger, number);
        }
        Ok(())
    }

    /// Records a message of the peer as delivered.
    pub(crate) fn keep(&mut self, plan: &Plan, side: Side, arrival: Arrival) -> Outcome {
        if arrival.qos == QoS::AtLeastOnce && plan.fault == Some(Fault::LoseMessage) {
            return Ok(());
        }
        let number = usize::from(arrival.number);
        let is_first = self.arrived.get(number) == Some(&0);
        let times = self.arrived.get_mut(number);
        ensure!(times.is_some(), "message {number} was never published");
        if let Some(times) = times {
            let again = arrival.qos == QoS::ExactlyOnce && plan.fault == Some(Fault::KeepTwice);
            *times = (*times + 1 + u8::from(again)).min(2);
        }
        // Out of order only the application itself acknowledges.
        if is_first && !plan.side(side).manual {
            self.check_order(plan.side(side.peer()).messages, arrival)?;
        }
        Ok(())
    }

    /// [MQTT-4.6.0-5]: the first copies of the messages of one QoS arrive in the order of the
    /// messages.
    fn check_order(&self, sent: &[QoS], arrival: Arrival) -> Outcome {
        let first = usize::from(arrival.number);
        let mut later = sent.iter().enumerate().skip(first + 1);
        let before = later
            .find(|(number, qos)| **qos == arrival.qos && self.arrived.get(*number) > Some(&0));
        ensure!(
            before.is_none(),
            "[MQTT-4.6.0-5] message {first} comes after message {before:?}"
        );
        Ok(())
    }

    /// Handles `Action::Store`: stores the change and its message together.
    pub(crate) fn store(
        &mut self,
        plan: &Plan,
        side: Side,
        ledger: &mut Ledger,
        change: Change,
    ) -> Outcome {
        match change {
            Change::Sent { packet_id, .. } => {
                let sending = self.sending.take();
                let id = sending.map(|(id, _)| id);
                ensure!(
                    id == Some(packet_id.get()),
                    "{change:?} is not about {sending:?}"
                );
                if let Some((id, number)) = sending {
                    self.commit_published(Some(id), number);
                }
            }
            Change::Released(id) => {
                ensure!(
                    self.remove(id).is_some(),
                    "{change:?} of a message not kept"
                );
            }
            Change::Completed(id) => drop(self.remove(id)),
            Change::InboundReceived(id) => {
                let at = self.unstored.iter().position(|held| held.id == Some(id));
                if let Some(at) = at {
                    let arrival = self.unstored.remove(at);
                    self.keep(plan, side, arrival)?;
                }
            }
            Change::Forgotten(_) => {}
            Change::Cleared => {
                self.publish_all_anew(ledger);
                self.end_receiving();
            }
        }
        if plan.subscribes {
            match change {
                Change::Sent { packet_id, .. } => self.with_gaps.push((true, packet_id.get())),
                Change::Completed(id) => self.with_gaps.push((false, id.get())),
                _ => {}
            }
        }
        let is_skipped = matches!(change, Change::InboundReceived(_));
        if !(is_skipped && plan.fault == Some(Fault::SkipStore)) {
            ensure!(self.stored.apply(change), "{change:?} does not fit");
        }
        Ok(())
    }

    /// The QoS 1 messages received on this connection and not acknowledged arrive again.
    pub(crate) fn connection_ended(&mut self, plan: &Plan) {
        self.resends.clear();
        if plan.is_clean() {
            self.end_receiving();
        } else {
            self.unacknowledged
                .retain(|held| held.arrival.qos == QoS::ExactlyOnce);
        }
    }

    fn end_receiving(&mut self) {
        self.unacknowledged.clear();
        self.refusing.clear();
        self.unstored.clear();
    }

    /// Records that the session has ended.
    pub(crate) fn drop_session(&mut self, ledger: &mut Ledger) {
        self.publish_all_anew(ledger);
        self.end_receiving();
        self.stored.clear();
        self.has_session = false;
        self.is_established = false;
    }

    /// Restarts the process from what is stored.
    pub(crate) fn restart(&mut self) {
        (self.sending, self.request) = (None, None);
        self.resends.clear();
        self.end_receiving();
    }

    pub(crate) fn is_done(&self, plan: &Plan, side: Side) -> bool {
        self.next_message(plan, side).is_none()
            && self.outbox.is_empty()
            && self.sending.is_none()
            && self.unstored.is_empty()
            && self.unacknowledged.is_empty()
            && self.resends.is_empty()
            && (self.is_subscribed || side == Side::Server || !plan.subscribes)
    }
}
