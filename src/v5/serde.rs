//! Packets in serde's data model (feature `serde`): properties as a sequence.

use serde::{Serialize, Serializer};

use super::{EncodedConnect, Properties};

impl<B: AsRef<[u8]>, K> Serialize for Properties<B, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::packet::serde::serialize_entries(self.iter(), serializer)
    }
}

impl<B: AsRef<[u8]>> Serialize for EncodedConnect<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_connect().serialize(serializer)
    }
}

#[cfg(feature = "alloc")]
pub(super) use owned::topic_or_alias;

/// Deserializes into owned storage.
#[cfg(feature = "alloc")]
mod owned {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt;
    use core::marker::PhantomData;

    use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};

    use super::super::owned_property::OwnedProperty;
    use super::super::{
        Connect, EncodedConnect, ListedReasonCode, Properties, PropertiesKind, ReasonCodeEntry,
        Subscription, SubscriptionEntry, TopicFilterEntry,
    };
    use crate::packet::serde::OwnedEntry;
    use crate::types::{TopicFilter, TopicName};

    impl<'de, B: From<Vec<u8>>> Deserialize<'de> for EncodedConnect<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let connect: Connect<Vec<u8>> = Deserialize::deserialize(deserializer)?;
            let encoded = EncodedConnect::encode_to_vec(&connect).map_err(Error::custom)?;
            Ok(encoded.map(B::from))
        }
    }

    /// A Topic Name, which is empty if a Topic Alias replaces it.
    pub(in super::super) fn topic_or_alias<'de, B, D>(
        deserializer: D,
    ) -> Result<TopicName<B>, D::Error>
    where
        B: AsRef<[u8]> + From<String>,
        D: Deserializer<'de>,
    {
        let topic = String::deserialize(deserializer)?;
        if topic.is_empty() {
            return Ok(TopicName::from_valid(B::from(topic)));
        }
        TopicName::from_bytes(B::from(topic)).map_err(Error::custom)
    }

    struct PropertiesVisitor<K>(PhantomData<K>);

    impl<'de, K: PropertiesKind> Visitor<'de> for PropertiesVisitor<K> {
        type Value = Properties<Vec<u8>, K>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of properties")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut properties: Vec<OwnedProperty> = Vec::new();
            while let Some(property) = sequence.next_element()? {
                properties.push(property);
            }
            Properties::encode_to_vec(properties.iter().map(OwnedProperty::as_ref))
                .map_err(Error::custom)
        }
    }

    impl<'de, B: From<Vec<u8>>, K: PropertiesKind> Deserialize<'de> for Properties<B, K> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let properties = deserializer.deserialize_seq(PropertiesVisitor::<K>(PhantomData))?;
            Ok(properties.map(B::from))
        }
    }

    impl OwnedEntry for SubscriptionEntry {
        type Owned = Subscription<Vec<u8>>;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            owned.as_ref()
        }
    }

    impl OwnedEntry for TopicFilterEntry {
        type Owned = TopicFilter<Vec<u8>>;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            owned.as_ref()
        }
    }

    impl<R: ListedReasonCode + DeserializeOwned> OwnedEntry for ReasonCodeEntry<R> {
        type Owned = R;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            *owned
        }
    }
}
