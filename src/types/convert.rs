//! `try_from` and `parse` validate strings and bytes; `from` converts back. The storage stays the
//! same, borrowed or owned.

use super::{Checked, StringKind};
use crate::wire::TextError;

impl<'a, K: StringKind> TryFrom<&'a str> for Checked<&'a [u8], K> {
    type Error = TextError;

    fn try_from(text: &'a str) -> Result<Self, TextError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl<'a, K: StringKind> TryFrom<&'a [u8]> for Checked<&'a [u8], K> {
    type Error = TextError;

    fn try_from(bytes: &'a [u8]) -> Result<Self, TextError> {
        Self::from_bytes(bytes)
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{Checked, StringKind, TextError};

    impl<K: StringKind> TryFrom<Vec<u8>> for Checked<Vec<u8>, K> {
        type Error = TextError;

        fn try_from(bytes: Vec<u8>) -> Result<Self, TextError> {
            Self::from_bytes(bytes)
        }
    }

    impl<K: StringKind> TryFrom<String> for Checked<Vec<u8>, K> {
        type Error = TextError;

        fn try_from(text: String) -> Result<Self, TextError> {
            Self::from_bytes(text.into_bytes())
        }
    }

    /// Copies the string, for `parse`.
    impl<K: StringKind> core::str::FromStr for Checked<Vec<u8>, K> {
        type Err = TextError;

        fn from_str(text: &str) -> Result<Self, TextError> {
            Checked::new(text).map(|text| text.to_owned())
        }
    }

    impl<K> From<Checked<Self, K>> for Vec<u8> {
        fn from(text: Checked<Self, K>) -> Self {
            text.into_inner()
        }
    }

    /// Reuses the allocation. Validates the UTF-8 again, as [`as_str`](Checked::as_str) does.
    impl<K> From<Checked<Vec<u8>, K>> for String {
        fn from(text: Checked<Vec<u8>, K>) -> Self {
            Self::from_utf8(text.into_inner()).unwrap_or_default()
        }
    }
}

#[cfg(feature = "bytes")]
impl<K: StringKind> TryFrom<bytes::Bytes> for Checked<bytes::Bytes, K> {
    type Error = TextError;

    fn try_from(bytes: bytes::Bytes) -> Result<Self, TextError> {
        Self::from_bytes(bytes)
    }
}

#[cfg(feature = "bytes")]
impl<K> From<Checked<Self, K>> for bytes::Bytes {
    fn from(text: Checked<Self, K>) -> Self {
        text.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use crate::{ErrorKind, TopicName};
    #[cfg(feature = "alloc")]
    use crate::{Text, TopicFilter};

    #[test]
    fn borrowed_strings_and_bytes_stay_borrowed() {
        let text = "a/b";
        let topic = TopicName::try_from(text).unwrap();
        assert_eq!(topic.as_bytes().as_ptr(), text.as_ptr());
        let topic = TopicName::try_from(text.as_bytes()).unwrap();
        assert_eq!(topic.as_bytes().as_ptr(), text.as_ptr());
    }

    #[test]
    fn an_invalid_string_is_refused_by_each_conversion() {
        let kind = ErrorKind::WildcardInTopicName;
        assert_eq!(TopicName::try_from("a/+").unwrap_err().kind(), kind);
        assert_eq!(TopicName::try_from(&b"a/+"[..]).unwrap_err().kind(), kind);
        #[cfg(feature = "alloc")]
        {
            let owned = alloc::string::String::from("a/+");
            let bytes = owned.clone().into_bytes();
            assert_eq!(TopicName::try_from(owned).unwrap_err().kind(), kind);
            assert_eq!(TopicName::try_from(bytes).unwrap_err().kind(), kind);
            let parsed = "a/+".parse::<TopicName<_>>();
            assert_eq!(parsed.unwrap_err().kind(), kind);
        }
        #[cfg(feature = "bytes")]
        {
            let bytes = bytes::Bytes::from_static(b"a/+");
            assert_eq!(TopicName::try_from(bytes).unwrap_err().kind(), kind);
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn owned_strings_and_bytes_keep_their_allocation_both_ways() {
        let owned = alloc::string::String::from("device-7");
        let at = owned.as_ptr();
        let text = Text::try_from(owned).unwrap();
        let owned = alloc::string::String::from(text);
        assert_eq!((owned.as_ptr(), owned.as_str()), (at, "device-7"));
        let text = Text::try_from(owned.into_bytes()).unwrap();
        let bytes = alloc::vec::Vec::from(text);
        assert_eq!((bytes.as_ptr(), &bytes[..]), (at, &b"device-7"[..]));
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn shared_bytes_are_kept_both_ways() {
        let bytes = bytes::Bytes::from(b"device-7".to_vec());
        let text = Text::try_from(bytes.clone()).unwrap();
        assert_eq!(bytes::Bytes::from(text).as_ptr(), bytes.as_ptr());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn an_owned_string_is_parsed_from_what_it_prints() {
        let filter = TopicFilter::new("a/+/#").unwrap().to_owned();
        assert_eq!(std::format!("{filter}").parse(), Ok(filter));
    }
}
