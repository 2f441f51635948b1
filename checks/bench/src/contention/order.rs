//! One order, step by step as `crates/core/src/orders` takes them.

use std::time::Duration;

use fastrand::Rng;
use storefront_core::{Choice, Pick, conflict_pauses};

use super::dynamodb::{Answer, Items};

/// How long a read takes.
const READ: Duration = Duration::from_millis(5);

/// The units of a read of a small item.
const EVENTUAL: f64 = 0.5;
const STRONG: f64 = 1.0;

type Pauses = Box<dyn Iterator<Item = Duration>>;

/// An order of one product.
pub(super) struct Order {
    pub(super) arrived: Duration,
    pieces: u32,
    /// The transactions that it has tried so far.
    pub(super) tries: u32,
    /// The stock items that it has read because of shortages.
    pub(super) reads: u32,
    pick: Pick,
    pauses: Pauses,
    next: Step,
}

/// What an order does next.
enum Step {
    /// Read item 0, for the price.
    Start { units: f64 },
    /// Pick by what the other items hold, because item 0 does not have enough.
    LookAhead { first: u64 },
    /// Take the pieces.
    Take,
    /// Look at all items: first at item 0, because it says how many there are.
    Look { before: Option<Vec<u64>> },
    /// Then at the others.
    LookOn { before: Option<Vec<u64>>, first: u64 },
    /// Move pieces into the picked item.
    Gather { from: Vec<(u8, u64)>, pauses: Pauses },
}

/// What came of a step.
pub(super) enum Progress {
    /// The next step is due.
    Next,
    Placed,
    /// There are not enough pieces (409).
    Refused,
    /// It has met others too often (503).
    GaveUp,
}

impl Order {
    pub(super) fn new(arrived: Duration, pieces: u32, spread: u8, rng: Rng) -> Self {
        Self {
            arrived,
            pieces,
            tries: 0,
            reads: 0,
            pick: Pick::new(spread, rng),
            pauses: Box::new(conflict_pauses()),
            next: Step::Start { units: EVENTUAL },
        }
    }

    /// Does the next step.
    pub(super) fn step(&mut self, now: Duration, items: &mut Items) -> (Progress, Duration) {
        match std::mem::replace(&mut self.next, Step::Take) {
            Step::Start { units } => self.start(now, items, units),
            Step::LookAhead { first } => self.look_ahead(now, items, first),
            Step::Take => self.take(now, items),
            Step::Look { before } => {
                self.reads += 1;
                let (first, read) = items.read(now, 0, STRONG);
                self.go(Step::LookOn { before, first }, read + READ)
            }
            Step::LookOn { before, first } => self.look_on(now, items, before.as_deref(), first),
            Step::Gather { from, pauses } => self.gather(now, items, from, pauses),
        }
    }

    fn go(&mut self, next: Step, at: Duration) -> (Progress, Duration) {
        self.next = next;
        (Progress::Next, at)
    }

    fn start(&mut self, now: Duration, items: &mut Items, units: f64) -> (Progress, Duration) {
        let (pieces, read) = items.read(now, 0, units);
        let answered = read + READ;
        if pieces >= self.pieces.into() {
            self.go(Step::Take, answered)
        } else if self.pick.spread() > 1 {
            self.go(Step::LookAhead { first: pieces }, answered)
        } else if units < STRONG {
            self.reads += 1;
            self.go(Step::Start { units: STRONG }, answered)
        } else {
            (Progress::Refused, answered)
        }
    }

    fn take(&mut self, now: Duration, items: &mut Items) -> (Progress, Duration) {
        self.tries += 1;
        let take = (self.pick.number(), -i64::from(self.pieces));
        let (answer, answered) = items.transact(now, &[take]);
        match answer {
            Answer::Written => (Progress::Placed, answered),
            Answer::Conflict if self.pick.hop() => self.go(Step::Take, answered),
            Answer::Conflict => {
                self.pick.rest();
                match self.pauses.next() {
                    Some(pause) => self.go(Step::Take, answered + pause),
                    None => (Progress::GaveUp, answered),
                }
            }
            Answer::Short if self.pick.spread() == 1 => (Progress::Refused, answered),
            Answer::Short if self.pick.hop() => self.go(Step::Take, answered),
            Answer::Short if self.pick.look() => self.go(Step::Look { before: None }, answered),
            Answer::Short => (Progress::GaveUp, answered),
        }
    }

    fn look_ahead(&mut self, now: Duration, items: &mut Items, first: u64) -> (Progress, Duration) {
        let (quantities, answered) = self.read_others(now, items, first, EVENTUAL);
        match self.pick.choose(&quantities, self.pieces.into()) {
            Choice::Take => self.go(Step::Take, answered),
            _ => self.go(Step::Look { before: None }, answered),
        }
    }

    /// Reads what the items after the first hold. Returns what all hold, and when that is known.
    fn read_others(
        &mut self,
        now: Duration,
        items: &mut Items,
        first: u64,
        units: f64,
    ) -> (Vec<u64>, Duration) {
        let (mut quantities, mut answered) = (vec![first], now);
        for number in 1..self.pick.spread() {
            let (pieces, read) = items.read(now, number, units);
            quantities.push(pieces);
            answered = answered.max(read);
        }
        self.reads += u32::from(self.pick.spread()) - 1;
        (quantities, answered + READ)
    }

    fn look_on(
        &mut self,
        now: Duration,
        items: &mut Items,
        before: Option<&[u64]>,
        first: u64,
    ) -> (Progress, Duration) {
        let (quantities, answered) = self.read_others(now, items, first, STRONG);
        match self.pick.choose(&quantities, self.pieces.into()) {
            Choice::Take => {
                self.pick.rest();
                self.go(Step::Take, answered)
            }
            Choice::Gather(from) => {
                let pauses = Box::new(conflict_pauses());
                self.go(Step::Gather { from, pauses }, answered)
            }
            Choice::Short(_) if before == Some(&quantities[..]) => (Progress::Refused, answered),
            Choice::Short(_) => self.go(Step::Look { before: Some(quantities) }, answered),
        }
    }

    fn gather(
        &mut self,
        now: Duration,
        items: &mut Items,
        from: Vec<(u8, u64)>,
        mut pauses: Pauses,
    ) -> (Progress, Duration) {
        let signed = |pieces: u64| i64::try_from(pieces).unwrap_or(i64::MAX);
        let sum = from.iter().map(|(_, pieces)| signed(*pieces)).sum();
        let mut changes = vec![(self.pick.number(), sum)];
        changes.extend(from.iter().map(|(number, pieces)| (*number, -signed(*pieces))));
        let (answer, answered) = items.transact(now, &changes);
        if answer != Answer::Conflict {
            self.pick.rest();
            return self.go(Step::Take, answered);
        }
        match pauses.next() {
            Some(pause) => self.go(Step::Gather { from, pauses }, answered + pause),
            None => (Progress::GaveUp, answered),
        }
    }
}
