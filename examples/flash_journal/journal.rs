//! A journal of a session and its messages in two sectors of flash, without a heap.
//!
//! One sector is in use. It begins with its number, which increases with each sector, and a
//! checksum. Records follow, each written once and in order (`record.rs`).
//!
//! A record is a transaction: it holds a change, its message and the application's state, all or nothing.
//! The power was lost while a record without its checksum was being written.
//!
//! When a sector is full, the journal writes its current content to the other one, and the number of
//! that sector last. Until then the old sector is valid.

use mqtt_sansio::v3::Message;
use mqtt_sansio::{Change, PacketId, QoS, RestoreError, Session, Slot, TopicName};

use crate::flash::{Flash, SECTOR};
use crate::record::{
    Found, HEADER, MOST, Record, State, Unwritten, crc32, framed, number_of, put_body, read,
    state_of, write,
};

/// Slots for four messages in flight in each direction.
pub(crate) type Slots = [Slot; 4];

/// The error of a [`Journal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JournalError<E> {
    /// The flash failed.
    Flash(E),
    /// The current content does not fit into a sector.
    Full,
    /// The sector in use has an invalid record.
    Damaged,
    /// The saved session cannot be restored.
    Session(RestoreError),
}

impl<E> From<E> for JournalError<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

impl<E> From<Unwritten<E>> for JournalError<E> {
    fn from(error: Unwritten<E>) -> Self {
        match error {
            Unwritten::Flash(error) => Self::Flash(error),
            Unwritten::Full => Self::Full,
        }
    }
}

/// A message in flight, and the position of its record.
#[derive(Debug, Clone, Copy)]
struct Kept {
    packet_id: PacketId,
    qos: QoS,
    at: usize,
}

#[derive(Debug)]
pub(crate) struct Journal<F> {
    flash: F,
    /// The sector in use, its number, and the position of its next record.
    sector: usize,
    number: u32,
    end: usize,
    /// The session after all stored changes.
    session: Session<Slots>,
    kept: [Option<Kept>; 4],
    state: State,
}

// Kinds of records
/// A message that is about to be sent: [`Change::Sent`].
const SENT_QOS_1: u8 = 1;
const SENT_QOS_2: u8 = 2;
const RELEASED: u8 = 3;
const COMPLETED: u8 = 4;
const INBOUND_RECEIVED: u8 = 5;
const FORGOTTEN: u8 = 6;
const CLEARED: u8 = 7;
/// A saved session, at the start of a sector.
const SESSION: u8 = 8;
/// The application's state.
const STATE: u8 = 11;
/// A message in flight of the session in [`SESSION`], with its state at that time.
const MESSAGE_QOS_1: u8 = 9;
const MESSAGE_QOS_2: u8 = 10;

impl<F: Flash> Journal<F> {
    /// Reads the flash. An erased flash gives an empty session.
    ///
    /// # Errors
    /// The errors of the flash, and [`JournalError::Damaged`] or [`JournalError::Session`] if the
    /// content is invalid.
    /// something else.
    pub(crate) fn mount(flash: F) -> Result<Self, JournalError<F::Error>> {
        let newest = [0, 1]
            .into_iter()
            .filter_map(|sector| Some((number_of(&flash, sector)?, sector)))
            .max();
        let mut journal = Self {
            flash,
            sector: 0,
            number: 0,
            end: HEADER,
            session: Session::default(),
            kept: [None; 4],
            state: State::default(),
        };
        let Some((number, sector)) = newest else {
            // No sector was ever completed, not even the first.
            journal.sector = 1;
            journal.compact()?;
            return Ok(journal);
        };
        (journal.number, journal.sector) = (number, sector);
        loop {
            match read(&journal.flash, sector, journal.end) {
                Found::Record(record) => {
                    journal.replay(&record)?;
                    journal.end = journal.end.saturating_add(framed(record.len));
                }
                Found::Nothing => return Ok(journal),
                Found::Torn => {
                    // Bytes of a torn record cannot be written again.
                    journal.compact()?;
                    return Ok(journal);
                }
            }
        }
    }

    /// Returns the session for the next connection.
    pub(crate) fn session(&self) -> Session<Slots> {
        self.session.clone()
    }

    /// Returns the state that the application has stored.
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Returns the message in flight with this identifier, read into `buffer`.
    pub(crate) fn message<'b>(
        &self,
        packet_id: PacketId,
        buffer: &'b mut [u8; MOST],
    ) -> Option<Message<&'b [u8]>> {
        let kept = self
            .kept
            .iter()
            .flatten()
            .find(|kept| kept.packet_id == packet_id)?;
        let Found::Record(record) = read(&self.flash, self.sector, kept.at) else {
            return None;
        };
        *buffer = record.body;
        let (_, message) = buffer.get(..record.len)?.split_first_chunk::<4>()?;
        let (&topic_len, rest) = message.split_first()?;
        let (topic, payload) = rest.split_at_checked(usize::from(topic_len))?;
        Some(Message {
            topic: TopicName::from_bytes(topic).ok()?,
            payload,
            qos: kept.qos,
            retain: false,
        })
    }

    /// Stores a change of the session, its message, and the application's state after the change. They
    /// are stored once this returns `Ok`.
    ///
    /// # Errors
    /// The errors of the flash; [`JournalError::Full`].
    /// Those of the flash; [`JournalError::Full`].
    pub(crate) fn store(
        &mut self,
        change: Change,
        message: Option<&Message<&[u8]>>,
        state: State,
    ) -> Result<(), JournalError<F::Error>> {
        let mut body = [0; MOST];
        let len = put_body(&mut body, state, message).ok_or(JournalError::Full)?;
        let body = body.get(..len).unwrap_or_default();
        if self.end.saturating_add(framed(len)) > SECTOR {
            self.compact()?;
        }
        let (kind, packet_id) = match change {
            Change::Sent {
                packet_id,
                qos: QoS::ExactlyOnce,
            } => (SENT_QOS_2, Some(packet_id)),
            Change::Sent { packet_id, .. } => (SENT_QOS_1, Some(packet_id)),
            Change::Released(packet_id) => (RELEASED, Some(packet_id)),
            Change::Completed(packet_id) => (COMPLETED, Some(packet_id)),
            Change::InboundReceived(packet_id) => (INBOUND_RECEIVED, Some(packet_id)),
            Change::Forgotten(packet_id) => (FORGOTTEN, Some(packet_id)),
            Change::Cleared => (CLEARED, None),
        };
        let at = self.end;
        self.append(kind, packet_id, body)?;
        self.made(change, at, state)
    }

    /// Applies a stored change, whose record is at `at`.
    fn made(
        &mut self,
        change: Change,
        at: usize,
        state: State,
    ) -> Result<(), JournalError<F::Error>> {
        match change {
            Change::Sent { packet_id, qos } => self.keep(Kept { packet_id, qos, at })?,
            Change::Released(packet_id) | Change::Completed(packet_id) => self.delete(packet_id),
            Change::Cleared => self.kept = [None; 4],
            Change::InboundReceived(_) | Change::Forgotten(_) => {}
        }
        self.state = state;
        if self.session.apply(change) {
            Ok(())
        } else {
            Err(JournalError::Full)
        }
    }

    fn keep(&mut self, message: Kept) -> Result<(), JournalError<F::Error>> {
        self.delete(message.packet_id);
        let free = self.kept.iter_mut().find(|kept| kept.is_none());
        *free.ok_or(JournalError::Full)? = Some(message);
        Ok(())
    }

    fn delete(&mut self, packet_id: PacketId) {
        for kept in &mut self.kept {
            if kept.is_some_and(|kept| kept.packet_id == packet_id) {
                *kept = None;
            }
        }
    }

    /// Applies a record read at the end of the journal so far.
    fn replay(&mut self, record: &Record) -> Result<(), JournalError<F::Error>> {
        let (at, body) = (self.end, record.body());
        if record.kind == SESSION {
            self.session = Session::restore(body, Slots::default(), Slots::default())
                .map_err(JournalError::Session)?;
            return Ok(());
        }
        let state = state_of(body).ok_or(JournalError::Damaged)?;
        let change = match (record.kind, record.packet_id) {
            (SENT_QOS_1, Some(packet_id)) => Change::Sent {
                packet_id,
                qos: QoS::AtLeastOnce,
            },
            (SENT_QOS_2, Some(packet_id)) => Change::Sent {
                packet_id,
                qos: QoS::ExactlyOnce,
            },
            (RELEASED, Some(packet_id)) => Change::Released(packet_id),
            (COMPLETED, Some(packet_id)) => Change::Completed(packet_id),
            (INBOUND_RECEIVED, Some(packet_id)) => Change::InboundReceived(packet_id),
            (FORGOTTEN, Some(packet_id)) => Change::Forgotten(packet_id),
            (CLEARED, None) => Change::Cleared,
            (STATE, None) => {
                self.state = state;
                return Ok(());
            }
            (MESSAGE_QOS_1, Some(packet_id)) => {
                let qos = QoS::AtLeastOnce;
                return self.keep(Kept { packet_id, qos, at });
            }
            (MESSAGE_QOS_2, Some(packet_id)) => {
                let qos = QoS::ExactlyOnce;
                return self.keep(Kept { packet_id, qos, at });
            }
            _ => return Err(JournalError::Damaged),
        };
        self.made(change, at, state)
    }

    /// Writes the current content to the other sector, which is in use once its number is written.
    fn compact(&mut self) -> Result<(), JournalError<F::Error>> {
        let before = self.sector;
        self.sector = 1_usize.saturating_sub(before);
        self.flash.erase(self.sector)?;
        self.end = HEADER;
        // A saved session of four slots has at most 39 bytes.
        let mut buffer = [0; MOST];
        let session = self.session.save(&mut buffer).ok_or(JournalError::Full)?;
        write(
            &mut self.flash,
            self.sector,
            &mut self.end,
            SESSION,
            None,
            session,
        )?;
        let mut body = [0; MOST];
        let len = put_body(&mut body, self.state, None).ok_or(JournalError::Full)?;
        self.append(STATE, None, body.get(..len).unwrap_or_default())?;
        let mut kept = self.kept;
        for kept in kept.iter_mut().flatten() {
            let Found::Record(record) = read(&self.flash, before, kept.at) else {
                return Err(JournalError::Damaged);
            };
            let kind = match kept.qos {
                QoS::ExactlyOnce => MESSAGE_QOS_2,
                _ => MESSAGE_QOS_1,
            };
            kept.at = self.end;
            self.append(kind, Some(kept.packet_id), record.body())?;
        }
        self.kept = kept;
        self.number = self.number.saturating_add(1);
        let number = self.number.to_be_bytes();
        self.flash.write(self.sector, 0, number)?;
        self.flash
            .write(self.sector, 4, crc32(&number).to_be_bytes())?;
        Ok(())
    }

    fn append(
        &mut self,
        kind: u8,
        packet_id: Option<PacketId>,
        body: &[u8],
    ) -> Result<(), JournalError<F::Error>> {
        write(
            &mut self.flash,
            self.sector,
            &mut self.end,
            kind,
            packet_id,
            body,
        )?;
        Ok(())
    }
}
