//! The cost of loading and storing the table, and the duration of the load.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::census::Sums;
use crate::Error;

/// The prices that come with the program.
const PRICES: &str = include_str!("../../prices.toml");

/// 10^9, as in the rest of the documentation: 7 % less than AWS's 2^30, so the result is at least
/// what AWS charges.
const GB: f64 = 1e9;

const MILLION: f64 = 1e6;

/// AWS's prices in one region on one day: `prices.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[serde(rename_all(serialize = "camelCase"))]
pub(super) struct Prices {
    pub(super) date: String,
    pub(super) region: String,
    pub(super) currency: String,
    pub(super) source: String,
    pub(super) read_units_per_million: f64,
    pub(super) write_units_per_million: f64,
    pub(super) storage_per_gb_month: f64,
    pub(super) backup_per_gb_month: f64,
    pub(super) stream_reads_per_million: f64,
    pub(super) import_per_gb: f64,
}

/// The cost of each of the two ways to load, in the prices' currency.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Load {
    /// With `BatchWriteItem`: each item's size in units of 1 KB, rounded up, for the table and
    /// again for the index.
    pub(super) write_units: u64,
    pub(super) index_write_units: u64,
    pub(super) cost: f64,
    /// Write units a second, for the table and the index together.
    pub(super) rate: u32,
    pub(super) seconds: f64,
    /// With an import from S3: the bytes of the DynamoDB JSON without compression.
    pub(super) import_bytes: u64,
    pub(super) import_cost: f64,
}

/// The monthly cost of the table without requests.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Month {
    /// Including the 100 bytes that are billed in addition for each item.
    pub(super) stored_bytes: u64,
    pub(super) index_stored_bytes: u64,
    pub(super) storage_cost: f64,
    /// For the table, without the index.
    pub(super) backup_cost: f64,
    pub(super) cost: f64,
}

impl Prices {
    /// Reads the prices of a file, or the ones that come with the program.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Error> {
        let (path, text) = match path {
            Some(path) => {
                let text = fs::read_to_string(path);
                (path, text.map_err(|source| Error::ReadFile { path: path.to_owned(), source })?)
            }
            None => (Path::new("prices.toml"), PRICES.to_owned()),
        };
        toml::from_str(&text)
            .map_err(|source| Error::Prices { path: path.to_owned(), source: Box::new(source) })
    }

    pub(super) fn of_units(&self, read: f64, write: f64) -> f64 {
        (read * self.read_units_per_million + write * self.write_units_per_million) / MILLION
    }
}

#[allow(clippy::cast_precision_loss, reason = "an estimate needs no digits beyond 2^53")]
impl Load {
    pub(super) fn of(sums: &Sums, prices: &Prices, rate: u32) -> Self {
        let units = (sums.write_units + sums.index_write_units) as f64;
        Self {
            write_units: sums.write_units,
            index_write_units: sums.index_write_units,
            cost: prices.of_units(0.0, units),
            rate,
            seconds: units / f64::from(rate),
            import_bytes: sums.import_bytes,
            import_cost: sums.import_bytes as f64 / GB * prices.import_per_gb,
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "an estimate needs no digits beyond 2^53")]
impl Month {
    pub(super) fn of(sums: &Sums, prices: &Prices) -> Self {
        let (stored_bytes, index_stored_bytes) = (sums.stored_bytes(), sums.index_stored_bytes());
        let table = stored_bytes as f64 / GB;
        let storage_cost = (table + index_stored_bytes as f64 / GB) * prices.storage_per_gb_month;
        let backup_cost = table * prices.backup_per_gb_month;
        let cost = storage_cost + backup_cost;
        Self { stored_bytes, index_stored_bytes, storage_cost, backup_cost, cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_small_items_cost_what_the_price_list_says() {
        let prices = Prices::read(None).unwrap();
        let sums = Sums {
            items: 1_000_000,
            bytes: 900_000_000,
            write_units: 1_000_000,
            index_items: 1_000_000,
            index_bytes: 900_000_000,
            index_write_units: 1_000_000,
            import_bytes: 2_000_000_000,
            near_limit: 0,
        };
        let load = Load::of(&sums, &prices, 4_000);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        near(load.cost, 1.25);
        near(load.seconds, 500.0);
        near(load.import_cost, 0.30);
        let month = Month::of(&sums, &prices);
        assert_eq!(month.stored_bytes, 1_000_000_000);
        near(month.storage_cost, 0.50);
        near(month.backup_cost, 0.20);
        near(month.cost, 0.70);
    }
}
