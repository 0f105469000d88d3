//! Packets in serde's data model (feature `serde`).

use serde::{Serialize, Serializer};

use super::EncodedConnect;

impl<B: AsRef<[u8]>> Serialize for EncodedConnect<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_connect().serialize(serializer)
    }
}

/// Deserializes into owned storage.
#[cfg(feature = "alloc")]
mod owned {
    use alloc::vec::Vec;

    use serde::de::{Deserialize, Deserializer, Error};

    use super::super::{
        Connect, EncodedConnect, ReturnCode, SubAckEntry, Subscription, SubscriptionEntry,
        TopicFilterEntry,
    };
    use crate::packet::serde::OwnedEntry;
    use crate::types::TopicFilter;

    impl<'de, B: From<Vec<u8>>> Deserialize<'de> for EncodedConnect<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let connect: Connect<Vec<u8>> = Deserialize::deserialize(deserializer)?;
            let encoded = EncodedConnect::encode_to_vec(&connect).map_err(Error::custom)?;
            Ok(encoded.map(B::from))
        }
    }

    impl OwnedEntry for SubscriptionEntry {
        type Owned = Subscription<Vec<u8>>;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            Subscription {
                topic_filter: owned.topic_filter.as_ref(),
                qos: owned.qos,
            }
        }
    }

    impl OwnedEntry for TopicFilterEntry {
        type Owned = TopicFilter<Vec<u8>>;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            owned.as_ref()
        }
    }

    impl OwnedEntry for SubAckEntry {
        type Owned = ReturnCode;
        fn borrow(owned: &Self::Owned) -> Self::Item<'_> {
            *owned
        }
    }
}

#[cfg(feature = "alloc")]
#[cfg(test)]
mod tests;
