//! The parts of packets on the wire that all versions share: fixed header, fields, outputs for
//! encoded bytes, and the names of faults.

mod encode;
mod encode_error;
mod error;
mod field;
mod frame;
mod header;
mod options;
mod output;
mod packet_set;
mod packet_type;
mod place;
mod reader;
#[cfg(feature = "bytes")]
mod share;
#[cfg(test)]
mod testing;

pub use encode::Encode;
pub use encode_error::EncodeError;
pub use error::{DecodeError, ErrorKind, TextError};
pub use field::Field;
pub use header::{Header, MAX_REMAINING_LENGTH};
pub use options::Options;
#[cfg(feature = "bytes")]
pub use output::BufMutOutput;
pub use output::{Output, SliceOutput};
pub use packet_type::PacketType;

pub(crate) use encode::{
    Counter, PacketBody, encode_bytes, encode_packet, is_short, put_field, put_header,
    put_topic_name, put_variable_byte_integer, remaining_length,
};
pub(crate) use frame::{
    ACKNOWLEDGEMENT_LEN, Frame, acknowledgement, frame, is_beginning, try_acknowledgement,
    try_frame, try_header,
};
pub(crate) use header::{checked_header, too_large};
pub use packet_set::PacketSet;
pub(crate) use packet_set::{PayloadStart, Sealed, SentBy, try_short};
pub(crate) use place::{part_at, place_in};
pub(crate) use reader::{ReadError, Reader, Rejected, Trusted, scan_variable_byte_integer};
#[cfg(feature = "bytes")]
pub(crate) use share::share;

/// True if code has to be small rather than fast: where a register has fewer than 64 bits. Then the
/// shortcuts are compiled out; the outcome is the same. Not a feature, because a dependency must not
/// be able to change it.
pub(crate) const OPTIMIZE_SIZE: bool = cfg!(not(target_pointer_width = "64"));
