//! What a packet leads to.

use mqtt_sansio::{
    Action, CloseReason, Connection, HandleError, Options, PeerError, Role, Timestamp,
};

use crate::Counted;
use crate::conversation::ms;
use crate::sides::{Dialect, Sent, Wire};

/// What a packet has led to. It owns nothing, so that the heap can be watched meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dealt<V: Dialect> {
    /// The application was told.
    pub(crate) told: bool,
    /// What was sent: one packet.
    pub(crate) sent: Option<Sent>,
    /// How many actions there were, each of which was carried out.
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

    /// Told to the application, and nothing else.
    pub(crate) const TOLD: Self = Self {
        told: true,
        ..Self::NOTHING
    };
}

/// Hands in a packet, and does what is asked for then.
pub(crate) fn deal<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    packet: &impl Wire,
) -> Dealt<V> {
    deal_at(us, ms(0), packet)
}

pub(crate) fn deal_at<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    now: Timestamp,
    packet: &impl Wire,
) -> Dealt<V> {
    let options = Options::new();
    packet.wire::<V, _>(|mut bytes| {
        let packet = V::decode(&mut bytes, &options).unwrap().unwrap();
        assert!(bytes.is_empty(), "one packet only");
        let result = us.handle_packet(now, packet);
        carry_out(us, matches!(result, Ok(Some(_))), result.err())
    })
}

/// Does what is asked for.
pub(crate) fn carry_out<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    told: bool,
    error: Option<HandleError<V>>,
) -> Dealt<V> {
    let mut dealt = Dealt {
        told,
        error,
        ..Dealt::NOTHING
    };
    while let Some(action) = us.poll_action() {
        dealt.actions += 1;
        match action {
            Action::Transmit(reply) => {
                let sent = Sent::of(reply.as_ref());
                assert_eq!(dealt.sent.replace(sent), None, "one answer to one packet");
            }
            Action::Close(reason) => dealt.closed = Some(reason),
            _ => {}
        }
    }
    dealt
}

/// Answered, and not told.
pub(crate) fn answered<V: Dialect>(sent: Sent) -> Dealt<V> {
    Dealt {
        sent: Some(sent),
        actions: 1,
        ..Dealt::NOTHING
    }
}

/// Answered, and told.
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

/// What every packet leads to after the end of a connection.
pub(crate) fn ended<V: Dialect>() -> Dealt<V> {
    Dealt {
        error: Some(HandleError::Ended),
        ..Dealt::NOTHING
    }
}
