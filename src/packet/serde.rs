//! Packets in serde's data model (feature `serde`): structs with the fields that they have in Rust,
//! messages as bytes, lists as sequences. Deserialized values are validated as those of
//! constructors.

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use super::list::{Entry, List};
#[cfg(feature = "alloc")]
pub(crate) use owned::OwnedEntry;

/// For `#[serde(with)]` on fields that are bytes.
pub(crate) mod message {
    use serde::Serializer;

    pub(crate) fn serialize<B: AsRef<[u8]>, S: Serializer>(
        bytes: &B,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes.as_ref())
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn deserialize<'de, B, D>(deserializer: D) -> Result<B, D::Error>
    where
        B: From<alloc::vec::Vec<u8>>,
        D: serde::Deserializer<'de>,
    {
        deserializer
            .deserialize_byte_buf(super::owned::MessageVisitor)
            .map(B::from)
    }
}

/// The same for `Option`.
pub(crate) mod optional_message {
    use serde::{Serialize, Serializer};

    struct Message<'a, B>(&'a B);

    impl<B: AsRef<[u8]>> Serialize for Message<'_, B> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::message::serialize(self.0, serializer)
        }
    }

    pub(crate) fn serialize<B: AsRef<[u8]>, S: Serializer>(
        bytes: &Option<B>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(Message).serialize(serializer)
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn deserialize<'de, B, D>(deserializer: D) -> Result<Option<B>, D::Error>
    where
        B: From<alloc::vec::Vec<u8>>,
        D: serde::Deserializer<'de>,
    {
        let message: Option<super::owned::Message> = serde::Deserialize::deserialize(deserializer)?;
        Ok(message.map(|message| B::from(message.0)))
    }
}

impl<B: AsRef<[u8]>, E: Entry> Serialize for List<B, E>
where
    for<'a> E::Item<'a>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_entries(self.iter(), serializer)
    }
}

/// Serializes an iterator that can be cloned, with the number of entries, which some formats write
/// first.
pub(crate) fn serialize_entries<I, S>(entries: I, serializer: S) -> Result<S::Ok, S::Error>
where
    I: Iterator<Item: Serialize> + Clone,
    S: Serializer,
{
    let mut sequence = serializer.serialize_seq(Some(entries.clone().count()))?;
    for entry in entries {
        sequence.serialize_element(&entry)?;
    }
    sequence.end()
}

/// Deserializes into owned storage.
#[cfg(feature = "alloc")]
mod owned {
    use alloc::vec::Vec;
    use core::fmt;
    use core::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

    use super::super::list::{Entry, List};

    pub(super) struct Message(pub(super) Vec<u8>);

    impl<'de> Deserialize<'de> for Message {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_byte_buf(MessageVisitor).map(Self)
        }
    }

    pub(super) struct MessageVisitor;

    impl<'de> Visitor<'de> for MessageVisitor {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        // Formats without bytes, such as JSON, write them as a sequence.
        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = sequence.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }

    /// The form of an entry in deserialization, before it is in a list.
    #[expect(unnameable_types, reason = "only this crate implements it")]
    pub trait OwnedEntry: Entry {
        type Owned: for<'de> Deserialize<'de>;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_>;
    }

    struct ListVisitor<E>(PhantomData<E>);

    impl<'de, E: OwnedEntry> Visitor<'de> for ListVisitor<E> {
        type Value = List<Vec<u8>, E>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list with at least one entry")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = sequence.next_element::<E::Owned>()? {
                entries.push(entry);
            }
            List::encode_to_vec(entries.iter().map(E::borrow)).map_err(Error::custom)
        }
    }

    impl<'de, B, E> Deserialize<'de> for List<B, E>
    where
        B: AsRef<[u8]> + From<Vec<u8>>,
        E: OwnedEntry,
    {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let list = deserializer.deserialize_seq(ListVisitor::<E>(PhantomData))?;
            Ok(list.map(B::from))
        }
    }
}
