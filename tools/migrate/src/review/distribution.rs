//! Distributions, for example of orders over users.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::tally::Collection;

/// How many of the largest collections are listed.
const TOP: usize = 10;

/// The accuracy of quantiles, in digits.
const DIGITS: u8 = 3;

/// How many elements the collections have. Quantiles are accurate to three digits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Distribution {
    /// The number of users, products or categories.
    pub(super) collections: u64,
    /// The number of all elements.
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) mean: f64,
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
    /// How many collections have no element, one, 2 to 3, 4 to 7, and so on.
    pub(super) buckets: Vec<Bucket>,
    /// The largest collections.
    pub(super) top: Vec<Largest>,
}

#[derive(Debug, Serialize)]
pub(super) struct Bucket {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) collections: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Largest {
    pub(super) key: String,
    pub(super) count: u64,
    pub(super) bytes: u64,
    /// Its share of all elements.
    pub(super) share: f64,
}

/// Gathers a distribution in constant memory.
pub(super) struct Gather {
    histogram: Histogram<u64>,
    count: u64,
    bytes: u64,
    /// By powers of two; the first is for empty collections.
    buckets: [u64; 65],
    top: BinaryHeap<Reverse<(u64, Reverse<String>, u64)>>,
}

impl Gather {
    pub(super) fn new() -> Self {
        Self {
            histogram: histogram(),
            count: 0,
            bytes: 0,
            buckets: [0; 65],
            top: BinaryHeap::with_capacity(TOP + 1),
        }
    }

    pub(super) fn add(&mut self, collection: Collection) {
        let Collection { key, count, bytes } = collection;
        self.histogram.saturating_record(count);
        self.count += count;
        self.bytes += bytes;
        self.buckets[bucket(count)] += 1;
        let is_among = self.top.len() < TOP
            || self.top.peek().is_some_and(|Reverse((least, ..))| count >= *least);
        if count > 0 && is_among {
            self.top.push(Reverse((count, Reverse(key), bytes)));
            if self.top.len() > TOP {
                self.top.pop();
            }
        }
    }

    pub(super) fn finish(self) -> Distribution {
        let quantile = |q| self.histogram.value_at_quantile(q).min(self.histogram.max());
        let last = self.buckets.iter().rposition(|count| *count > 0).unwrap_or(0);
        let buckets = self.buckets[..=last].iter().enumerate().map(|(at, collections)| {
            let (from, to) = bounds(at);
            Bucket { from, to, collections: *collections }
        });
        let mut top = self.top.into_vec();
        top.sort_unstable();
        let top = top.into_iter().map(|Reverse((count, Reverse(key), bytes))| Largest {
            key,
            count,
            bytes,
            share: ratio(count, self.count),
        });
        Distribution {
            collections: self.histogram.len(),
            count: self.count,
            bytes: self.bytes,
            mean: ratio(self.count, self.histogram.len()),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: self.histogram.max(),
            buckets: buckets.collect(),
            top: top.collect(),
        }
    }
}

pub(super) fn histogram() -> Histogram<u64> {
    // For values up to 2^60, in some hundred kilobytes.
    Histogram::new_with_max(1 << 60, DIGITS).unwrap_or_else(|_| unreachable!("valid bounds"))
}

/// Returns the bucket of a count: 0, 1, 2 to 3, 4 to 7, …
fn bucket(count: u64) -> usize {
    count.checked_ilog2().map_or(0, |power| power as usize + 1)
}

fn bounds(bucket: usize) -> (u64, u64) {
    match bucket {
        0 => (0, 0),
        64 => (1 << 63, u64::MAX),
        power => (1 << (power - 1), (1 << power) - 1),
    }
}

/// Divides, and returns 0 if the whole is 0.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: impl IntoIterator<Item = u64>) -> Distribution {
        let mut gather = Gather::new();
        for (at, count) in counts.into_iter().enumerate() {
            gather.add(Collection { key: at.to_string(), count, bytes: 100 * count });
        }
        gather.finish()
    }

    #[test]
    fn quantiles_of_a_hundred_are_exact() {
        let found = of(1..=100);
        assert_eq!((found.p50, found.p90, found.p99, found.max), (50, 90, 99, 100));
        assert_eq!((found.collections, found.count, found.bytes), (100, 5_050, 505_000));
        assert!((found.mean - 50.5).abs() < 1e-9);
        let top: Vec<_> = found.top.iter().map(|largest| largest.count).collect();
        assert_eq!(top, [100, 99, 98, 97, 96, 95, 94, 93, 92, 91]);
        assert_eq!(found.top[0].key, "99");
        assert!((found.top[0].share - 100.0 / 5_050.0).abs() < 1e-9);
    }

    #[test]
    fn buckets_double_in_size_and_end_with_the_last_that_is_not_empty() {
        let buckets: Vec<_> = of([0, 0, 1, 2, 3, 9])
            .buckets
            .iter()
            .map(|bucket| (bucket.from, bucket.to, bucket.collections))
            .collect();
        assert_eq!(buckets, [(0, 0, 2), (1, 1, 1), (2, 3, 2), (4, 7, 0), (8, 15, 1)]);
        assert_eq!(bounds(bucket(u64::MAX)), (1 << 63, u64::MAX));
    }

    #[test]
    fn an_empty_distribution_has_only_zeros() {
        let found = of([]);
        assert_eq!((found.collections, found.max, found.top.len()), (0, 0, 0));
        assert!(found.mean.abs() < f64::EPSILON);
    }
}
