//! The summary of a verification.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use indicatif::HumanCount;
use storefront_core::schema::ItemType;

use super::difference::Differences;
use super::samples::Samples;
use super::sides::{Sides, Sum};
use crate::Kind;
use crate::entity::migrated_types;
use crate::load::Counts;

/// What a verification found.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(super) counts: Counts,
    pub(super) sides: Sides,
    pub(super) changed: BTreeMap<Kind, u64>,
    pub(super) kept: BTreeMap<Kind, u64>,
    pub(super) spread: u64,
    pub(super) samples: Samples,
    pub(super) differences: Differences,
    pub(super) read_units: f64,
}

impl Summary {
    /// Whether the table agrees with the source.
    pub(crate) fn is_equal(&self) -> bool {
        self.differences.count() == 0
    }

    fn sides(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header([
            "",
            "source",
            "table",
            "digest of the source",
            "of the table",
            "the shop's own",
        ]);
        let types: Vec<_> = migrated_types().map(ItemType::as_str).collect();
        let others = self.sides.table.keys().chain(self.sides.own.keys()).map(String::as_str);
        let others = others.filter(|item_type| !types.contains(item_type));
        let others: BTreeSet<_> = others.collect();
        for item_type in types.into_iter().chain(others) {
            let sum = |of: &BTreeMap<String, Sum>| of.get(item_type).copied().unwrap_or_default();
            let (source, found) = (sum(&self.sides.source), sum(&self.sides.table));
            let own = self.sides.own.get(item_type).copied().unwrap_or_default();
            table.add_row([
                item_type.to_owned(),
                HumanCount(source.items).to_string(),
                HumanCount(found.items).to_string(),
                source.digest.to_string(),
                found.digest.to_string(),
                HumanCount(own).to_string(),
            ]);
        }
        table.trim_fmt()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_kinds = |count: &dyn Fn(Kind) -> u64| {
            Kind::ALL.map(|kind| format!("{} {}", count(kind), kind.entity().section())).join(", ")
        };
        let of =
            |counts: &BTreeMap<Kind, u64>, kind| counts.get(&kind).copied().unwrap_or_default();
        writeln!(
            f,
            "compared: {}; {} items; {:.0} read capacity units",
            of_kinds(&|kind| of(&self.counts.units, kind)),
            self.counts.items,
            self.read_units
        )?;
        writeln!(f, "{}", self.sides())?;
        let rejected = self.counts.rejected();
        if rejected > 0 {
            writeln!(f, "expected to be missing, because a load rejects them: {rejected}")?;
            for (entity, reasons) in &self.counts.rejects {
                for (reason, count) in reasons {
                    writeln!(f, "  {entity}: {count} {reason}")?;
                }
            }
        }
        for (said, counts) in [
            ("changed by the shop since", &self.changed),
            ("kept in the table by a catch-up", &self.kept),
        ] {
            if !counts.is_empty() {
                writeln!(f, "{said}: {}", of_kinds(&|kind| of(counts, kind)))?;
            }
        }
        if self.spread > 0 {
            writeln!(
                f,
                "spread over several stock items, with the source's stock in all: {} products",
                self.spread
            )?;
        }
        for (item_type, count) in &self.sides.ignored {
            writeln!(f, "not compared: {count} {item_type}")?;
        }
        let samples = of_kinds(&|kind| self.samples.count(kind) as u64);
        writeln!(f, "read as the shop reads them: {samples}")?;
        let count = self.differences.count();
        if count == 0 {
            return f.write_str("differences: none");
        }
        write!(f, "differences: {count}, see {}", self.differences.path().display())?;
        let first = self.differences.first();
        for difference in first {
            write!(f, "\n  {difference}")?;
        }
        if count > first.len() as u64 {
            f.write_str("\n  …")?;
        }
        Ok(())
    }
}
