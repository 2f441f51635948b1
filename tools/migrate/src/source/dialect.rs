//! The differences between the databases' SQL.

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl Dialect {
    /// Quotes a name for a statement.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Self::MySql => format!("`{}`", name.replace('`', "``")),
            Self::Postgres | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// Returns the n-th bound value, counted from 1, for comparison with a column of this type.
    ///
    /// `PostgreSQL` only compares values of the same type, or compares without using the index.
    pub(crate) fn placeholder(self, n: usize, kind: &str) -> String {
        match self {
            // Its CHAR is a single character.
            Self::Postgres if kind == "CHAR" => format!("${n}::bpchar"),
            Self::Postgres => format!("${n}::{}", kind.to_lowercase()),
            Self::MySql | Self::Sqlite => "?".to_owned(),
        }
    }

    /// Returns the condition that a time is at or after the n-th bound value, a time in UTC as a
    /// text. In SQLite, which has no type for times, a value that cannot be read as a time fulfils it.
    pub(crate) fn is_since(self, column: &str, kind: &str, n: usize) -> String {
        let name = self.quoted(column);
        match self {
            Self::Postgres if matches!(kind, "TIMESTAMPTZ" | "TIMESTAMP" | "DATE") => {
                format!("s.{name} >= ${n}::{}", kind.to_lowercase())
            }
            Self::Postgres => format!("s.{name}::timestamptz >= ${n}::timestamptz"),
            Self::MySql if is_time_in_mysql(kind) => {
                format!("s.{name} >= CAST(? AS DATETIME(3))")
            }
            Self::MySql => format!("CAST(s.{name} AS DATETIME(3)) >= CAST(? AS DATETIME(3))"),
            // Its times are texts in several formats.
            Self::Sqlite => format!(
                "(s.{name} IS NOT NULL AND COALESCE(julianday(s.{name}) >= julianday(?), 1))"
            ),
        }
    }

    /// Returns the expression that selects a column.
    ///
    /// The database converts everything except whole numbers and texts to text: numbers with all
    /// their digits, times with their offset (the session's is UTC), enums by their names. `SQLite`
    /// has no types that need this.
    pub(crate) fn selected(self, column: &str, kind: &str) -> String {
        let name = self.quoted(column);
        match self {
            Self::Postgres if !is_plain_in_postgres(kind) => format!("s.{name}::text AS {name}"),
            Self::MySql if is_time_in_mysql(kind) => format!("CAST(s.{name} AS CHAR) AS {name}"),
            _ => format!("s.{name}"),
        }
    }
}

/// Whether keys of these two types are sorted in the same way.
pub(crate) fn sort_alike(one: &str, other: &str) -> bool {
    // SQLite does not know the type of an expression, and compares values by their own types.
    one == "NULL" || other == "NULL" || family(one) == family(other)
}

fn family(kind: &str) -> &str {
    const TEXTS: [&str; 6] = ["TEXT", "CHAR", "VARCHAR", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT"];
    match kind {
        // INT, INT8, BIGINT, INTEGER, BIGINT UNSIGNED, …
        kind if kind.contains("INT") => "INT",
        kind if TEXTS.contains(&kind) => "TEXT",
        kind => kind,
    }
}

fn is_plain_in_postgres(kind: &str) -> bool {
    matches!(kind, "BOOL" | "INT2" | "INT4" | "INT8" | "TEXT" | "VARCHAR" | "BYTEA" | "UUID")
}

fn is_time_in_mysql(kind: &str) -> bool {
    matches!(kind, "DATE" | "DATETIME" | "TIMESTAMP" | "TIME" | "YEAR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_they_contain() {
        assert_eq!(Dialect::Postgres.quoted(r#"a"b"#), r#""a""b""#);
        assert_eq!(Dialect::MySql.quoted("a`b"), "`a``b`");
    }

    #[test]
    fn values_of_special_types_are_selected_as_text() {
        for (dialect, kind, selected) in [
            (Dialect::Postgres, "INT8", r#"s."c""#),
            (Dialect::Postgres, "NUMERIC", r#"s."c"::text AS "c""#),
            (Dialect::Postgres, "order_status", r#"s."c"::text AS "c""#),
            (Dialect::MySql, "DATETIME", "CAST(s.`c` AS CHAR) AS `c`"),
            (Dialect::MySql, "DECIMAL", "s.`c`"),
            (Dialect::Sqlite, "DATETIME", r#"s."c""#),
        ] {
            assert_eq!(dialect.selected("c", kind), selected);
        }
    }

    #[test]
    fn whole_numbers_sort_alike_and_texts_sort_alike_but_not_both_together() {
        for (one, other, alike) in [
            ("INT4", "INT8", true),
            ("INT UNSIGNED", "BIGINT", true),
            ("CHAR", "VARCHAR", true),
            ("UUID", "UUID", true),
            ("INT8", "TEXT", false),
            ("UUID", "TEXT", false),
            ("NUMERIC", "INT8", false),
            ("NULL", "TEXT", true),
        ] {
            assert_eq!(sort_alike(one, other), alike, "{one}, {other}");
        }
    }
}
