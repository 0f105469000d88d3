//! A link between a client and a server on the same device.

use mqtt_sansio::{EncodeError, Output};

/// One direction: bytes that were sent and have not arrived yet.
pub struct Link {
    bytes: [u8; 512],
    len: usize,
}

impl Link {
    pub const fn new() -> Self {
        Self {
            bytes: [0; 512],
            len: 0,
        }
    }

    /// Delivers everything in transit: copies it to `arrived`, so that answers can be sent
    /// meanwhile.
    pub fn arrive<'a>(&mut self, arrived: &'a mut [u8; 512]) -> &'a [u8] {
        *arrived = self.bytes;
        let len = core::mem::take(&mut self.len);
        arrived.get(..len).unwrap_or_default()
    }

    /// Cuts the link: bytes in transit are lost.
    pub fn cut(&mut self) {
        self.len = 0;
    }
}

impl Output for Link {
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.bytes.len() - self.len < len {
            return Err(EncodeError::no_room(len));
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.reserve(bytes.len())?;
        if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.len += bytes.len();
        Ok(())
    }
}
