//! Randomly generated scenarios.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use storefront_template::StreamMapping;

use super::bucket::Put;
use super::bus::Answer;
use super::writes::Write;

/// One run: what is written, what fails, and when.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) mapping: Mapping,
    pub(super) writes: Vec<Write>,
    pub(super) pages: Vec<Page>,
    /// The bus's answers, each with the number of calls that it is given to.
    pub(super) answers: Vec<(Answer, usize)>,
    /// How long no call of the bus succeeds at first.
    pub(super) outage: Duration,
    /// The writes whose events the bus never accepts.
    pub(super) never_accepted: Vec<Index>,
    /// The bucket's answers, one per request.
    pub(super) puts: Vec<Put>,
    /// The milliseconds after which each process is killed.
    pub(super) ends: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    pub(super) is_filtered: bool,
    pub(super) batch_size: usize,
    pub(super) batching_window: u64,
    /// The function's timeout, in seconds.
    pub(super) timeout: u64,
}

/// Records that arrive together, some time after the page before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) records: usize,
    pub(super) milliseconds: u64,
    pub(super) is_readable_at_first: bool,
}

impl Scenario {
    pub(super) fn strategy() -> impl Strategy<Value = Self> {
        let mapping = (any::<bool>(), 1..=20_usize, 0..200_u64, 1..=60_u64);
        let mapping = mapping.prop_map(|(is_filtered, batch_size, window, timeout)| {
            let batching_window = if window < 100 { 0 } else { window };
            Mapping { is_filtered, batch_size, batching_window, timeout }
        });
        let page = (1..20_usize, 0..500_u64, prop::bool::weighted(0.9));
        let page = page.prop_map(|(records, milliseconds, is_readable_at_first)| Page {
            records,
            milliseconds,
            is_readable_at_first,
        });
        // Mostly for a few calls, sometimes for more than all retries.
        let times = prop_oneof![6 => 1..4_usize, 1 => 10..60_usize];
        let end = prop_oneof![1..200_u64, 1..30_000_u64];
        (
            mapping,
            prop::collection::vec(Write::strategy(), 0..30),
            prop::bool::weighted(0.2),
            prop::collection::vec(page, 1..5),
            prop::collection::vec((Answer::strategy(), times), 0..12),
            prop::collection::vec(any::<Index>(), 0..2),
            prop::collection::vec(Put::strategy(), 0..8),
            prop::collection::vec(end, 0..3),
        )
            .prop_map(
                |(mapping, writes, takes_turns, pages, answers, never_accepted, puts, ends)| Self {
                    mapping,
                    writes: if takes_turns { Write::in_turn(&writes) } else { writes },
                    pages,
                    answers,
                    outage: Duration::ZERO,
                    never_accepted,
                    puts,
                    ends,
                },
            )
    }
}

impl Mapping {
    /// Returns the template's mapping with these changes.
    pub(super) fn of(self, template: &StreamMapping) -> StreamMapping {
        let mut mapping = template.clone();
        mapping.batch_size = self.batch_size;
        mapping.batching_window = Duration::from_millis(self.batching_window);
        if !self.is_filtered {
            mapping.filters.clear();
        }
        mapping
    }
}
