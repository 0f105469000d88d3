//! The parts that packets of several versions share. They are generic or small, so a program pays
//! only for the versions that it uses.

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

/// `to_owned` for what holds bytes, packets and their parts.
#[cfg(feature = "alloc")]
macro_rules! to_owned {
    ($($Type:ident)+) => {$(
        impl<B: AsRef<[u8]>> $Type<B> {
            /// The same with its bytes in vectors of their own (feature `alloc`).
            #[must_use]
            pub fn to_owned(&self) -> $Type<alloc::vec::Vec<u8>> {
                self.as_ref().map(<[u8]>::to_vec)
            }
        }
    )+};
}
#[cfg(feature = "alloc")]
pub(crate) use to_owned;

/// A packet becomes a `Packet`.
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
