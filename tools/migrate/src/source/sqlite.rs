//! `SQLite`.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::Value;

/// What a connection does first: what it reads from then on is from one moment.
pub(super) const BEGIN: &str = "BEGIN";

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
