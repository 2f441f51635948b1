//! The rounds.

use std::io::Write as _;

use super::pattern::{Pattern, Sample};
use super::shop::Shop;
use crate::Error;

/// Rounds that open connections and warm what can be warm, and are thrown away.
const WARM_UP: u32 = 10;

/// By pattern, in the order of [`Pattern::ALL`], and by table: what each round took.
pub(crate) type Samples = Vec<Vec<Vec<Sample>>>;

/// Asks each pattern of each table in turn, in every round beginning with another one.
pub(crate) async fn measure(shops: &[Shop], rounds: u32, seed: u64) -> Result<Samples, Error> {
    let mut samples = vec![vec![Vec::new(); shops.len()]; Pattern::ALL.len()];
    let mut randoms: Vec<_> = shops.iter().map(|_| fastrand::Rng::with_seed(seed)).collect();
    for round in 0..WARM_UP + rounds {
        for (at, pattern) in Pattern::ALL.iter().enumerate() {
            for turn in 0..shops.len() {
                let table = (turn + round as usize) % shops.len();
                let sample = pattern.ask(&shops[table], &mut randoms[table]).await?;
                if round >= WARM_UP {
                    samples[at][table].push(sample);
                }
            }
        }
        if (round + 1).is_multiple_of(100) {
            // Whoever does not listen misses nothing.
            let _ = writeln!(std::io::stderr(), "round {} of {}", round + 1, WARM_UP + rounds);
        }
    }
    Ok(samples)
}
