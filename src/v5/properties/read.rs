//! Reads and validates properties.

use super::super::property::{PropertySet, rule, skip_value};
use super::{Properties, PropertiesKind};
use crate::wire::{ErrorKind, Field, OPTIMIZE_SIZE, PacketType, ReadError, Reader, Rejected};

/// Returns true if there is Authentication Data without an Authentication Method (section
/// 3.1.2.11.10).
pub(super) fn lacks_method(seen: PropertySet) -> bool {
    seen.has(0x16) && !seen.has(0x15)
}

impl<'a, K: PropertiesKind> Properties<&'a [u8], K> {
    /// Reads Property Length and properties.
    #[inline(always)]
    pub(crate) fn read<F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self, F> {
        Self::read_with_set(reader).map(|(properties, _)| properties)
    }

    /// Reads the same, and the set of properties. The set is empty if they were validated before.
    #[inline(always)]
    pub(crate) fn read_with_set<F: ReadError>(
        reader: &mut Reader<'a, F>,
    ) -> Result<(Self, PropertySet), F> {
        let (bytes, set) = read_bytes(K::BIT, K::DATA_NEEDS_METHOD, reader)?;
        Ok((Self::from_valid(bytes), set))
    }
}

/// [`Properties::read_with_set`] without the type of the packet.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn read_bytes<'a, F: ReadError>(
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
