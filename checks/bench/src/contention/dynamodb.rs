//! What `DynamoDB` does with a product's stock items: it locks those of a transaction, and limits what
//! a partition bears.

use std::time::Duration;

/// What a partition bears in a second.
const WRITE_UNITS: f64 = 1_000.0;
const READ_UNITS: f64 = 3_000.0;

/// The units of a write of a small item in a transaction.
const WRITE: f64 = 2.0;

/// The answer to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Written,
    /// Another transaction is writing one of its items, or its partition is throttled.
    Conflict,
    /// An item has too few pieces.
    Short,
}

/// The stock items of a product, each in a partition of its own.
#[derive(Debug)]
pub(super) struct Items {
    /// How long a transaction locks its items, and until it is answered.
    transaction: Duration,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    /// As committed: reads and conditions see it.
    pieces: u64,
    /// What `pieces` will be when the lock ends.
    after: u64,
    locked_until: Duration,
    writes: Units,
    reads: Units,
}

/// The capacity of a partition: a bucket that holds the units of one second.
#[derive(Debug)]
struct Units {
    per_second: f64,
    left: f64,
    at: Duration,
}

impl Items {
    pub(super) fn new(pieces: impl Iterator<Item = u64>, transaction: Duration) -> Self {
        let item = |pieces| Item {
            pieces,
            after: pieces,
            locked_until: Duration::ZERO,
            writes: Units::new(WRITE_UNITS),
            reads: Units::new(READ_UNITS),
        };
        Self { transaction, items: pieces.map(item).collect() }
    }

    /// Tries to put pieces into items, or to take pieces out of them. Returns the answer, and when it
    /// comes. Throttled actions consume nothing, all others do.
    pub(super) fn transact(&mut self, now: Duration, changes: &[(u8, i64)]) -> (Answer, Duration) {
        let (mut conflicts, mut is_short) = (false, false);
        for &(number, change) in changes {
            let item = self.at(number, now);
            if !item.writes.take(now, WRITE) || item.locked_until > now {
                conflicts = true;
            } else if item.pieces.checked_add_signed(change).is_none() {
                is_short = true;
            }
        }
        let answered = now + self.transaction;
        if is_short || conflicts {
            // A failed condition is a decision already, so it outranks a conflict.
            return (if is_short { Answer::Short } else { Answer::Conflict }, answered);
        }
        for &(number, change) in changes {
            let item = self.at(number, now);
            item.after = item.pieces.saturating_add_signed(change);
            item.locked_until = answered;
        }
        (Answer::Written, answered)
    }

    /// Reads an item for this many units. Returns its pieces, and when the partition bears the read.
    pub(super) fn read(&mut self, now: Duration, number: u8, units: f64) -> (u64, Duration) {
        let item = self.at(number, now);
        (item.pieces, item.reads.wait(now, units))
    }

    /// Returns the pieces in all items when no transaction is in progress any more.
    pub(super) fn left(&self) -> u64 {
        self.items.iter().map(|item| item.after).sum()
    }

    fn at(&mut self, number: u8, now: Duration) -> &mut Item {
        let item = &mut self.items[usize::from(number)];
        if item.locked_until <= now {
            item.pieces = item.after;
        }
        item
    }
}

impl Units {
    fn new(per_second: f64) -> Self {
        Self { per_second, left: per_second, at: Duration::ZERO }
    }

    /// Takes units, unless there are too few.
    fn take(&mut self, now: Duration, units: f64) -> bool {
        self.fill(now);
        let is_enough = self.left >= units;
        if is_enough {
            self.left -= units;
        }
        is_enough
    }

    /// Takes units, and returns when they are there.
    fn wait(&mut self, now: Duration, units: f64) -> Duration {
        self.fill(now);
        self.left -= units;
        now + Duration::from_secs_f64((-self.left / self.per_second).max(0.0))
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.per_second);
        self.at = now;
    }
}
