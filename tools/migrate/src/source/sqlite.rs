//! `SQLite`.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::Value;

/// The first statement of a connection. Everything that is read after it is from one moment.
pub(super) const BEGIN: &str = "BEGIN";

/// Returns a value by its own type, whatever its column is declared as.
pub(super) fn value(row: &SqliteRow, at: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info();
    Ok(match kind.name() {
        "INTEGER" => Value::Integer(row.try_get_unchecked(at)?),
        // The fewest digits that yield this number, so that 12.3 stays 12.3.
        "REAL" => Value::Decimal(row.try_get_unchecked::<f64, _>(at)?.to_string()),
        "BLOB" => Value::Bytes(row.try_get_unchecked(at)?),
        // SQLite does not check what is written into a text.
        _ => match row.try_get_unchecked::<String, _>(at) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Bytes(row.try_get_unchecked(at)?),
        },
    })
}
