//! The only code that reads the fields of received bytes.

use core::marker::PhantomData;

use crate::wire::{DecodeError, ErrorKind, Field, Header, Options, PacketSet, PacketType};

/// The error of a reader.
pub(crate) trait ReadError {
    /// True if no error is possible, so that strings need not be validated.
    const CHECKED_BEFORE: bool = false;

    fn new(packet_type: Option<PacketType>, field: Field, kind: ErrorKind, offset: usize) -> Self;
}

/// The full error.
impl<V: PacketSet> ReadError for DecodeError<V> {
    #[inline(always)]
    fn new(packet_type: Option<PacketType>, field: Field, kind: ErrorKind, offset: usize) -> Self {
        Self::new(packet_type, field, kind, offset)
    }
}

/// A fault without details. Readers without details take a third fewer instructions for a valid
/// packet; the general route finds the details.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejected;

impl ReadError for Rejected {
    #[inline(always)]
    fn new(_: Option<PacketType>, _: Field, _: ErrorKind, _: usize) -> Self {
        Self
    }
}

/// No error is possible, because the bytes were validated before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trusted;

impl ReadError for Trusted {
    const CHECKED_BEFORE: bool = true;

    #[inline(always)]
    fn new(_: Option<PacketType>, _: Field, _: ErrorKind, _: usize) -> Self {
        Self
    }
}

/// Reads the fields of one frame in order and names the field in which it fails.
#[derive(Debug)]
pub(crate) struct Reader<'a, F> {
    rest: &'a [u8],
    /// The offset of the end of `rest` from the first byte of the packet.
    end: usize,
    packet_type: Option<PacketType>,
    accepts_packet_id_0: bool,
    fault: PhantomData<fn() -> F>,
}

impl<'a, F: ReadError> Reader<'a, F> {
    /// Creates a reader of the bytes after the fixed header of a frame.
    #[inline(always)]
    pub(crate) fn new(header: &Header, frame: &'a [u8]) -> Self {
        Self {
            end: frame.len(),
            ..Self::of_body(header, frame.get(header.len()..).unwrap_or_default())
        }
    }

    /// Creates a reader of the bytes after the fixed header of a frame.
    #[inline(always)]
    pub(crate) const fn of_body(header: &Header, body: &'a [u8]) -> Self {
        Self {
            rest: body,
            end: header.packet_len(),
            packet_type: header.packet_type(),
            accepts_packet_id_0: false,
            fault: PhantomData,
        }
    }

    /// Creates a reader of some fields. Offsets are counted from the first of them.
    #[inline(always)]
    pub(crate) const fn of_fields(bytes: &'a [u8]) -> Self {
        Self::of_part(bytes, bytes.len(), None)
    }

    /// Creates a reader of some fields of a packet, which end at this offset.
    #[inline(always)]
    pub(crate) const fn of_part(
        bytes: &'a [u8],
        end: usize,
        packet_type: Option<PacketType>,
    ) -> Self {
        Self {
            rest: bytes,
            end,
            packet_type,
            accepts_packet_id_0: false,
            fault: PhantomData,
        }
    }

    /// Applies the leniencies that fields of several packets have.
    #[inline(always)]
    pub(crate) const fn with_options(mut self, options: &Options) -> Self {
        self.accepts_packet_id_0 = options.accepts_packet_id_0();
        self
    }

    #[inline(always)]
    pub(crate) const fn accepts_packet_id_0(&self) -> bool {
        self.accepts_packet_id_0
    }

    #[inline(always)]
    pub(crate) const fn packet_type(&self) -> Option<PacketType> {
        self.packet_type
    }

    /// Returns the offset of the next byte, counted from the first byte of the packet.
    #[inline(always)]
    pub(crate) const fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    #[inline(always)]
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    // Faults are made from values, not from the reader, so that it can stay in registers.

    /// Returns a fault in `field`, `offset` bytes after the first byte of the packet.
    #[inline(always)]
    pub(crate) fn fault(&self, field: Field, kind: ErrorKind, offset: usize) -> F {
        F::new(self.packet_type, field, kind, offset)
    }

    /// Returns a fault in the byte that was read last.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn fault_in_last(&self, field: Field, kind: ErrorKind) -> F {
        self.fault(field, kind, self.offset().saturating_sub(1))
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn u8(&mut self, field: Field) -> Result<u8, F> {
        match *self.rest {
            [byte, ref rest @ ..] => {
                self.rest = rest;
                Ok(byte)
            }
            [] => Err(self.truncated(field)),
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn u16(&mut self, field: Field) -> Result<u16, F> {
        match *self.rest {
            [high, low, ref rest @ ..] => {
                self.rest = rest;
                Ok(u16::from_be_bytes([high, low]))
            }
            _ => Err(self.truncated(field)),
        }
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self, field: Field) -> Result<u32, F> {
        match *self.rest {
            [a, b, c, d, ref rest @ ..] => {
                self.rest = rest;
                Ok(u32::from_be_bytes([a, b, c, d]))
            }
            _ => Err(self.truncated(field)),
        }
    }

    /// Reads a Variable Byte Integer in its shortest form (MQTT 5, section 1.5.5) [MQTT5-1.5.5-1].
    #[inline(always)]
    pub(crate) fn variable_byte_integer(&mut self, field: Field) -> Result<u32, F> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(byte.into())
            }
            _ => match scan_variable_byte_integer(self.rest) {
                Ok((value, len)) => {
                    self.rest = self.rest.get(usize::from(len)..).unwrap_or_default();
                    Ok(value)
                }
                Err(kind) => Err(self.fault(field, kind, self.offset())),
            },
        }
    }

    /// Returns a reader of the next `len` bytes, and moves this one after them.
    #[inline(always)]
    pub(crate) fn take(&mut self, len: u32, field: Field) -> Result<Self, F> {
        match self.rest.split_at_checked(len as usize) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(Self {
                    rest: bytes,
                    end: self.offset(),
                    packet_type: self.packet_type,
                    accepts_packet_id_0: self.accepts_packet_id_0,
                    fault: PhantomData,
                })
            }
            None => Err(self.truncated(field)),
        }
    }

    /// Reads two bytes of length, then that many bytes (sections 1.5.3 and 3.1.3.3).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn bytes(&mut self, field: Field) -> Result<&'a [u8], F> {
        if let [high, low, ref rest @ ..] = *self.rest {
            let len = u16::from_be_bytes([high, low]);
            if let Some((bytes, rest)) = rest.split_at_checked(usize::from(len)) {
                self.rest = rest;
                return Ok(bytes);
            }
        }
        Err(self.truncated(field))
    }

    /// Reads everything up to the end of the packet.
    #[inline(always)]
    pub(crate) const fn remaining(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.rest = &[];
        rest
    }

    /// Refuses bytes after the last field. `field` is the field to report.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn finish(&self, field: Field) -> Result<(), F> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.fault(field, ErrorKind::TrailingBytes, self.offset()))
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn truncated(&self, field: Field) -> F {
        self.fault(field, ErrorKind::Truncated, self.offset())
    }
}

/// Returns the Variable Byte Integer at the start of some bytes, and its length. With
/// [`ErrorKind::Truncated`] more bytes would follow.
// A function of bytes, not of the reader, so that the reader can stay in registers.
#[inline(never)]
pub(crate) fn scan_variable_byte_integer(bytes: &[u8]) -> Result<(u32, u8), ErrorKind> {
    let mut value = 0;
    for (&byte, (len, shift)) in bytes.iter().zip([(1, 0), (2, 7), (3, 14), (4, 21)]) {
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // [MQTT5-1.5.5-1]
            if byte == 0 && len > 1 {
                return Err(ErrorKind::VariableByteIntegerNotMinimal);
            }
            return Ok((value, len));
        }
    }
    if bytes.len() < 4 {
        Err(ErrorKind::Truncated)
    } else {
        Err(ErrorKind::VariableByteIntegerTooLong)
    }
}

// Not derived: a derive would require the same of `F`, which is only a marker.
impl<F> Clone for Reader<'_, F> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a> Reader<'a, Trusted> {
    /// Creates a reader of fields that were validated before.
    #[inline(always)]
    pub(crate) const fn again(bytes: &'a [u8]) -> Self {
        Self::of_fields(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::{self, DecodeError};
    use crate::wire::Options;

    #[test]
    fn a_variable_byte_integer_has_four_bytes_at_most() {
        for len in 0..=5 {
            let bytes = [0x80; 5].get(..len).unwrap_or_default();
            let kind = if len < 4 {
                ErrorKind::Truncated
            } else {
                ErrorKind::VariableByteIntegerTooLong
            };
            assert_eq!(scan_variable_byte_integer(bytes), Err(kind));
        }
    }

    /// Creates a reader of the bytes after the fixed header of `frame`.
    fn reader(frame: &[u8]) -> Reader<'_, DecodeError> {
        let header = v3::peek(frame, &Options::new()).unwrap().unwrap();
        Reader::new(&header, frame)
    }

    #[test]
    fn reading_starts_behind_the_fixed_header() {
        for (frame, start) in [
            (&b"\x30\x01\xaa"[..], 2),
            (b"\x30\x81\x00\xaa", 3),
            (b"\x30\x81\x80\x00\xaa", 4),
            (b"\x30\x81\x80\x80\x00\xaa", 5),
        ] {
            let mut reader = reader(frame);
            assert_eq!(reader.offset(), start);
            assert_eq!(reader.u8(Field::Payload), Ok(0xaa));
            assert_eq!(reader.offset(), start.wrapping_add(1));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn fields_come_in_order_and_move_the_offset() {
        let mut reader = reader(b"\x30\x0a\x01\x02\x03\0\x02hi\xff\xfe\xfd");
        assert_eq!((reader.u8(Field::Flags), reader.offset()), (Ok(1), 3));
        assert_eq!(
            (reader.u16(Field::KeepAlive), reader.offset()),
            (Ok(0x0203), 5)
        );
        assert_eq!(
            (reader.bytes(Field::UserName), reader.offset()),
            (Ok(&b"hi"[..]), 9)
        );
        assert_eq!(
            (reader.remaining(), reader.offset()),
            (&b"\xff\xfe\xfd"[..], 12)
        );
        assert!(reader.is_empty());
    }

    #[test]
    fn a_byte_that_is_not_there_is_truncated_where_it_should_start() {
        let mut reader = reader(b"\x30\x01\x07");
        reader.u8(Field::Flags).unwrap();
        let error = reader.u8(Field::RequestedQos).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(error.field(), Field::RequestedQos);
        assert_eq!(error.packet_type(), Some(PacketType::Publish));
        assert_eq!(error.offset(), 3);
    }

    #[test]
    fn two_bytes_of_which_one_is_missing_are_truncated_where_they_start() {
        for frame in [&b"\x30\x01\x07"[..], b"\x30\x00"] {
            let error = reader(frame).u16(Field::PacketIdentifier).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated);
            assert_eq!(error.field(), Field::PacketIdentifier);
            assert_eq!(error.offset(), 2);
        }
    }

    #[test]
    fn a_field_with_a_length_is_truncated_where_its_length_starts() {
        for frame in [
            &b"\x30\x00"[..],    // no length
            b"\x30\x01\0",       // half a length
            b"\x30\x02\0\x01",   // no bytes
            b"\x30\x04\0\x03ab", // two of three
        ] {
            let error = reader(frame).bytes(Field::WillMessage).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated);
            assert_eq!(error.field(), Field::WillMessage);
            assert_eq!(error.offset(), 2);
        }
    }

    #[test]
    fn a_field_that_is_truncated_is_not_consumed() {
        let mut reader = reader(b"\x30\x04\0\x03ab");
        assert!(reader.bytes(Field::WillMessage).is_err());
        assert_eq!(reader.offset(), 2);
        assert_eq!(reader.remaining(), b"\0\x03ab");
    }

    #[test]
    fn a_field_may_be_empty_and_fill_the_packet_exactly() {
        let mut reader = reader(b"\x30\x07\0\0\0\x03abc");
        assert_eq!(reader.bytes(Field::ClientIdentifier), Ok(&b""[..]));
        assert_eq!(reader.bytes(Field::UserName), Ok(&b"abc"[..]));
        assert_eq!(reader.finish(Field::Password), Ok(()));
    }

    #[test]
    fn a_field_may_have_65535_bytes() {
        let mut entries = [0x78; 65_537];
        entries[..2].copy_from_slice(&[0xff, 0xff]);
        let mut reader = Reader::again(&entries);
        let field = reader.bytes(Field::TopicFilter).unwrap();
        assert_eq!(field.len(), 65_535);
        assert!(reader.is_empty());
    }

    #[test]
    fn what_remains_may_be_nothing() {
        let mut reader = reader(b"\x30\x00");
        assert_eq!(reader.remaining(), b"");
        assert_eq!(reader.remaining(), b"");
    }

    #[test]
    fn finish_refuses_the_first_byte_that_is_left_over() {
        let mut reader = reader(b"\x40\x02\0\x07");
        reader.u8(Field::PacketIdentifier).unwrap();
        let error = reader.finish(Field::PacketIdentifier).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TrailingBytes);
        assert_eq!(error.field(), Field::PacketIdentifier);
        assert_eq!(error.packet_type(), Some(PacketType::PubAck));
        assert_eq!(error.offset(), 3);
    }

    #[test]
    fn a_fault_in_the_last_byte_is_one_before_the_offset() {
        let mut reader = reader(b"\x40\x02\0\x07");
        reader.u16(Field::PacketIdentifier).unwrap();
        let error = reader.fault_in_last(Field::ReturnCode, ErrorKind::InvalidReturnCode);
        assert_eq!(error.kind(), ErrorKind::InvalidReturnCode);
        assert_eq!(error.field(), Field::ReturnCode);
        assert_eq!(error.offset(), 3);
    }

    #[test]
    fn the_same_reader_cloned_reads_the_same_again() {
        let mut reader = reader(b"\x40\x02\0\x07");
        let mut again = reader.clone();
        assert_eq!(reader.u16(Field::PacketIdentifier), Ok(7));
        assert_eq!(again.offset(), 2);
        assert_eq!(again.u16(Field::PacketIdentifier), Ok(7));
    }
}
