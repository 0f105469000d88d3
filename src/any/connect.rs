//! CONNECT of either version.

use super::ProtocolVersion;
use crate::v3;
use crate::v5::{self, ConnectProperties, WillProperties};

/// A CONNECT of either version. [`to_connect`](Self::to_connect) returns its fields in the shape of
/// MQTT 5.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "another version would be another module"
)]
pub enum Connect<B> {
    /// Of MQTT 3.1 or 3.1.1.
    V3(v3::EncodedConnect<B>),
    /// Of MQTT 5.
    V5(v5::EncodedConnect<B>),
}

/// The properties of a client of MQTT 3.1.1 that keeps its session: an unlimited Session Expiry
/// Interval.
const KEPT_FOR_EVER: &[u8] = b"\x11\xff\xff\xff\xff";

impl<B: AsRef<[u8]>> Connect<B> {
    /// Returns the fields in the shape of MQTT 5. Clean Session of MQTT 3.1.1 is Clean Start with a
    /// session that ends with the connection; without it the Session Expiry Interval is unlimited.
    #[must_use]
    pub fn to_connect(&self) -> v5::Connect<&[u8]> {
        let connect = match self {
            Self::V5(connect) => return connect.to_connect(),
            Self::V3(connect) => connect.to_connect(),
        };
        let credentials = connect.credentials;
        v5::Connect {
            clean_start: connect.clean_session,
            keep_alive: connect.keep_alive,
            properties: ConnectProperties::from_valid(if connect.clean_session {
                &[]
            } else {
                KEPT_FOR_EVER
            }),
            client_id: connect.client_id,
            will: connect.will.map(|will| v5::Will {
                properties: WillProperties::EMPTY,
                topic: will.topic,
                payload: will.message,
                qos: will.qos,
                retain: will.retain,
            }),
            user_name: credentials.map(|credentials| credentials.user_name),
            password: credentials.and_then(|credentials| credentials.password),
        }
    }
}

impl<B> Connect<B> {
    /// Returns the version of the client.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        match self {
            Self::V3(_) => ProtocolVersion::V3,
            Self::V5(_) => ProtocolVersion::V5,
        }
    }

    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Connect<C> {
        match self {
            Self::V3(connect) => Connect::V3(connect.map(f)),
            Self::V5(connect) => Connect::V5(connect.map(f)),
        }
    }
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Connect<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::V3(connect) => f.debug_tuple("V3").field(connect).finish(),
            Self::V5(connect) => f.debug_tuple("V5").field(connect).finish(),
        }
    }
}
