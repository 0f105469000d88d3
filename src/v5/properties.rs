//! The properties of a packet (section 2.2.2), encoded: validated once, in one pass, so that
//! reading them cannot fail.

mod find;
mod kind;
mod read;

use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

pub use kind::{
    AckKind, AckProperties, AuthKind, AuthProperties, ConnAckKind, ConnAckProperties, ConnectKind,
    ConnectProperties, DisconnectKind, DisconnectProperties, PropertiesKind, PublishKind,
    PublishProperties, SubscribeKind, SubscribeProperties, SubscriptionIdentifiers,
    SubscriptionIdentifiersKind, UnsubscribeKind, UnsubscribeProperties, WillKind, WillProperties,
};
pub(super) use read::read_bytes;

use find::{
    encoded_properties, find, find_bytes, find_flag, find_one_of, find_u16, find_u32, is_one_of,
};
use read::lacks_method;

use super::property::{Property, PropertySet, rule};
use crate::wire::{
    Counter, EncodeError, Field, Output, PacketType, Reader, SliceOutput, Trusted,
    put_variable_byte_integer,
};

/// The properties of a packet, encoded. `B` is where the bytes live, `K` the packet that they
/// belong to. They were validated, so iterating cannot fail; the order is that of the wire.
///
/// ```
/// use mqtt_sansio::Text;
/// use mqtt_sansio::v5::{Property, PublishProperties};
///
/// let mut buffer = [0; 64];
/// let properties = PublishProperties::encode_to_slice(&mut buffer, [
///     Property::MessageExpiryInterval(60),
///     Property::UserProperty { name: Text::new("unit")?, value: Text::new("C")? },
/// ])?;
/// assert_eq!(properties.message_expiry_interval(), Some(60));
/// assert_eq!(properties.user_properties().count(), 1);
///
/// // A server forwards the message a second later, to a subscription with an identifier, without a heap.
/// let others = properties.iter().filter(|it| !matches!(it, Property::MessageExpiryInterval(_)));
/// let mut buffer = [0; 64];
/// let forwarded = PublishProperties::encode_to_slice(&mut buffer, others.chain([
///     Property::MessageExpiryInterval(59),
///     Property::SubscriptionIdentifier(7.try_into()?),
/// ]))?;
/// assert_eq!(forwarded.subscription_identifiers().next().unwrap().get(), 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Properties<B, K> {
    /// The encoded properties, without Property Length.
    bytes: B,
    kind: PhantomData<fn() -> K>,
}

impl<B, K> Properties<B, K> {
    pub(crate) const fn from_valid(bytes: B) -> Self {
        Self {
            bytes,
            kind: PhantomData,
        }
    }

    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    #[inline]
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Properties<C, K> {
        Properties::from_valid(f(self.bytes))
    }
}

impl<K> Properties<&'static [u8], K> {
    /// Empty properties.
    pub const EMPTY: Self = Self::from_valid(&[]);
}

/// Empty properties. Only for some `B`: the default of another type may have bytes that were not
/// validated.
macro_rules! empty_by_default {
    ($($(#[$attribute:meta])* $B:ty)+) => {$(
        $(#[$attribute])*
        impl<K> Default for Properties<$B, K> {
            fn default() -> Self {
                Self::from_valid(<$B>::default())
            }
        }
    )+};
}

empty_by_default! {
    &[u8]
    #[cfg(feature = "alloc")]
    alloc::vec::Vec<u8>
    #[cfg(feature = "bytes")]
    bytes::Bytes
}

impl<B: AsRef<[u8]>, K> Properties<B, K> {
    /// Returns the encoded properties, without Property Length.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Returns true if there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Returns the properties in the order of the wire.
    #[inline]
    pub fn iter(&self) -> PropertyIter<'_> {
        PropertyIter {
            reader: Reader::again(self.as_bytes()),
        }
    }

    // The value of the first property with this identifier, which has this type.

    #[inline]
    pub(super) fn find_flag(&self, identifier: u8) -> Option<bool> {
        find_flag(self.as_bytes(), identifier)
    }

    #[inline]
    pub(super) fn find_u16(&self, identifier: u8) -> Option<u16> {
        find_u16(self.as_bytes(), identifier)
    }

    #[inline]
    pub(super) fn find_u32(&self, identifier: u8) -> Option<u32> {
        find_u32(self.as_bytes(), identifier)
    }

    #[inline]
    pub(super) fn find_bytes(&self, identifier: u8) -> Option<&[u8]> {
        find_bytes(self.as_bytes(), identifier)
    }

    #[inline]
    pub(super) fn find_variable(&self, identifier: u8) -> Option<u32> {
        let mut reader = find(self.as_bytes(), identifier)?;
        reader.variable_byte_integer(Field::Properties).ok()
    }

    /// Returns true if there is a property with this identifier.
    #[inline(always)]
    pub(crate) fn has(&self, identifier: u8) -> bool {
        let bytes = self.as_bytes();
        // A Topic Alias is usually the first or the only property.
        bytes.first() == Some(&identifier) || find(bytes, identifier).is_some()
    }

    /// Returns true if there is a property with one of these identifiers.
    #[inline]
    pub(crate) fn has_any(&self, identifiers: &[u8]) -> bool {
        find_one_of(self.as_bytes(), identifiers).is_some()
    }

    /// Writes the properties except those with these identifiers, without Property Length.
    pub(crate) fn write_without<O: Output + ?Sized>(
        &self,
        identifiers: &[u8],
        out: &mut O,
    ) -> Result<(), EncodeError> {
        for (identifier, bytes) in encoded_properties(self.as_bytes()) {
            if !is_one_of(identifiers, identifier) {
                out.put(bytes)?;
            }
        }
        Ok(())
    }

    /// Returns the same properties, borrowed.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> Properties<&[u8], K> {
        Properties::from_valid(self.as_bytes())
    }

    /// Returns the same properties in a `Vec` of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_owned(&self) -> Properties<alloc::vec::Vec<u8>, K> {
        Properties::from_valid(self.as_bytes().to_vec())
    }

    /// Returns how many bytes [`write`](Self::write) writes, if Property Length has one byte.
    #[inline(always)]
    pub(super) fn likely_len(&self) -> usize {
        self.as_bytes().len().wrapping_add(1)
    }

    /// Writes Property Length and properties.
    #[inline(always)]
    pub(super) fn write<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let bytes = self.as_bytes();
        if bytes.is_empty() {
            return out.put(&[0]);
        }
        put_variable_byte_integer(out, bytes.len())?; // [MQTT5-2.2.2-1]
        out.put(bytes)
    }
}

impl<'b, K: PropertiesKind> Properties<&'b [u8], K> {
    /// Encodes properties to the start of `buffer`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MisplacedProperty`] for a property that the packet cannot have,
    /// [`EncodeError::RepeatedProperty`] for one that may occur once,
    /// [`EncodeError::ValueOutOfRange`], [`EncodeError::FieldTooLong`] for a string or bytes of
    /// more than 65,535, [`EncodeError::MissingAuthenticationMethod`], and [`EncodeError::NoRoom`]
    /// if the buffer is too small; then it may contain the first properties.
    /// [`encoded_len`](Self::encoded_len) returns the required size.
    pub fn encode_to_slice<'p>(
        buffer: &'b mut [u8],
        properties: impl IntoIterator<Item = impl Borrow<Property<'p>>>,
    ) -> Result<Self, EncodeError> {
        let mut out = SliceOutput::new(buffer);
        write_properties::<K, _>(properties, &mut out)?;
        Ok(Self::from_valid(out.into_written()))
    }
}

#[cfg(feature = "alloc")]
impl<K: PropertiesKind> Properties<alloc::vec::Vec<u8>, K> {
    /// Encodes properties to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// As [`encode_to_slice`](Properties::encode_to_slice), except `NoRoom`.
    pub fn encode_to_vec<'p>(
        properties: impl IntoIterator<Item = impl Borrow<Property<'p>>>,
    ) -> Result<Self, EncodeError> {
        let mut out = alloc::vec::Vec::new();
        write_properties::<K, _>(properties, &mut out)?;
        Ok(Self::from_valid(out))
    }
}

impl<B, K: PropertiesKind> Properties<B, K> {
    /// Returns how many bytes `properties` occupy, without Property Length.
    ///
    /// # Errors
    ///
    /// As [`encode_to_slice`](Properties::encode_to_slice), except `NoRoom`.
    pub fn encoded_len<'p>(
        properties: impl IntoIterator<Item = impl Borrow<Property<'p>>>,
    ) -> Result<usize, EncodeError> {
        let mut counter = Counter::default();
        write_properties::<K, _>(properties, &mut counter)?;
        Ok(counter.get())
    }
}

fn write_properties<'p, K: PropertiesKind, O: Output + ?Sized>(
    properties: impl IntoIterator<Item = impl Borrow<Property<'p>>>,
    out: &mut O,
) -> Result<(), EncodeError> {
    let mut seen = PropertySet::default();
    for property in properties {
        write_property(K::PACKET_TYPE, K::BIT, property.borrow(), &mut seen, out)?;
    }
    if K::DATA_NEEDS_METHOD && lacks_method(seen) {
        return Err(EncodeError::MissingAuthenticationMethod);
    }
    Ok(())
}

fn write_property<O: Output + ?Sized>(
    packet_type: PacketType,
    kind: u16,
    property: &Property<'_>,
    seen: &mut PropertySet,
    out: &mut O,
) -> Result<(), EncodeError> {
    let Some(rule) = rule(property.identifier()).filter(|rule| rule.is_allowed(kind)) else {
        return Err(EncodeError::MisplacedProperty {
            packet_type,
            property: property.field(),
        });
    };
    if !rule.see(kind, seen) {
        return Err(EncodeError::RepeatedProperty {
            property: rule.field,
        });
    }
    property.write(rule.field, out)
}

/// The [`Property`]s of [`Properties`], in the order of the wire.
pub struct PropertyIter<'a> {
    reader: Reader<'a, Trusted>,
}

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn next(&mut self) -> Option<Property<'a>> {
        // Identifiers have one byte. All were validated, so the iterator ends at the last byte.
        let identifier = self.reader.u8(Field::PropertyIdentifier).ok()?;
        Property::read_value(identifier, &mut self.reader)
    }
}

impl core::iter::FusedIterator for PropertyIter<'_> {}

impl<'a, B: AsRef<[u8]>, K> IntoIterator for &'a Properties<B, K> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

impl Clone for PropertyIter<'_> {
    fn clone(&self) -> Self {
        Self {
            reader: self.reader.clone(),
        }
    }
}

impl fmt::Debug for PropertyIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

// Not derived: a derive would require the same of `K`, which is only a marker.

impl<B: Clone, K> Clone for Properties<B, K> {
    fn clone(&self) -> Self {
        Self::from_valid(self.bytes.clone())
    }
}

impl<B: Copy, K> Copy for Properties<B, K> {}

impl<B: PartialEq, K> PartialEq for Properties<B, K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<B: Eq, K> Eq for Properties<B, K> {}

impl<B: core::hash::Hash, K> core::hash::Hash for Properties<B, K> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<B: AsRef<[u8]>, K> fmt::Debug for Properties<B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>, K> defmt::Format for Properties<B, K> {
    fn format(&self, f: defmt::Formatter<'_>) {
        for property in self {
            defmt::write!(f, "{} ", property);
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PropertyIter<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        for property in self.clone() {
            defmt::write!(f, "{} ", property);
        }
    }
}

#[cfg(test)]
mod tests;
