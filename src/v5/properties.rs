//! The properties of a packet (section 2.2.2), encoded: validated once, in one pass, so that
//! reading them cannot fail.

use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

use super::property::{
    ACK, AUTH, CONNACK, CONNECT, DISCONNECT, PUBLISH, Property, PropertySet, RECEIVER, SUBSCRIBE,
    UNSUBSCRIBE, WILL, rule, skip_value,
};
use crate::wire::{
    Counter, EncodeError, ErrorKind, Field, OPTIMIZE_SIZE, Output, PacketType, ReadError, Reader,
    Rejected, SliceOutput, Trusted, put_variable_byte_integer,
};

/// The packet, or Will, that [`Properties`] belong to. Implemented by this crate's markers only.
pub trait PropertiesKind: 'static {
    /// The packet.
    #[doc(hidden)]
    const PACKET_TYPE: PacketType;

    /// Its bit in the table of properties.
    #[doc(hidden)]
    const BIT: u16;

    /// True if Authentication Data needs an Authentication Method.
    #[doc(hidden)]
    const DATA_NEEDS_METHOD: bool = false;
}

/// The markers.
macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident $packet_type:ident $bit:ident $data_needs_method:literal)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
        pub enum $Kind {}

        impl PropertiesKind for $Kind {
            const PACKET_TYPE: PacketType = PacketType::$packet_type;
            const BIT: u16 = $bit;
            const DATA_NEEDS_METHOD: bool = $data_needs_method;
        }
    )+};
}

kinds! {
    /// Makes [`Properties`] those of CONNECT.
    ConnectKind Connect CONNECT true
    /// Makes [`Properties`] those of a Will.
    WillKind Connect WILL false
    /// Makes [`Properties`] those of CONNACK.
    ConnAckKind ConnAck CONNACK false
    /// Makes [`Properties`] those of PUBLISH.
    PublishKind Publish PUBLISH false
    /// Makes [`Properties`] the Subscription Identifiers of one receiver of a PUBLISH.
    SubscriptionIdentifiersKind Publish RECEIVER false
    /// Makes [`Properties`] those of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK: Reason
    /// String and User Property.
    AckKind PubAck ACK false
    /// Makes [`Properties`] those of SUBSCRIBE.
    SubscribeKind Subscribe SUBSCRIBE false
    /// Makes [`Properties`] those of UNSUBSCRIBE.
    UnsubscribeKind Unsubscribe UNSUBSCRIBE false
    /// Makes [`Properties`] those of DISCONNECT.
    DisconnectKind Disconnect DISCONNECT false
    /// Makes [`Properties`] those of AUTH.
    AuthKind Auth AUTH true
}

/// The properties of CONNECT (section 3.1.2.11).
pub type ConnectProperties<B> = Properties<B, ConnectKind>;
/// The properties of a Will (section 3.1.3.2).
pub type WillProperties<B> = Properties<B, WillKind>;
/// The properties of CONNACK (section 3.2.2.3).
pub type ConnAckProperties<B> = Properties<B, ConnAckKind>;
/// The properties of PUBLISH (section 3.3.2.3).
pub type PublishProperties<B> = Properties<B, PublishKind>;
/// The Subscription Identifiers of one receiver of a message, which are properties of its PUBLISH
/// (section 3.3.4): see [`Receiver`](crate::Receiver).
pub type SubscriptionIdentifiers<B> = Properties<B, SubscriptionIdentifiersKind>;
/// The properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK (section 3.4.2.2).
pub type AckProperties<B> = Properties<B, AckKind>;
/// The properties of SUBSCRIBE (section 3.8.2.1).
pub type SubscribeProperties<B> = Properties<B, SubscribeKind>;
/// The properties of UNSUBSCRIBE (section 3.10.2.1).
pub type UnsubscribeProperties<B> = Properties<B, UnsubscribeKind>;
/// The properties of DISCONNECT (section 3.14.2.2).
pub type DisconnectProperties<B> = Properties<B, DisconnectKind>;
/// The properties of AUTH (section 3.15.2.2).
pub type AuthProperties<B> = Properties<B, AuthKind>;

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

/// Returns true if there is Authentication Data without an Authentication Method (section
/// 3.1.2.11.10).
fn lacks_method(seen: PropertySet) -> bool {
    seen.has(0x16) && !seen.has(0x15)
}

impl<'a, K: PropertiesKind> Properties<&'a [u8], K> {
    /// Reads Property Length and properties.
    #[inline(always)]
    pub(super) fn read<F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self, F> {
        Self::read_with_set(reader).map(|(properties, _)| properties)
    }

    /// Reads the same, and the set of properties. The set is empty if they were validated before.
    #[inline(always)]
    pub(super) fn read_with_set<F: ReadError>(
        reader: &mut Reader<'a, F>,
    ) -> Result<(Self, PropertySet), F> {
        let (bytes, set) = read_bytes(K::BIT, K::DATA_NEEDS_METHOD, reader)?;
        Ok((Self::from_valid(bytes), set))
    }
}

/// [`Properties::read_with_set`] without the type of the packet.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn read_bytes<'a, F: ReadError>(
    kind: u16,
    data_needs_method: bool,
    reader: &mut Reader<'a, F>,
) -> Result<(&'a [u8], PropertySet), F> {
    let mut set = PropertySet::default();
    // Many packets have no properties.
    let len = reader.variable_byte_integer(Field::PropertyLength)?;
    if len == 0 {
        return Ok((&[], set));
    }
    let bytes = reader.take(len, Field::Properties)?.remaining();
    if !F::CHECKED_BEFORE {
        set = validate(kind, bytes, reader.offset(), reader.packet_type())?;
        if data_needs_method && lacks_method(set) {
            let kind = ErrorKind::MissingAuthenticationMethod;
            return Err(reader.fault(Field::AuthenticationData, kind, reader.offset()));
        }
    }
    Ok((bytes, set))
}

/// Validates properties that end at this offset of a packet, and returns their set.
#[inline(always)]
fn validate<F: ReadError>(
    kind: u16,
    properties: &[u8],
    end: usize,
    packet_type: Option<PacketType>,
) -> Result<PropertySet, F> {
    if !OPTIMIZE_SIZE {
        // Without the details of a fault, which nearly no packet has.
        if let Ok(set) = validate_each::<Rejected>(kind, properties, 0, None) {
            return Ok(set);
        }
    }
    validate_each(kind, properties, end, packet_type)
}

/// [`validate`]: each property is known, allowed in this packet, and occurs once unless it may be
/// repeated, with a value of its type and range.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline(always))]
fn validate_each<F: ReadError>(
    kind: u16,
    properties: &[u8],
    end: usize,
    packet_type: Option<PacketType>,
) -> Result<PropertySet, F> {
    let mut seen = PropertySet::default();
    let mut reader = Reader::of_part(properties, end, packet_type);
    while !reader.is_empty() {
        let start = reader.clone();
        let identifier = reader.u8(Field::PropertyIdentifier)?;
        let Some(rule) = rule(identifier).filter(|rule| rule.is_allowed(kind)) else {
            return Err(not_allowed(start));
        };
        if !rule.see(kind, &mut seen) {
            return Err(reader.fault(rule.field, ErrorKind::RepeatedProperty, start.offset()));
        }
        skip_value(rule, &mut reader)?;
    }
    Ok(seen)
}

/// Returns the fault of a property that does not exist, or that this packet cannot have.
#[cold]
fn not_allowed<F: ReadError>(mut reader: Reader<'_, F>) -> F {
    let start = reader.offset();
    match reader.variable_byte_integer(Field::PropertyIdentifier) {
        Ok(identifier) => match u8::try_from(identifier).ok().and_then(rule) {
            Some(rule) => reader.fault(rule.field, ErrorKind::MisplacedProperty, start),
            None => reader.fault(Field::PropertyIdentifier, ErrorKind::UnknownProperty, start),
        },
        Err(fault) => fault,
    }
}

/// Returns a reader of the value of the first property with this identifier.
#[inline(never)]
fn find(bytes: &[u8], identifier: u8) -> Option<Reader<'_, Trusted>> {
    find_one_of(bytes, &[identifier])
}

/// Returns a reader of the value of the first property with one of these identifiers.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn find_one_of<'a>(bytes: &'a [u8], identifiers: &[u8]) -> Option<Reader<'a, Trusted>> {
    let mut reader = Reader::again(bytes);
    loop {
        let next = reader.u8(Field::PropertyIdentifier).ok()?;
        if is_one_of(identifiers, next) {
            return Some(reader);
        }
        skip_value(rule(next)?, &mut reader).ok()?;
    }
}

// Functions without type parameters, so that a getter is little more than a call.

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn find_flag(bytes: &[u8], identifier: u8) -> Option<bool> {
    let byte = find(bytes, identifier)?.u8(Field::Properties).ok()?;
    Some(byte != 0)
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn find_u16(bytes: &[u8], identifier: u8) -> Option<u16> {
    find(bytes, identifier)?.u16(Field::Properties).ok()
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn find_u32(bytes: &[u8], identifier: u8) -> Option<u32> {
    find(bytes, identifier)?.u32(Field::Properties).ok()
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn find_bytes(bytes: &[u8], identifier: u8) -> Option<&[u8]> {
    find(bytes, identifier)?.bytes(Field::Properties).ok()
}

/// Returns the identifier of each property, and its bytes with the identifier.
fn encoded_properties(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (identifier, property, after) = split_property(rest)?;
        rest = after;
        Some((identifier, property))
    })
}

#[expect(
    clippy::manual_contains,
    reason = "`contains` searches bytes with a call"
)]
#[inline(always)]
fn is_one_of(identifiers: &[u8], identifier: u8) -> bool {
    identifiers.iter().any(|one| *one == identifier)
}

/// Returns the identifier of the first property, its bytes with the identifier, and the bytes after it.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn split_property(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let mut reader = Reader::again(bytes);
    let identifier = reader.u8(Field::PropertyIdentifier).ok()?;
    skip_value(rule(identifier)?, &mut reader).ok()?;
    let (property, after) = bytes.split_at_checked(reader.offset())?;
    Some((identifier, property, after))
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
