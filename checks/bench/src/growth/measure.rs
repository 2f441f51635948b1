//! Measures in rounds.

use std::io::Write as _;

use super::pattern::{Pattern, Sample};
use super::shop::Shop;
use crate::Error;

/// The number of rounds that open connections and fill caches, and are discarded.
const WARM_UP: u32 = 10;

/// By pattern, in the order of [`Pattern::ALL`], and by table: the cost in each round.
pub(crate) type Samples = Vec<Vec<Vec<Sample>>>;

/// Runs each pattern on each table in turn. Every round begins with a different table.
pub(crate) async fn measure(shops: &[Shop], rounds: u32, seed: u64) -> Result<Samples, Error> {
    let mut samples = vec![vec![Vec::new(); shops.len()]; Pattern::ALL.len()];
    let mut randoms: Vec<_> = shops.iter().map(|_| fastrand::Rng::with_seed(seed)).collect();
    for round in 0..WARM_UP + rounds {
        for (at, pattern) in Pattern::ALL.iter().enumerate() {
            for turn in 0..shops.len() {
                let table = (turn + round as usize) % shops.len();
                let sample = pattern.run(&shops[table], &mut randoms[table]).await?;
                if round >= WARM_UP {
                    samples[at][table].push(sample);
                }
            }
        }
        if (round + 1).is_multiple_of(100) {
            // Progress only, so errors do not matter.
            let _ = writeln!(std::io::stderr(), "round {} of {}", round + 1, WARM_UP + rounds);
        }
    }
    Ok(samples)
}
