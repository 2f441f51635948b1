//! Checks whether a mapping fits, with the first rows of each kind.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use futures_util::TryStreamExt as _;

use crate::{Entity, Error, Kind, Reader, Reject, Remark, Unit};

/// How many reads of each kind are checked: one page of the reader.
const LOOKED_AT: usize = 500;

/// How many broken rows are shown of each kind and reason.
const SHOWN: usize = 3;

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Findings {
    columns: Vec<(Entity, String)>,
    kinds: Vec<OfKind>,
}

/// The result for the units of one kind.
#[derive(Debug)]
struct OfKind {
    kind: Kind,
    sound: usize,
    /// By the kind of the reason: the first rejects, and their number.
    rejects: BTreeMap<&'static str, (Vec<String>, usize)>,
    remarks: BTreeMap<&'static str, usize>,
    is_all: bool,
}

/// Checks the columns and the first rows.
pub(crate) async fn check(reader: &mut Reader) -> Result<Findings, Error> {
    let columns = Entity::ALL.map(|entity| (entity, columns(reader, entity))).into();
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let mut found = OfKind {
            kind,
            sound: 0,
            rejects: BTreeMap::new(),
            remarks: BTreeMap::new(),
            is_all: true,
        };
        let mut reads = reader.units(kind, None);
        let mut looked_at = 0;
        while let Some(read) = reads.try_next().await? {
            if looked_at == LOOKED_AT {
                found.is_all = false;
                break;
            }
            looked_at += 1;
            match read.unit {
                Ok(unit) => found.count(&unit),
                Err(reject) => found.show(&reject),
            }
        }
        drop(reads);
        kinds.push(found);
    }
    Ok(Findings { columns, kinds })
}

fn columns(reader: &Reader, entity: Entity) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let columns = reader.columns(entity);
    for attribute in entity.attributes() {
        let (name, kind) = match columns.find(attribute.name) {
            // SQLite's type of an expression; only its values have types.
            Some(column) if column.kind == "NULL" => (column.name.as_str(), ""),
            Some(column) => (column.name.as_str(), column.kind.as_str()),
            None => ("–", absent(entity, attribute.name)),
        };
        table.add_row(["", attribute.name, name, kind]);
    }
    table.trim_fmt()
}

/// Says what applies if the SELECT omits a column.
fn absent(entity: Entity, attribute: &str) -> &'static str {
    match (entity, attribute) {
        (_, "role") => "all are users",
        (Entity::OrderItem, "updatedAt") => "catch-up uses the order's",
        (_, "updatedAt") => "same as createdAt",
        (_, "stock") => "unlimited",
        (Entity::Order, "currency") => "that of the items, or [defaults]",
        (Entity::OrderItem, "currency") => "that of the order, or [defaults]",
        (_, "currency") => "[defaults]",
        (_, "total") => "sum of the items, unchecked",
        _ => "none",
    }
}

impl OfKind {
    fn count(&mut self, unit: &Unit) {
        self.sound += 1;
        for remark in unit.remarks() {
            let said = match remark {
                Remark::TidiedName => "have names without the invisible characters in them",
                Remark::Locked => "need a new password: theirs cannot be verified",
                Remark::MergedItems { .. } => "items merged with another of the same product",
                Remark::ProductGone { .. } => "items of deleted products",
            };
            *self.remarks.entry(said).or_default() += 1;
        }
    }

    fn show(&mut self, reject: &Reject) {
        let (shown, count) = self.rejects.entry(reject.reason.kind()).or_default();
        *count += 1;
        if shown.len() < SHOWN {
            let key = reject.key.as_deref().unwrap_or("without a key");
            shown.push(format!("{} {key}: {}", reject.entity, reject.reason));
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (entity, columns) in &self.columns {
            writeln!(f, "[{}]\n{columns}\n", entity.section())?;
        }
        for found in &self.kinds {
            write!(f, "{found}")?;
        }
        Ok(())
    }
}

impl fmt::Display for OfKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken: usize = self.rejects.values().map(|(_, count)| count).sum();
        let kind = match self.kind {
            Kind::User => "users",
            Kind::Product => "products",
            Kind::Order => "orders with their items",
        };
        let of = if self.is_all { "all" } else { "the first" };
        writeln!(f, "{kind}: {of} {} read, {broken} broken", self.sound + broken)?;
        for (about, (shown, count)) in &self.rejects {
            writeln!(f, "  {about}: {count}")?;
            for line in shown {
                writeln!(f, "    {line}")?;
            }
            if *count > shown.len() {
                f.write_str("    …\n")?;
            }
        }
        for (said, count) in &self.remarks {
            writeln!(f, "  {count} {said}")?;
        }
        Ok(())
    }
}
