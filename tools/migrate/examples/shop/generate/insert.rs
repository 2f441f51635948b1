//! Writes rows in INSERT statements with many rows each.

use std::fmt::Display;
use std::io::{self, Write};

use storefront_core::Timestamp;

/// How many rows one statement inserts.
const ROWS: usize = 500;

/// The rows that are not written yet, by table, in the order in which the tables were first used.
pub(super) struct Inserts {
    tables: Vec<(&'static str, Vec<String>)>,
}

/// A value in a statement. All values come from the generator.
pub(super) enum Literal {
    Null,
    Number(i64),
    Text(String),
    Bool(bool),
}

impl Inserts {
    pub(super) fn new() -> Self {
        Self { tables: Vec::new() }
    }

    /// Adds a row, with its columns in the order of the schema.
    pub(super) fn add<const N: usize>(&mut self, table: &'static str, values: &[Literal; N]) {
        let values: Vec<_> = values.iter().map(Literal::written).collect();
        let row = format!("({})", values.join(", "));
        match self.tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, rows)) => rows.push(row),
            None => self.tables.push((table, vec![row])),
        }
    }

    /// Writes the rows of each table that has enough of them.
    pub(super) fn write_full(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.write(ROWS, output)
    }

    /// Writes what is left.
    pub(super) fn write_all(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.write(1, output)
    }

    fn write(&mut self, rows_at_least: usize, output: &mut impl Write) -> io::Result<()> {
        for (table, rows) in &mut self.tables {
            if rows.len() >= rows_at_least {
                writeln!(output, "INSERT INTO {table} VALUES {};", rows.join(", "))?;
                rows.clear();
            }
        }
        Ok(())
    }
}

impl Literal {
    pub(super) fn text(value: impl Display) -> Self {
        Self::Text(value.to_string())
    }

    /// A time in UTC, without an offset.
    pub(super) fn time(millis: i64) -> Self {
        let time = Timestamp::from_millis(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
        Self::Text(time.replace('T', " ").trim_end_matches('Z').to_owned())
    }

    /// An amount in cents, as a number with two decimals.
    pub(super) fn decimal(minor: i64) -> Self {
        let sign = if minor < 0 { "-" } else { "" };
        let minor = minor.unsigned_abs();
        Self::Text(format!("{sign}{}.{:02}", minor / 100, minor % 100))
    }

    fn written(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Bool(value) => value.to_string(),
        }
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<u32> for Literal {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl<T: Into<Literal>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
