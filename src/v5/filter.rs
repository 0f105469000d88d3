//! The Topic Filters of SUBSCRIBE and UNSUBSCRIBE.

use crate::packet::read_string;
use crate::types::TopicFilter;
use crate::wire::{EncodeError, Field, Output, ReadError, Reader, put_field};

#[inline]
pub(super) fn read_filter<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
) -> Result<TopicFilter<&'a [u8]>, F> {
    read_string(reader, Field::TopicFilter, TopicFilter::check_v5).map(TopicFilter::from_valid)
}

/// Reads a filter whose `$share/` may be invalid.
pub(super) fn read_any_filter<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
) -> Result<TopicFilter<&'a [u8]>, F> {
    read_string(reader, Field::TopicFilter, TopicFilter::check_unshared)
        .map(TopicFilter::from_valid)
}

/// Writes a Topic Filter, which MQTT 3.1.1 validates less than MQTT 5
/// [MQTT5-4.8.2-1, MQTT5-4.8.2-2].
pub(super) fn put_filter<O: Output + ?Sized>(
    out: &mut O,
    filter: TopicFilter<&[u8]>,
) -> Result<(), EncodeError> {
    let field = Field::TopicFilter;
    if filter.check_shared().is_err() {
        return Err(EncodeError::ValueOutOfRange { field });
    }
    put_field(out, field, filter.as_bytes())
}
