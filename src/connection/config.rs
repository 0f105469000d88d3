//! What a connection does and how much it takes.

/// How a [`Client`](crate::Client) or a [`Server`](crate::Server) behaves. The default suits most:
/// acknowledgements are automatic, there is no journal, and the limits are finite.
///
/// ```
/// use mqtt_sansio::Config;
///
/// let config = Config::new().manual_acknowledgement(true).max_inflight(16);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    pub(super) max_inflight: u16,
    pub(super) receive_maximum: u16,
    pub(super) connect_timeout: u32,
    pub(super) ping_timeout: u32,
    pub(super) manual: bool,
    pub(super) journal: bool,
    pub(super) early: bool,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_inflight: u16::MAX,
            receive_maximum: 1024,
            connect_timeout: 10_000,
            ping_timeout: 10_000,
            manual: false,
            journal: false,
            early: false,
        }
    }

    /// The most messages above QoS 0 that may be under way to the peer at once; one at least, or
    /// nothing could ever be sent. Default 65,535, that is, as many as there are slots for.
    #[must_use]
    pub const fn max_inflight(mut self, messages: u16) -> Self {
        self.max_inflight = if messages == 0 { 1 } else { messages };
        self
    }

    /// The most messages of the peer to hold on to at once: QoS 2 messages that it has not
    /// released, and, with manual acknowledgement, those that are not acknowledged. Default 1,024,
    /// or as many as there are slots for.
    ///
    /// When they are all waiting for the application,
    /// [`Blocked::InboundFull`](crate::Blocked::InboundFull) asks it to stop reading. When they are
    /// all waiting for the peer's PUBREL, reading on is the only way to free one, so a further
    /// QoS 2 message ends the connection
    /// ([`PeerError::TooManyInbound`](crate::PeerError::TooManyInbound)); as many as the peer may
    /// have under way avoid that.
    #[must_use]
    pub const fn receive_maximum(mut self, messages: u16) -> Self {
        self.receive_maximum = messages;
        self
    }

    /// How long a server waits for CONNECT, and a client for CONNACK, in milliseconds. Default
    /// 10,000; 0 for ever.
    #[must_use]
    pub const fn connect_timeout(mut self, millis: u32) -> Self {
        self.connect_timeout = millis;
        self
    }

    /// How long a client waits for PINGRESP, in milliseconds (section 3.1.2.10). Default 10,000; 0
    /// for ever. The time does not run as long as the client itself takes nothing: before a message is
    /// acknowledged for which there is no room otherwise, or while a payload is being sent that an
    /// answer waits for.
    #[must_use]
    pub const fn ping_timeout(mut self, millis: u32) -> Self {
        self.ping_timeout = millis;
        self
    }

    /// Acknowledge messages when the application says so, with `acknowledge`, instead of right
    /// after they have been handed to it. Acknowledgements still leave in the order in which the
    /// messages came [MQTT-4.6.0-2, MQTT-4.6.0-3].
    #[must_use]
    pub const fn manual_acknowledgement(mut self, manual: bool) -> Self {
        self.manual = manual;
        self
    }

    /// Say each change of the session that has to survive a crash
    /// ([`Action::Store`](crate::Action::Store)). With Clean Session there are none, as such a session
    /// ends with its connection, but that a client says that an earlier one is cleared. A server's
    /// application, which keeps the sessions, clears the journal of one that it does not accept the
    /// client with.
    #[must_use]
    pub const fn journal(mut self, journal: bool) -> Self {
        self.journal = journal;
        self
    }

    /// Client: allow commands right after CONNECT, without waiting for CONNACK (section 3.1.4), if
    /// nothing of an earlier connection is under way. The server may refuse the connection, and
    /// then does nothing with them.
    #[must_use]
    pub const fn send_before_connack(mut self, early: bool) -> Self {
        self.early = early;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
