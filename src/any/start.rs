//! The first bytes of a connection, until its protocol is known.

use super::Protocol;

/// Keeps the first bytes of a connection until they determine its protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    bytes: [u8; Protocol::MAX_LEN],
    filled: u8,
}

impl Start {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; Protocol::MAX_LEN],
            filled: 0,
        }
    }

    /// Adds bytes. Returns `None` and keeps all of `input` while the protocol is not known. Once it
    /// is known, keeps none of `input`; the earlier bytes are in [`kept`](Self::kept).
    pub(crate) fn add(&mut self, input: &[u8]) -> Option<Protocol> {
        let mut bytes = self.bytes;
        let mut filled = self.filled;
        for byte in input {
            let Some(next) = bytes.get_mut(usize::from(filled)) else {
                break;
            };
            *next = *byte;
            filled = filled.saturating_add(1);
        }
        let protocol = Protocol::of(bytes.get(..usize::from(filled)).unwrap_or(&bytes));
        if protocol.is_none() {
            *self = Self { bytes, filled };
        }
        protocol
    }

    /// Returns the bytes kept.
    pub(crate) fn kept(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.filled))
            .unwrap_or_default()
    }

    /// Returns true if no byte was kept.
    pub(crate) const fn is_empty(&self) -> bool {
        self.filled == 0
    }
}
