//! Pages of rows. Each begins where the one before it ended.

use futures_util::TryStreamExt as _;

use super::select::{Range, Select};
use super::{Connection, Key, Row, Value};
use crate::Error;

/// A position in a SELECT.
pub(super) struct Pages<'s> {
    select: &'s Select,
    size: usize,
    after: Option<Key>,
}

/// The rows of some consecutive keys.
pub(super) struct Page {
    pub(super) groups: Vec<Group>,
    /// Whether nothing follows.
    pub(super) is_last: bool,
}

/// The rows with the same key. There should be only one.
pub(super) struct Group {
    pub(super) key: Key,
    pub(super) first: Row,
    pub(super) others: Vec<Row>,
}

impl<'s> Pages<'s> {
    /// Begins after the key, if there is one.
    pub(super) fn of(select: &'s Select, size: usize, after: Option<Key>) -> Self {
        Self { select, size, after }
    }

    /// Reads the next page. Must not be called after the last one.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> Result<Page, Error> {
        let range = Range { above: self.after.is_some(), up_to: false };
        let keys: Vec<_> = self.after.clone().into_iter().collect();
        // One extra row shows whether anything follows.
        let statement = self.select.between(range, Some(self.size + 1));
        let (mut groups, count) = grouped(connection, self.select, statement, &keys).await?;
        let is_last = count <= self.size;
        if !is_last {
            // More rows with the last key may follow, so it begins the next page.
            let cut = groups.pop();
            self.after = groups.last().map(|group| group.key.clone());
            if let (None, Some(cut)) = (&self.after, cut) {
                return Err(Error::SharedKey {
                    entity: self.select.entity,
                    key: cut.key.to_string(),
                    rows: self.size,
                });
            }
        }
        Ok(Page { groups, is_last })
    }

    /// Returns the key after which the next page begins.
    pub(super) fn after(&self) -> Option<&Key> {
        self.after.as_ref()
    }
}

/// Reads the rows with these keys.
pub(super) async fn find(
    connection: &mut Connection,
    select: &Select,
    keys: &[Key],
) -> Result<Vec<Group>, Error> {
    Ok(grouped(connection, select, select.among(keys.len()), keys).await?.0)
}

/// Reads the rows of a statement. Returns them by key, and their number.
async fn grouped(
    connection: &mut Connection,
    select: &Select,
    statement: String,
    keys: &[Key],
) -> Result<(Vec<Group>, usize), Error> {
    let read = |source| Error::Read { entity: select.entity, source };
    let rows: Vec<_> = connection.rows(statement, keys).try_collect().await.map_err(read)?;
    let count = rows.len();
    let mut groups: Vec<Group> = Vec::new();
    for values in rows {
        let row = Row::new(select.columns.clone(), values);
        let key = key(select, &row)?;
        match groups.last_mut() {
            Some(group) if group.key == key => group.others.push(row),
            _ => groups.push(Group { key, first: row, others: Vec::new() }),
        }
    }
    Ok((groups, count))
}

/// Returns the row's key, which is not null: rows without a key are read separately.
pub(super) fn key(select: &Select, row: &Row) -> Result<Key, Error> {
    let value = row.get(select.entity.key()).unwrap_or(&Value::Null);
    Key::of(value).ok_or_else(|| Error::Key {
        entity: select.entity,
        column: select.key_column().to_owned(),
        found: value.to_text(),
    })
}
