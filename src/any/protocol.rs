//! The protocol of a connection, recognised by its first bytes.

use core::fmt;

/// The first byte of CONNECT.
const CONNECT: u8 = 0x10;

/// Protocol Name of MQTT 3.1.1 and 5, with its length.
const NAME: &[u8] = b"\x00\x04MQTT";
/// Protocol Name of MQTT 3.1, with its length.
const NAME_3_1: &[u8] = b"\x00\x06MQIsdp";

/// Some servers set this bit of the Protocol Level when they connect to another server as a bridge.
const BRIDGE: u8 = 0x80;

/// The protocol of a connection, by the first bytes that its client sends.
///
/// ```
/// use mqtt_sansio::any::{OtherProtocol, Protocol};
///
/// let connect = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00";
/// assert_eq!(Protocol::of(connect), Some(Protocol::V5));
/// assert_eq!(Protocol::of(&connect[..6]), None); // more bytes are needed
/// assert_eq!(Protocol::of(b"GET / HTTP/1.1"), Some(Protocol::NotMqtt(OtherProtocol::Http)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Protocol {
    /// MQTT 3.1.
    V3_1,
    /// MQTT 3.1.1.
    V3_1_1,
    /// MQTT 5.
    V5,
    /// A CONNECT with an unknown Protocol Level, or one that does not belong to its Protocol Name.
    UnsupportedLevel(u8),
    /// Anything but a CONNECT.
    NotMqtt(OtherProtocol),
}

/// The protocol of a connection that does not begin with CONNECT, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OtherProtocol {
    /// HTTP, perhaps with MQTT over WebSocket.
    Http,
    /// TLS, perhaps with MQTT over TLS.
    Tls,
    /// SSH.
    Ssh,
    /// The header of the PROXY protocol, which a load balancer sends before the client's bytes.
    Proxy,
    /// None of these.
    Unknown,
}

/// The versions of MQTT that differ in more than CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the modules `v3` and `v5`; another version would be another module"
)]
pub enum ProtocolVersion {
    /// MQTT 3.1 and 3.1.1: [`v3`](crate::v3).
    V3,
    /// MQTT 5: [`v5`](crate::v5).
    V5,
}

/// The first bytes of other protocols. None is a prefix of another one, and none begins as CONNECT.
const OTHERS: [(&[u8], OtherProtocol); 15] = [
    (b"GET ", OtherProtocol::Http),
    (b"HEAD ", OtherProtocol::Http),
    (b"POST ", OtherProtocol::Http),
    (b"PUT ", OtherProtocol::Http),
    (b"DELETE ", OtherProtocol::Http),
    (b"CONNECT ", OtherProtocol::Http),
    (b"OPTIONS ", OtherProtocol::Http),
    (b"TRACE ", OtherProtocol::Http),
    (b"PATCH ", OtherProtocol::Http),
    (b"PRI * HTTP/2", OtherProtocol::Http),
    (b"HTTP/", OtherProtocol::Http),
    // A handshake record of any version.
    (b"\x16\x03", OtherProtocol::Tls),
    (b"SSH-", OtherProtocol::Ssh),
    (b"PROXY ", OtherProtocol::Proxy),
    (b"\r\n\r\n\0\r\nQUIT\n", OtherProtocol::Proxy),
];

impl Protocol {
    /// The most bytes that [`of`](Self::of) needs: the fixed header of CONNECT with a Remaining
    /// Length of four bytes, the longest Protocol Name, and the Protocol Level.
    pub const MAX_LEN: usize = 14;

    const UNKNOWN: Self = Self::NotMqtt(OtherProtocol::Unknown);

    /// Returns the protocol of a connection that begins with `bytes`, or `None` if more bytes are
    /// needed. [`MAX_LEN`](Self::MAX_LEN) bytes are always enough. More bytes never change the
    /// result.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let Some((&CONNECT, rest)) = bytes.split_first() else {
            return other(bytes).map(Self::NotMqtt);
        };
        // The last byte of a Remaining Length has its highest bit clear.
        let Some(last) = rest.iter().take(4).position(|byte| byte & 0x80 == 0) else {
            return (rest.len() >= 4).then_some(Self::UNKNOWN);
        };
        let (length, body) = rest
            .split_at_checked(last.saturating_add(1))
            .unwrap_or_default();
        let length = length
            .iter()
            .rfold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        of_body(length, body)
    }

    /// Returns the version whose module has the packets, or `None` if they cannot be decoded.
    #[must_use]
    pub const fn version(self) -> Option<ProtocolVersion> {
        match self {
            Self::V3_1 | Self::V3_1_1 => Some(ProtocolVersion::V3),
            Self::V5 => Some(ProtocolVersion::V5),
            Self::UnsupportedLevel(_) | Self::NotMqtt(_) => None,
        }
    }

    /// Returns the protocol of a bridge: some servers set the highest bit of the Protocol Level
    /// where they connect to another server, 0x83 for MQTT 3.1 and 0x84 for MQTT 3.1.1. Returns
    /// `None` for any other Protocol Level.
    #[must_use]
    pub const fn of_bridge(self) -> Option<Self> {
        match self {
            Self::UnsupportedLevel(0x83) => Some(Self::V3_1),
            Self::UnsupportedLevel(0x84) => Some(Self::V3_1_1),
            _ => None,
        }
    }
}

/// Returns the protocol of a CONNECT, by the bytes after its fixed header.
fn of_body(remaining_length: usize, body: &[u8]) -> Option<Protocol> {
    for name in [NAME, NAME_3_1] {
        if remaining_length <= name.len() {
            // The packet is too short for a Protocol Level.
            continue;
        }
        if name.starts_with(body) {
            return None;
        }
        if let Some(&[level, ..]) = body.strip_prefix(name) {
            return Some(match (name == NAME, level) {
                (false, 3) => Protocol::V3_1,
                (true, 4) => Protocol::V3_1_1,
                (true, 5) => Protocol::V5,
                (_, level) => Protocol::UnsupportedLevel(level),
            });
        }
    }
    Some(Protocol::UNKNOWN)
}

/// Recognises a connection that does not begin with CONNECT.
fn other(bytes: &[u8]) -> Option<OtherProtocol> {
    let mut may_become_known = false;
    for (beginning, protocol) in OTHERS {
        if bytes.starts_with(beginning) {
            return Some(protocol);
        }
        may_become_known |= beginning.starts_with(bytes);
    }
    (!may_become_known).then_some(OtherProtocol::Unknown)
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V3_1 => f.write_str("MQTT 3.1"),
            Self::V3_1_1 => f.write_str("MQTT 3.1.1"),
            Self::V5 => f.write_str("MQTT 5"),
            Self::UnsupportedLevel(level) => {
                write!(f, "MQTT at Protocol Level {level}")?;
                if self.of_bridge().is_some() {
                    write!(f, ", a bridge at Protocol Level {}", level & !BRIDGE)?;
                }
                Ok(())
            }
            Self::NotMqtt(OtherProtocol::Unknown) => f.write_str("not MQTT"),
            Self::NotMqtt(other) => write!(f, "not MQTT: it looks like {other}"),
        }
    }
}

impl fmt::Display for OtherProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::Ssh => "SSH",
            Self::Proxy => "the PROXY protocol",
            Self::Unknown => "no known protocol",
        })
    }
}

#[cfg(test)]
mod tests;
