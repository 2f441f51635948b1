//! An idempotency key is stored unchanged, under the caller, or rejected before anything is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use storefront_fuzz::functions::Functions;
use storefront_fuzz::request::{ANNA, Header, ID, Method, Path, Request};

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|key: String| {
    let body = json!({ "items": [{ "productId": ID, "quantity": 1 }] });
    let mut request = Request::new(Method::Post, Path::Orders, body);
    request.headers.push((Header::IdempotencyKey, key.clone()));
    let event = request.event().to_string();
    let answer = FUNCTIONS
        .with(|functions| functions.send(functions.named("orders"), &event))
        .expect("an event");

    let is_visible = key.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if is_visible && (1..256).contains(&key.len()) {
        assert_eq!(answer.status, 201, "{answer:?}");
        let transaction = answer.request("TransactWriteItems").expect("a transaction");
        let puts = transaction["TransactItems"].as_array().unwrap().iter();
        let mut records = puts
            .map(|action| &action["Put"]["Item"])
            .filter(|item| item["_type"]["S"] == "Idempotency");
        let record = records.next().expect("a record");
        assert_eq!(record["PK"]["S"], format!("IDEMPOTENCY#{ANNA}"));
        assert_eq!(record["SK"]["S"], key);
        assert_eq!(record["resultId"]["S"], answer.body["id"]);
        assert_eq!(records.next(), None::<&Value>);
    } else {
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(["invalid_header", "malformed_request"].contains(&answer.code()), "{answer:?}");
        assert!(answer.requests.is_empty(), "{answer:?}");
    }
});
