//! Rows that break a rule, and rows that are changed: how many, and the first keys.
//!
//! Only the keys of rows are kept: no emails, names or other values.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Entity, Reason, Reject, Remark, Unit, Value};

/// How many keys are shown for each finding.
pub(super) const SHOWN: usize = 5;

/// Rows of one entity that break the same rule or have the same remark.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub(super) entity: Entity,
    pub(super) kind: &'static str,
    /// Its name in the source, if the rule is about a column.
    pub(super) column: Option<String>,
    pub(super) count: u64,
    /// The keys of the first rows; `null` for a row without a key.
    pub(super) examples: Vec<Option<String>>,
}

/// Emails that are the same after normalisation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmailCollisions {
    /// The number of users who would be rejected because an older user has the same email.
    pub(super) users: u64,
    /// The keys of the first: the older user's, and theirs.
    pub(super) examples: Vec<[String; 2]>,
}

/// Gathers findings. There are at most as many as rules and columns.
#[derive(Default)]
pub(super) struct Findings {
    rejects: BTreeMap<(Entity, &'static str, Option<String>), Seen>,
    /// Users with an older user's email: the older user's key, and theirs.
    colliding: Vec<[String; 2]>,
    remarks: BTreeMap<(Entity, &'static str), Seen>,
    /// The largest number of items among the orders with too many.
    pub(super) most_items: usize,
    /// The size of the largest rejected row's values, in bytes.
    pub(super) largest_reject: u64,
}

#[derive(Default)]
struct Seen {
    count: u64,
    keys: Vec<Option<String>>,
}

impl Findings {
    pub(super) fn reject(&mut self, reject: &Reject) {
        let column = column(&reject.reason).map(str::to_owned);
        let seen = self.rejects.entry((reject.entity, reject.reason.kind(), column)).or_default();
        seen.add(reject.key.clone());
        if let Reason::TooManyItems(items) = reject.reason {
            self.most_items = self.most_items.max(items);
        }
        if let (Reason::SharedEmail { winner }, Some(key)) = (&reject.reason, &reject.key)
            && self.colliding.len() < SHOWN
        {
            self.colliding.push([winner.clone(), key.clone()]);
        }
        let bytes = reject.entity.attributes().iter().filter_map(|attribute| {
            let value = reject.row.get(attribute.name)?;
            Some(attribute.name.len() as u64 + size(value))
        });
        self.largest_reject = self.largest_reject.max(bytes.sum());
    }

    pub(super) fn remark(&mut self, unit: &Unit) {
        let entity = unit.kind().entity();
        // An order counts once, however many of its products have the remark.
        let mut kinds: Vec<_> = unit.remarks().iter().map(kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let seen = self.remarks.entry((entity, kind)).or_default();
            seen.add(Some(unit.legacy_id().to_owned()));
        }
    }

    /// Returns the number of orders with too many items.
    pub(super) fn too_many_items(&self) -> u64 {
        self.count(Entity::Order, &Reason::TooManyItems(0))
    }

    /// Returns the users whose email an older user has.
    pub(super) fn email_collisions(&self) -> EmailCollisions {
        let users = self.count(Entity::User, &Reason::SharedEmail { winner: String::new() });
        EmailCollisions { users, examples: self.colliding.clone() }
    }

    /// Returns the number of rejects for a reason that is not about a column.
    fn count(&self, entity: Entity, reason: &Reason) -> u64 {
        self.rejects.get(&(entity, reason.kind(), None)).map_or(0, |seen| seen.count)
    }

    /// Returns the rejects and the remarks, by entity and with the most frequent first.
    pub(super) fn finish(self) -> (Vec<Finding>, Vec<Finding>) {
        let rejects = self.rejects.into_iter().map(|((entity, kind, column), seen)| Finding {
            entity,
            kind,
            column,
            count: seen.count,
            examples: seen.keys,
        });
        let remarks = self.remarks.into_iter().map(|((entity, kind), seen)| Finding {
            entity,
            kind,
            column: None,
            count: seen.count,
            examples: seen.keys,
        });
        let [mut rejects, mut remarks] = [rejects.collect::<Vec<_>>(), remarks.collect()];
        for findings in [&mut rejects, &mut remarks] {
            findings.sort_by_key(|finding| (finding.entity, std::cmp::Reverse(finding.count)));
        }
        (rejects, remarks)
    }
}

impl Seen {
    fn add(&mut self, key: Option<String>) {
        self.count += 1;
        if self.keys.len() < SHOWN {
            self.keys.push(key);
        }
    }
}

fn column(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::Missing { column }
        | Reason::Invalid { column, .. }
        | Reason::Unmapped { column, .. }
        | Reason::OutOfRange { column, .. }
        | Reason::Password { column, .. }
        | Reason::Orphan { column, .. }
        | Reason::Undated { column, .. }
        | Reason::OtherTime { column, .. } => Some(column),
        Reason::SharedKey { .. }
        | Reason::MixedCurrencies(_)
        | Reason::NoItems
        | Reason::TooManyItems(_)
        | Reason::RepeatedProduct { .. }
        | Reason::OtherTotal { .. }
        | Reason::SharedId { .. }
        | Reason::SharedEmail { .. }
        | Reason::EmailTaken { .. }
        | Reason::Kept { .. }
        | Reason::KeptStock { .. }
        | Reason::TooLarge { .. } => None,
    }
}

fn kind(remark: &Remark) -> &'static str {
    match remark {
        Remark::TidiedName => "name without its invisible characters",
        Remark::Locked => "needs a new password",
        Remark::MergedItems { .. } => "items of the same product merged",
        Remark::ProductGone { .. } => "has a deleted product",
    }
}

/// Returns the approximate size of the value as an attribute.
fn size(value: &Value) -> u64 {
    match value {
        Value::Decimal(text) | Value::Text(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        other => other.to_text().len() as u64,
    }
}
