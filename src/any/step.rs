//! The result of [`Server::receive`](super::Server::receive).

use super::action::Action;
use super::event::Event;

/// One step of a connection: an event for the application, or an action for the driver. `B` is
/// where the bytes of the event live.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
#[must_use = "events and actions are to be handled"]
pub enum Step<B> {
    /// An action for the driver.
    Action(Action),
    /// An event for the application. It may borrow from the input or the decoder.
    Event(Event<B>),
}

impl<B> Step<B> {
    /// Moves the bytes of an event elsewhere. `f` must not change them: its results are not validated
    /// again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Step<C> {
        match self {
            Self::Action(action) => Step::Action(action),
            Self::Event(event) => Step::Event(event.map(f)),
        }
    }
}

impl Step<&[u8]> {
    /// Returns the same step with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    pub fn to_owned(self) -> Step<alloc::vec::Vec<u8>> {
        self.map(<[u8]>::to_vec)
    }

    /// Returns the same step as references into `whole`, the buffer that was passed to
    /// [`receive`](super::Server::receive) (feature `bytes`). Bytes outside of it are copied.
    #[cfg(feature = "bytes")]
    pub fn share(self, whole: &bytes::Bytes) -> Step<bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Step<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}
