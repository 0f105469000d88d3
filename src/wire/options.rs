//! The limits and leniencies of a decoder.

/// The limits of a decoder, and the faults of known peers that it accepts.
///
/// The default is the strict reading of the standard. Where MQTT 5 leaves a choice,
/// [`v5`](crate::v5) lists the one that this crate makes. Each leniency applies to all versions,
/// and is for one kind of faulty peer; switch it on only for connections to such peers. A leniency
/// changes what is decoded, never what is encoded: an accepted packet encodes as the standard
/// requires.
///
/// ```
/// use mqtt_sansio::{Options, v3};
///
/// let mut pubrel: &[u8] = &[0x60, 2, 0, 1];
/// let refused = v3::decode(&mut pubrel.clone(), &Options::new()).unwrap_err();
/// assert_eq!(refused.statement(), Some("MQTT-3.6.1-1"));
///
/// let options = Options::new().accept_pubrel_flags(true);
/// assert!(v3::decode(&mut pubrel, &options).is_ok());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Options {
    max_packet_size: u32,
    max_publish_size: u32,
    max_filters: u32,
    leniency: u16,
}

const PUBREL_FLAGS: u16 = 1;
const ACKNOWLEDGEMENT_FLAGS: u16 = 1 << 1;
const DUP_ON_REQUESTS: u16 = 1 << 2;
const DUP_AT_QOS_0: u16 = 1 << 3;
const REFUSE_OVERLONG: u16 = 1 << 4;
const PAYLOADS_IN_PIECES: u16 = 1 << 5;
const SKIP_LARGE: u16 = 1 << 6;
const MQTT_3_1: u16 = 1 << 7;
const BRIDGE_LEVELS: u16 = 1 << 8;
const WILL_QOS_WITHOUT_WILL: u16 = 1 << 9;
const INVALID_SHARED_FILTERS: u16 = 1 << 10;
const PACKET_ID_0: u16 = 1 << 11;

impl Options {
    /// Returns strict options with the default limits: packets up to 1 MiB, 65,535 filters in a
    /// packet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_packet_size: 1024 * 1024,
            max_publish_size: u32::MAX,
            max_filters: 65_535,
            leniency: 0, // [MQTT-7.0.0-2]
        }
    }

    /// Sets the size of the largest packet that is decoded whole, in bytes, fixed header included.
    /// A larger one is [`ErrorKind::PacketTooLarge`](crate::ErrorKind::PacketTooLarge) as soon as
    /// its fixed header is decoded. Default 1 MiB; the largest packet of MQTT has 268,435,460
    /// bytes. A server should start each connection with a few KiB, and raise this once CONNECT is
    /// accepted ([`Decoder::set_options`](crate::StreamDecoder::set_options)).
    #[must_use]
    pub const fn max_packet_size(mut self, bytes: u32) -> Self {
        self.max_packet_size = bytes;
        self
    }

    /// Sets the size of the largest PUBLISH in pieces
    /// ([`payloads_in_pieces`](Self::payloads_in_pieces)), in bytes, fixed header included.
    /// Default: no limit.
    #[must_use]
    pub const fn max_publish_size(mut self, bytes: u32) -> Self {
        self.max_publish_size = bytes;
        self
    }

    /// Sets the maximum number of Topic Filters in one SUBSCRIBE or UNSUBSCRIBE. Default 65,535.
    #[must_use]
    pub const fn max_filters(mut self, filters: u32) -> Self {
        self.max_filters = filters;
        self
    }

    /// Makes [`Connection::receive`](crate::Connection::receive) return a PUBLISH that is larger than the
    /// decoder's buffer, or than [`max_packet_size`](Self::max_packet_size), as its header and the pieces
    /// of its payload, up to [`max_publish_size`](Self::max_publish_size). Without this such a packet is
    /// an error.
    #[must_use]
    pub const fn payloads_in_pieces(self, in_pieces: bool) -> Self {
        self.set(PAYLOADS_IN_PIECES, in_pieces)
    }

    /// Makes [`Connection::receive`](crate::Connection::receive) skip the payload of a PUBLISH that
    /// is larger than the decoder's buffer, or than [`max_packet_size`](Self::max_packet_size), up
    /// to [`max_publish_size`](Self::max_publish_size). The application gets its header
    /// ([`Event::MessageSkipped`](crate::v3::Event::MessageSkipped)), and the connection
    /// acknowledges it, so that the peer does not send it again. Without this such a packet is an
    /// error. If both are set, [`payloads_in_pieces`](Self::payloads_in_pieces) applies.
    #[must_use]
    pub const fn skip_large_messages(self, skip: bool) -> Self {
        self.set(SKIP_LARGE, skip)
    }

    /// Accepts PUBREL with any flags, not only 0010 [MQTT-3.6.1-1]. For peers that send `60 02`, or
    /// set DUP when they resend it (hivemq-mqtt-web-client#6, qmqtt#154, MQTT-Client-Framework#16),
    /// and for MQTT 3.1, which allows both.
    #[must_use]
    pub const fn accept_pubrel_flags(self, accept: bool) -> Self {
        self.set(PUBREL_FLAGS, accept)
    }

    /// Accepts PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK with any flags, not only 0000
    /// [MQTT-2.2.2-2]. For servers that copy the flags of the request into the answer, such as `92`
    /// for SUBACK and `42` for PUBACK (esp-mqtt#134, hivemq-mqtt-client#340, mongoose#1001).
    #[must_use]
    pub const fn accept_acknowledgement_flags(self, accept: bool) -> Self {
        self.set(ACKNOWLEDGEMENT_FLAGS, accept)
    }

    /// Accepts SUBSCRIBE and UNSUBSCRIBE with DUP set (`8A`, `AA`) [MQTT-3.8.1-1, MQTT-3.10.1-1].
    /// For clients that resend them as MQTT 3.1 requires.
    #[must_use]
    pub const fn accept_dup_on_requests(self, accept: bool) -> Self {
        self.set(DUP_ON_REQUESTS, accept)
    }

    /// Accepts PUBLISH at QoS 0 with DUP set, and clears the flag [MQTT-3.3.1-2]. Some clients set
    /// DUP on every message that they send again; conforming receivers differ here.
    #[must_use]
    pub const fn accept_dup_at_qos_0(self, accept: bool) -> Self {
        self.set(DUP_AT_QOS_0, accept)
    }

    /// Accepts any value of the bits of fixed headers that MQTT 3.1 does not use, as MQTT 3.1 requires:
    /// all but the QoS of PUBLISH. A decoder whose stream began with a CONNECT of MQTT 3.1 does so by
    /// itself. A client that sends such a CONNECT sets this option for the packets of the server.
    #[must_use]
    pub const fn mqtt_3_1(self, is_mqtt_3_1: bool) -> Self {
        self.set(MQTT_3_1, is_mqtt_3_1)
    }

    /// Accepts a CONNECT whose Protocol Level has its highest bit set: 0x83 for MQTT 3.1, 0x84 for
    /// MQTT 3.1.1. Bridges of mosquitto and similar brokers set it with `try_private` (their
    /// default). The connection is like any other.
    #[must_use]
    pub const fn accept_bridge_levels(self, accept: bool) -> Self {
        self.set(BRIDGE_LEVELS, accept)
    }

    /// Accepts a CONNECT of MQTT 3.1.1 with Will QoS 1 or 2 and Will Flag 0 [MQTT-3.1.2-13], and
    /// ignores the Will QoS. For devices that always send the QoS of their configuration, with or
    /// without a Will.
    #[must_use]
    pub const fn accept_will_qos_without_will(self, accept: bool) -> Self {
        self.set(WILL_QOS_WITHOUT_WILL, accept)
    }

    /// Accepts Packet Identifier 0 [MQTT-2.3.1-1, MQTT5-2.2.1-3, MQTT5-2.2.1-4] in all packets but
    /// PUBLISH at QoS 2. The answer has it too, and an acknowledgement with it is for nothing that
    /// this side has sent. A QoS 1 message with it is acknowledged at once, also with
    /// [`manual_acknowledgement`](crate::Config::manual_acknowledgement), because no two of them can
    /// be told apart. For clients that subscribe with it (mosquitto#1249, mosquitto#2572, emqx#2206)
    /// or publish with it (RT-Thread's paho-mqtt#67), and servers that acknowledge QoS 0 messages
    /// with it (mosquitto#2427).
    #[must_use]
    pub const fn accept_packet_id_0(self, accept: bool) -> Self {
        self.set(PACKET_ID_0, accept)
    }

    /// MQTT 5: accepts SUBSCRIBE and UNSUBSCRIBE with a filter that starts with `$share/` and violates
    /// the rules for Shared Subscriptions [MQTT5-4.8.2-1, MQTT5-4.8.2-2], such as `$share/group` or
    /// `$share/+/a`. For servers that refuse such a filter in the acknowledgement, with 0x8F Topic Filter
    /// invalid, and keep the connection: [`check_shared`](crate::TopicFilter::check_shared) finds them.
    #[must_use]
    pub const fn accept_invalid_shared_filters(self, accept: bool) -> Self {
        self.set(INVALID_SHARED_FILTERS, accept)
    }

    /// Refuses a Remaining Length with more bytes than its value needs. The only option that is
    /// stricter than the default: MQTT 3.1.1 allows the longer forms (MQTT 5 does not), and some
    /// encoders always write four bytes.
    #[must_use]
    pub const fn refuse_overlong_remaining_length(self, refuse: bool) -> Self {
        self.set(REFUSE_OVERLONG, refuse)
    }

    const fn set(mut self, bit: u16, on: bool) -> Self {
        if on {
            self.leniency |= bit;
        } else {
            self.leniency &= !bit;
        }
        self
    }

    /// Returns true if any of these is on.
    const fn has(&self, bit: u16) -> bool {
        self.leniency & bit != 0
    }

    pub(crate) const fn packet_limit(&self) -> u32 {
        self.max_packet_size
    }

    pub(crate) const fn publish_limit(&self) -> u32 {
        self.max_publish_size
    }

    pub(crate) const fn filter_limit(&self) -> u32 {
        self.max_filters
    }

    pub(crate) const fn has_payloads_in_pieces(&self) -> bool {
        self.has(PAYLOADS_IN_PIECES)
    }

    pub(crate) const fn skips_large_messages(&self) -> bool {
        self.has(SKIP_LARGE)
    }

    pub(crate) const fn accepts_pubrel_flags(&self) -> bool {
        self.has(PUBREL_FLAGS | MQTT_3_1)
    }

    pub(crate) const fn accepts_acknowledgement_flags(&self) -> bool {
        self.has(ACKNOWLEDGEMENT_FLAGS | MQTT_3_1)
    }

    pub(crate) const fn is_mqtt_3_1(&self) -> bool {
        self.has(MQTT_3_1)
    }

    pub(crate) const fn accepts_bridge_levels(&self) -> bool {
        self.has(BRIDGE_LEVELS)
    }

    pub(crate) const fn accepts_will_qos_without_will(&self) -> bool {
        self.has(WILL_QOS_WITHOUT_WILL)
    }

    pub(crate) const fn accepts_invalid_shared_filters(&self) -> bool {
        self.has(INVALID_SHARED_FILTERS)
    }

    pub(crate) const fn accepts_packet_id_0(&self) -> bool {
        self.has(PACKET_ID_0)
    }

    pub(crate) const fn accepts_dup_on_requests(&self) -> bool {
        self.has(DUP_ON_REQUESTS)
    }

    pub(crate) const fn accepts_dup_at_qos_0(&self) -> bool {
        self.has(DUP_AT_QOS_0 | MQTT_3_1)
    }

    pub(crate) const fn refuses_overlong_remaining_length(&self) -> bool {
        self.has(REFUSE_OVERLONG)
    }
}

/// Prints the limits, and the settings that are on.
impl core::fmt::Debug for Options {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = f.debug_struct("Options");
        shown
            .field("max_packet_size", &self.max_packet_size)
            .field("max_publish_size", &self.max_publish_size)
            .field("max_filters", &self.max_filters);
        for (flag, name) in [
            (PUBREL_FLAGS, "accept_pubrel_flags"),
            (ACKNOWLEDGEMENT_FLAGS, "accept_acknowledgement_flags"),
            (DUP_ON_REQUESTS, "accept_dup_on_requests"),
            (DUP_AT_QOS_0, "accept_dup_at_qos_0"),
            (REFUSE_OVERLONG, "refuse_overlong_remaining_length"),
            (PAYLOADS_IN_PIECES, "payloads_in_pieces"),
            (SKIP_LARGE, "skip_large_messages"),
            (MQTT_3_1, "mqtt_3_1"),
            (BRIDGE_LEVELS, "accept_bridge_levels"),
            (WILL_QOS_WITHOUT_WILL, "accept_will_qos_without_will"),
            (INVALID_SHARED_FILTERS, "accept_invalid_shared_filters"),
            (PACKET_ID_0, "accept_packet_id_0"),
        ] {
            if self.has(flag) {
                shown.field(name, &true);
            }
        }
        shown.finish()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
