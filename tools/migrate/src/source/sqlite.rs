//! `SQLite`.

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::{Key, Value};

/// What a connection does first: what it reads from then on is from one moment.
pub(super) const BEGIN: &str = "BEGIN";

pub(super) fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    key: &Key,
) -> Query<'q, Sqlite, SqliteArguments> {
    match key {
        Key::Integer(value) => query.bind(*value),
        Key::Text(text) => query.bind(text.clone()),
        // No column yields one.
        Key::Uuid(uuid) => query.bind(uuid.to_string()),
        Key::Bytes(bytes) => query.bind(bytes.clone()),
    }
}

/// Whatever the column is declared as, each value has a type of its own.
pub(super) fn value(row: &SqliteRow, at: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info();
    Ok(match kind.name() {
        "INTEGER" => Value::Integer(row.try_get_unchecked(at)?),
        // The fewest digits that make this number, so that 12.3 is 12.3.
        "REAL" => Value::Decimal(row.try_get_unchecked::<f64, _>(at)?.to_string()),
        "BLOB" => Value::Bytes(row.try_get_unchecked(at)?),
        // SQLite does not look at what is put into a text.
        _ => match row.try_get_unchecked::<String, _>(at) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Bytes(row.try_get_unchecked(at)?),
        },
    })
}
