//! What is read of a source: units, and what is none.

use super::page::Group;
use super::select::Select;
use super::{Key, Row};
use crate::entity::{Reason, Reject};
use crate::{Entity, Error, Kind, Mapping, Unit};

/// Makes a unit of a row.
pub(super) type OfRow = fn(&Row, &Mapping) -> Result<Unit, Reason>;

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// Its key; `None` of rows without one, and of items without an order.
    pub key: Option<Key>,
    /// From which key on to read again when this one, and what came before it, is done with: then
    /// nothing is read twice, and nothing is left out. `None` where there is no such key, which there
    /// always is again after a page.
    pub resume_after: Option<Key>,
    /// The unit, or why it is none.
    pub unit: Result<Unit, Box<Reject>>,
    /// What a unit was made of, and the key of a reject's; for who finds something wrong with it later.
    rows: Option<(Row, Vec<Row>)>,
}

impl Read {
    /// Of what is one row.
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

    /// The unit; or a reject, where it is sound by itself and something else is wrong with it.
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

    /// What is in no range of keys.
    pub(super) fn lost(reject: Reject) -> Self {
        Self { key: None, resume_after: None, unit: Err(Box::new(reject)), rows: None }
    }
}

pub(super) fn read(select: &Select) -> impl Fn(sqlx::Error) -> Error + use<> {
    let entity = select.entity;
    move |source| Error::Read { entity, source }
}
