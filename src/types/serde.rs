//! Strings in serde's data model (feature `serde`): as strings, validated again when they are
//! deserialized.

use serde::{Serialize, Serializer};

use super::Checked;

impl<B: AsRef<[u8]>, K> Serialize for Checked<B, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "alloc")]
impl<'de, B, K> serde::Deserialize<'de> for Checked<B, K>
where
    B: AsRef<[u8]> + From<alloc::string::String>,
    K: super::StringKind,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let string = alloc::string::String::deserialize(deserializer)?;
        Self::from_bytes(B::from(string)).map_err(serde::de::Error::custom)
    }
}
