//! `-d`: prints each packet.

use mqtt_sansio::{Options, StreamDecoder};

use crate::protocol::Protocol;

/// Prints the packets of one direction of a connection to standard error.
#[derive(Debug)]
pub struct Trace<V: Protocol> {
    word: &'static str,
    decoder: StreamDecoder<V, Vec<u8>>,
}

impl<V: Protocol> Trace<V> {
    /// `word` is printed before each packet.
    #[must_use]
    pub const fn new(word: &'static str) -> Self {
        let options = Options::new().max_packet_size(u32::MAX);
        Self {
            word,
            decoder: StreamDecoder::with_options(Vec::new(), options),
        }
    }

    /// Prints the packets that are complete with these bytes.
    pub fn print(&mut self, mut bytes: &[u8]) {
        // The connection reports bytes that cannot be decoded.
        while let Ok(Some(packet)) = self.decoder.decode(&mut bytes) {
            eprintln!("{} {}", self.word, V::display(&packet));
        }
    }
}
