//! The statements made from a mapping's SELECT.

use std::sync::Arc;

use super::dialect::Dialect;
use super::row::Columns;
use crate::Entity;

/// A SELECT of the mapping, with its columns.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) entity: Entity,
    pub(crate) columns: Arc<Columns>,
    dialect: Dialect,
    /// The mapping's SELECT.
    inner: String,
    /// The expressions that select its columns.
    list: String,
}

/// Which ends a range of keys has. The key of each end is a bound value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// Only rows after a key.
    pub(crate) above: bool,
    /// Only rows up to and including a key.
    pub(crate) up_to: bool,
}

impl Select {
    pub(crate) fn new(dialect: Dialect, select: &str, columns: Columns, entity: Entity) -> Self {
        let list: Vec<_> = columns
            .as_slice()
            .iter()
            .map(|column| dialect.selected(&column.name, &column.kind))
            .collect();
        let list = list.join(", ");
        Self { entity, columns: Arc::new(columns), dialect, inner: select.to_owned(), list }
    }

    /// Returns the key's name in the source.
    pub(crate) fn key_column(&self) -> &str {
        let key = self.entity.key();
        self.columns.find(key).map_or(key, |column| &column.name)
    }

    /// Returns the key's type.
    pub(crate) fn key_kind(&self) -> &str {
        self.columns.find(self.entity.key()).map_or("", |column| &column.kind)
    }

    /// Selects the rows of a range, in the order of their keys, up to a limit.
    pub(crate) fn between(&self, range: Range, limit: Option<usize>) -> String {
        let key = self.key();
        let mut bound = 0;
        let mut condition = |holds: bool, operator: &str| {
            holds.then(|| {
                bound += 1;
                format!("{key} {operator} {}", self.placeholder(bound))
            })
        };
        let conditions: Vec<_> = [condition(range.above, ">"), condition(range.up_to, "<=")]
            .into_iter()
            .flatten()
            .collect();
        let conditions = match conditions.len() {
            0 => format!("{key} IS NOT NULL"),
            _ => conditions.join(" AND "),
        };
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        format!("{} WHERE {conditions} ORDER BY {key}{limit}", self.all(&self.list))
    }

    /// Selects the rows without a key, which are in no range.
    pub(crate) fn without_key(&self) -> String {
        format!("{} WHERE {} IS NULL", self.all(&self.list), self.key())
    }

    /// Selects the rows with any of this many keys, in the order of their keys.
    pub(crate) fn among(&self, keys: usize) -> String {
        format!("{} WHERE {} ORDER BY {}", self.all(&self.list), self.is_among(keys), self.key())
    }

    /// Selects the key and the `createdAt` of the rows with any of this many keys.
    pub(crate) fn created_at_among(&self, keys: usize) -> String {
        let created_at = self.columns.find("createdAt");
        let list: Vec<_> = [self.columns.find(self.entity.key()), created_at]
            .into_iter()
            .flatten()
            .map(|column| self.dialect.selected(&column.name, &column.kind))
            .collect();
        format!("{} WHERE {}", self.all(&list.join(", ")), self.is_among(keys))
    }

    /// Counts the rows.
    pub(crate) fn count(&self) -> String {
        self.all("COUNT(*)")
    }

    /// Selects the keys of rows that were created or changed since a time, optionally only those
    /// after a key. Also returns how many times the time must be bound, before the key. `None` if
    /// there is no column for it.
    pub(crate) fn changed(&self, is_after: bool, limit: usize) -> Option<(String, usize)> {
        let columns = ["updatedAt", "createdAt"].map(|attribute| self.columns.find(attribute));
        let conditions: Vec<_> = columns
            .into_iter()
            .flatten()
            .zip(1..)
            .map(|(column, n)| self.dialect.is_since(&column.name, &column.kind, n))
            .collect();
        let bound = conditions.len();
        if bound == 0 {
            return None;
        }
        let key = self.key();
        let after = if is_after {
            format!("{key} > {}", self.placeholder(bound + 1))
        } else {
            format!("{key} IS NOT NULL")
        };
        let all = self.all(&self.dialect.selected(self.key_column(), self.key_kind()));
        let conditions = conditions.join(" OR ");
        let statement = format!(
            "{all} WHERE ({conditions}) AND {after} GROUP BY {key} ORDER BY {key} LIMIT {limit}"
        );
        Some((statement, bound))
    }

    fn is_among(&self, keys: usize) -> String {
        let keys: Vec<_> = (1..=keys).map(|n| self.placeholder(n)).collect();
        format!("{} IN ({})", self.key(), keys.join(", "))
    }

    /// Selects from the mapping's SELECT, which has lines of its own because it may end in a
    /// comment.
    fn all(&self, list: &str) -> String {
        format!("SELECT {list} FROM (\n{}\n) AS s", self.inner)
    }

    /// Returns the n-th bound key.
    fn placeholder(&self, n: usize) -> String {
        self.dialect.placeholder(n, self.key_kind())
    }

    fn key(&self) -> String {
        format!("s.{}", self.dialect.quoted(self.key_column()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(dialect: Dialect) -> Select {
        let found = [
            ("product_id", "INT8"),
            ("order_id", "INT8"),
            ("name", "TEXT"),
            ("quantity", "INT4"),
            ("price", "NUMERIC"),
        ];
        let found = found.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        let columns = Columns::of(Entity::OrderItem, found).unwrap();
        Select::new(dialect, "SELECT * FROM order_lines -- all", columns, Entity::OrderItem)
    }

    #[test]
    fn a_page_begins_after_the_key() {
        let range = Range { above: true, up_to: false };
        assert_eq!(
            select(Dialect::Postgres).between(range, Some(3)),
            "SELECT s.\"product_id\", s.\"order_id\", s.\"name\", s.\"quantity\", \
             s.\"price\"::text AS \"price\" FROM (\nSELECT * FROM order_lines -- all\n) AS s \
             WHERE s.\"order_id\" > $1::int8 ORDER BY s.\"order_id\" LIMIT 3"
        );
    }

    #[test]
    fn changed_rows_are_found_by_their_times() {
        assert_eq!(select(Dialect::Postgres).changed(false, 9), None);
        let found = [("id", "INT8"), ("email", "TEXT"), ("name", "TEXT"), ("passwordHash", "TEXT")]
            .into_iter()
            .chain([("created_at", "TIMESTAMPTZ"), ("updated_at", "TIMESTAMP")])
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        let columns = Columns::of(Entity::User, found).unwrap();
        let select = Select::new(Dialect::Postgres, "SELECT 1", columns, Entity::User);
        let (statement, bound) = select.changed(true, 9).unwrap();
        assert_eq!(bound, 2);
        assert_eq!(
            statement,
            "SELECT s.\"id\" FROM (\nSELECT 1\n) AS s WHERE (s.\"updated_at\" >= $1::timestamp \
             OR s.\"created_at\" >= $2::timestamptz) AND s.\"id\" > $3::int8 GROUP BY s.\"id\" \
             ORDER BY s.\"id\" LIMIT 9"
        );
    }

    #[test]
    fn a_range_binds_only_the_ends_that_it_has() {
        for (above, up_to, condition) in [
            (false, false, "WHERE s.\"order_id\" IS NOT NULL ORDER"),
            (false, true, "WHERE s.\"order_id\" <= $1::int8 ORDER"),
            (true, true, "WHERE s.\"order_id\" > $1::int8 AND s.\"order_id\" <= $2::int8 ORDER"),
        ] {
            let statement = select(Dialect::Postgres).between(Range { above, up_to }, None);
            assert!(statement.contains(condition), "{statement}");
        }
        let range = Range { above: true, up_to: true };
        let statement = select(Dialect::MySql).between(range, None);
        assert!(statement.contains("s.`order_id` > ? AND s.`order_id` <= ?"), "{statement}");
    }
}
