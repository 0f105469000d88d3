//! How a PUBLISH names its topic.

use core::num::NonZeroU16;

/// How a PUBLISH names its topic (section 3.3.2.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicForm {
    /// By its Topic Name.
    Name,
    /// By its Topic Name, to which it assigns this alias.
    NameAndAlias(NonZeroU16),
    /// By this alias alone.
    Alias(NonZeroU16),
}

impl TopicForm {
    pub(crate) const fn alias(self) -> Option<NonZeroU16> {
        match self {
            Self::Name => None,
            Self::NameAndAlias(alias) | Self::Alias(alias) => Some(alias),
        }
    }

    pub(crate) const fn has_name(self) -> bool {
        !matches!(self, Self::Alias(_))
    }
}
