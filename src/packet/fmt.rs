//! Formatting of the packets of every version. A derive would require `B: Debug` where
//! `B: AsRef<[u8]>` is enough, and would print messages as lists of numbers.

/// Prints bytes as a Rust byte string, and the number of further bytes of a long string.
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

/// The Password, which must not appear in logs.
pub(crate) struct Hidden;

const SHOWN: usize = 64;

impl core::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shown = self.0.get(..SHOWN).unwrap_or(self.0);
        write!(f, "b\"{}\"", shown.escape_ascii())?;
        match self.0.len().saturating_sub(shown.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} bytes more"),
        }
    }
}

impl core::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("..")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Message<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=[u8]:a}", self.0.get(..SHOWN).unwrap_or(self.0));
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Hidden {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "..");
    }
}

/// Implements `Debug` and `defmt::Format` for a struct, from its name and the format of each field.
macro_rules! fields {
    ($Type:ident($this:ident) { $($field:ident: $value:expr),+ $(,)? }) => {
        impl<B: AsRef<[u8]>> core::fmt::Debug for $Type<B> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let $this = self;
                f.debug_struct(stringify!($Type))
                    $(.field(stringify!($field), &$value))+
                    .finish()
            }
        }

        #[cfg(feature = "defmt")]
        impl<B: AsRef<[u8]>> defmt::Format for $Type<B> {
            fn format(&self, f: defmt::Formatter<'_>) {
                let $this = self;
                defmt::write!(f, "{=str} {{ ", stringify!($Type));
                $(defmt::write!(f, "{=str}: {} ", stringify!($field), $value);)+
                defmt::write!(f, "}}");
            }
        }
    };
}

pub(crate) use fields;

/// An enum of packets prints as the packet in it; a packet that is an enum itself, after its name; a
/// packet without fields, as its name.
macro_rules! packet {
    ($($Variant:ident)+; $($Tagged:ident)?; $($Empty:ident)+) => {
        impl<B: AsRef<[u8]>> core::fmt::Debug for Packet<B> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$Variant(packet) => packet.fmt(f),)+
                    $(Self::$Tagged(packet) => {
                        f.debug_tuple(stringify!($Tagged)).field(packet).finish()
                    })?
                    $(Self::$Empty => f.write_str(stringify!($Empty)),)+
                }
            }
        }

        #[cfg(feature = "defmt")]
        impl<B: AsRef<[u8]>> defmt::Format for Packet<B> {
            fn format(&self, f: defmt::Formatter<'_>) {
                match self {
                    $(Self::$Variant(packet) => packet.format(f),)+
                    $(Self::$Tagged(packet) => {
                        defmt::write!(f, "{=str}({})", stringify!($Tagged), packet);
                    })?
                    $(Self::$Empty => defmt::write!(f, "{=str}", stringify!($Empty)),)+
                }
            }
        }
    };
}

pub(crate) use packet;

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_long_message_prints_in_part() {
        assert_eq!(
            format!("{:?}", Message(&[b'x'; 70])),
            format!("b\"{}\" and 6 bytes more", "x".repeat(64))
        );
    }
}
