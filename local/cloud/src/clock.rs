//! The time of day, which tests can pause.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

/// After a suspended machine wakes up, whatever waits notices within this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The source of the time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    /// The machine's clock.
    System,
    /// Begins at a time and follows tokio's clock.
    #[cfg(test)]
    Tokio { began_at: Timestamp, began: tokio::time::Instant },
}

impl Clock {
    /// Returns a clock that follows tokio's, for tests that pause it.
    #[cfg(test)]
    pub(crate) fn tokio(began_at: &str) -> Self {
        Self::Tokio { began_at: began_at.parse().unwrap(), began: tokio::time::Instant::now() }
    }

    pub(crate) fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            #[cfg(test)]
            Self::Tokio { began_at, began } => began_at + began.elapsed(),
        }
    }

    /// Returns at this time or a little later.
    pub(crate) async fn wait_until(self, time: Timestamp) {
        while let Ok(left) = Duration::try_from(time.duration_since(self.now()))
            && !left.is_zero()
        {
            // Tokio's clock is exact to a millisecond.
            sleep(left.clamp(Duration::from_millis(1), LONGEST_SLEEP)).await;
        }
    }
}
