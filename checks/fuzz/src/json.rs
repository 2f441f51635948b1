//! Generates JSON that looks like the API's: known names are more frequent than others.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};

/// The members of bodies, records and authorizer contexts.
const NAMES: [&str; 27] = [
    "email",
    "token",
    "password",
    "currentPassword",
    "name",
    "role",
    "description",
    "category",
    "price",
    "currency",
    "stock",
    "change",
    "selling",
    "items",
    "productId",
    "quantity",
    "status",
    "userId",
    "id",
    "S",
    "N",
    "version",
    "total",
    "_type",
    "updatedAt",
    "requestId",
    "orderId",
];

const TEXTS: [&str; 14] = [
    "anna@example.com",
    "Anna",
    "admin",
    "user",
    "coffee",
    "EUR",
    "pending",
    "paid",
    "shipped",
    "cancelled",
    "01930000-0000-7000-8000-000000000101",
    "2026-11-22T09:00:00.000Z",
    "Order",
    "1",
];

const DEPTH: u32 = 4;

/// Arbitrary JSON.
#[derive(Clone, Debug)]
pub struct Json(pub Value);

impl<'a> Arbitrary<'a> for Json {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        value(u, DEPTH).map(Self)
    }
}

fn value(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 6 } else { 8 })? {
        0 => Value::Null,
        1 => bool::arbitrary(u)?.into(),
        2 => u64::arbitrary(u)?.into(),
        3 => i64::arbitrary(u)?.into(),
        4 => f64::arbitrary(u)?.into(),
        5 => (*u.choose(&TEXTS)?).into(),
        6 => text(u)?.into(),
        7 => {
            let length = u.int_in_range(0..=3)?;
            (0..length).map(|_| value(u, depth - 1)).collect::<Result<Vec<_>>>()?.into()
        }
        _ => {
            let length = u.int_in_range(0..=6)?;
            let member = |_| Ok((name(u)?, value(u, depth - 1)?));
            (0..length).map(member).collect::<Result<Map<_, _>>>()?.into()
        }
    })
}

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(15, 16)? { Ok((*u.choose(&NAMES)?).to_owned()) } else { text(u) }
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(<&str>::arbitrary(u)?.to_owned())
}

/// Empties passwords, so that they are not hashed: hashing is deliberately slow, and the fuzzer
/// would spend its time there.
pub fn empty_passwords(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(empty_passwords),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name.ends_with("assword") => text.clear(),
                    _ => empty_passwords(value),
                }
            }
        }
        _ => {}
    }
}
