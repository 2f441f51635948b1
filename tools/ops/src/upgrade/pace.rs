use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use storefront_core::capacity::Consumed;
use tokio::time::sleep;

/// How fast to consume the table's capacity.
///
/// What a request consumes is known only afterwards. So it may go into debt, for which the next
/// requests wait.
pub(super) struct Pace(Mutex<Buckets>);

struct Buckets {
    reads: Bucket,
    writes: Bucket,
}

struct Bucket {
    units_per_second: f64,
    units: f64,
    since: Instant,
}

/// How much may be consumed at once after a pause, in seconds of the rate.
const BURST: f64 = 0.25;

impl Pace {
    pub(super) fn new(max_rcu: NonZeroU32, max_wcu: NonZeroU32) -> Self {
        let now = Instant::now();
        let buckets =
            Buckets { reads: Bucket::new(max_rcu, now), writes: Bucket::new(max_wcu, now) };
        Self(Mutex::new(buckets))
    }

    /// Waits until there is no debt.
    pub(super) async fn wait(&self) {
        loop {
            let now = Instant::now();
            let pause = self.with(|buckets| buckets.reads.debt(now).max(buckets.writes.debt(now)));
            if pause.is_zero() {
                return;
            }
            sleep(pause).await;
        }
    }

    pub(super) fn consumed(&self, consumed: Consumed) {
        self.with(|buckets| {
            buckets.reads.units -= consumed.read_units;
            buckets.writes.units -= consumed.write_units;
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Buckets) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bucket {
    fn new(units_per_second: NonZeroU32, now: Instant) -> Self {
        let units_per_second = f64::from(units_per_second.get());
        Self { units_per_second, units: 0.0, since: now }
    }

    /// Returns how long it takes to earn what has been consumed.
    fn debt(&mut self, now: Instant) -> Duration {
        let earned = now.duration_since(self.since).as_secs_f64() * self.units_per_second;
        self.units = (self.units + earned).min(self.units_per_second * BURST);
        self.since = now;
        // At least a millisecond, so that rounding does not keep a debt alive.
        match self.units {
            units if units >= 0.0 => Duration::ZERO,
            debt => Duration::from_secs_f64(-debt / self.units_per_second + 0.001),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_consumed_than_allowed() {
        let mut now = Instant::now();
        let mut bucket = Bucket::new(NonZeroU32::new(10).unwrap(), now);
        let start = now;
        for _ in 0..50 {
            now += bucket.debt(now);
            assert_eq!(bucket.debt(now), Duration::ZERO);
            bucket.units -= 5.0;
        }
        // The units of the last one are still a debt.
        let seconds = now.duration_since(start).as_secs_f64();
        assert!((24.0..25.0).contains(&seconds), "{seconds}");

        now += Duration::from_mins(1);
        assert_eq!(bucket.debt(now), Duration::ZERO);
        bucket.units -= 12.5;
        // The units of a pause are not saved up.
        let seconds = bucket.debt(now).as_secs_f64();
        assert!((1.0..1.1).contains(&seconds), "{seconds}");
    }
}
