//! A cursor is the id of an item or it is rejected, and it cannot lead outside the requested list.

#![no_main]

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use storefront_core::{OrderId, ProductId};
use storefront_fuzz::functions::Functions;
use storefront_fuzz::request::ANNA;

#[derive(Arbitrary, Debug)]
enum Cursor {
    Text(String),
    Bytes(Vec<u8>),
    /// Sixteen bytes with the version of a UUIDv7, and perhaps an additional byte or padding.
    Id {
        id: [u8; 16],
        more: Option<u8>,
        padding: bool,
    },
}

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|cursor: Cursor| {
    let cursor = match cursor {
        Cursor::Text(text) => text,
        Cursor::Bytes(bytes) => URL_SAFE_NO_PAD.encode(bytes),
        Cursor::Id { mut id, more, padding } => {
            id[6] = id[6] & 0x0f | 0x70;
            // Otherwise most times would be after the year 9999.
            id[0] &= 0x0f;
            let bytes: Vec<u8> = id.into_iter().chain(more).collect();
            URL_SAFE_NO_PAD.encode(bytes) + if padding { "==" } else { "" }
        }
    };
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).ok();
    let uuid = bytes.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok());

    let product = uuid.and_then(|uuid| ProductId::try_from(uuid).ok());
    check(
        "products",
        "category=coffee&",
        &cursor,
        product.map(|id| {
            json!({
                "PK": { "S": format!("PRODUCT#{id}") }, "SK": { "S": "METADATA" },
                "GSI1PK": { "S": "CATEGORY#coffee" }, "GSI1SK": { "S": format!("PRODUCT#{id}") },
            })
        }),
    );
    let order = uuid.and_then(|uuid| OrderId::try_from(uuid).ok());
    check(
        "orders",
        "",
        &cursor,
        order.map(|id| {
            json!({
                "PK": { "S": format!("USER#{ANNA}") },
                "SK": { "S": format!("ORDER#{}#{id}", id.created_at()) },
            })
        }),
    );
});

/// Requests the page after `cursor`, which must start at `key`; `None` if the cursor is invalid.
fn check(function: &str, filter: &str, cursor: &str, key: Option<Value>) {
    let encoded: String = cursor.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let event = json!({
        "rawPath": format!("/{function}"),
        "rawQueryString": format!("{filter}cursor={encoded}"),
        "requestContext": {
            "http": { "method": "GET" },
            "requestId": "JKJaXmPLvHcESHA=",
            "authorizer": { "lambda": { "userId": ANNA, "role": "user" } },
        },
    });
    let answer = FUNCTIONS
        .with(|functions| functions.send(functions.named(function), &event.to_string()))
        .expect("an event");
    match key {
        _ if encoded.len() > 60_000 => {}
        None => {
            // The replacement character stands for bytes that are not UTF-8, so the query is
            // rejected before the cursor is parsed.
            let is_odd = cursor.contains(char::REPLACEMENT_CHARACTER);
            let code = if is_odd { "invalid_query" } else { "invalid_cursor" };
            assert_eq!((answer.status, answer.code()), (400, code));
            assert!(answer.requests.is_empty());
        }
        Some(key) => {
            assert_eq!(answer.status, 200, "{answer:?}");
            let query = answer.request("Query").expect("a query");
            assert_eq!(query["ExclusiveStartKey"], key);
        }
    }
}
