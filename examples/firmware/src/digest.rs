//! A hash of all fields of a packet, so that a table of expected packets fits into flash.
//! `build.rs` computes it from the vectors, the device from the decoded packet.

/// FNV-1a of 32 bits.
pub struct Digest(u32);

impl Digest {
    pub const fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }

    pub fn number(&mut self, number: u32) {
        number
            .to_le_bytes()
            .into_iter()
            .for_each(|byte| self.byte(byte));
    }

    /// Adds bytes, or their absence, which differs from an empty field.
    pub fn field(&mut self, field: Option<&[u8]>) {
        self.number(field.map_or(u32::MAX, |bytes| bytes.len() as u32));
        for byte in field.unwrap_or_default() {
            self.byte(*byte);
        }
    }

    pub const fn get(&self) -> u32 {
        self.0
    }
}
