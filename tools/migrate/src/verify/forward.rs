//! From the source to the table: checks that everything is there, and as it should be.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use tokio::task::{JoinError, JoinSet};

use super::Verification;
use super::compare::{Expected, Verdict};
use super::expectation::Expects;
use super::item::ItemKey;
use super::reads::{BATCH, Reads};
use super::samples::Place;
use super::stock;
use crate::{Error, Kind, Reader, Unit};

/// What one request reads: whole units, because one item can explain what happened to the others.
#[derive(Debug, Default)]
struct Batch {
    units: Vec<Waiting>,
    keys: HashSet<ItemKey>,
}

/// A unit to compare, and to keep as a sample if nothing is wrong with it.
#[derive(Debug)]
struct Waiting {
    expected: Expected,
    sample: Option<(Place, Unit)>,
}

type Compared = Result<Vec<(Waiting, Verdict)>, Error>;

/// Compares all units of all kinds.
pub(super) async fn run(of: &mut Verification, reader: &mut Reader) -> Result<(), Error> {
    let mut in_flight = JoinSet::new();
    for kind in Kind::ALL {
        let total = reader.count(kind).await?;
        of.display.begin(kind.entity().section(), total, 0, of.counts.items);
        let mut batch = Batch::default();
        let mut reads = reader.units(kind, None);
        while let Some(read) = reads.try_next().await? {
            if let Some(key) = &read.key {
                of.key_types.entry(kind).or_default().learn(key);
            }
            let place = if read.unit.is_ok() { of.samples.pick(kind) } else { None };
            let sample = place.and_then(|place| Some((place, read.unit.as_ref().ok()?.clone())));
            let legacy_id = read.key.as_ref().map(ToString::to_string).unwrap_or_default();
            match of.expectation.of(read).await? {
                Expects::These(items) => {
                    for item in &items {
                        of.sides.expect(item);
                    }
                    of.counts.add(kind, items.len());
                    let expected = Expected { kind, legacy_id, items };
                    if !batch.has_room(&expected) {
                        send(of, &mut in_flight, mem::take(&mut batch)).await?;
                    }
                    batch.add(Waiting { expected, sample });
                }
                Expects::Perhaps(_) => *of.kept.entry(kind).or_default() += 1,
                Expects::Nothing(reject) => of.counts.reject(&reject),
            }
            of.display.step(of.counts.done(kind), of.counts.items, || Some(of.reads.spent()));
        }
        drop(reads);
        send(of, &mut in_flight, batch).await?;
        while let Some(ended) = in_flight.join_next().await {
            of.ended(ended)?;
        }
        of.display.end();
    }
    Ok(())
}

/// Reads and compares a batch, concurrently with others.
async fn send(
    of: &mut Verification,
    in_flight: &mut JoinSet<Compared>,
    batch: Batch,
) -> Result<(), Error> {
    while let Some(ended) = in_flight.try_join_next() {
        of.ended(ended)?;
    }
    of.reads.begin().await;
    let (reads, is_strict) = (Arc::clone(&of.reads), of.is_strict);
    in_flight.spawn(async move {
        let compared = batch.compare(&reads, is_strict).await;
        reads.end();
        compared
    });
    Ok(())
}

impl Batch {
    fn has_room(&self, more: &Expected) -> bool {
        self.keys.len() + more.items.len() <= BATCH
    }

    fn add(&mut self, waiting: Waiting) {
        self.keys.extend(waiting.expected.items.iter().map(ItemKey::of));
        self.units.push(waiting);
    }

    async fn compare(self, reads: &Reads, is_strict: bool) -> Compared {
        let mut found = reads.get(self.keys.iter().map(ItemKey::to_item).collect()).await?;
        let further = found.values().flat_map(stock::further).map(|key| key.to_item());
        for keys in further.collect::<Vec<_>>().chunks(BATCH) {
            found.extend(reads.get(keys.to_vec()).await?);
        }
        let compared = self.units.into_iter().map(|waiting| {
            let verdict = if is_strict {
                waiting.expected.compare_strictly(&found)
            } else {
                waiting.expected.compare(&found)
            };
            (waiting, verdict)
        });
        Ok(compared.collect())
    }
}

impl Verification {
    /// Whether a unit may differ, because a catch-up has kept what the table has.
    pub(super) fn is_left(&self, kind: Kind, legacy_id: &str) -> bool {
        !self.is_strict && self.expectation.is_kept(kind, legacy_id)
    }

    fn ended(&mut self, ended: Result<Compared, JoinError>) -> Result<(), Error> {
        for (Waiting { expected, sample }, verdict) in
            ended.map_err(|error| Error::Interrupted(error.to_string()))??
        {
            let kind = expected.kind;
            match verdict {
                Verdict::Equal | Verdict::Spread => {
                    self.spread += u64::from(matches!(verdict, Verdict::Spread));
                    if let Some((place, unit)) = sample {
                        self.samples.keep(place, unit);
                    }
                }
                Verdict::Changed => *self.changed.entry(kind).or_default() += 1,
                Verdict::Different(_) if self.is_left(kind, &expected.legacy_id) => {
                    *self.kept.entry(kind).or_default() += 1;
                }
                Verdict::Different(differences) => {
                    for difference in differences {
                        self.differences.note(difference)?;
                    }
                }
            }
        }
        Ok(())
    }
}
