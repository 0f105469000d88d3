//! Comparison of strings: by their bytes, which is also the order of their characters, without
//! normalization.
//!
//! Not derived: a derive would require the same of the kind, which is only a marker.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use super::Checked;

impl<B: Clone, K> Clone for Checked<B, K> {
    #[inline]
    fn clone(&self) -> Self {
        Self::from_valid(self.storage().clone())
    }
}

impl<B: Copy, K> Copy for Checked<B, K> {}

/// Two strings of one kind, in any storage.
impl<B: PartialEq<C>, C, K> PartialEq<Checked<C, K>> for Checked<B, K> {
    #[inline]
    fn eq(&self, other: &Checked<C, K>) -> bool {
        self.storage() == other.storage()
    }
}

impl<B: Eq, K> Eq for Checked<B, K> {}

impl<B: PartialOrd<C>, C, K> PartialOrd<Checked<C, K>> for Checked<B, K> {
    #[inline]
    fn partial_cmp(&self, other: &Checked<C, K>) -> Option<Ordering> {
        self.storage().partial_cmp(other.storage())
    }
}

impl<B: Ord, K> Ord for Checked<B, K> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.storage().cmp(other.storage())
    }
}

impl<B: Hash, K> Hash for Checked<B, K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.storage().hash(state);
    }
}

/// Maps with strings as keys can be searched with bytes. `B: Borrow<[u8]>` requires that `B`
/// compares and hashes like its bytes, which `String` does not.
///
/// ```
/// use std::collections::HashMap;
/// use mqtt_sansio::Text;
///
/// let mut sessions = HashMap::new();
/// sessions.insert(Text::new("device-7")?.to_owned(), "its session");
/// let client_id: Text<&[u8]> = Text::new("device-7")?;
/// assert_eq!(sessions.get(client_id.as_bytes()), Some(&"its session"));
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
impl<B: Borrow<[u8]>, K> Borrow<[u8]> for Checked<B, K> {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self.storage().borrow()
    }
}

impl<B: AsRef<[u8]>, K> AsRef<[u8]> for Checked<B, K> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<B: AsRef<[u8]>, K> PartialEq<str> for Checked<B, K> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<B: AsRef<[u8]>, K> PartialEq<&str> for Checked<B, K> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl<B: AsRef<[u8]>, K> PartialEq<Checked<B, K>> for str {
    fn eq(&self, other: &Checked<B, K>) -> bool {
        other == self
    }
}

impl<B: AsRef<[u8]>, K> PartialEq<Checked<B, K>> for &str {
    fn eq(&self, other: &Checked<B, K>) -> bool {
        other == *self
    }
}

#[cfg(feature = "alloc")]
impl<B: AsRef<[u8]>, K> PartialEq<alloc::string::String> for Checked<B, K> {
    fn eq(&self, other: &alloc::string::String) -> bool {
        self == other.as_str()
    }
}

#[cfg(feature = "alloc")]
impl<B: AsRef<[u8]>, K> PartialEq<Checked<B, K>> for alloc::string::String {
    fn eq(&self, other: &Checked<B, K>) -> bool {
        other == self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use core::cmp::Ordering;
    use std::collections::{BTreeMap, HashMap};

    use crate::{Text, TopicFilter, TopicName};

    #[test]
    fn strings_of_one_kind_are_equal_wherever_their_bytes_live() {
        let borrowed = TopicName::new("a/b").unwrap();
        let owned = borrowed.map(<[u8]>::to_vec);
        let array = TopicName::from_bytes(*b"a/b").unwrap();
        assert_eq!(borrowed, owned);
        assert_eq!(owned, borrowed);
        assert_eq!(array, borrowed);
        assert_eq!(owned, array);
        assert_ne!(owned, TopicName::new("a/c").unwrap());
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn shared_bytes_compare_with_borrowed_and_owned_ones() {
        let shared = Text::from_bytes(bytes::Bytes::from_static(b"abc")).unwrap();
        let borrowed = Text::new("abc").unwrap();
        assert_eq!(shared, borrowed);
        assert_eq!(borrowed, shared);
        assert_eq!(shared, borrowed.to_owned());
        assert_eq!(borrowed.to_owned(), shared);
    }

    #[test]
    fn a_str_equals_a_checked_string_from_either_side() {
        let filter = TopicFilter::new("a/+").unwrap();
        assert_eq!(filter, "a/+");
        assert_eq!("a/+", filter);
        assert_eq!(filter, *"a/+");
        assert_eq!(*"a/+", filter);
        assert_ne!(filter, "a/b");
        assert_ne!("a/b", filter);
        assert_ne!(filter, *"a/b");
        assert_ne!(*"a/b", filter);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_string_equals_a_checked_string_from_either_side() {
        let text = Text::new("abc").unwrap();
        let [same, other] = ["abc", "abd"].map(alloc::string::String::from);
        assert_eq!(text, same);
        assert_eq!(same, text);
        assert_ne!(text, other);
        assert_ne!(other, text);
    }

    #[test]
    fn strings_are_ordered_by_their_bytes() {
        let [a, b] = ["B", "a"].map(|string| Text::new(string).unwrap());
        assert!(a < b);
        assert_eq!(a.cmp(&b), Ordering::Less);
        assert_eq!(a.partial_cmp(&a), Some(Ordering::Equal));
    }

    #[test]
    fn a_map_of_owned_strings_is_searched_with_borrowed_bytes() {
        let key = || Text::new("device-7").unwrap().map(<[u8]>::to_vec);
        let hashed = HashMap::from([(key(), 7)]);
        let ordered = BTreeMap::from([(key(), 7)]);
        let borrowed = Text::new("device-7").unwrap();
        assert_eq!(hashed.get(borrowed.as_bytes()), Some(&7));
        assert_eq!(ordered.get(borrowed.as_bytes()), Some(&7));
        assert_eq!(hashed.get(&b"device-8"[..]), None);
    }

    #[test]
    fn a_checked_string_is_taken_where_bytes_are() {
        fn len(bytes: impl AsRef<[u8]>) -> usize {
            bytes.as_ref().len()
        }
        assert_eq!(len(Text::new("abc").unwrap()), 3);
    }
}
