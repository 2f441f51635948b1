//! Percentiles, and ratios with confidence bounds.

use serde::Serialize;

/// The number of resamples for the bounds of a [`Ratio`].
const RESAMPLES: usize = 1_000;

/// The percentiles of a set of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
}

/// A ratio, with 95 % confidence bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Percentiles {
    /// The percentiles of these values, in any order; all zero if there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| percentile(&values, share));
        Self { p50, p90, p99 }
    }
}

impl Ratio {
    /// The ratio of the medians of two series that were measured in the same rounds.
    ///
    /// The bounds are from a bootstrap: rounds are drawn at random, each with both measurements,
    /// because a disturbance of a round affects both.
    pub(crate) fn of_medians(ours: &[f64], theirs: &[f64]) -> Self {
        let rounds = ours.len().min(theirs.len());
        if rounds == 0 {
            return Self { value: f64::NAN, low: f64::NAN, high: f64::NAN };
        }
        // A fixed seed, so that the same measurements give the same report.
        let mut random = fastrand::Rng::with_seed(1);
        let mut ratios: Vec<_> = (0..RESAMPLES)
            .map(|_| {
                let drawn: Vec<_> = (0..rounds).map(|_| random.usize(..rounds)).collect();
                let median_of =
                    |values: &[f64]| median(drawn.iter().map(|&at| values[at]).collect());
                median_of(ours) / median_of(theirs)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            value: median(ours.to_vec()) / median(theirs.to_vec()),
            low: percentile(&ratios, 0.025),
            high: percentile(&ratios, 0.975),
        }
    }
}

/// The median; zero if there are no values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// The value below which this share of the sorted values lies, interpolated between its neighbours.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    #[allow(clippy::cast_precision_loss, reason = "nobody measures 2^52 times")]
    let position = last as f64 * share;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is an index")]
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * position.fract()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn up_to(last: u32) -> Vec<f64> {
        (1..=last).map(f64::from).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!(close(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5));
        assert!(close(median(vec![3.0, 1.0, 2.0]), 2.0));
        assert!(close(median(Vec::new()), 0.0));
    }

    #[test]
    fn percentiles_are_interpolated() {
        let found = Percentiles::of(up_to(101));
        assert!(close(found.p50, 51.0) && close(found.p90, 91.0) && close(found.p99, 100.0));
        let found = Percentiles::of(vec![7.0]);
        assert!(close(found.p50, 7.0) && close(found.p99, 7.0));
    }

    #[test]
    fn a_ratio_of_constants_is_certain() {
        let ratio = Ratio::of_medians(&[3.0; 9], &[2.0; 9]);
        assert_eq!(ratio, Ratio { value: 1.5, low: 1.5, high: 1.5 });
    }

    #[test]
    fn a_disturbance_of_both_series_does_not_affect_the_ratio() {
        let theirs = up_to(31);
        let ours: Vec<_> = theirs.iter().map(|value| value * 1.2).collect();
        let ratio = Ratio::of_medians(&ours, &theirs);
        assert!(close(ratio.low, 1.2) && close(ratio.high, 1.2), "{ratio:?}");
    }

    proptest! {
        #[test]
        fn percentiles_are_in_order_and_within_the_measurements(
            values in prop::collection::vec(0.0..1e6, 1..200),
        ) {
            let found = Percentiles::of(values.clone());
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            prop_assert!(least <= found.p50 && found.p50 <= found.p90);
            prop_assert!(found.p90 <= found.p99 && found.p99 <= most);
        }

        #[test]
        fn bounds_are_in_order_and_the_value_is_the_ratio_of_the_medians(
            pairs in prop::collection::vec((0.5..2.0, 0.5..2.0), 5..40),
        ) {
            let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let ratio = Ratio::of_medians(&ours, &theirs);
            prop_assert!(ratio.low <= ratio.high);
            prop_assert!((ratio.value - median(ours) / median(theirs)).abs() < 1e-9);
        }
    }
}
