//! The settings and limits of a connection.

use core::time::Duration;

/// The settings and limits of a [`Connection`](crate::Connection). By default acknowledgements are
/// automatic, there is no journal, and the limits are finite.
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
    /// In milliseconds, as `ping_timeout`.
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
    /// Returns the defaults.
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

    /// Sets the maximum number of messages above QoS 0 in flight to the peer; 0 counts as 1.
    /// Default 65,535, so the slots of the session are the limit.
    #[must_use]
    pub const fn max_inflight(mut self, messages: u16) -> Self {
        self.max_inflight = if messages == 0 { 1 } else { messages };
        self
    }

    /// Sets the maximum number of the peer's messages to hold: QoS 2 messages that it has not
    /// released and, with manual acknowledgement, those that are not acknowledged. Default 65,535,
    /// so the slots of the session are the limit.
    ///
    /// If all of them wait for the application, `receive` returns
    /// [`Blocked::InboundFull`](crate::Blocked::InboundFull).
    ///
    /// If all of them wait for the peer's PUBREL, which may come later in the stream, the
    /// connection neither delivers nor acknowledges further messages that need a slot. It ends with
    /// [`CloseReason::LimitExceeded`](crate::CloseReason::LimitExceeded) when the peer has released
    /// all, or none within [`ping_timeout`](Self::ping_timeout). On the next connection the peer
    /// sends the others again. To avoid this, have as many slots as the peer may have messages in
    /// flight.
    #[must_use]
    pub const fn receive_maximum(mut self, messages: u16) -> Self {
        self.receive_maximum = messages;
        self
    }

    /// Sets how long a server waits for CONNECT, and a client for CONNACK. Default 10 seconds; zero
    /// is no limit. Rounded up to milliseconds.
    ///
    /// In MQTT 5 each AUTH before CONNACK has this time limit. A re-authentication has none: the
    /// application ends it with `disconnect_with`.
    #[must_use]
    pub const fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = millis(time);
        self
    }

    /// Sets how long a client waits after PINGREQ for PINGRESP or any other sign of life: a packet,
    /// or a part of one (section 3.1.2.10). Default 10 seconds; zero is no limit. Rounded up to
    /// milliseconds.
    ///
    /// The time stops while the client itself cannot read: until the application acknowledges a
    /// message, if no slot is free, or while a reply waits for the end of a payload.
    #[must_use]
    pub const fn ping_timeout(mut self, time: Duration) -> Self {
        self.ping_timeout = millis(time);
        self
    }

    /// Acknowledges messages when the application calls `acknowledge`, instead of right after their
    /// events. Acknowledgements are sent in the order in which the messages were received
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3].
    #[must_use]
    pub const fn manual_acknowledgement(self, manual: bool) -> Self {
        self.with(MANUAL_ACKNOWLEDGEMENT, manual)
    }

    /// Returns each change of the session that has to survive a crash as
    /// [`Action::Store`](crate::Action::Store).
    ///
    /// A session that ends with its connection has no changes to store; a client with Clean Session
    /// only reports that an earlier session is cleared. At a server the application keeps the
    /// sessions, and clears the journal of a session that it does not resume.
    #[must_use]
    pub const fn journal(self, journal: bool) -> Self {
        self.with(JOURNAL, journal)
    }

    /// Accepts PUBACK for a QoS 2 message that this side sent, as the end of its delivery. For
    /// devices and small brokers that answer every message with PUBACK. Otherwise it is a
    /// violation.
    #[must_use]
    pub const fn accept_puback_at_qos_2(self, accept: bool) -> Self {
        self.with(PUBACK_AT_QOS_2, accept)
    }

    /// Treats a QoS 2 message without DUP as a duplicate if an earlier connection left its Packet
    /// Identifier unfinished. For peers that do not set DUP when they send a message again, such as
    /// aedes.
    ///
    /// Otherwise it is a new message, because a message that is sent again has DUP [MQTT-3.3.1-1]:
    /// the peer has lost its session and starts again at identifier 1. The earlier message is given
    /// up, and the new one is delivered.
    #[must_use]
    pub const fn accept_resend_without_dup(self, accept: bool) -> Self {
        self.with(RESEND_WITHOUT_DUP, accept)
    }

    /// Client: allows commands right after CONNECT, without waiting for CONNACK (section 3.1.4), if
    /// no message of an earlier connection is in flight. A server that refuses the connection
    /// ignores them.
    ///
    /// In MQTT 5 CONNACK announces the limits of the server. Until then its defaults are assumed:
    /// Receive Maximum 65,535, no Maximum Packet Size, no Topic Aliases. A server whose limits an early
    /// packet exceeds closes the connection, for example with Reason Code 0x93 (section 4.9);
    /// [`max_inflight`](Self::max_inflight) bounds the messages. If more are in flight than the Receive
    /// Maximum of CONNACK, the next one waits until fewer are.
    ///
    /// With a journal, a client of MQTT 5 without a Session Expiry Interval still waits for CONNACK,
    /// which decides whether the messages are to be stored.
    #[must_use]
    pub const fn send_before_connack(self, early: bool) -> Self {
        self.with(SEND_BEFORE_CONNACK, early)
    }

    /// Client of MQTT 5: this side has no state of an earlier session, not even its subscriptions. A
    /// server that resumes one then violates the protocol [MQTT5-3.2.2-4].
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

/// Prints the limits, and the settings that are on.
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

/// Rounds up to whole milliseconds, so that only zero is zero.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_stored_apart_from_the_others() {
        let set = [
            Config::manual_acknowledgement,
            Config::journal,
            Config::send_before_connack,
            Config::no_session_state,
            Config::accept_resend_without_dup,
            Config::accept_puback_at_qos_2,
        ];
        let mut all = Config::new();
        for setting in set {
            assert_ne!(setting(all, true), all);
            all = setting(all, true);
        }
        for setting in set {
            assert_ne!(setting(all, false), all);
            all = setting(all, false);
        }
        assert_eq!(all, Config::new());
    }

    #[test]
    fn a_time_is_rounded_up_to_milliseconds_and_ends_at_the_longest() {
        let longest = Duration::from_millis(u32::MAX.into());
        for (time, stored) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(2_001), 3),
            (longest, u32::MAX),
            (longest + Duration::from_millis(1), u32::MAX),
            (Duration::MAX, u32::MAX),
        ] {
            assert_eq!(Config::new().ping_timeout(time).ping_timeout, stored);
            assert_eq!(Config::new().connect_timeout(time).connect_timeout, stored);
        }
    }
}
