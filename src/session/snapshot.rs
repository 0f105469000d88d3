//! A session as bytes.
//!
//! All numbers are unsigned and big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `MQSN` |
//! | 1 | version of this format: 1 |
//! | 2 | the Packet Identifier to be used next, or 0 if all slots are in use |
//! | 2 | number of messages in flight to the peer |
//! | 3 each | Packet Identifier; 1 PUBLISH at QoS 1, 2 PUBLISH at QoS 2, 3 PUBREL; in the order of resending |
//! | 2 | number of QoS 2 messages from the peer that it has not released |
//! | 3 each | Packet Identifier; 2 acknowledged by the application, 3 PUBREC sent |
//! | 4 | CRC-32 (reflected, polynomial 0xEDB88320) of everything before |

use super::{Phase, Receipt, Session, Slots};
use crate::types::{PacketId, QoS};

const MAGIC: &[u8] = b"MQSN";
const VERSION: u8 = 1;
/// The length without the entries.
const FIXED: usize = 4 + 1 + 2 + 2 + 2 + 4;

/// The error of [`Session::restore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes do not begin like a saved session.
    #[error("this is not a saved session")]
    NotASession,
    /// The bytes have a version of the format that this version of the crate does not support.
    #[error("the session was saved in version {0} of the format, which is not supported")]
    UnknownVersion(u8),
    /// The bytes are truncated, too long, altered, or contradictory.
    #[error("the saved session is damaged")]
    Damaged,
    /// The session needs more slots, or another number of them: a Packet Identifier belongs to the
    /// slot of its number modulo the number of slots. The number of slots that the session was
    /// saved with always fits.
    #[error("the saved session does not fit into the slots")]
    DoesNotFit,
}

impl<S: Slots> Session<S> {
    /// Returns the number of bytes that [`save`](Self::save) writes.
    pub fn saved_len(&self) -> usize {
        let entries = usize::from(self.outbound.messages()).saturating_add(self.saved().count());
        FIXED.saturating_add(entries.saturating_mul(3))
    }

    /// Writes the session to the start of `buffer` and returns the written part, or `None` if
    /// [`saved_len`](Self::saved_len) bytes do not fit. The format is versioned, and described in
    /// the source of this module.
    ///
    /// Two things are not saved: SUBSCRIBE and UNSUBSCRIBE without an answer, which belong to the
    /// connection, and messages that the application has not acknowledged, which the peer sends
    /// again. Do not save the session of a connection with Clean Session: it ends with that
    /// connection [MQTT-3.1.2-6].
    ///
    /// ```
    /// use mqtt_sansio::{Session, Slot};
    ///
    /// let session = Session::<[Slot; 4]>::default();
    /// let mut flash = [0; 64];
    /// let saved = session.save(&mut flash).unwrap();
    /// let restored = Session::restore(saved, [Slot::EMPTY; 4], [Slot::EMPTY; 4])?;
    /// assert!(restored.is_empty());
    /// # Ok::<(), mqtt_sansio::RestoreError>(())
    /// ```
    pub fn save<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let saved = buffer.get_mut(..self.saved_len())?;
        let mut rest = &mut *saved;
        put(&mut rest, MAGIC)?;
        put(&mut rest, &[VERSION])?;
        put(&mut rest, &self.outbound.next_number().to_be_bytes())?;
        put(&mut rest, &self.outbound.messages().to_be_bytes())?;
        for (packet_id, phase) in self.outbound.iter() {
            let code = match phase {
                Phase::Publish(QoS::ExactlyOnce) => 2,
                Phase::Publish(_) => 1,
                Phase::Released => 3,
                // 0 is never the identifier of a message.
                Phase::Subscribe(_) | Phase::Unsubscribe(_) => return None,
            };
            put_entry(&mut rest, packet_id, code)?;
        }
        let received = u16::try_from(self.saved().count()).ok()?;
        put(&mut rest, &received.to_be_bytes())?;
        for (packet_id, code) in self.saved() {
            put_entry(&mut rest, packet_id, code)?;
        }
        let checked = saved.len().saturating_sub(4);
        let (content, check) = saved.split_at_mut_checked(checked)?;
        check.copy_from_slice(&crc32(content).to_be_bytes());
        Some(saved)
    }

    /// Returns the saved entries of received messages.
    fn saved(&self) -> impl Iterator<Item = (PacketId, u8)> + '_ {
        self.inbound
            .kept()
            .filter_map(|(packet_id, receipt)| match receipt {
                // PUBREC was not sent, and after a restart the application may not have the
                // message.
                Receipt::Delivered(_) => None,
                // The PUBREC that refuses it was not sent either: the peer sends the message again,
                // and the application decides again.
                Receipt::Acknowledged(_) if self.inbound.is_refused(packet_id) => None,
                Receipt::Acknowledged(_) => Some((packet_id, 2)),
                Receipt::Received => Some((packet_id, 3)),
            })
    }

    /// [`save`](Self::save) to a new vector (feature `alloc`).
    #[cfg(feature = "alloc")]
    pub fn save_to_vec(&self) -> alloc::vec::Vec<u8> {
        let mut saved = alloc::vec![0; self.saved_len()];
        self.save(&mut saved);
        saved
    }

    /// Reads a saved session into slots, whose contents are overwritten.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]. The bytes are not changed, so a session that does not fit can be restored
    /// with more slots.
    pub fn restore(saved: &[u8], outbound: S, inbound: S) -> Result<Self, RestoreError> {
        use RestoreError::{Damaged, DoesNotFit};

        let mut rest = saved;
        if take(&mut rest) != Some(*b"MQSN") {
            return Err(RestoreError::NotASession);
        }
        let [version] = take(&mut rest).ok_or(Damaged)?;
        if version != VERSION {
            return Err(RestoreError::UnknownVersion(version));
        }
        let (content, check) = saved.split_last_chunk::<4>().ok_or(Damaged)?;
        if *check != crc32(content).to_be_bytes() {
            return Err(Damaged);
        }

        let mut session = Self::new(outbound, inbound);
        session.outbound.start_restoring();
        let next = take_u16(&mut rest).ok_or(Damaged)?;
        for _ in 0..take_u16(&mut rest).ok_or(Damaged)? {
            let (packet_id, code) = take_entry(&mut rest).ok_or(Damaged)?;
            let phase = match code {
                1 => Phase::Publish(QoS::AtLeastOnce),
                2 => Phase::Publish(QoS::ExactlyOnce),
                3 => Phase::Released,
                _ => return Err(Damaged),
            };
            if session.outbound.phase(packet_id).is_some() {
                return Err(Damaged);
            }
            if !session.outbound.restore(packet_id, phase) {
                return Err(DoesNotFit);
            }
        }
        session.outbound.finish_restoring(next.max(1));
        for _ in 0..take_u16(&mut rest).ok_or(Damaged)? {
            let (packet_id, code) = take_entry(&mut rest).ok_or(Damaged)?;
            let receipt = match code {
                2 => Receipt::Acknowledged(QoS::ExactlyOnce),
                3 => Receipt::Received,
                _ => return Err(Damaged),
            };
            if session.inbound.receipt(packet_id).is_some() {
                return Err(Damaged);
            }
            if !session.inbound.hold(packet_id, receipt, u16::MAX) {
                return Err(DoesNotFit);
            }
        }
        session.inbound.end_connection();
        if rest.len() != check.len() {
            return Err(Damaged);
        }
        Ok(session)
    }
}

fn put(rest: &mut &mut [u8], bytes: &[u8]) -> Option<()> {
    let (start, behind) = core::mem::take(rest).split_at_mut_checked(bytes.len())?;
    start.copy_from_slice(bytes);
    *rest = behind;
    Some(())
}

fn put_entry(rest: &mut &mut [u8], packet_id: PacketId, code: u8) -> Option<()> {
    let [high, low] = packet_id.get().to_be_bytes();
    put(rest, &[high, low, code])
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    take(rest).map(u16::from_be_bytes)
}

fn take_entry(rest: &mut &[u8]) -> Option<(PacketId, u8)> {
    let [high, low, code] = take(rest)?;
    Some((PacketId::new(u16::from_be_bytes([high, low]))?, code))
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1 != 0;
            crc >>= 1;
            if carry {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Slot;
    use std::vec::Vec;

    type Four = Session<[Slot; 4]>;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn busy() -> Four {
        let mut session = Four::default();
        for phase in [
            Phase::Publish(QoS::ExactlyOnce),
            Phase::Publish(QoS::AtLeastOnce),
            Phase::Subscribe(1),
            Phase::Publish(QoS::ExactlyOnce),
        ] {
            session.outbound.next_id().unwrap();
            session.outbound.begin(phase);
        }
        session.outbound.release(id(1));
        session.inbound.hold(id(900), Receipt::Received, 4);
        session
            .inbound
            .hold(id(8), Receipt::Acknowledged(QoS::ExactlyOnce), 4);
        session
            .inbound
            .hold(id(7), Receipt::Delivered(QoS::ExactlyOnce), 4);
        session
            .inbound
            .hold(id(9), Receipt::Delivered(QoS::AtLeastOnce), 4);
        session
    }

    /// Version 1, byte by byte: every later version of this crate must be able to read it.
    const BUSY: &[u8] = b"MQSN\x01\x00\x00\
        \x00\x03\x00\x02\x01\x00\x04\x02\x00\x01\x03\
        \x00\x02\x03\x84\x03\x00\x08\x02";

    fn with_check(content: &[u8]) -> Vec<u8> {
        [content, &crc32(content).to_be_bytes()].concat()
    }

    #[test]
    fn the_check_is_the_usual_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_session_is_saved_as_the_table_says() {
        let mut buffer = [0; 100];
        assert_eq!(busy().save(&mut buffer).unwrap(), with_check(BUSY));
        assert_eq!(busy().saved_len(), BUSY.len() + 4);
    }

    #[test]
    fn a_saved_session_comes_back_with_its_order() {
        let saved = with_check(BUSY);
        let session = Four::restore(&saved, [Slot::EMPTY; 4], [Slot::EMPTY; 4]).unwrap();
        let outbound: Vec<_> = session.outbound.iter().collect();
        assert_eq!(
            outbound,
            [
                (id(2), Phase::Publish(QoS::AtLeastOnce)),
                (id(4), Phase::Publish(QoS::ExactlyOnce)),
                (id(1), Phase::Released),
            ]
        );
        assert_eq!(session.inbound.receipt(id(900)), Some(Receipt::Received));
        assert_eq!(
            session.inbound.receipt(id(8)),
            Some(Receipt::Acknowledged(QoS::ExactlyOnce))
        );
        assert_eq!(session.inbound.receipt(id(9)), None);
    }

    #[test]
    fn a_buffer_that_is_one_byte_short_is_refused() {
        let mut buffer = [0; 100];
        let len = busy().saved_len();
        assert!(busy().save(&mut buffer[..len - 1]).is_none());
        assert!(busy().save(&mut buffer[..len]).is_some());
    }

    #[test]
    fn every_single_altered_byte_and_every_cut_is_noticed() {
        let saved = with_check(BUSY);
        for at in 0..saved.len() {
            for flip in 1..=255 {
                let mut damaged = saved.clone();
                damaged[at] ^= flip;
                assert!(Four::restore(&damaged, [Slot::EMPTY; 4], [Slot::EMPTY; 4]).is_err());
            }
            assert!(Four::restore(&saved[..at], [Slot::EMPTY; 4], [Slot::EMPTY; 4]).is_err());
        }
        let longer = [&saved[..], &[0]].concat();
        assert!(Four::restore(&longer, [Slot::EMPTY; 4], [Slot::EMPTY; 4]).is_err());
    }

    fn refused(content: &[u8]) -> RestoreError {
        Four::restore(&with_check(content), [Slot::EMPTY; 4], [Slot::EMPTY; 4]).unwrap_err()
    }

    #[test]
    fn contradictions_are_refused_even_with_the_right_check() {
        for (why, content) in [
            ("identifier 0", &b"MQSN\x01\0\x01\0\x01\0\0\x01\0\0"[..]),
            ("an unknown stage", b"MQSN\x01\0\x01\0\x01\0\x05\x04\0\0"),
            (
                "the same identifier twice",
                b"MQSN\x01\0\x01\0\x02\0\x05\x01\0\x05\x02\0\0",
            ),
            (
                "fewer messages than announced",
                b"MQSN\x01\0\x01\0\x02\0\x05\x01\0\0",
            ),
            ("bytes left over", b"MQSN\x01\0\x01\0\0\0\0\xff"),
            (
                "a received identifier twice",
                b"MQSN\x01\0\x01\0\0\0\x02\0\x05\x03\0\x05\x03",
            ),
            ("an unknown receipt", b"MQSN\x01\0\x01\0\0\0\x01\0\x05\0"),
            ("nothing behind the version", b"MQSN\x01"),
        ] {
            assert_eq!(refused(content), RestoreError::Damaged, "{why}");
        }
        assert_eq!(
            refused(b"MQTT\x01\0\x01\0\0\0\0"),
            RestoreError::NotASession
        );
        assert_eq!(
            refused(b"MQSN\x02\0\x01\0\0\0\0"),
            RestoreError::UnknownVersion(2)
        );
    }

    #[test]
    fn a_session_that_is_larger_than_its_slots_is_refused_and_fits_into_as_many_as_it_had() {
        let saved = with_check(BUSY);
        let small = Session::restore(&saved, [Slot::EMPTY; 2], [Slot::EMPTY; 2]);
        assert_eq!(small.unwrap_err(), RestoreError::DoesNotFit);
        assert!(Session::restore(&saved, [Slot::EMPTY; 4], [Slot::EMPTY; 4]).is_ok());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_holds_a_session_of_any_slots() {
        let content =
            b"MQSN\x01\x00\x02\x00\x04\x00\x01\x01\x04\x01\x01\x80\x01\x02\xff\xff\x03\x00\x00";
        let session = Session::restore(&with_check(content), Vec::new(), Vec::new()).unwrap();
        let order: Vec<u16> = session.outbound().map(|m| m.packet_id.get()).collect();
        assert_eq!(order, [1, 1025, 32769, 65535]);
        assert_eq!(session.save_to_vec()[..7], content[..7]);
    }
}
