//! Writes the fixed header, and the fields after it.

use crate::wire::header::header_len;
use crate::wire::{EncodeError, Field, MAX_REMAINING_LENGTH, OPTIMIZE_SIZE, Output};

/// Returns the Remaining Length of a packet with this number of bytes after its fixed header.
#[inline]
pub(crate) fn remaining_length(bytes: usize) -> Result<u32, EncodeError> {
    if bytes > MAX_REMAINING_LENGTH as usize {
        return Err(EncodeError::PacketTooLarge);
    }
    u32::try_from(bytes).map_err(|_| EncodeError::PacketTooLarge)
}

/// Section 2.2.3, unrolled: seven bits a byte, the lowest first, and the top bit of each but the
/// last is set.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn put_header<O: Output + ?Sized>(
    out: &mut O,
    first: u8,
    n: u32,
) -> Result<(), EncodeError> {
    if OPTIMIZE_SIZE {
        return put_header_in_a_loop(out, first, n);
    }
    if n < 0x80 {
        out.put(&[first, low7(n)])
    } else if n < 0x4000 {
        out.put(&[first, low7(n) | 0x80, low7(n >> 7)])
    } else if n < 0x20_0000 {
        out.put(&[first, low7(n) | 0x80, low7(n >> 7) | 0x80, low7(n >> 14)])
    } else {
        out.put(&[
            first,
            low7(n) | 0x80,
            low7(n >> 7) | 0x80,
            low7(n >> 14) | 0x80,
            low7(n >> 21),
        ])
    }
}

/// [`put_header`] with less code.
#[inline]
fn put_header_in_a_loop<O: Output + ?Sized>(
    out: &mut O,
    first: u8,
    n: u32,
) -> Result<(), EncodeError> {
    let [a, b, c, d] = variable_byte_integer(n);
    let header = [first, a, b, c, d];
    out.put(header.get(..header_len(n)).unwrap_or_default())
}

/// Returns the encoded Variable Byte Integer. The bytes after its last one are 0.
fn variable_byte_integer(n: u32) -> [u8; 4] {
    let mut bytes = [0; 4];
    let mut rest = n;
    for byte in &mut bytes {
        *byte = low7(rest);
        rest >>= 7;
        if rest > 0 {
            *byte |= 0x80;
        }
    }
    bytes
}

/// Writes a number of bytes as a Variable Byte Integer (MQTT 5, section 1.5.5) [MQTT5-1.5.5-1].
#[inline(always)]
pub(crate) fn put_variable_byte_integer<O: Output + ?Sized>(
    out: &mut O,
    n: usize,
) -> Result<(), EncodeError> {
    if n < 0x80 || is_short(out) {
        let [.., byte] = n.to_be_bytes();
        return out.put(&[byte]);
    }
    if OPTIMIZE_SIZE {
        return put_variable_byte_integer_in_a_loop(out, n);
    }
    let n = remaining_length(n)?;
    // As in `put_header`. A call here would keep `out` in memory.
    if n < 0x4000 {
        out.put(&[low7(n) | 0x80, low7(n >> 7)])
    } else if n < 0x20_0000 {
        out.put(&[low7(n) | 0x80, low7(n >> 7) | 0x80, low7(n >> 14)])
    } else {
        out.put(&[
            low7(n) | 0x80,
            low7(n >> 7) | 0x80,
            low7(n >> 14) | 0x80,
            low7(n >> 21),
        ])
    }
}

/// [`put_variable_byte_integer`] with less code.
#[inline(never)]
fn put_variable_byte_integer_in_a_loop<O: Output + ?Sized>(
    out: &mut O,
    n: usize,
) -> Result<(), EncodeError> {
    let n = remaining_length(n)?;
    let len = header_len(n).saturating_sub(1);
    out.put(variable_byte_integer(n).get(..len).unwrap_or_default())
}

/// Returns the lowest seven bits.
const fn low7(n: u32) -> u8 {
    (n & 0x7f) as u8
}

/// Returns [`Output::is_short`].
#[inline(always)]
pub(crate) fn is_short<O: Output + ?Sized>(out: &O) -> bool {
    !OPTIMIZE_SIZE && out.is_short()
}

/// Writes two bytes of length, then the bytes (sections 1.5.3 and 3.1.3.3).
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn put_field<O: Output + ?Sized>(
    out: &mut O,
    field: Field,
    bytes: &[u8],
) -> Result<(), EncodeError> {
    let [.., high, low] = bytes.len().to_be_bytes();
    if !is_short(out) && bytes.len() > usize::from(u16::MAX) {
        return Err(EncodeError::FieldTooLong { field });
    }
    out.put(&[high, low])?;
    out.put(bytes)
}

/// [`put_field`] for a Topic Name, which has at least one character [MQTT-4.7.3-1]
/// [MQTT5-4.7.3-1]. Only MQTT 5 has a PUBLISH without one.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn put_topic_name<O: Output + ?Sized>(
    out: &mut O,
    field: Field,
    topic: &[u8],
) -> Result<(), EncodeError> {
    if topic.is_empty() {
        return Err(EncodeError::EmptyTopicName { field });
    }
    put_field(out, field, topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::SliceOutput;

    #[test]
    fn a_fixed_header_written_in_a_loop_is_the_one_that_is_written_at_once() {
        for bits in 0..28 {
            for n in [1_u32 << bits, (1 << bits) - 1, (1 << bits) | 1] {
                let (mut looped, mut unrolled) = ([0; 5], [0; 5]);
                let mut out = SliceOutput::new(&mut looped);
                put_header_in_a_loop(&mut out, 0x30, n).unwrap();
                let looped = out.into_written();
                let mut out = SliceOutput::new(&mut unrolled);
                put_header(&mut out, 0x30, n).unwrap();
                assert_eq!(looped, out.into_written(), "{n:#x}");
            }
        }
    }

    #[test]
    fn a_variable_byte_integer_written_in_a_loop_is_the_one_that_is_written_at_once() {
        for bits in 0..28 {
            for n in [1_usize << bits, (1 << bits) - 1, (1 << bits) | 1] {
                let (mut looped, mut unrolled) = ([0; 5], [0; 5]);
                let mut out = SliceOutput::new(&mut looped);
                put_variable_byte_integer_in_a_loop(&mut out, n).unwrap();
                let looped = out.into_written();
                let mut out = SliceOutput::new(&mut unrolled);
                put_variable_byte_integer(&mut out, n).unwrap();
                assert_eq!(looped, out.into_written(), "{n:#x}");
                let read = crate::wire::reader::scan_variable_byte_integer(looped);
                assert_eq!(
                    read.map(|(n, len)| (n as usize, usize::from(len))),
                    Ok((n, looped.len()))
                );
            }
        }
    }

    #[test]
    fn put_field_writes_up_to_65535_bytes_behind_two_bytes_of_length() {
        let long = [b'x'; 65_536];
        let mut buffer = [0; 65_540];
        let mut output = SliceOutput::new(&mut buffer);
        put_field(&mut output, Field::Password, &long[1..]).unwrap();
        assert_eq!(output.written().len(), 65_537);
        assert_eq!(output.written()[..3], *b"\xff\xffx");

        output.clear();
        assert_eq!(
            put_field(&mut output, Field::Password, &long),
            Err(EncodeError::FieldTooLong {
                field: Field::Password
            })
        );
        assert_eq!(output.written(), b"");
    }
}
