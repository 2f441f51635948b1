//! `PostgreSQL`.

use sqlx::postgres::PgRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::Value;

/// The first statements of a connection. The transaction sees the database as it is at its first
/// statement, and cannot write. It does not time out, however long the reader takes between two
/// pages.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL idle_in_transaction_session_timeout = 0";

pub(super) fn value(row: &PgRow, at: usize) -> Result<Value, sqlx::Error> {
    if row.try_get_raw(at)?.is_null() {
        return Ok(Value::Null);
    }
    Ok(match row.column(at).type_info().name() {
        "BOOL" => Value::Bool(row.try_get(at)?),
        "INT2" => Value::Integer(row.try_get::<i16, _>(at)?.into()),
        "INT4" => Value::Integer(row.try_get::<i32, _>(at)?.into()),
        "INT8" => Value::Integer(row.try_get(at)?),
        "BYTEA" => Value::Bytes(row.try_get(at)?),
        "UUID" => Value::Uuid(row.try_get::<Uuid, _>(at)?),
        // Other types are selected as text.
        _ => Value::Text(row.try_get(at)?),
    })
}
