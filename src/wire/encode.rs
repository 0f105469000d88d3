//! Writes a packet to an output, whole or not at all.

use crate::wire::header::header_len;
use crate::wire::{EncodeError, Field, MAX_REMAINING_LENGTH, OPTIMIZE_SIZE, Output, SliceOutput};

/// Counts the bytes that are written to it.
#[derive(Debug, Default)]
pub(crate) struct Counter(usize);

impl Output for Counter {
    #[inline]
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        // A list has as many entries as an iterator returns, which can exceed addresses of 32 bits.
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}

impl Counter {
    #[inline]
    pub(crate) const fn get(&self) -> usize {
        self.0
    }
}

/// The rest of a chunk of the output, filled from the front. It has at most [`CHUNK`] bytes. After an
/// error the packet is encoded without it.
struct Cursor<'a>(&'a mut [u8]);

impl Output for Cursor<'_> {
    #[inline]
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let room = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len());
        let Some((room, rest)) = room else {
            return Err(EncodeError::NoRoom {
                needed: bytes.len(),
            });
        };
        copy(room, bytes);
        self.0 = rest;
        Ok(())
    }

    #[inline(always)]
    fn is_short(&self) -> bool {
        true
    }
}

/// The longest chunk that encoding asks for: as many bytes as [`copy`] copies.
const CHUNK: usize = 128;

/// `copy_from_slice` for at most [`CHUNK`] bytes, without a call. This saves 30 % of the time of a
/// small PUBLISH.
#[inline(always)]
const fn copy(to: &mut [u8], from: &[u8]) {
    if from.len() < 32 {
        match from.len() {
            16.. => copy_ends::<16>(to, from),
            8.. => copy_ends::<8>(to, from),
            4.. => copy_ends::<4>(to, from),
            3 => copy_three(to, from),
            2 => copy_ends::<2>(to, from),
            _ => copy_ends::<1>(to, from),
        }
    } else if from.len() < 64 {
        copy_ends::<32>(to, from);
    } else {
        copy_ends::<64>(to, from);
    }
}

/// Copies the first and the last `LEN` bytes, which may overlap.
#[inline(always)]
const fn copy_ends<const LEN: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<LEN>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<LEN>(), from.last_chunk()) {
        *to = *from;
    }
}

/// Copies three bytes in pieces that do not overlap, so that the compiler keeps bytes that were
/// computed in registers.
#[inline(always)]
const fn copy_three(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<2>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_mut(), from.last()) {
        *to = *from;
    }
}

/// A packet as its first byte and the bytes after Remaining Length. [`Encode`] follows from it: the
/// bytes are counted where they are written, or by writing the body to a counter first, so length
/// and bytes cannot differ.
#[expect(unnameable_types, reason = "keeps `Encode` to this crate's packets")]
pub trait PacketBody {
    /// Packet type and flags [MQTT-2.2.2-1].
    fn first_byte(&self) -> u8;

    /// Writes the bytes after the fixed header, up to [`payload`](Self::payload).
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError>;

    /// The last bytes of the packet: its payload, of any length.
    #[inline]
    fn payload(&self) -> &[u8] {
        &[]
    }

    /// The number of bytes of the packet that the caller writes itself.
    #[inline]
    fn external_len(&self) -> usize {
        0
    }

    /// The number of bytes that [`write_body`](Self::write_body) writes, if that is quickly known, or a
    /// number that selects no shortcut. Shortcuts check it: another number costs time only. A packet with
    /// a quickly known length is refused before its first field is written.
    #[inline]
    fn likely_body_len(&self) -> usize {
        MAX_REMAINING_LENGTH as usize
    }
}

/// Encodes a packet as the bytes of one MQTT Control Packet. Only the packets of this crate
/// implement it.
pub trait Encode: PacketBody {
    /// Appends the whole packet to `out`, or returns an error.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if it does not fit. The others if MQTT does not allow a value of the
    /// packet. Nothing is written then.
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        encode_packet(self, out)
    }

    /// Returns the number of bytes that [`encode`](Self::encode) appends.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), except for `NoRoom`.
    #[inline]
    fn encoded_len(&self) -> Result<usize, EncodeError> {
        let here = body_len(self)?.saturating_add(self.payload().len());
        let remaining = remaining_length(here.saturating_add(self.external_len()))?;
        Ok(header_len(remaining).saturating_add(here))
    }

    /// Encodes to the start of `buffer` and returns the written part.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[inline]
    fn encode_to_slice<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], EncodeError> {
        let mut out = SliceOutput::new(buffer);
        self.encode(&mut out)?;
        Ok(out.into_written())
    }

    /// Encodes to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[cfg(feature = "alloc")]
    fn encode_to_vec(&self) -> Result<alloc::vec::Vec<u8>, EncodeError> {
        let mut out = alloc::vec::Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }
}

/// Encodes a packet: if possible, the bytes before its payload as one chunk of the output.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(crate) fn encode_packet<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    if OPTIMIZE_SIZE {
        return encode_in_passes(packet, out);
    }
    let body = packet.likely_body_len();
    let follows = packet.payload().len().wrapping_add(packet.external_len());
    let remaining = body.wrapping_add(follows);
    if remaining <= MAX_SHORT {
        encode_short(packet, out)
    } else {
        encode_long(packet, out, body, remaining)
    }
}

/// [`encode_packet`] for a packet that is likely to be short.
#[inline(never)]
fn encode_short<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    if try_encode_short(packet, out) {
        return Ok(());
    }
    encode_counted(packet, out)
}

/// An output that counts the body of a packet in a first pass, and writes it in a second one, so that
/// the body is compiled once.
struct Passes<'o, O: ?Sized> {
    out: &'o mut O,
    counted: usize,
    writes: bool,
}

impl<O: Output + ?Sized> Output for Passes<'_, O> {
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.writes {
            return self.out.put(bytes);
        }
        self.counted = self.counted.saturating_add(bytes.len());
        Ok(())
    }
}

impl<O: Output + ?Sized> Passes<'_, O> {
    /// Begins the second pass with the fixed header of a packet whose body was counted.
    #[inline(never)]
    fn begin(&mut self, first: u8, payload: usize, external: usize) -> Result<(), EncodeError> {
        let here = self.counted.saturating_add(payload);
        let remaining = remaining_length(here.saturating_add(external))?;
        self.out
            .reserve(header_len(remaining).saturating_add(here))?;
        self.writes = true;
        put_header(self, first, remaining)
    }
}

/// [`encode_packet`] with less code.
#[inline]
fn encode_in_passes<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    let mut passes = Passes {
        out,
        counted: 0,
        writes: false,
    };
    loop {
        packet.write_body(&mut passes)?;
        let payload = packet.payload();
        if passes.writes {
            return passes.put(payload);
        }
        passes.begin(packet.first_byte(), payload.len(), packet.external_len())?;
    }
}

/// [`encode_packet`] for another one.
#[inline(never)]
fn encode_long<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
    body: usize,
    remaining: usize,
) -> Result<(), EncodeError> {
    if body <= MAX_BODY && try_encode_head(packet, out, body, remaining) {
        let payload = packet.payload();
        return if payload.is_empty() {
            Ok(())
        } else {
            out.put(payload)
        };
    }
    encode_counted(packet, out)
}

/// The largest Remaining Length of a packet that is one chunk. One byte encodes it.
const MAX_SHORT: usize = CHUNK.saturating_sub(2);

/// The largest body of a packet whose fixed header and body are one chunk.
const MAX_BODY: usize = CHUNK.saturating_sub(5);

/// Encodes a short packet as one chunk of the output, and counts it while it is written. A shortcut:
/// if it returns false, nothing was written, and [`encode_counted`] decides.
#[inline(always)]
fn try_encode_short<T: PacketBody + ?Sized, O: Output + ?Sized>(packet: &T, out: &mut O) -> bool {
    let Some(chunk) = out.chunk(CHUNK) else {
        return false;
    };
    let Some((header, body)) = chunk
        .first_chunk_mut::<CHUNK>()
        .and_then(|chunk| chunk.split_first_chunk_mut())
    else {
        out.advance(0);
        return false;
    };
    let mut rest = Cursor(body);
    let written = packet
        .write_body(&mut rest)
        .and_then(|()| rest.put(packet.payload()));
    let len = MAX_SHORT.wrapping_sub(rest.0.len());
    let remaining = len.wrapping_add(packet.external_len());
    if written.is_err() || remaining > MAX_SHORT {
        out.advance(0);
        return false;
    }
    let [.., remaining] = remaining.to_be_bytes();
    *header = [packet.first_byte(), remaining];
    out.advance(len.wrapping_add(2));
    true
}

/// Encodes the bytes before the payload as one chunk of an output that has room for the payload too. A
/// shortcut: if it returns false, nothing was written, and [`encode_counted`] decides.
#[inline(always)]
fn try_encode_head<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
    body: usize,
    remaining: usize,
) -> bool {
    let Ok(remaining) = remaining_length(remaining) else {
        return false;
    };
    let head = header_len(remaining).wrapping_add(body);
    if !out.has_room(head.saturating_add(packet.payload().len())) {
        return false;
    }
    let Some(chunk) = out.chunk(head) else {
        return false;
    };
    let mut rest = Cursor(chunk);
    let written = put_header(&mut rest, packet.first_byte(), remaining)
        .and_then(|()| packet.write_body(&mut rest));
    // Otherwise Remaining Length is wrong.
    if rest.0.is_empty() && written.is_ok() {
        out.advance(head);
        return true;
    }
    out.advance(0);
    false
}

/// Counts the packet, reserves as many bytes and writes it field by field.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
fn encode_counted<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    let body = body_len(packet)?;
    let payload = packet.payload();
    let here = body.saturating_add(payload.len());
    let remaining = remaining_length(here.saturating_add(packet.external_len()))?;
    out.reserve(header_len(remaining).saturating_add(here))?;
    put_header(out, packet.first_byte(), remaining)?;
    packet.write_body(out)?;
    out.put(payload)
}

/// Encodes a packet with exactly these bytes.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(crate) fn encode_bytes<const N: usize, O: Output + ?Sized>(
    bytes: [u8; N],
    out: &mut O,
) -> Result<(), EncodeError> {
    out.reserve(N)?;
    out.put(&bytes)
}

/// Returns how many bytes [`PacketBody::write_body`] writes.
#[inline]
fn body_len<T: PacketBody + ?Sized>(packet: &T) -> Result<usize, EncodeError> {
    let mut counter = Counter::default();
    packet.write_body(&mut counter)?;
    Ok(counter.get())
}

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
    use crate::types::{PacketId, TopicName};
    use crate::v3::{self, Connect, Delivery, Packet, PubAck, Publish, PublishHeader};

    const PINGREQ: Packet<&[u8]> = Packet::PingReq;
    const PUBACK: PubAck = PubAck {
        packet_id: PacketId::MIN,
    };

    /// PUBLISH to `t` at QoS 0: three bytes after the fixed header, then the payload.
    fn publish(payload: &[u8]) -> Publish<&[u8]> {
        Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new("t").unwrap(),
            payload,
        }
    }

    fn publish_header(remaining_length: u32) -> PublishHeader<&'static [u8]> {
        PublishHeader {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new("t").unwrap(),
            payload_len: remaining_length.wrapping_sub(3),
        }
    }

    /// An output without chunks.
    struct InParts(std::vec::Vec<u8>);

    impl Output for InParts {
        fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
            Ok(())
        }

        fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.extend(bytes);
            Ok(())
        }
    }

    #[test]
    fn a_packet_in_two_passes_is_the_one_that_is_encoded_at_once() {
        fn check<T: PacketBody>(packet: &T, room: usize) {
            let (mut buffers, whole) = ([[0; 400]; 2], 0..room);
            let [once, twice] = &mut buffers;
            let mut once = SliceOutput::new(&mut once[whole.clone()]);
            let mut twice = SliceOutput::new(&mut twice[whole]);
            let outcome = encode_counted(packet, &mut once);
            assert_eq!(encode_in_passes(packet, &mut twice), outcome);
            assert_eq!(twice.written(), once.written());
        }
        let long = [b'x'; 70_000];
        for payload in [0, 1, 120, 124, 125, 300] {
            for room in [0, 1, 6, 130, 400] {
                check(&publish(&long[..payload]), room);
            }
        }
        check(&publish_header(MAX_REMAINING_LENGTH), 400);
        check(&publish_header(MAX_REMAINING_LENGTH.saturating_add(1)), 400);
        let mut connect = Connect::new(crate::Text::new("id").unwrap());
        check(&connect, 400);
        connect.will = Some(v3::Will {
            topic: TopicName::new("t").unwrap(),
            message: &long[..],
            qos: crate::QoS::AtMostOnce,
            retain: false,
        });
        check(&connect, 400); // a field is too long
    }

    #[test]
    fn a_packet_is_the_same_in_a_chunk_as_in_parts_whatever_its_fields_lengths() {
        let letters: std::vec::Vec<u8> = (0..140_u8).map(|n| b'A'.wrapping_add(n % 26)).collect();
        let deliveries = [
            Delivery::AtMostOnce,
            Delivery::new(crate::QoS::AtLeastOnce, PacketId::MIN, true),
        ];
        for topic in (1..70).chain([127, 140]) {
            for payload in (0..70).chain([127, 128, 140]) {
                for delivery in deliveries {
                    let packet = Publish {
                        delivery,
                        retain: false,
                        topic: TopicName::from_bytes(&letters[..topic]).unwrap(),
                        payload: &letters[..payload],
                    };
                    let mut parts = InParts(std::vec::Vec::new());
                    packet.encode(&mut parts).unwrap();
                    let mut buffer = [0xee; 512];
                    assert_eq!(packet.encode_to_slice(&mut buffer).unwrap(), parts.0);
                    // The buffer has exactly the required room, and the bytes after it are not
                    // changed.
                    let (room, behind) = buffer.split_at_mut(parts.0.len());
                    behind.fill(0xee);
                    assert_eq!(packet.encode_to_slice(room).unwrap(), parts.0);
                    assert!(behind.iter().all(|&byte| byte == 0xee));
                    #[cfg(feature = "alloc")]
                    for capacity in [0, 63, 64, 512] {
                        let mut vec = std::vec::Vec::with_capacity(capacity);
                        vec.push(0xee);
                        packet.encode(&mut vec).unwrap();
                        assert_eq!(vec[0], 0xee);
                        assert_eq!(vec[1..], parts.0);
                    }
                    #[cfg(feature = "bytes")]
                    {
                        let mut bytes = bytes::BytesMut::with_capacity(200);
                        packet.encode(&mut bytes).unwrap();
                        assert_eq!(bytes, parts.0);
                    }
                }
            }
        }
    }

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
    fn a_packet_that_lacks_one_byte_of_room_is_not_written_at_all() {
        let packet = publish(b"21.5");
        let needed = packet.encoded_len().unwrap();
        let mut buffer = [0xee; 16];
        let mut output = SliceOutput::new(&mut buffer[..needed.wrapping_sub(1)]);
        assert_eq!(
            packet.encode(&mut output),
            Err(EncodeError::NoRoom { needed })
        );
        assert_eq!(output.written(), b"");
        assert_eq!(buffer, [0xee; 16]);
    }

    #[test]
    fn a_packet_without_room_leaves_those_before_it() {
        let mut buffer = [0xee; 5];
        let mut output = SliceOutput::new(&mut buffer);
        PINGREQ.encode(&mut output).unwrap();
        let refused = PUBACK.encode(&mut output);
        assert_eq!(refused, Err(EncodeError::NoRoom { needed: 4 }));
        assert_eq!(output.written(), b"\xc0\0");
        PINGREQ.encode(&mut output).unwrap();
        assert_eq!(output.written(), b"\xc0\0\xc0\0");
    }

    #[test]
    fn every_kind_of_packet_without_room_is_all_or_nothing() {
        let packets: [&[u8]; 14] = [
            b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0",
            b"\x20\x02\0\0",
            b"\x30\x03\0\x01a",
            b"\x40\x02\0\x01",
            b"\x50\x02\0\x01",
            b"\x62\x02\0\x01",
            b"\x70\x02\0\x01",
            b"\x82\x06\0\x01\0\x01a\0",
            b"\x90\x03\0\x01\0",
            b"\xa2\x05\0\x01\0\x01a",
            b"\xb0\x02\0\x01",
            b"\xc0\0",
            b"\xd0\0",
            b"\xe0\0",
        ];
        for bytes in packets {
            let packet = v3::decode(&mut &*bytes, &crate::Options::new());
            let packet = packet.unwrap().unwrap();
            for room in 0..bytes.len() {
                let mut buffer = [0xee; 14];
                assert_eq!(
                    packet.encode_to_slice(&mut buffer[..room]).map(|_| ()),
                    Err(EncodeError::NoRoom {
                        needed: bytes.len()
                    })
                );
                assert_eq!(buffer, [0xee; 14]);
            }
            assert_eq!(packet.encode_to_slice(&mut [0; 14]).unwrap(), bytes);
        }
    }

    #[test]
    fn encode_to_slice_returns_the_part_that_was_written() {
        let mut buffer = [0xee; 5];
        assert_eq!(
            PUBACK.encode_to_slice(&mut buffer).unwrap(),
            b"\x40\x02\0\x01"
        );
        assert_eq!(buffer, *b"\x40\x02\0\x01\xee");
    }

    #[test]
    fn encode_to_slice_says_how_many_bytes_it_needs() {
        assert_eq!(
            PUBACK.encode_to_slice(&mut [0; 3]),
            Err(EncodeError::NoRoom { needed: 4 })
        );
        assert_eq!(
            PINGREQ.encode_to_slice(&mut []),
            Err(EncodeError::NoRoom { needed: 2 })
        );
    }

    #[test]
    fn room_is_asked_for_once_and_for_exactly_what_is_written() {
        /// Records what was reserved.
        #[derive(Default)]
        struct Recorder {
            reserved: Option<usize>,
            written: usize,
        }
        impl Output for Recorder {
            fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
                assert_eq!(self.written, 0, "asked after something was written");
                assert_eq!(self.reserved.replace(len), None, "asked twice");
                Ok(())
            }
            fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
                assert!(self.reserved.is_some(), "written without asking");
                self.written = self.written.saturating_add(bytes.len());
                Ok(())
            }
        }
        for short in [Packet::PubAck(PUBACK), PINGREQ] {
            let mut output = Recorder::default();
            short.encode(&mut output).unwrap();
            assert_eq!(output.reserved, Some(output.written));
        }
        let long = std::vec![0; 2_097_152];
        for payload_len in [0, 124, 125, 16_380, 16_381, 2_097_148, 2_097_149] {
            let mut output = Recorder::default();
            publish(&long[..payload_len]).encode(&mut output).unwrap();
            assert_eq!(output.reserved, Some(output.written));
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn encode_to_vec_is_the_packet_and_nothing_else() {
        assert_eq!(PUBACK.encode_to_vec().unwrap(), b"\x40\x02\0\x01");
        assert_eq!(
            publish(b"hi").encode_to_vec().unwrap(),
            b"\x30\x05\0\x01thi"
        );
    }

    #[test]
    fn a_counter_takes_anything_and_counts_it() {
        let mut counter = Counter::default();
        assert_eq!(counter.get(), 0);
        assert_eq!(counter.reserve(usize::MAX), Ok(()));
        counter.put(b"abc").unwrap();
        counter.put(b"").unwrap();
        counter.put(b"d").unwrap();
        assert_eq!(counter.get(), 4);
    }

    #[test]
    fn a_counter_counts_the_bytes_of_a_packet_with_each_size_of_header() {
        let long = std::vec![0; 2_097_152];
        let mut buffer = std::vec![0; 2_097_200];
        for (remaining_length, header_len) in [
            (3, 2),
            (127, 2),
            (128, 3),
            (16_383, 3),
            (16_384, 4),
            (2_097_151, 4),
            (2_097_152, 5),
        ] {
            let packet = publish(&long[..usize::wrapping_sub(remaining_length, 3)]);
            let mut counter = Counter::default();
            packet.encode(&mut counter).unwrap();
            let written = packet.encode_to_slice(&mut buffer).unwrap().len();
            assert_eq!(counter.get(), written);
            assert_eq!(packet.encoded_len(), Ok(written));
            assert_eq!(written, usize::wrapping_add(remaining_length, header_len));
        }
    }

    #[test]
    fn remaining_length_is_written_as_in_table_2_4() {
        for (remaining_length, start) in [
            (3, &b"\x30\x03"[..]),
            (127, b"\x30\x7f"),
            (128, b"\x30\x80\x01"),
            (16_383, b"\x30\xff\x7f"),
            (16_384, b"\x30\x80\x80\x01"),
            (2_097_151, b"\x30\xff\xff\x7f"),
            (2_097_152, b"\x30\x80\x80\x80\x01"),
            (268_435_455, b"\x30\xff\xff\xff\x7f"),
        ] {
            let header = publish_header(remaining_length);
            let mut buffer = [0; 8];
            let written = header.encode_to_slice(&mut buffer).unwrap();
            assert_eq!(written, [start, b"\0\x01t"].concat());
        }
    }

    #[test]
    fn what_is_written_elsewhere_counts_for_remaining_length_only() {
        for remaining_length in [3, 127, 128, 16_384, 2_097_152, 268_435_455] {
            let header = publish_header(remaining_length);
            let mut counter = Counter::default();
            header.encode(&mut counter).unwrap();
            assert_eq!(header.encoded_len(), Ok(counter.get()));
            assert!(counter.get() <= 8);
        }
    }

    #[test]
    fn the_largest_remaining_length_is_written_and_one_more_is_refused() {
        let mut buffer = [0xee; 8];
        let largest = publish_header(MAX_REMAINING_LENGTH);
        assert_eq!(
            largest.encode_to_slice(&mut buffer).unwrap(),
            b"\x30\xff\xff\xff\x7f\0\x01t"
        );
        let mut buffer = [0xee; 8];
        let larger = publish_header(MAX_REMAINING_LENGTH.wrapping_add(1));
        assert_eq!(
            larger.encode_to_slice(&mut buffer),
            Err(EncodeError::PacketTooLarge)
        );
        assert_eq!(larger.encoded_len(), Err(EncodeError::PacketTooLarge));
        assert_eq!(buffer, [0xee; 8]);
    }

    #[test]
    fn a_payload_length_that_no_packet_has_is_refused() {
        let header = publish_header(2);
        assert_eq!(header.payload_len, u32::MAX);
        assert_eq!(header.encoded_len(), Err(EncodeError::PacketTooLarge));
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

    #[test]
    fn a_field_that_is_too_long_is_found_before_anything_is_written() {
        let long = [0; 65_536];
        let mut connect = Connect::new(crate::Text::new("c").unwrap());
        connect.credentials = Some(v3::Credentials {
            user_name: crate::Text::new("u").unwrap(),
            password: Some(&long[..]),
        });
        let error = EncodeError::FieldTooLong {
            field: Field::Password,
        };
        let mut buffer = [0xee; 64];
        assert_eq!(connect.encode_to_slice(&mut buffer), Err(error));
        assert_eq!(connect.encoded_len(), Err(error));
        assert_eq!(buffer, [0xee; 64]);
    }

    #[test]
    fn an_empty_client_id_is_found_before_anything_is_written() {
        let mut connect = Connect::new(crate::Text::EMPTY);
        connect.clean_session = false;
        let mut buffer = [0xee; 64];
        assert_eq!(
            connect.encode_to_slice(&mut buffer),
            Err(EncodeError::ClientIdentifierRequired)
        );
        assert_eq!(buffer, [0xee; 64]);
    }
}
