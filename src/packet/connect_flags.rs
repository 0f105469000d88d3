//! Connect Flags (section 3.1.2.3): the same bits in all versions.

use crate::types::QoS;
use crate::wire::{ErrorKind, Field, ReadError, Reader};

const RESERVED: u8 = 1;
/// Clean Session; in MQTT 5 Clean Start.
pub(crate) const CLEAN: u8 = 1 << 1;
pub(crate) const WILL: u8 = 1 << 2;
pub(crate) const WILL_QOS: u8 = 3 << WILL_QOS_SHIFT;
const WILL_QOS_SHIFT: u32 = 3;
const WILL_RETAIN: u8 = 1 << 5;
pub(crate) const PASSWORD: u8 = 1 << 6;
pub(crate) const USER_NAME: u8 = 1 << 7;

/// The flags of a CONNECT with a Will.
pub(crate) const fn will_flags(qos: QoS, retain: bool) -> u8 {
    let flags = WILL | qos.number() << WILL_QOS_SHIFT;
    if retain { flags | WILL_RETAIN } else { flags }
}

/// Returns QoS and RETAIN of the Will, if there is one. The flags are valid.
pub(crate) const fn will(flags: u8) -> Option<(QoS, bool)> {
    match will_qos(flags) {
        Some(qos) if flags & WILL != 0 => Some((qos, flags & WILL_RETAIN != 0)),
        _ => None,
    }
}

/// Returns `None` if both of its bits are set.
const fn will_qos(flags: u8) -> Option<QoS> {
    QoS::from_number((flags & WILL_QOS) >> WILL_QOS_SHIFT)
}

/// Bits that MQTT 3.1 does not use, or not without a Will.
pub(crate) const UNUSED_IN_3_1: u8 = RESERVED | WILL_QOS | WILL_RETAIN;

/// Reads and validates the flags by the rules that all versions share. `ignored`: bits that count as 0
/// where they have no meaning.
pub(crate) fn read_connect_flags<F: ReadError>(
    reader: &mut Reader<'_, F>,
    ignored: u8,
) -> Result<u8, F> {
    let flags = reader.u8(Field::ConnectFlags)?;
    let meaningless = if flags & WILL == 0 {
        RESERVED | WILL_QOS | WILL_RETAIN
    } else {
        RESERVED
    };
    let flags = flags & !(ignored & meaningless);
    let kind = if flags & RESERVED != 0 {
        ErrorKind::ReservedConnectFlag // [MQTT-3.1.2-3] [MQTT5-3.1.2-3]
    } else if flags & WILL == 0 && flags & WILL_QOS != 0 {
        ErrorKind::WillQosWithoutWill // [MQTT-3.1.2-11, MQTT-3.1.2-13] [MQTT5-3.1.2-11]
    } else if flags & WILL == 0 && flags & WILL_RETAIN != 0 {
        ErrorKind::WillRetainWithoutWill // [MQTT-3.1.2-11, MQTT-3.1.2-15] [MQTT5-3.1.2-13]
    } else if will_qos(flags).is_none() {
        ErrorKind::InvalidWillQos // [MQTT-3.1.2-14] [MQTT5-3.1.2-12]
    } else {
        return Ok(flags);
    };
    Err(reader.fault_in_last(Field::ConnectFlags, kind))
}
