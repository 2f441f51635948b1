//! `MySQL` and `MariaDB`.

use sqlx::mysql::MySqlRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::Value;

/// The first statements of a connection. The transaction sees the database as it is now, and cannot
/// write.
pub(super) const BEGIN: [&str; 2] = [
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
];

pub(super) fn value(row: &MySqlRow, at: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match row.column(at).type_info().name() {
        // BOOLEAN is TINYINT(1), which may contain more than true and false.
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Value::Integer(row.try_get_unchecked(at)?)
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "BIT" => {
            let value: u64 = row.try_get_unchecked(at)?;
            i64::try_from(value).map_or_else(|_| Value::Decimal(value.to_string()), Value::Integer)
        }
        "FLOAT" => Value::Decimal(row.try_get_unchecked::<f32, _>(at)?.to_string()),
        "DOUBLE" => Value::Decimal(row.try_get_unchecked::<f64, _>(at)?.to_string()),
        // As the server sends it, with all its digits.
        "DECIMAL" => Value::Decimal(row.try_get_unchecked(at)?),
        // Texts with a binary collation have the same type names as bytes.
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            match row.try_get::<String, _>(at) {
                Ok(text) => Value::Text(text),
                Err(_) => Value::Bytes(row.try_get(at)?),
            }
        }
        // Times are selected as text.
        _ => Value::Text(row.try_get_unchecked(at)?),
    })
}
