//! The serial port, with a modem at its other end that opens connections.
//!
//! Bytes are data, except after [`ESCAPE`], where the next byte is a signal about the line. So
//! signals have their position among the data, and no byte of one connection is read as one of the
//! next.

use core::ptr::NonNull;

use arm_pl011_uart::{DataBits, LineConfig, PL011Registers, Parity, StopBits, Uart};
use mqtt_sansio::{EncodeError, Output};
use safe_mmio::UniqueMmioPointer;

const ESCAPE: u8 = 0xdb;

/// A signal of the modem.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The connection is open.
    Connected,
    /// The connection is closed, or could not be opened.
    Disconnected,
}

/// UART 0 of the LM3S6965.
pub struct Modem {
    uart: Uart<'static>,
    escaped: bool,
}

impl Modem {
    const REGISTERS: *mut PL011Registers = 0x4000_c000 as *mut PL011Registers;

    /// Creates the modem. Call it once.
    #[expect(unsafe_code, reason = "only the board knows what is at an address")]
    pub fn start() -> Option<Self> {
        let registers = NonNull::new(Self::REGISTERS)?;
        // SAFETY: the registers of UART 0 are at this address, and nothing else in this image uses
        // them.
        let mut uart = Uart::new(unsafe { UniqueMmioPointer::new(registers) });
        let line = LineConfig {
            data_bits: DataBits::Bits8,
            parity: Parity::None,
            stop_bits: StopBits::One,
        };
        uart.enable(line, 115_200, 12_000_000).ok()?;
        Some(Self {
            uart,
            escaped: false,
        })
    }

    /// Opens a connection: [`Signal::Connected`] or [`Signal::Disconnected`] follows.
    pub fn dial(&mut self) {
        self.write(ESCAPE);
        self.write(b'D');
    }

    /// Ends the connection.
    pub fn hang_up(&mut self) {
        self.write(ESCAPE);
        self.write(b'H');
    }

    /// Returns the received bytes, up to the next signal. Does not wait.
    pub fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> (&'a [u8], Option<Signal>) {
        let mut received = 0;
        let mut signal = None;
        for place in buffer.iter_mut() {
            let Some(byte) = self.data(&mut signal) else {
                break;
            };
            *place = byte;
            received += 1;
        }
        (buffer.get(..received).unwrap_or_default(), signal)
    }

    /// Returns the next byte of data, unless a signal comes first.
    fn data(&mut self, signal: &mut Option<Signal>) -> Option<u8> {
        while let Ok(Some(byte)) = self.uart.read_word() {
            match (core::mem::take(&mut self.escaped), byte) {
                (false, ESCAPE) => self.escaped = true,
                (false, byte) | (true, byte @ ESCAPE) => return Some(byte),
                (true, b'C') => *signal = Some(Signal::Connected),
                (true, _) => *signal = Some(Signal::Disconnected),
            }
            if signal.is_some() {
                break;
            }
        }
        None
    }

    fn write(&mut self, byte: u8) {
        while self.uart.is_tx_fifo_full() {}
        self.uart.write_word(byte);
    }
}

/// Packets are written to the port directly, without a buffer.
impl Output for Modem {
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        for &byte in bytes {
            if byte == ESCAPE {
                self.write(ESCAPE);
            }
            self.write(byte);
        }
        Ok(())
    }
}
