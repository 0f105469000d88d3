//! UNSUBACK (section 3.11).

use super::UnsubscribeReasonCode;
use super::suback::{ListedReasonCode, ReasonCodes, RequestAck};
use crate::wire::PacketType;

/// UNSUBACK: the server's answer to UNSUBSCRIBE (section 3.11).
pub type UnsubAck<B> = RequestAck<B, UnsubscribeReasonCode>;

/// The Reason Codes of [`UnsubAck`].
pub type UnsubscribeReasonCodes<B> = ReasonCodes<B, UnsubscribeReasonCode>;

impl ListedReasonCode for UnsubscribeReasonCode {
    const PACKET_TYPE: PacketType = PacketType::UnsubAck;
    const NAME: &'static str = "UnsubAck";
    const FIRST_BYTE: u8 = 0xb0;

    #[inline]
    fn from_number(number: u8) -> Option<Self> {
        Self::from_number(number) // [MQTT5-3.11.3-2]
    }

    #[inline]
    fn number(self) -> u8 {
        self.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::Properties;
    use crate::v5::testing::{id, round_trip};

    #[test]
    fn an_unsuback_has_the_code_of_each_topic_filter() {
        let codes = [
            UnsubscribeReasonCode::NoSubscriptionExisted,
            UnsubscribeReasonCode::Success,
        ];
        let mut buffer = [0; 2];
        let reason_codes = UnsubscribeReasonCodes::encode_to_slice(&mut buffer, codes).unwrap();
        round_trip(
            UnsubAck {
                packet_id: id(1),
                properties: Properties::EMPTY,
                reason_codes,
            },
            b"\xb0\x05\0\x01\0\x11\0",
        );
    }
}
