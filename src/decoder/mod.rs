//! Splits a byte stream into packets. A packet that lies whole in the input is decoded in place;
//! only a split packet is copied.

// First, so that documentation lists the constructors before the methods of other files.
mod stream_decoder;

mod buffer;
mod decode;
mod in_pieces;
mod locate;
mod piece;
mod settle;
mod state;
mod step;

pub use buffer::{Buffer, WholePackets};
pub(crate) use locate::Located;
pub use piece::Piece;
pub use stream_decoder::StreamDecoder;

#[cfg(test)]
mod tests;
