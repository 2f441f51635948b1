//! How fast to write: no faster than is allowed, and than the table takes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// What is shared by all batches that are under way.
#[derive(Debug)]
pub(crate) struct Pace {
    bucket: Mutex<Bucket>,
    window: Mutex<Window>,
    /// Somebody may begin who could not.
    room: Notify,
}

/// A token bucket of write capacity units, which may be in debt: who comes next waits for that.
#[derive(Debug)]
struct Bucket {
    units_per_second: f64,
    units: f64,
    since: Instant,
}

/// How many batches may be under way: one more for each that many that went well, half as many
/// after a throttle.
#[derive(Debug)]
struct Window {
    size: f64,
    most: f64,
    under_way: usize,
    /// Those that are throttled before as many batches ended as were under way then were throttled
    /// by the same.
    forgiven: usize,
}

/// What may be written at once after a pause, in seconds of the rate.
const BURST: f64 = 0.25;

/// How many batches are under way at first.
const FIRST: f64 = 2.0;

impl Pace {
    pub(crate) fn new(units_per_second: u32, most: usize) -> Self {
        let units_per_second = f64::from(units_per_second);
        let most = f64::from(u32::try_from(most).unwrap_or(u32::MAX)).max(1.0);
        Self {
            bucket: Mutex::new(Bucket { units_per_second, units: 0.0, since: Instant::now() }),
            window: Mutex::new(Window { size: FIRST.min(most), most, under_way: 0, forgiven: 0 }),
            room: Notify::new(),
        }
    }

    /// Waits until one more batch may be under way, which it then is.
    pub(crate) async fn begin(&self) {
        loop {
            {
                let mut window = lock(&self.window);
                if window.has_room() {
                    window.under_way += 1;
                    return;
                }
            }
            self.room.notified().await;
        }
    }

    /// A batch is written, or given up.
    pub(crate) fn end(&self) {
        {
            let mut window = lock(&self.window);
            window.under_way -= 1;
            window.forgiven = window.forgiven.saturating_sub(1);
        }
        self.room.notify_one();
    }

    /// Waits until so many units may be consumed.
    pub(crate) async fn take(&self, units: f64) {
        let wait = lock(&self.bucket).take(units, Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Says that it was so many units more than were taken, or fewer.
    pub(crate) fn correct(&self, more: f64) {
        lock(&self.bucket).units -= more;
    }

    /// A try of a batch went well.
    pub(crate) fn went_well(&self) {
        lock(&self.window).grow();
        self.room.notify_one();
    }

    /// A try was throttled, as a whole or in part.
    pub(crate) fn throttled(&self) {
        lock(&self.window).shrink();
    }

    /// How many batches may be under way now.
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
        self.under_way < self.whole()
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
            self.forgiven = self.under_way;
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
    async fn no_more_is_consumed_than_is_allowed() {
        let pace = Pace::new(100, 8);
        let start = Instant::now();
        for _ in 0..50 {
            pace.take(50.0).await;
        }
        // The last is still to be earned.
        let seconds = start.elapsed().as_secs_f64();
        assert!((24.0..25.0).contains(&seconds), "{seconds}");
        sleep(Duration::from_mins(1)).await;
        let start = Instant::now();
        for _ in 0..3 {
            pace.take(50.0).await;
        }
        // A pause is not made up for.
        let seconds = start.elapsed().as_secs_f64();
        assert!((0.5..1.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_wrongly_is_made_up_for() {
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
    async fn more_are_under_way_until_one_is_throttled() {
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
        assert_eq!(pace.window(), 4, "eight that were under way together are one throttle");
        for _ in 0..8 {
            pace.end();
        }
        for expected in [2, 1, 1] {
            pace.throttled();
            assert_eq!(pace.window(), expected);
        }
        pace.begin().await;
        let next = tokio::time::timeout(Duration::ZERO, pace.begin()).await;
        assert!(next.is_err(), "there is room for one only");
        pace.end();
        pace.begin().await;
    }
}
