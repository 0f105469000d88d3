//! The caller's clock.

use core::num::NonZeroU64;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A point in time: milliseconds since a moment that the caller chooses once, such as the start of
/// the device or of the process.
///
/// The crate never reads a clock: the caller passes the time to each call that needs it. Time that goes
/// backwards counts as no time. A clock of 64 bits does not wrap for 584 million years; the caller has to
/// extend a clock of 32 bits.
///
/// ```
/// use mqtt_sansio::Timestamp;
///
/// let started = std::time::Instant::now();
/// let now = || Timestamp::from_millis(0) + started.elapsed();
/// assert!(now() < now() + std::time::Duration::from_secs(1));
/// ```
// One more than the milliseconds, so that `Option<Timestamp>` takes eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

impl Timestamp {
    /// The largest time: a deadline at this time never passes.
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// The time one millisecond before [`MAX`](Self::MAX).
    pub(crate) const BEFORE_MAX: Self = Self::from_millis(u64::MAX.saturating_sub(2));

    /// Creates the time this many milliseconds after the caller's zero.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(millis))
    }

    /// Returns the milliseconds after the caller's zero.
    #[must_use]
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0.get().saturating_sub(1)
    }

    /// Adds milliseconds. Returns [`MAX`](Self::MAX) if the sum exceeds it.
    #[must_use]
    #[inline]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Returns the milliseconds since `earlier`, or 0 if `earlier` is later.
    #[must_use]
    #[inline]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

/// Adds whole milliseconds. Returns [`MAX`](Self::MAX) if the sum exceeds it.
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        self.plus_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, time: Duration) {
        *self = self.add(time);
    }
}

/// Returns the time since another one; zero if that is later.
impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis_since(earlier))
    }
}

impl core::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

impl core::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Timestamp {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u64} ms", self.as_millis());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_go_in_and_come_out() {
        for millis in [0, 1, u64::from(u32::MAX), u64::MAX - 1] {
            assert_eq!(Timestamp::from_millis(millis).as_millis(), millis);
        }
    }

    #[test]
    fn time_ends_instead_of_wrapping() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.plus_millis(1), end);
        assert!(Timestamp::from_millis(5).plus_millis(u64::MAX) >= Timestamp::from_millis(5));
    }

    #[test]
    fn backwards_is_no_time_at_all() {
        let (early, late) = (Timestamp::from_millis(3), Timestamp::from_millis(10));
        assert_eq!(late.millis_since(early), 7);
        assert_eq!(early.millis_since(late), 0);
    }

    #[test]
    fn a_duration_is_added_and_subtracted_in_milliseconds() {
        let now = Timestamp::from_millis(10);
        let later = now + Duration::from_micros(2_900);
        assert_eq!(later, Timestamp::from_millis(12));
        assert_eq!(later - now, Duration::from_millis(2));
        assert_eq!(now - later, Duration::ZERO);
        assert_eq!(now + Duration::MAX, Timestamp::MAX);
        let mut time = now;
        time += Duration::from_millis(2);
        assert_eq!(time, later);
        assert_eq!(std::format!("{later}"), "12 ms");
    }

    #[test]
    fn an_optional_timestamp_takes_eight_bytes() {
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
    }
}
