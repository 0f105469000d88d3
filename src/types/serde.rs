//! Strings in serde's data model (feature `serde`): as strings, checked again when they come back.

use serde::{Serialize, Serializer};

use super::{Text, TopicFilter, TopicName};

macro_rules! string {
    ($($Type:ident)+) => {$(
        impl<B: AsRef<[u8]>> Serialize for $Type<B> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "alloc")]
        impl<'de, B> serde::Deserialize<'de> for $Type<B>
        where
            B: AsRef<[u8]> + From<alloc::string::String>,
        {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let string = alloc::string::String::deserialize(deserializer)?;
                Self::from_bytes(B::from(string)).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

string!(Text TopicName TopicFilter);
