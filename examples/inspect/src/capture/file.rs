//! Frames of a capture file, pcap or pcapng.

use std::io::Read;

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// The initial buffer; enough for most frames.
const CAPACITY: usize = 1 << 20;
/// The limit of the buffer; more than any frame has.
const MOST: usize = 1 << 28;
const NANOS: u64 = 1_000_000_000;

/// The captured bytes of one frame.
pub(crate) struct Frame<'a> {
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    pub(crate) link: Linktype,
    pub(crate) data: &'a [u8],
}

/// A network interface, as a block of pcapng describes it.
struct Interface {
    link: Linktype,
    /// Units of time in a second.
    resolution: u64,
    /// Seconds to add.
    offset: i64,
}

impl Interface {
    fn time(&self, high: u32, low: u32) -> u64 {
        let units = u128::from(high) << 32 | u128::from(low);
        let nanos = units
            .saturating_mul(u128::from(NANOS))
            .checked_div(u128::from(self.resolution))
            .unwrap_or_default();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        nanos.saturating_add_signed(self.offset.saturating_mul(NANOS as i64))
    }
}

/// Calls `each` with every frame. Returns true if the file ends in the middle of a block, for example
/// because it is still being written.
pub(crate) fn frames(
    source: impl Read + Send,
    mut each: impl FnMut(Frame<'_>),
) -> Result<bool, String> {
    let mut reader = create_reader(CAPACITY, source).map_err(|error| explain(&error))?;
    let mut capacity = CAPACITY;
    let mut interfaces: Vec<Interface> = Vec::new();
    // The link type of a pcap file, which has one for all frames.
    let mut link = Linktype::NULL;
    let mut fraction = 1000;
    loop {
        match reader.next() {
            Ok((read, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        link = header.network;
                        fraction = if header.is_nanosecond_precision() {
                            1
                        } else {
                            1000
                        };
                    }
                    PcapBlockOwned::Legacy(block) => {
                        let seconds = u64::from(block.ts_sec).saturating_mul(NANOS);
                        let time = u64::from(block.ts_usec).saturating_mul(fraction);
                        each(Frame {
                            time: seconds.saturating_add(time),
                            link,
                            data: block.data,
                        });
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
                        interfaces.push(Interface {
                            link: block.linktype,
                            resolution: block.ts_resolution().unwrap_or(1_000_000),
                            offset: block.ts_offset(),
                        });
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                        let captured = usize::try_from(block.caplen).unwrap_or(usize::MAX);
                        let number = usize::try_from(block.if_id).unwrap_or(usize::MAX);
                        if let Some(interface) = interfaces.get(number) {
                            each(Frame {
                                time: interface.time(block.ts_high, block.ts_low),
                                link: interface.link,
                                data: block.data.get(..captured).unwrap_or(block.data),
                            });
                        }
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(read);
            }
            Err(PcapError::Eof) => return Ok(false),
            Err(PcapError::UnexpectedEof) => return Ok(true),
            Err(PcapError::Incomplete(_)) => {
                if reader.reader_exhausted() {
                    return Ok(true);
                }
                reader.refill().map_err(|error| explain(&error))?;
            }
            Err(PcapError::BufferTooSmall) if capacity < MOST => {
                capacity = capacity.saturating_mul(4);
                if !reader.grow(capacity) {
                    return Err(explain(&PcapError::<&[u8]>::BufferTooSmall));
                }
            }
            Err(error) => return Err(explain(&error)),
        }
    }
}

fn explain<I>(error: &PcapError<I>) -> String {
    match error {
        PcapError::HeaderNotRecognized | PcapError::Incomplete(_) => {
            "this is neither pcap nor pcapng; a compressed file has to be unpacked first"
        }
        PcapError::Eof => "the file is empty",
        PcapError::ReadError => "cannot be read",
        PcapError::BufferTooSmall => "a block is too large",
        _ => "a block of the capture is malformed",
    }
    .to_owned()
}
