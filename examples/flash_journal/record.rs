//! The records of the journal: their format, and how torn ones are recognised.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the kind |
//! | 1 | length of the body |
//! | 2 | Packet Identifier |
//! | | the body, filled up to a multiple of four bytes |
//! | 4 | CRC-32 of the above |

use mqtt_sansio::PacketId;
use mqtt_sansio::v3::Message;

use crate::flash::{Flash, SECTOR};

/// The number of a sector and its checksum.
pub(crate) const HEADER: usize = 8;
/// A record without its body: kind, length, identifier; checksum.
pub(crate) const FRAME: usize = 8;
/// The largest body.
pub(crate) const MOST: usize = 64;

/// The application's own state. It changes together with the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// The number of messages that it has published.
    pub(crate) published: u16,
    /// The sum of the received messages.
    pub(crate) total: u16,
}

/// A record that was read.
pub(crate) struct Record {
    pub(crate) kind: u8,
    pub(crate) packet_id: Option<PacketId>,
    pub(crate) body: [u8; MOST],
    pub(crate) len: usize,
}

impl Record {
    pub(crate) fn body(&self) -> &[u8] {
        self.body.get(..self.len).unwrap_or_default()
    }
}

/// The contents of a sector at one position.
pub(crate) enum Found {
    Record(Record),
    /// Erased bytes: the end of the journal.
    Nothing,
    /// An incomplete record.
    Torn,
}

/// Returns the length of a record on the flash.
pub(crate) const fn framed(len: usize) -> usize {
    len.next_multiple_of(4).saturating_add(FRAME)
}

/// Returns the number of a complete sector.
pub(crate) fn number_of<F: Flash>(flash: &F, sector: usize) -> Option<u32> {
    let (mut number, mut check) = ([0; 4], [0; 4]);
    flash.read(sector, 0, &mut number);
    flash.read(sector, 4, &mut check);
    // Four bytes 0xFF, as in an erased sector, are their own checksum.
    let is_complete = check == crc32(&number).to_be_bytes() && number != [0xff; 4];
    is_complete.then_some(u32::from_be_bytes(number))
}

/// Why a record was not written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unwritten<E> {
    /// The flash failed.
    Flash(E),
    /// It does not fit.
    Full,
}

impl<E> From<E> for Unwritten<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

/// Writes a record at `end`, and moves `end` after it.
pub(crate) fn write<F: Flash>(
    flash: &mut F,
    sector: usize,
    end: &mut usize,
    kind: u8,
    packet_id: Option<PacketId>,
    body: &[u8],
) -> Result<(), Unwritten<F::Error>> {
    let len = u8::try_from(body.len()).map_err(|_| Unwritten::Full)?;
    if end.saturating_add(framed(body.len())) > SECTOR {
        return Err(Unwritten::Full);
    }
    let [high, low] = packet_id.map_or(0, PacketId::get).to_be_bytes();
    let head = [kind, len, high, low];
    let mut put = |word: [u8; 4]| {
        let at = *end;
        *end = at.saturating_add(4);
        flash.write(sector, at, word)
    };
    let mut check = Crc32::new();
    check.add(&head);
    put(head)?;
    for part in body.chunks(4) {
        let mut word = [0; 4];
        for (byte, from) in word.iter_mut().zip(part) {
            *byte = *from;
        }
        check.add(&word);
        put(word)?;
    }
    put(check.value().to_be_bytes())?;
    Ok(())
}

/// Reads the record at `at`.
pub(crate) fn read<F: Flash>(flash: &F, sector: usize, at: usize) -> Found {
    let mut head = [0; 4];
    flash.read(sector, at, &mut head);
    let mut body = [0; MOST];
    let [kind, len, high, low] = head;
    let len = usize::from(len);
    let padded = body.get_mut(..len.next_multiple_of(4));
    let Some(padded) = padded.filter(|_| at.saturating_add(framed(len)) <= SECTOR) else {
        // After the last record, or the length is invalid.
        return if is_erased(flash, sector, at) {
            Found::Nothing
        } else {
            Found::Torn
        };
    };
    flash.read(sector, at.saturating_add(4), padded);
    let mut check = Crc32::new();
    check.add(&head);
    check.add(padded);
    let mut stored = [0; 4];
    flash.read(
        sector,
        at.saturating_add(4).saturating_add(padded.len()),
        &mut stored,
    );
    if stored == check.value().to_be_bytes() {
        return Found::Record(Record {
            kind,
            packet_id: PacketId::new(u16::from_be_bytes([high, low])),
            body,
            len,
        });
    }
    if is_erased(flash, sector, at) {
        Found::Nothing
    } else {
        Found::Torn
    }
}

/// Returns true if the sector is erased from `at` on.
pub(crate) fn is_erased<F: Flash>(flash: &F, sector: usize, at: usize) -> bool {
    (at..SECTOR).step_by(4).all(|at| {
        let mut word = [0; 4];
        flash.read(sector, at, &mut word);
        word == [0xff; 4]
    })
}

/// The application's state, then the message, if there is one.
pub(crate) fn put_body(
    body: &mut [u8; MOST],
    state: State,
    message: Option<&Message<&[u8]>>,
) -> Option<usize> {
    let mut rest = &mut body[..];
    let mut put = |bytes: &[u8]| {
        let (start, behind) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len())?;
        start.copy_from_slice(bytes);
        rest = behind;
        Some(bytes.len())
    };
    let mut len = put(&state.published.to_be_bytes())?;
    len = len.checked_add(put(&state.total.to_be_bytes())?)?;
    if let Some(message) = message {
        let topic = message.topic.as_bytes();
        for part in [&[u8::try_from(topic.len()).ok()?], topic, message.payload] {
            len = len.checked_add(put(part)?)?;
        }
    }
    Some(len)
}

pub(crate) fn state_of(body: &[u8]) -> Option<State> {
    let [a, b, c, d] = *body.first_chunk::<4>()?;
    Some(State {
        published: u16::from_be_bytes([a, b]),
        total: u16::from_be_bytes([c, d]),
    })
}

/// CRC-32, reflected, with the polynomial 0xEDB88320.
pub(crate) struct Crc32(u32);

impl Crc32 {
    const fn new() -> Self {
        Self(u32::MAX)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                let is_odd = self.0 & 1 == 1;
                self.0 = (self.0 >> 1) ^ if is_odd { 0xedb8_8320 } else { 0 };
            }
        }
    }

    const fn value(&self) -> u32 {
        !self.0
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut check = Crc32::new();
    check.add(bytes);
    check.value()
}
