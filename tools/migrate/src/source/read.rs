//! What is read from a source: units and rejects.

use super::page::Group;
use super::select::Select;
use super::{Key, Row};
use crate::entity::{Reason, Reject};
use crate::{Entity, Error, Kind, Mapping, Unit};

/// Makes a unit from a row.
pub(super) type OfRow = fn(&Row, &Mapping) -> Result<Unit, Reason>;

/// A unit or a reject.
#[derive(Debug)]
pub struct Read {
    /// Its key; `None` for rows without one, and for items without an order.
    pub key: Option<Key>,
    /// The key after which to resume once this read, and everything before it, is done: then
    /// nothing is read twice or left out. `None` if there is no such key here; at the end of a
    /// page there always is one.
    pub resume_after: Option<Key>,
    /// The unit, or the reject.
    pub unit: Result<Unit, Box<Reject>>,
    /// The rows of a unit, for a caller that finds something wrong with it later.
    rows: Option<(Row, Vec<Row>)>,
}

impl Read {
    /// Makes a unit that is one row.
    pub(super) fn of_group(kind: Kind, group: Group, unit: OfRow, mapping: &Mapping) -> Self {
        let Group { key, first, others } = group;
        let unit = match others.len() {
            0 => unit(&first, mapping),
            more => Err(Reason::SharedKey { rows: more + 1 }),
        };
        Self::of(kind.entity(), key, unit, first, others)
    }

    pub(super) fn of(
        entity: Entity,
        key: Key,
        unit: Result<Unit, Reason>,
        row: Row,
        more: Vec<Row>,
    ) -> Self {
        let (unit, rows) = match unit {
            Ok(unit) => (Ok(unit), Some((row, more))),
            Err(reason) => {
                let legacy_id = Some(key.to_string());
                (Err(Box::new(Reject { entity, key: legacy_id, reason, row, more })), None)
            }
        };
        Self { key: Some(key.clone()), resume_after: Some(key), unit, rows }
    }

    /// Returns the unit; or a reject, if it is valid by itself but `judge` finds something wrong.
    pub(crate) fn judged(
        self,
        judge: impl FnOnce(&Unit) -> Result<(), Reason>,
    ) -> Result<Unit, Box<Reject>> {
        let unit = self.unit?;
        match (judge(&unit), self.rows) {
            (Err(reason), Some((row, more))) => {
                let key = Some(unit.legacy_id().to_owned());
                Err(Box::new(Reject { entity: unit.kind().entity(), key, reason, row, more }))
            }
            _ => Ok(unit),
        }
    }

    /// Wraps a reject that has no place in the order of keys.
    pub(super) fn lost(reject: Reject) -> Self {
        Self { key: None, resume_after: None, unit: Err(Box::new(reject)), rows: None }
    }
}

pub(super) fn read(select: &Select) -> impl Fn(sqlx::Error) -> Error + use<> {
    let entity = select.entity;
    move |source| Error::Read { entity, source }
}
