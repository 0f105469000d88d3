//! The result of [`Connection::receive`](super::Connection::receive).

use super::action::Action;
use super::version::Version;

/// One step of a connection: an event for the application, or an action for the driver. `B` is
/// where the bytes of the event live.
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
#[must_use = "events and actions are to be handled"]
#[cfg_attr(target_pointer_width = "64", repr(usize))] // see `v3::Packet`
pub enum Step<V: Version, B> {
    /// An action for the driver.
    Action(Action<V>),
    /// An event for the application. It may borrow from the input or the decoder.
    Event(V::Event<B>),
}

impl<V: Version, B> Step<V, B> {
    /// Moves the bytes of an event elsewhere. `f` must not change them: its results are not
    /// validated again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Step<V, C> {
        match self {
            Self::Action(action) => Step::Action(action),
            Self::Event(event) => Step::Event(V::map_event(event, f)),
        }
    }
}

impl<V: Version> Step<V, &[u8]> {
    /// Returns the same step with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    pub fn to_owned(self) -> Step<V, alloc::vec::Vec<u8>> {
        self.map(<[u8]>::to_vec)
    }

    /// Returns the same step as references into `whole`, the buffer that was passed to
    /// [`receive`](super::Connection::receive) (feature `bytes`). Bytes outside of it, such as a packet in
    /// the decoder's buffer, are copied.
    #[cfg(feature = "bytes")]
    pub fn share(self, whole: &bytes::Bytes) -> Step<V, bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<V: Version, B> core::fmt::Debug for Step<V, B>
where
    V::Event<B>: core::fmt::Debug,
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

impl<V: Version, B> Clone for Step<V, B>
where
    V::Event<B>: Clone,
{
    fn clone(&self) -> Self {
        match self {
            Self::Action(action) => Self::Action(*action),
            Self::Event(event) => Self::Event(event.clone()),
        }
    }
}

impl<V: Version, B> Copy for Step<V, B> where V::Event<B>: Copy {}

impl<V: Version, B> PartialEq for Step<V, B>
where
    V::Event<B>: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Action(a), Self::Action(b)) => a == b,
            (Self::Event(a), Self::Event(b)) => a == b,
            _ => false,
        }
    }
}

impl<V: Version, B> Eq for Step<V, B> where V::Event<B>: Eq {}

#[cfg(feature = "defmt")]
impl<V: Version, B> defmt::Format for Step<V, B>
where
    Action<V>: defmt::Format,
    V::Event<B>: defmt::Format,
{
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Action(action) => defmt::write!(f, "Action({})", action),
            Self::Event(event) => defmt::write!(f, "Event({})", event),
        }
    }
}
