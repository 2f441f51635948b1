//! How fast to send requests: no faster than allowed, and no faster than the table takes them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The state that all batches in flight share.
#[derive(Debug)]
pub(crate) struct Pace {
    bucket: Mutex<Bucket>,
    window: Mutex<Window>,
    /// Signals that a waiting batch may begin.
    room: Notify,
}

/// A token bucket of capacity units. It may go into debt, for which the next batch then waits.
#[derive(Debug)]
struct Bucket {
    units_per_second: f64,
    units: f64,
    since: Instant,
}

/// How many batches may be in flight: one more whenever that many have gone well, half as many
/// after a throttle.
#[derive(Debug)]
struct Window {
    size: f64,
    most: f64,
    in_flight: usize,
    /// After a throttle, the number of batches that were in flight. Until that many have ended,
    /// further throttles have the same cause and are ignored.
    forgiven: usize,
}

/// How much may be consumed at once after a pause, in seconds of the rate.
const BURST: f64 = 0.25;

/// How many batches may be in flight at first.
const FIRST: f64 = 2.0;

impl Pace {
    pub(crate) fn new(units_per_second: u32, most: usize) -> Self {
        let units_per_second = f64::from(units_per_second);
        let most = f64::from(u32::try_from(most).unwrap_or(u32::MAX)).max(1.0);
        Self {
            bucket: Mutex::new(Bucket { units_per_second, units: 0.0, since: Instant::now() }),
            window: Mutex::new(Window { size: FIRST.min(most), most, in_flight: 0, forgiven: 0 }),
            room: Notify::new(),
        }
    }

    /// Waits until another batch may begin, and counts it as in flight.
    pub(crate) async fn begin(&self) {
        loop {
            {
                let mut window = lock(&self.window);
                if window.has_room() {
                    window.in_flight += 1;
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    /// Notes that a batch has ended, written or given up.
    pub(crate) fn end(&self) {
        {
            let mut window = lock(&self.window);
            window.in_flight -= 1;
            window.forgiven = window.forgiven.saturating_sub(1);
        }
        self.room.notify_one();
    }

    /// Waits until this many units may be consumed.
    pub(crate) async fn take(&self, units: f64) {
        let wait = lock(&self.bucket).take(units, Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Notes that a request consumed this many more units than were taken, or fewer if negative.
    pub(crate) fn correct(&self, more: f64) {
        lock(&self.bucket).units -= more;
    }

    /// Notes that a try of a batch went well.
    pub(crate) fn went_well(&self) {
        lock(&self.window).grow();
        self.room.notify_one();
    }

    /// Notes that a try was throttled, as a whole or in part.
    pub(crate) fn throttled(&self) {
        lock(&self.window).shrink();
    }

    /// Returns how many batches may be in flight now.
    pub(crate) fn window(&self) -> usize {
        lock(&self.window).whole()
    }
}

impl Bucket {
    fn take(&mut self, units: f64, now: Instant) -> Duration {
        let earned = now.duration_since(self.since).as_secs_f64() * self.units_per_second;
        self.units = (self.units + earned).min(self.units_per_second * BURST);
        self.since = now;
        let debt = -self.units;
        self.units -= units;
        if debt <= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(debt / self.units_per_second)
    }
}

impl Window {
    fn has_room(&self) -> bool {
        self.in_flight < self.whole()
    }

    fn whole(&self) -> usize {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to most")]
        let whole = self.size as usize;
        whole
    }

    fn grow(&mut self) {
        self.size = (self.size + 1.0 / self.size).min(self.most);
    }

    fn shrink(&mut self) {
        if self.forgiven == 0 {
            self.size = (self.size / 2.0).max(1.0);
            self.forgiven = self.in_flight;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_is_consumed_than_allowed() {
        let pace = Pace::new(100, 8);
        let start = Instant::now();
        for _ in 0..50 {
            pace.take(50.0).await;
        }
        // The units of the last one are still a debt.
        let seconds = start.elapsed().as_secs_f64();
        assert!((24.0..25.0).contains(&seconds), "{seconds}");
        sleep(Duration::from_mins(1)).await;
        let start = Instant::now();
        for _ in 0..3 {
            pace.take(50.0).await;
        }
        // The units of a pause are not saved up.
        let seconds = start.elapsed().as_secs_f64();
        assert!((0.5..1.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_correction_counts_for_the_next_batch() {
        let pace = Pace::new(100, 8);
        pace.take(50.0).await;
        pace.correct(50.0);
        let start = Instant::now();
        pace.take(1.0).await;
        assert_eq!(start.elapsed().as_secs(), 1);
        pace.correct(-1.0);
        pace.take(1.0).await;
        assert_eq!(start.elapsed().as_secs(), 1);
    }

    #[tokio::test]
    async fn the_window_grows_until_a_batch_is_throttled() {
        let pace = Pace::new(100, 8);
        for _ in 0..100 {
            pace.went_well();
        }
        assert_eq!(pace.window(), 8);
        for _ in 0..8 {
            pace.begin().await;
        }
        for _ in 0..8 {
            pace.throttled();
        }
        assert_eq!(pace.window(), 4, "eight throttles of batches in flight together are one");
        for _ in 0..8 {
            pace.end();
        }
        for expected in [2, 1, 1] {
            pace.throttled();
            assert_eq!(pace.window(), expected);
        }
        pace.begin().await;
        let next = tokio::time::timeout(Duration::ZERO, pace.begin()).await;
        assert!(next.is_err(), "there is room for only one");
        pace.end();
        pace.begin().await;
    }
}
