//! The parts that packets of several versions share. They are generic or small, so a program
//! contains only the versions that it uses.

#[cfg(feature = "arbitrary")]
pub(crate) mod arbitrary;
#[cfg(feature = "bytes")]
pub(crate) mod bytes;
pub(crate) mod connect_flags;
mod decode;
pub(crate) mod fmt;
mod list;
pub(crate) mod publish;
mod read;
#[cfg(feature = "serde")]
pub(crate) mod serde;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use decode::{check_first_byte, decode, peek};
pub use list::{Entries, Entry, List};
pub(crate) use read::{read_checked, read_packet_id, read_string};

/// Implements `map`, `as_ref`, `to_owned` and `share` for a type whose bytes live in a `B`. Each field is
/// listed with its kind: a `value` has no bytes, `bytes` is a `B`, a `part` is another type with these
/// methods.
macro_rules! storage {
    ($Type:ident $([$K:ident: $Bound:path])? { $($field:ident: $kind:ident),+ }) => {
        impl<B $(, $K: $Bound)?> $Type<B $(, $K)?> {
            /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
            pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> $Type<C $(, $K)?> {
                $Type { $($field: $crate::packet::storage!(@map $kind self.$field, f)),+ }
            }
        }

        impl<B: AsRef<[u8]> $(, $K: $Bound)?> $Type<B $(, $K)?> {
            /// Returns the same value, borrowed.
            #[must_use]
            pub fn as_ref(&self) -> $Type<&[u8] $(, $K)?> {
                $Type { $($field: $crate::packet::storage!(@as_ref $kind self.$field)),+ }
            }
        }

        $crate::packet::owned_and_shared!($Type $([$K: $Bound])?);
    };

    (@map value $field:expr, $f:ident) => { $field };
    (@map bytes $field:expr, $f:ident) => { $f($field) };
    (@map part $field:expr, $f:ident) => { $field.map(&mut $f) };
    (@map optional_bytes $field:expr, $f:ident) => { $field.map(&mut $f) };
    (@map optional_part $field:expr, $f:ident) => { $field.map(|part| part.map(&mut $f)) };

    (@as_ref value $field:expr) => { $field };
    (@as_ref bytes $field:expr) => { $field.as_ref() };
    (@as_ref part $field:expr) => { $field.as_ref() };
    (@as_ref optional_bytes $field:expr) => { $field.as_ref().map(AsRef::as_ref) };
    (@as_ref optional_part $field:expr) => { $field.as_ref().map(|part| part.as_ref()) };
}
pub(crate) use storage;

/// Implements `to_owned` and `share` for a type with `map` and `as_ref`.
macro_rules! owned_and_shared {
    ($Type:ident $([$K:ident: $Bound:path])?) => {
        #[cfg(feature = "alloc")]
        impl<B: AsRef<[u8]> $(, $K: $Bound)?> $Type<B $(, $K)?> {
            /// Returns the same value with its bytes in vectors of their own (feature `alloc`).
            #[must_use]
            pub fn to_owned(&self) -> $Type<alloc::vec::Vec<u8> $(, $K)?> {
                self.as_ref().map(<[u8]>::to_vec)
            }
        }

        #[cfg(feature = "bytes")]
        impl $(<$K: $Bound>)? $Type<&[u8] $(, $K)?> {
            /// Returns the same value as references into `whole`, the buffer that it was decoded from
            /// (feature `bytes`). Nothing is copied, and the result can be kept and sent to another
            /// thread. Fields outside of `whole`, such as those of a split packet in the decoder's buffer,
            /// are copied.
            #[must_use]
            pub fn share(self, whole: &bytes::Bytes) -> $Type<bytes::Bytes $(, $K)?> {
                self.map(|part| $crate::wire::share(whole, part))
            }
        }
    };
}
pub(crate) use owned_and_shared;

/// Converts a packet to a `Packet`.
macro_rules! into_packet {
    ($($Variant:ident($Type:ty))+) => {$(
        impl<B> From<$Type> for Packet<B> {
            fn from(packet: $Type) -> Self {
                Self::$Variant(packet)
            }
        }
    )+};
}
pub(crate) use into_packet;
