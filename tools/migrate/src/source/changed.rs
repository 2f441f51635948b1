//! Finds changes, by the source's clock and the times of its rows.

use futures_util::TryStreamExt as _;
use storefront_core::Timestamp;

use super::dialect::Dialect;
use super::read::read;
use super::select::Select;
use super::{Connection, Key, Value};
use crate::Error;

/// Returns the source's clock in milliseconds since 1970.
pub(super) async fn clock(connection: &mut Connection) -> Result<i64, Error> {
    let statement = match connection.dialect() {
        // The start of the transaction.
        Dialect::Postgres => "SELECT (EXTRACT(EPOCH FROM now()) * 1000)::int8",
        Dialect::MySql => "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
        Dialect::Sqlite => "SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    };
    let row = connection.rows(statement.to_owned(), &[]).try_next().await;
    Ok(integer(row.map_err(Error::Connect)?).unwrap_or_default())
}

pub(super) async fn count(connection: &mut Connection, select: &Select) -> Result<u64, Error> {
    let row = connection.rows(select.count(), &[]).try_next().await.map_err(read(select))?;
    Ok(integer(row).and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

fn integer(row: Option<Vec<Value>>) -> Option<i64> {
    match row?.first() {
        Some(Value::Integer(value)) => Some(*value),
        _ => None,
    }
}

/// Returns the first keys, after the given one, of rows that were changed since a time.
pub(super) async fn keys(
    connection: &mut Connection,
    select: &Select,
    since: Timestamp,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<Key>, Error> {
    let Some((statement, times)) = select.changed(after.is_some(), limit) else {
        return Ok(Vec::new());
    };
    // All three databases read this format: `2026-11-22 10:00:00.000`.
    let since = Key::Text(since.to_string().trim_end_matches('Z').replace('T', " "));
    let bound: Vec<_> = std::iter::repeat_n(since, times).chain(after.cloned()).collect();
    let rows: Vec<_> =
        connection.rows(statement, &bound).try_collect().await.map_err(read(select))?;
    Ok(rows.iter().filter_map(|values| Key::of(values.first()?)).collect())
}
