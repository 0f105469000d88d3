//! The list of entries in SUBSCRIBE, SUBACK, UNSUBSCRIBE and, in MQTT 5, UNSUBACK. It stays encoded. It is validated
//! once, when it is decoded or built, so that reading it cannot fail.

use core::marker::PhantomData;

use crate::wire::{
    Counter, EncodeError, ErrorKind, Field, Output, PacketType, ReadError, Reader, SliceOutput,
    Trusted,
};

/// The kind of entries of a [`List`]. Implemented by this crate's markers only.
pub trait Entry {
    /// The entry, borrowing from the list.
    type Item<'a>;

    /// The packet that contains such a list.
    #[doc(hidden)]
    const PACKET_TYPE: PacketType;

    /// The field that an entry starts with.
    #[doc(hidden)]
    const FIELD: Field;

    #[doc(hidden)]
    #[expect(
        private_interfaces,
        private_bounds,
        reason = "only this crate calls it; the trait is public for its type"
    )]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F>;

    #[doc(hidden)]
    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError>;
}

/// One or more entries, encoded. `B` is where the bytes live. Iterating cannot fail.
///
/// ```
/// use mqtt_sansio::{QoS, TopicFilter, v3::{Subscription, Subscriptions}};
///
/// let mut buffer = [0; 64];
/// let list = Subscriptions::encode_to_slice(&mut buffer, [
///     Subscription { topic_filter: TopicFilter::new("a/+")?, qos: QoS::AtLeastOnce },
///     Subscription { topic_filter: TopicFilter::new("$SYS/#")?, qos: QoS::AtMostOnce },
/// ])?;
/// assert_eq!(list.len(), 2);
/// assert_eq!(list.as_bytes(), b"\x00\x03a/+\x01\x00\x06$SYS/#\x00");
/// assert_eq!(list.iter().next().unwrap().topic_filter, "a/+");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct List<B, E> {
    bytes: B,
    entry: PhantomData<fn() -> E>,
}

impl<B, E> List<B, E> {
    pub(crate) const fn from_checked(bytes: B) -> Self {
        Self {
            bytes,
            entry: PhantomData,
        }
    }

    /// Returns the storage.
    pub(crate) fn into_bytes(self) -> B {
        self.bytes
    }

    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    #[inline]
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> List<C, E> {
        List::from_checked(f(self.bytes))
    }
}

impl<B: AsRef<[u8]>, E: Entry> List<B, E> {
    /// Returns the encoded entries.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Returns the entries in order.
    #[inline]
    pub fn iter(&self) -> Entries<'_, E> {
        Entries {
            reader: Reader::again(self.as_bytes()),
            entry: PhantomData,
        }
    }

    /// Returns the number of entries, at least one. Counts them.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns the same list, borrowed.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> List<&[u8], E> {
        List::from_checked(self.as_bytes())
    }
}

impl<'b, E: Entry> List<&'b [u8], E> {
    /// Encodes a list to a caller's buffer.
    ///
    /// # Errors
    ///
    /// [`EncodeError::EmptyList`] without an entry, [`EncodeError::NoRoom`] if the buffer is too
    /// small; then it may contain the first entries. [`encoded_len`](Self::encoded_len) returns the
    /// required size.
    pub fn encode_to_slice<'i>(
        buffer: &'b mut [u8],
        entries: impl IntoIterator<Item = E::Item<'i>>,
    ) -> Result<Self, EncodeError> {
        let mut out = SliceOutput::new(buffer);
        write_entries::<E, _>(entries, &mut out)?;
        Ok(Self::from_checked(out.into_written()))
    }
}

#[cfg(feature = "alloc")]
impl<E: Entry> List<alloc::vec::Vec<u8>, E> {
    /// Encodes a list to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// [`EncodeError::EmptyList`] without an entry.
    pub fn encode_to_vec<'i>(
        entries: impl IntoIterator<Item = E::Item<'i>>,
    ) -> Result<Self, EncodeError> {
        /// Enough for most lists, to allocate once.
        const USUAL: usize = 128;
        let mut out = alloc::vec::Vec::with_capacity(USUAL);
        write_entries::<E, _>(entries, &mut out)?;
        Ok(Self::from_checked(out))
    }
}

fn write_entries<'i, E: Entry, O: Output + ?Sized>(
    entries: impl IntoIterator<Item = E::Item<'i>>,
    out: &mut O,
) -> Result<(), EncodeError> {
    let mut empty = true;
    for entry in entries {
        E::write(entry, out)?;
        empty = false;
    }
    if empty {
        // [MQTT-3.8.3-3, MQTT-3.8.4-5, MQTT-3.10.3-2]
        return Err(EncodeError::EmptyList {
            packet_type: E::PACKET_TYPE,
        });
    }
    Ok(())
}

impl<'a, E: Entry> List<&'a [u8], E> {
    /// Reads the rest of a packet: at least one entry [MQTT-3.8.3-3, MQTT-3.8.4-5, MQTT-3.10.3-2]
    /// [MQTT5-3.8.3-2, MQTT5-3.10.3-2], each of them well-formed, at most `limit`.
    pub(crate) fn read<F: ReadError>(reader: &mut Reader<'a, F>, limit: u32) -> Result<Self, F> {
        if reader.is_empty() {
            return Err(reader.fault(E::FIELD, ErrorKind::EmptyList, reader.offset()));
        }
        let list = reader.clone().remaining();
        let mut room = limit;
        while !reader.is_empty() {
            let Some(left) = room.checked_sub(1) else {
                return Err(reader.fault(E::FIELD, ErrorKind::TooManyFilters, reader.offset()));
            };
            room = left;
            E::read(reader)?;
        }
        Ok(Self::from_checked(list))
    }
}

/// The entries of a [`List`] in order.
pub struct Entries<'a, E> {
    reader: Reader<'a, Trusted>,
    entry: PhantomData<fn() -> E>,
}

impl<'a, E: Entry> Iterator for Entries<'a, E> {
    type Item = E::Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        // The list was validated, so this is never an error.
        E::read(&mut self.reader).ok()
    }
}

impl<E: Entry> core::iter::FusedIterator for Entries<'_, E> {}

impl<'a, B: AsRef<[u8]>, E: Entry> IntoIterator for &'a List<B, E> {
    type Item = E::Item<'a>;
    type IntoIter = Entries<'a, E>;

    fn into_iter(self) -> Entries<'a, E> {
        self.iter()
    }
}

/// How many bytes the entries take, for a buffer of the right size.
impl<B, E: Entry> List<B, E> {
    /// Returns how many bytes `entries` occupy in a list.
    ///
    /// # Errors
    ///
    /// [`EncodeError::EmptyList`] without an entry.
    pub fn encoded_len<'i>(
        entries: impl IntoIterator<Item = E::Item<'i>>,
    ) -> Result<usize, EncodeError> {
        let mut counter = Counter::default();
        write_entries::<E, _>(entries, &mut counter)?;
        Ok(counter.get())
    }
}

// Not derived: a derive would require the same of `E`, which is only a marker.

impl<B: Clone, E> Clone for List<B, E> {
    fn clone(&self) -> Self {
        Self::from_checked(self.bytes.clone())
    }
}

impl<B: Copy, E> Copy for List<B, E> {}

impl<B: PartialEq, E> PartialEq for List<B, E> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<B: Eq, E> Eq for List<B, E> {}

impl<B: core::hash::Hash, E> core::hash::Hash for List<B, E> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<B: AsRef<[u8]>, E: Entry> core::fmt::Debug for List<B, E>
where
    for<'a> E::Item<'a>: core::fmt::Debug,
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<E> Clone for Entries<'_, E> {
    fn clone(&self) -> Self {
        Self {
            reader: self.reader.clone(),
            entry: PhantomData,
        }
    }
}

impl<E: Entry> core::fmt::Debug for Entries<'_, E>
where
    for<'a> E::Item<'a>: core::fmt::Debug,
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>, E: Entry> defmt::Format for List<B, E>
where
    for<'a> E::Item<'a>: defmt::Format,
{
    fn format(&self, f: defmt::Formatter<'_>) {
        for entry in self {
            defmt::write!(f, "{} ", entry);
        }
    }
}

#[cfg(feature = "defmt")]
impl<E: Entry> defmt::Format for Entries<'_, E>
where
    for<'a> E::Item<'a>: defmt::Format,
{
    fn format(&self, f: defmt::Formatter<'_>) {
        for entry in self.clone() {
            defmt::write!(f, "{} ", entry);
        }
    }
}

#[cfg(test)]
mod tests;
