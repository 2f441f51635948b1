//! Lambda kills a function that takes too long. API Gateway then answers without the shop's problem
//! details, so a function must answer before that.

use serde_json::json;
use storefront_http::ANSWER_WITHIN;
use storefront_invariants::Shop;
use storefront_template::Template;
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use tokio::time::Instant;

use crate::engine::schedule::{LONGEST_ANSWER, Scenario};

#[test]
fn each_function_has_the_time_to_answer() {
    let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));
    for (name, function) in template.unwrap().functions().unwrap() {
        assert!(function.timeout > ANSWER_WITHIN, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_meets_slow_answers_and_conflicts_in_turn_is_answered_in_time() {
    let dynamodb = FaultyDynamoDb::start();
    let scenario = Scenario::prepare(&dynamodb, false).await;
    let plan = Plan::none();
    let shop = Shop::over(&dynamodb.table(&plan));
    for _ in 0..7 {
        plan.next("TransactWriteItems", 1, Fault::SlowAnswer);
        plan.answer_next(
            "TransactWriteItems",
            1,
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "CancellationReasons": [{ "Code": "TransactionConflict" }],
            }),
        );
    }
    let product = scenario.products.lock().unwrap()[0].to_string();
    let started = Instant::now();
    let answer = shop.order(scenario.customers[0], None, &[(&product, 1)]).await;
    let took = started.elapsed();
    assert!(answer.problem(503, "unavailable").header("retry-after").is_some());
    assert!(plan.remaining() > 0, "it would have gone on");
    assert!(took < LONGEST_ANSWER, "{took:?}");
}
