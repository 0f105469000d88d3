//! What a connection asks its driver to do.

use core::num::NonZeroU32;

use crate::session::Change;
use crate::types::PacketId;
use crate::v3::{ConnAck, ConnectRefusal, PubAck, PubComp, PubRec, PubRel};

use super::error::PeerError;

/// What a connection asks the one who drives it to do, in this order
/// ([`Client::poll_action`](crate::Client::poll_action),
/// [`Server::poll_action`](crate::Server::poll_action)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver that skipped an action it did not know would be wrong"
)]
#[must_use]
pub enum Action {
    /// Store this change of the session before doing anything that comes after it, including the
    /// sending of what the last command has encoded. Only with a journal
    /// ([`Config::journal`](crate::Config::journal)).
    Store(Change),
    /// Send these bytes, behind everything that has been encoded so far.
    Transmit(Reply),
    /// Send this message again, with `resend`, or `forget` it. Comes after a connection has been
    /// resumed, in the original order [MQTT-4.4.0-1, MQTT-4.6.0-1], for as many as the window
    /// allows; messages are the application's to keep. The answer may come later, but in the order
    /// of the questions, and nothing new can be published above QoS 0 before.
    Resend(PacketId),
    /// The session has ended and with it the delivery of this message. The application may publish
    /// it anew.
    Lost {
        /// The identifier that it had.
        packet_id: PacketId,
        /// True if the peer has said that it has the message (PUBREC); if false, it may or may not
        /// have arrived.
        received: bool,
    },
    /// Publish the client's Will now: the connection has ended without a DISCONNECT
    /// [MQTT-3.1.2-8]. Server only.
    PublishWill,
    /// Discard the client's Will: it has disconnected [MQTT-3.1.2-10, MQTT-3.14.4-3]. Server only.
    DiscardWill,
    /// Send what is still to be sent, then close the transport. Nothing comes after this.
    Close(CloseReason),
}

/// Why a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CloseReason {
    /// The client has disconnected: DISCONNECT was sent, or has come.
    #[error("disconnected")]
    Disconnected,
    /// The transport was closed, by the peer or by the network.
    #[error("the transport was closed")]
    TransportClosed,
    /// This side has ended the connection without more ado.
    #[error("closed from this side")]
    Aborted,
    /// The server has refused the connection, with this return code.
    #[error("refused: {0}")]
    Refused(ConnectRefusal),
    /// The peer has broken the protocol [MQTT-4.8.0-1].
    #[error("protocol violation: {0}")]
    Violation(PeerError),
    /// CONNECT has not come, or CONNACK, within the time for it.
    #[error("no answer to the connection in time")]
    ConnectTimeout,
    /// The client has sent nothing for one and a half times its Keep Alive [MQTT-3.1.2-24].
    #[error("nothing received within one and a half times the Keep Alive")]
    KeepAliveTimeout,
    /// The server has not answered PINGREQ in time (section 3.1.2.10).
    #[error("no PINGRESP in time")]
    PingTimeout,
}

/// A small packet, encoded: at most four bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reply([u8; 4]);

impl Reply {
    pub(super) const PINGREQ: Self = Self::short(0xc0);
    pub(super) const PINGRESP: Self = Self::short(0xd0);

    const fn short(first: u8) -> Self {
        Self([first, 0, 0, 0])
    }

    pub(super) const fn puback(packet_id: PacketId) -> Self {
        Self(PubAck { packet_id }.to_bytes())
    }

    pub(super) const fn pubrec(packet_id: PacketId) -> Self {
        Self(PubRec { packet_id }.to_bytes())
    }

    pub(super) const fn pubrel(packet_id: PacketId) -> Self {
        Self(PubRel { packet_id }.to_bytes())
    }

    pub(super) const fn pubcomp(packet_id: PacketId) -> Self {
        Self(PubComp { packet_id }.to_bytes())
    }

    pub(super) fn connack(connack: ConnAck) -> Self {
        Self(connack.to_bytes())
    }

    /// The bytes to send.
    #[must_use]
    #[inline]
    pub const fn as_bytes(&self) -> &[u8] {
        // Remaining Length says how much there is: nothing or two bytes.
        match &self.0 {
            [short @ .., _, _] if short[1] == 0 => short,
            whole => whole,
        }
    }
}

/// A [`Reply`] that waits to be sent: as a number, which is kept and handed around as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Answer(NonZeroU32);

impl Answer {
    /// Never `None`: no packet is four times 0.
    #[inline]
    pub(super) const fn of(control: Reply) -> Option<Self> {
        match NonZeroU32::new(u32::from_ne_bytes(control.0)) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    #[inline]
    pub(super) const fn control(self) -> Reply {
        Reply(self.0.get().to_ne_bytes())
    }
}

impl AsRef<[u8]> for Reply {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl core::fmt::Debug for Reply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [first, remaining, high, low] = self.0;
        match crate::wire::PacketType::from_number(first >> 4) {
            Some(packet_type) if remaining > 0 => {
                write!(f, "{packet_type}({})", u16::from_be_bytes([high, low]))
            }
            Some(packet_type) => write!(f, "{packet_type}"),
            None => f.debug_list().entries(self.as_bytes()).finish(),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Reply {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=[u8]:02x}", self.as_bytes());
    }
}
