//! Converts values of MQTT 5 for a client of MQTT 3.1.1.

use crate::connection::CommandError;
use crate::types::TopicName;
use crate::v3::{self, ConnectRefusal, ReturnCode};
use crate::v5::{ConnectReasonCode, Message, SubscribeReasonCode};

/// Returns the closest return code of CONNACK.
pub(super) const fn refusal(
    reason_code: ConnectReasonCode,
) -> Result<ConnectRefusal, CommandError> {
    Ok(match reason_code {
        ConnectReasonCode::Success => return Err(CommandError::ReasonCodeOfPeer),
        ConnectReasonCode::UnsupportedProtocolVersion => {
            ConnectRefusal::UnacceptableProtocolVersion
        }
        ConnectReasonCode::ClientIdentifierNotValid => ConnectRefusal::IdentifierRejected,
        ConnectReasonCode::BadUserNameOrPassword | ConnectReasonCode::BadAuthenticationMethod => {
            ConnectRefusal::BadUserNameOrPassword
        }
        ConnectReasonCode::NotAuthorized | ConnectReasonCode::Banned => {
            ConnectRefusal::NotAuthorized
        }
        _ => ConnectRefusal::ServerUnavailable,
    })
}

/// Returns the return code of SUBACK.
pub(super) fn return_code(reason_code: SubscribeReasonCode) -> ReturnCode {
    ReturnCode::from_number(reason_code.number()).unwrap_or(ReturnCode::Failure)
}

/// Returns the message without its properties.
#[inline]
pub(super) fn message<T: AsRef<[u8]>, P: AsRef<[u8]>, Q>(
    message: &Message<T, P, Q>,
) -> v3::Message<&[u8]> {
    v3::Message {
        topic: TopicName::as_ref(&message.topic),
        payload: message.payload.as_ref(),
        qos: message.qos,
        retain: message.retain,
    }
}
