//! Two sectors of NOR flash, and a simulation that can lose power.

/// The size of a sector in bytes. Real ones are larger; here the journal is compacted often.
pub(crate) const SECTOR: usize = 256;

/// The operations that the journal needs of a flash driver: two sectors, each of which is erased as
/// a whole.
pub(crate) trait Flash {
    /// The error of the driver.
    type Error;

    /// Reads bytes of a sector. Bytes outside of the sector read as erased.
    fn read(&self, sector: usize, at: usize, bytes: &mut [u8]);

    /// Writes four bytes that were erased before, at a multiple of four.
    ///
    /// # Errors
    ///
    /// The errors of the driver.
    fn write(&mut self, sector: usize, at: usize, word: [u8; 4]) -> Result<(), Self::Error>;

    /// Sets all bytes of a sector to 0xFF.
    ///
    /// # Errors
    ///
    /// The errors of the driver.
    fn erase(&mut self, sector: usize) -> Result<(), Self::Error>;
}

impl<F: Flash> Flash for &mut F {
    type Error = F::Error;

    fn read(&self, sector: usize, at: usize, bytes: &mut [u8]) {
        (**self).read(sector, at, bytes);
    }

    fn write(&mut self, sector: usize, at: usize, word: [u8; 4]) -> Result<(), Self::Error> {
        (**self).write(sector, at, word)
    }

    fn erase(&mut self, sector: usize) -> Result<(), Self::Error> {
        (**self).erase(sector)
    }
}

/// Why an operation of the simulated flash failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlashError {
    /// The power was lost during the operation, or before it.
    PowerLost,
    /// The word was not erased, and a write only clears bits. Or it lies outside of the sector.
    NotErased,
}

/// How far the operation gets during which the power is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastOperation {
    /// It is complete.
    Complete,
    /// It is half done.
    Torn,
}

/// The simulated flash. It survives a loss of power; the program that uses it does not.
#[derive(Debug, Clone)]
pub(crate) struct Nor {
    sectors: [[u8; SECTOR]; 2],
    /// The number of operations before the power is lost; `None` for never.
    left: Option<u32>,
    last: LastOperation,
    /// The number of operations so far, and how many of them were erases.
    pub(crate) operations: u32,
    pub(crate) erased: u32,
}

impl Nor {
    /// Returns an erased flash.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self {
            sectors: [[0xff; SECTOR]; 2],
            left: None,
            last: LastOperation::Complete,
            operations: 0,
            erased: 0,
        }
    }

    /// Loses power during the operation with this number, counted from 1 and from this call.
    pub(crate) const fn lose_power(&mut self, at: u32, last: LastOperation) {
        (self.left, self.last) = (Some(at), last);
    }

    /// Restores power for the rest of the run.
    pub(crate) const fn restore_power(&mut self) {
        self.left = None;
    }

    /// Counts an operation. Returns `Some` if the power is lost during it, and an error if it was
    /// lost before.
    fn begin(&mut self) -> Result<Option<LastOperation>, FlashError> {
        if self.left == Some(0) {
            return Err(FlashError::PowerLost);
        }
        self.operations = self.operations.saturating_add(1);
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok((self.left == Some(0)).then_some(self.last))
    }
}

impl Default for Nor {
    fn default() -> Self {
        Self::new()
    }
}

impl Flash for Nor {
    type Error = FlashError;

    fn read(&self, sector: usize, at: usize, bytes: &mut [u8]) {
        let stored = self.sectors.get(sector).and_then(|all| all.get(at..));
        let stored = stored
            .unwrap_or_default()
            .iter()
            .chain([&0xff].into_iter().cycle());
        for (byte, stored) in bytes.iter_mut().zip(stored) {
            *byte = *stored;
        }
    }

    fn write(&mut self, sector: usize, at: usize, word: [u8; 4]) -> Result<(), FlashError> {
        let last = self.begin()?;
        let stored = self
            .sectors
            .get_mut(sector)
            .and_then(|all| all.get_mut(at..));
        let stored = stored.and_then(|rest| rest.first_chunk_mut::<4>());
        let stored = stored.ok_or(FlashError::NotErased)?;
        let [first, second, _, _] = word;
        let (written, result) = match last {
            None => (word, Ok(())),
            Some(LastOperation::Complete) => (word, Err(FlashError::PowerLost)),
            Some(LastOperation::Torn) => (
                [first, second | 0x55, 0xff, 0xff],
                Err(FlashError::PowerLost),
            ),
        };
        // Flash with error correction allows one write for each word.
        if *stored != [0xff; 4] {
            return Err(FlashError::NotErased);
        }
        for (byte, written) in stored.iter_mut().zip(written) {
            *byte &= written;
        }
        result
    }

    fn erase(&mut self, sector: usize) -> Result<(), FlashError> {
        let last = self.begin()?;
        self.erased = self.erased.saturating_add(1);
        let is_torn = last == Some(LastOperation::Torn);
        let bytes = self.sectors.get_mut(sector).into_iter().flatten();
        // A torn erase leaves the first half of the sector, which includes the header.
        for byte in bytes.skip(if is_torn { SECTOR / 2 } else { 0 }) {
            *byte = 0xff;
        }
        last.map_or(Ok(()), |_| Err(FlashError::PowerLost))
    }
}
