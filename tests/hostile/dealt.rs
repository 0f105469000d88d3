//! The effects of a packet.

use mqtt_sansio::{CloseReason, HandleError, PeerError, Timestamp};

use crate::conversation::ms;
use crate::dialect::{Dialect, Sent, Wire};
use crate::sides::{Side, Task};

/// The effects of a packet. Owns nothing, so that heap use can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dealt<V: Dialect> {
    /// An event was returned.
    pub(crate) told: bool,
    /// The packet that was sent: at most one.
    pub(crate) sent: Option<Sent>,
    /// How many actions were returned. Each was carried out.
    pub(crate) actions: usize,
    pub(crate) error: Option<HandleError<V>>,
    pub(crate) closed: Option<CloseReason<V>>,
}

impl<V: Dialect> Dealt<V> {
    pub(crate) const NOTHING: Self = Self {
        told: false,
        sent: None,
        actions: 0,
        error: None,
        closed: None,
    };

    /// An event, and nothing else.
    pub(crate) const TOLD: Self = Self {
        told: true,
        ..Self::NOTHING
    };
}

/// Handles a packet, then carries out the actions.
pub(crate) fn deal<S: Side>(us: &mut S, packet: &impl Wire) -> Dealt<S::Version> {
    deal_at(us, ms(0), packet)
}

pub(crate) fn deal_at<S: Side>(
    us: &mut S,
    now: Timestamp,
    packet: &impl Wire,
) -> Dealt<S::Version> {
    packet.wire::<S::Version, _>(|bytes| match us.hand_in(now, bytes) {
        Ok(told) => carry_out(us, told, None),
        Err(error) => carry_out(us, false, Some(error)),
    })
}

/// Carries out the actions.
pub(crate) fn carry_out<S: Side>(
    us: &mut S,
    told: bool,
    error: Option<HandleError<S::Version>>,
) -> Dealt<S::Version> {
    let mut dealt = Dealt {
        told,
        error,
        ..Dealt::NOTHING
    };
    while let Some(task) = us.poll() {
        dealt.actions += 1;
        match task {
            Task::Transmit(sent) => {
                assert_eq!(dealt.sent.replace(sent), None, "one answer to one packet");
            }
            Task::Close(reason) => {
                dealt.closed = Some(reason);
                dealt.error = dealt
                    .error
                    .or_else(|| S::error_of(&reason).map(HandleError::Peer));
            }
            Task::Resend(_) | Task::Other => {}
        }
    }
    dealt
}

/// A reply, and no event.
pub(crate) fn answered<V: Dialect>(sent: Sent) -> Dealt<V> {
    Dealt {
        sent: Some(sent),
        actions: 1,
        ..Dealt::NOTHING
    }
}

/// A reply and an event.
pub(crate) fn told_and_answered<V: Dialect>(sent: Sent) -> Dealt<V> {
    Dealt {
        told: true,
        ..answered(sent)
    }
}

/// The end of a connection.
pub(crate) fn closed_for<V: Dialect>(error: PeerError<V>) -> Dealt<V> {
    let disconnect = V::disconnect_for(&error);
    Dealt {
        error: Some(HandleError::Peer(error)),
        sent: disconnect,
        closed: Some(CloseReason::Violation(error)),
        actions: 1 + usize::from(disconnect.is_some()),
        ..Dealt::NOTHING
    }
}

/// The effect of every packet after the end of a connection.
pub(crate) fn ended<V: Dialect>() -> Dealt<V> {
    Dealt {
        error: Some(HandleError::Ended),
        ..Dealt::NOTHING
    }
}
