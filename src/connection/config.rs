//! How a connection behaves, and its limits.

use core::time::Duration;

/// How a [`Client`](crate::v3::Client) or a [`Server`](crate::v3::Server) behaves. The default suits most:
/// acknowledgements are automatic, there is no journal, and the limits are finite.
///
/// ```
/// use mqtt_sansio::Config;
///
/// let config = Config::new().manual_acknowledgement(true).max_inflight(16);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    pub(super) max_inflight: u16,
    pub(super) receive_maximum: u16,
    /// In milliseconds, as the next.
    pub(super) connect_timeout: u32,
    pub(super) ping_timeout: u32,
    flags: u8,
}

// The flags of a `Config`, together so that a connection stays small.
pub(super) const MANUAL_ACKNOWLEDGEMENT: u8 = 1;
pub(super) const JOURNAL: u8 = 1 << 1;
pub(super) const SEND_BEFORE_CONNACK: u8 = 1 << 2;
pub(super) const NO_SESSION_STATE: u8 = 1 << 3;
pub(super) const RESEND_WITHOUT_DUP: u8 = 1 << 4;
pub(super) const PUBACK_AT_QOS_2: u8 = 1 << 5;

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_inflight: u16::MAX,
            receive_maximum: u16::MAX,
            connect_timeout: 10_000,
            ping_timeout: 10_000,
            flags: 0,
        }
    }

    /// The most messages above QoS 0 that may be in flight to the peer at once, at least one. Default
    /// 65,535, that is, as many as there are slots for.
    #[must_use]
    pub const fn max_inflight(mut self, messages: u16) -> Self {
        self.max_inflight = if messages == 0 { 1 } else { messages };
        self
    }

    /// The most messages of the peer to hold at once: QoS 2 messages that it has not released, and,
    /// with manual acknowledgement, those that are not acknowledged. Default 65,535, that is, as many as
    /// there are slots for.
    ///
    /// When they are all waiting for the application,
    /// [`Blocked::InboundFull`](crate::Blocked::InboundFull) asks it to stop reading.
    ///
    /// When they are all waiting for the peer's PUBREL, which may be behind in the stream, a further
    /// message is neither delivered nor acknowledged, and no other that needs a slot after it. The
    /// connection goes on until the peer has released what is held, or nothing has been released
    /// within [`ping_timeout`](Self::ping_timeout). Then it ends with
    /// [`CloseReason::LimitExceeded`](crate::CloseReason::LimitExceeded), and on the next one the peer
    /// sends again what was left out. As many slots as the peer may have messages under way avoid that.
    #[must_use]
    pub const fn receive_maximum(mut self, messages: u16) -> Self {
        self.receive_maximum = messages;
        self
    }

    /// How long a server waits for CONNECT, and a client for CONNACK. Default 10 seconds; zero for
    /// ever. Counted in milliseconds.
    #[must_use]
    pub const fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = millis(time);
        self
    }

    /// How long a client waits for PINGRESP, or any other sign of life after PINGREQ (section
    /// 3.1.2.10). Default 10 seconds; zero for ever. Counted in milliseconds.
    ///
    /// The time does not run while the client itself does not read: before a message is acknowledged
    /// for which there is no room otherwise, or while a payload is being sent that a reply waits for.
    #[must_use]
    pub const fn ping_timeout(mut self, time: Duration) -> Self {
        self.ping_timeout = millis(time);
        self
    }

    /// Acknowledges messages when the application calls `acknowledge`, instead of right after they were
    /// returned as events. Acknowledgements still leave in the order in which the messages came
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3].
    #[must_use]
    pub const fn manual_acknowledgement(self, manual: bool) -> Self {
        self.with(MANUAL_ACKNOWLEDGEMENT, manual)
    }

    /// Returns each change of the session that has to survive a crash as
    /// [`Action::Store`](crate::Action::Store).
    ///
    /// A session that ends with its connection has none, except that a client with Clean Session
    /// reports that an earlier session is cleared. On a server the application keeps the sessions, and
    /// clears the journal of one that it does not resume.
    #[must_use]
    pub const fn journal(self, journal: bool) -> Self {
        self.with(JOURNAL, journal)
    }

    /// Takes a PUBACK for a QoS 2 message that was sent for the end of its delivery: the peer has it.
    /// For devices and small brokers that answer every message with PUBACK. Without this it is a
    /// violation.
    #[must_use]
    pub const fn accept_puback_at_qos_2(self, accept: bool) -> Self {
        self.with(PUBACK_AT_QOS_2, accept)
    }

    /// Takes a QoS 2 message that comes without DUP, with the Packet Identifier of one that an earlier
    /// connection left unfinished, for that one sent again. For peers that do not set DUP when they
    /// send a message again, such as aedes.
    ///
    /// Without this it is a new message, because a message that is sent again has DUP
    /// [MQTT-3.3.1-1]: the peer has lost its memory and counts from 1 again. The earlier message is
    /// given up, and the new one is delivered.
    #[must_use]
    pub const fn accept_resend_without_dup(self, accept: bool) -> Self {
        self.with(RESEND_WITHOUT_DUP, accept)
    }

    /// Client: allows commands right after CONNECT, without waiting for CONNACK (section 3.1.4), if
    /// nothing of an earlier connection is in flight. If the server refuses the connection, it does not
    /// handle them.
    #[must_use]
    pub const fn send_before_connack(self, early: bool) -> Self {
        self.with(SEND_BEFORE_CONNACK, early)
    }

    /// Client of MQTT 5: this side has no state of an earlier session, not even which subscriptions it
    /// made. A server that resumes one is a violation then [MQTT5-3.2.2-4].
    #[must_use]
    pub const fn no_session_state(self, none: bool) -> Self {
        self.with(NO_SESSION_STATE, none)
    }
}

impl Config {
    pub(super) const fn with(mut self, flag: u8, is_set: bool) -> Self {
        if is_set {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
        self
    }

    #[inline]
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Prints the limits, and the settings that are not off.
impl core::fmt::Debug for Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = f.debug_struct("Config");
        shown
            .field("max_inflight", &self.max_inflight)
            .field("receive_maximum", &self.receive_maximum)
            .field("connect_timeout", &self.connect_timeout)
            .field("ping_timeout", &self.ping_timeout);
        for (flag, name) in [
            (MANUAL_ACKNOWLEDGEMENT, "manual_acknowledgement"),
            (JOURNAL, "journal"),
            (SEND_BEFORE_CONNACK, "send_before_connack"),
            (NO_SESSION_STATE, "no_session_state"),
            (RESEND_WITHOUT_DUP, "accept_resend_without_dup"),
            (PUBACK_AT_QOS_2, "accept_puback_at_qos_2"),
        ] {
            if self.has(flag) {
                shown.field(name, &true);
            }
        }
        shown.finish()
    }
}

/// In whole milliseconds; what is less than one counts as one, so that only zero is zero.
const fn millis(time: Duration) -> u32 {
    let millis = time.as_nanos().div_ceil(1_000_000);
    if millis > u32::MAX as u128 {
        u32::MAX
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "compared just before")]
        let millis = millis as u32;
        millis
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
