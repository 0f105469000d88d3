//! What an application keeps, and what of it survives a crash.

use std::collections::VecDeque;

use mqtt_sansio::{Acknowledgement, Change, PacketId, QoS, Session};

use super::Outcome;
use super::endpoint::{Arrival, Room};
use super::plan::{Fault, Plan, Side};
use super::wire::{Ledger, ensure};

/// The most messages that a side publishes.
pub(crate) const MOST: usize = 8;

/// A message that is not acknowledged.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) arrival: Arrival,
    pub(crate) acknowledgement: Acknowledgement,
}

#[derive(Clone)]
pub(crate) struct App {
    // What is stored.
    /// How many of its messages it has published.
    pub(crate) next: u8,
    /// Those that it has to publish anew.
    pub(crate) again: Vec<u8>,
    /// The messages in flight: identifier and number.
    pub(crate) outbox: Vec<(u16, u8)>,
    /// How often each message of the peer has come, up to twice.
    pub(crate) arrived: [u8; MOST],
    /// The session that the stored changes lead to.
    pub(crate) stored: Session<Room>,
    /// Server: there is a session for the client.
    pub(crate) has_session: bool,
    /// Server: the client has shown that it knows of this session.
    pub(crate) is_established: bool,

    /// Client: the server has answered its SUBSCRIBE.
    pub(crate) is_subscribed: bool,

    // What a crash takes.
    /// Client: its SUBSCRIBE was not answered.
    pub(crate) request: Option<u16>,
    /// Published, and the change not stored.
    pub(crate) sending: Option<(u16, u8)>,
    /// QoS 2 messages whose change is not stored.
    pub(crate) unstored: Vec<Arrival>,
    pub(crate) unacknowledged: Vec<Held>,
    /// QoS 2 messages that it has refused, and the refusal has not left.
    pub(crate) refusing: Vec<PacketId>,
    /// What it was asked to send again, and has not.
    pub(crate) resends: VecDeque<PacketId>,

    // Not the application's: what is known of it.
    /// What was stored of identifiers, if not every one is: with gaps, the order of the changes decides
    /// which identifiers the restored session uses next.
    pub(crate) with_gaps: Vec<(bool, u16)>,
    /// Its messages that the peer has refused: they need not arrive.
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

    /// With a session that ends with its connection there is nothing to store.
    pub(crate) const fn keeps_journal(plan: &Plan, side: Side) -> bool {
        plan.side(side).journal && !plan.is_clean()
    }

    /// The next message has been encoded.
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

    /// The peer has refused this message.
    pub(crate) fn is_rejected(&mut self, id: PacketId) {
        if let Some(number) = self.number_of(id) {
            self.rejected[usize::from(number)] = true;
        }
    }

    /// Without a journal: the peer has this message.
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

    /// Everything in flight is to be published anew.
    pub(crate) fn publish_all_anew(&mut self, ledger: &mut Ledger) {
        for (_, number) in core::mem::take(&mut self.outbox) {
            self.publish_anew(ledger, number);
        }
        ledger.clear();
    }

    /// `Action::Lost`
    pub(crate) fn lost(&mut self, ledger: &mut Ledger, id: PacketId, received: bool) -> Outcome {
        ledger.release(id.get());
        // Otherwise it went with `Change::Cleared`, or the peer has it.
        if let Some(number) = self.remove(id) {
            ensure!(!received, "{id:?} is lost, received, and kept");
            self.publish_anew(ledger, number);
        }
        Ok(())
    }

    /// A message of the peer is this application's.
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
        // In another order the application itself acknowledges them.
        if is_first && !plan.side(side).manual {
            self.check_order(plan.side(side.peer()).messages, arrival)?;
        }
        Ok(())
    }

    /// [MQTT-4.6.0-5]: the first copies of the messages of a QoS come in the order of the messages.
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

    /// `Action::Store`: the change and what belongs to it, at once.
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

    /// What came on this connection at QoS 1 and was not acknowledged comes again.
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

    /// The session is gone.
    pub(crate) fn drop_session(&mut self, ledger: &mut Ledger) {
        self.publish_all_anew(ledger);
        self.end_receiving();
        self.stored.clear();
        self.has_session = false;
        self.is_established = false;
    }

    /// The process ends, in order or not, and begins again with what is stored.
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
