//! How far a connection has come, and what has to be done before the next packet.

use super::action::Answer;
use crate::session::Change;
use crate::v3::Delivery;
use crate::wire::OPTIMIZE_SIZE;

/// How far a connection has come.
///
/// ```text
/// client:  Start --connect--> Requested --CONNACK 0--> Connected --+
/// server:  Start --CONNECT--> Requested --accept-----> Connected --+
///            |                    |                                |
///            +--------------------+---- any reason to close -------+--> Ending --Close--> Ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// A new connection: nothing has been sent or has come.
    Start,
    /// CONNECT was sent, or has come; it has not been answered.
    Requested,
    /// The connection is accepted.
    Connected,
    /// The connection is over, and actions that say so are to be polled.
    Ending,
    /// The last action has been polled. The session can be taken out.
    Ended,
}

/// A message that is coming in pieces.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Incoming {
    pub(super) delivery: Delivery,
    pub(super) duplicate: bool,
}

/// What has to be done, or has to come, before the next packet can be dealt with or sent. Nearly
/// always that is nothing, so there is a bit for each, and one look at all of them.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Pending {
    bits: u8,
    state: State,
    store: Option<Change>,
    answer: Option<Answer>,
    incoming: Option<Incoming>,
    /// How many bytes of a payload in pieces are still to be sent.
    outgoing: u32,
}

/// The connection is not accepted, or over.
const NOT_CONNECTED: u8 = 1;
/// A change of the session is to be stored.
const STORE: u8 = 1 << 1;
/// An answer is to be sent.
const ANSWER: u8 = 1 << 2;
/// A message is coming in pieces.
const INCOMING: u8 = 1 << 3;
/// A payload is being sent in pieces.
const OUTGOING: u8 = 1 << 4;
/// The application has not answered a SUBSCRIBE or UNSUBSCRIBE.
const REQUEST: u8 = 1 << 5;
/// The messages not sent on this connection are lost.
const LOSING: u8 = 1 << 6;
/// Of the session something may have to be sent again or acknowledged.
const DELIVERY: u8 = 1 << 7;

/// Those that stand for no field.
const ONLY_HERE: u8 = REQUEST | LOSING | DELIVERY;

impl Pending {
    pub(super) const fn new() -> Self {
        Self {
            bits: NOT_CONNECTED,
            state: State::Start,
            store: None,
            answer: None,
            incoming: None,
            outgoing: 0,
        }
    }

    #[inline]
    const fn mark(&mut self, bit: u8, is_set: bool) {
        if OPTIMIZE_SIZE && bit & ONLY_HERE == 0 {
            return;
        }
        if is_set {
            self.bits |= bit;
        } else {
            self.bits &= !bit;
        }
    }

    #[inline]
    const fn has(&self, bits: u8) -> bool {
        self.bits() & bits != 0
    }

    /// Where code is dearer than time, the bits are worked out when somebody asks for one.
    #[inline]
    const fn bits(&self) -> u8 {
        if OPTIMIZE_SIZE {
            self.worked_out()
        } else {
            self.bits
        }
    }

    #[inline]
    const fn worked_out(&self) -> u8 {
        let mut bits = self.bits & ONLY_HERE;
        if !matches!(self.state, State::Connected) {
            bits |= NOT_CONNECTED;
        }
        if self.store.is_some() {
            bits |= STORE;
        }
        if self.answer.is_some() {
            bits |= ANSWER;
        }
        if self.incoming.is_some() {
            bits |= INCOMING;
        }
        if self.outgoing > 0 {
            bits |= OUTGOING;
        }
        bits
    }

    /// True if there is nothing at all.
    #[inline]
    pub(super) const fn is_idle(&self) -> bool {
        self.bits() == 0
    }

    /// True if messages and acknowledgements can come.
    #[inline]
    pub(super) const fn can_handle_publish(&self) -> bool {
        !self.has(NOT_CONNECTED | STORE | ANSWER | INCOMING | REQUEST)
    }

    /// True if something new can be sent.
    #[inline]
    pub(super) const fn may_send(&self) -> bool {
        !self.has(NOT_CONNECTED | STORE | OUTGOING)
    }

    #[inline]
    pub(super) const fn state(&self) -> State {
        self.state
    }

    pub(super) const fn set_state(&mut self, state: State) {
        self.state = state;
        self.mark(NOT_CONNECTED, !matches!(state, State::Connected));
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Ending | State::Ended)
    }

    pub(super) const fn has_store(&self) -> bool {
        self.has(STORE)
    }

    #[inline]
    pub(super) const fn set_store(&mut self, change: Option<Change>) {
        self.store = change;
        self.mark(STORE, change.is_some());
    }

    pub(super) const fn take_store(&mut self) -> Option<Change> {
        self.mark(STORE, false);
        self.store.take()
    }

    pub(super) const fn has_answer(&self) -> bool {
        self.has(ANSWER)
    }

    #[inline]
    pub(super) const fn set_answer(&mut self, answer: Option<Answer>) {
        self.answer = answer;
        self.mark(ANSWER, answer.is_some());
    }

    /// The answer that is to be sent, unless something has to be stored before, or a payload is
    /// being sent: nothing may come between its pieces.
    #[inline]
    pub(super) const fn take_answer(&mut self) -> Option<Answer> {
        if self.bits() & (STORE | OUTGOING | ANSWER) != ANSWER {
            return None;
        }
        self.mark(ANSWER, false);
        self.answer.take()
    }

    pub(super) const fn incoming(&self) -> Option<Incoming> {
        self.incoming
    }

    pub(super) const fn set_incoming(&mut self, incoming: Option<Incoming>) {
        self.incoming = incoming;
        self.mark(INCOMING, incoming.is_some());
    }

    pub(super) const fn outgoing(&self) -> u32 {
        self.outgoing
    }

    pub(super) const fn set_outgoing(&mut self, bytes: u32) {
        self.outgoing = bytes;
        self.mark(OUTGOING, bytes > 0);
    }

    pub(super) const fn set_request(&mut self, is_open: bool) {
        self.mark(REQUEST, is_open);
    }

    pub(super) const fn is_losing(&self) -> bool {
        self.has(LOSING)
    }

    pub(super) const fn set_losing(&mut self, is_losing: bool) {
        self.mark(LOSING, is_losing);
    }

    #[inline]
    pub(super) const fn set_delivery(&mut self, is_due: bool) {
        self.mark(DELIVERY, is_due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Reply;
    use crate::types::PacketId;

    const ID: PacketId = PacketId::MIN;

    /// One thing that can be pending, and how it begins and ends.
    type Thing = (u8, fn(&mut Pending), fn(&mut Pending));

    const THINGS: [Thing; 8] = [
        (
            NOT_CONNECTED,
            |pending| pending.set_state(State::Ending),
            |pending| pending.set_state(State::Connected),
        ),
        (
            STORE,
            |pending| pending.set_store(Some(Change::Completed(ID))),
            |pending| pending.set_store(None),
        ),
        (
            ANSWER,
            |pending| pending.set_answer(Answer::of(Reply::puback(ID))),
            |pending| pending.set_answer(None),
        ),
        (
            INCOMING,
            |pending| {
                pending.set_incoming(Some(Incoming {
                    delivery: Delivery::AtMostOnce,
                    duplicate: false,
                }));
            },
            |pending| pending.set_incoming(None),
        ),
        (
            OUTGOING,
            |pending| pending.set_outgoing(1),
            |pending| pending.set_outgoing(0),
        ),
        (
            REQUEST,
            |pending| pending.set_request(true),
            |pending| pending.set_request(false),
        ),
        (
            LOSING,
            |pending| pending.set_losing(true),
            |pending| pending.set_losing(false),
        ),
        (
            DELIVERY,
            |pending| pending.set_delivery(true),
            |pending| pending.set_delivery(false),
        ),
    ];

    fn connected() -> Pending {
        let mut pending = Pending::new();
        pending.set_state(State::Connected);
        pending
    }

    /// With every set of things pending, and each of them begun or ended.
    fn in_every_situation(check: impl Fn(&Pending, u8)) {
        for set in 0..=u8::MAX {
            let mut pending = connected();
            for (bit, begin, _) in THINGS {
                if set & bit != 0 {
                    begin(&mut pending);
                }
            }
            check(&pending, set);
            for (bit, begin, end) in THINGS {
                let mut changed = pending.clone();
                begin(&mut changed);
                check(&changed, set | bit);
                end(&mut changed);
                check(&changed, set & !bit);
            }
        }
    }

    #[test]
    fn each_thing_that_is_pending_has_its_bit_and_changes_no_other() {
        in_every_situation(|pending, set| {
            assert_eq!(pending.bits(), set);
            assert_eq!(pending.is_idle(), set == 0);
        });
    }

    /// Which of them they are does not depend on the size of addresses.
    #[test]
    fn bits_that_are_worked_out_are_those_that_are_kept() {
        in_every_situation(|pending, set| {
            assert_eq!(pending.worked_out(), set);
        });
    }

    #[test]
    fn what_is_taken_is_pending_no_more() {
        let mut pending = connected();
        let change = Change::Completed(ID);
        pending.set_store(Some(change));
        pending.set_answer(Answer::of(Reply::puback(ID)));
        assert_eq!(pending.take_answer(), None, "first it is stored");
        assert_eq!(pending.take_store(), Some(change));
        assert_eq!(pending.take_store(), None);
        assert_eq!(pending.take_answer(), Answer::of(Reply::puback(ID)));
        assert_eq!(pending.take_answer(), None);
        assert!(pending.is_idle());
    }

    #[test]
    fn an_answer_waits_until_the_payload_has_been_sent() {
        let mut pending = connected();
        pending.set_answer(Answer::of(Reply::puback(ID)));
        pending.set_outgoing(3);
        assert_eq!(pending.take_answer(), None);
        assert!(pending.has_answer());
        pending.set_outgoing(0);
        assert!(pending.take_answer().is_some());
    }
}
