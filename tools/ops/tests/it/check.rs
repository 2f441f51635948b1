//! `storefront-ops check`, against the local cloud as a deployed stack.

mod deployment;

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{Answer, PATIENCE, cloud_with, storefront_ops};
use deployment::{Deployment, FailedAnswer};

/// Enough for what follows a request here.
const FOLLOWS: [&str; 2] = ["--timeout", "20"];
/// For what never comes.
const AT_ONCE: [&str; 2] = ["--timeout", "0"];

const STEPS: [&str; 16] = [
    "register a user",
    "log in",
    "refresh the session",
    "list the user's sessions",
    "read the user's own profile",
    "add a product to order",
    "list products",
    "read the product",
    "place an order",
    "place it again with the same Idempotency-Key",
    "list orders",
    "read the order",
    "see in the list that the product is sold out",
    "cancel the order",
    "see the piece back in stock",
    "see the event of the cancellation published and counted",
];

/// Returns the line that a function writes about a request that AWS has denied it.
fn denied(function: &str, request_id: &str, action: &str, resource: &str) -> Value {
    let arn = format!("arn:aws:dynamodb:eu-central-1:123456789012:table/shop-Table-1{resource}");
    let cause = format!(
        "DynamoDB refused the request: service error: unhandled error \
         (AccessDeniedException): Error {{ code: \"AccessDeniedException\", message: \"User: arn:aws:sts::123456789012:assumed-role/\
         shop-Role-1/shop-Function-1 is not authorized to perform: {action} on resource: {arn} because \
         no identity-based policy allows the {action} action\", aws_request_id: \"R\" }}"
    );
    json!({
        "timestamp": "2026-11-30T12:00:00.000000Z", "level": "ERROR", "message": "request served",
        "method": "POST", "route": "/orders", "status": 500, "cause": cause,
        "span": { "function": function, "request_id": request_id, "name": "request" },
    })
}

/// Returns the outcomes of the steps in these lines, by name.
fn outcome<'a>(answer: &'a Answer, step: &str) -> Option<&'a str> {
    answer.stdout.lines().find_map(|line| {
        let (outcome, rest) = line.split_once(' ')?;
        let rest = rest.trim_start();
        (rest.starts_with(&format!("{step}  ("))).then_some(outcome)
    })
}

#[tokio::test]
async fn a_shop_that_works_passes_every_step_and_is_left_without_a_trace() {
    let shop = Deployment::start().await;
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    for step in STEPS.into_iter().chain(["delete the user", "delete the product"]) {
        assert_eq!(outcome(&answer, step), Some("ok"), "{step}: {answer:?}");
    }
    assert!(answer.stdout.contains("register a user  (POST /users, "), "{answer:?}");
    assert!(answer.stdout.contains("all 18 steps passed"), "{answer:?}");
    // That they are not in the output is checked in every test.
    for secret in ["password", "accessToken"] {
        assert!(!shop.seen(secret).is_empty(), "{secret}");
    }
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn a_shop_that_registers_users_by_mail_passes_every_step() {
    let shop = Deployment::of(cloud_with(None, &[("RegistrationByMail", "true")]).await).await;
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stdout.contains("all 18 steps passed"), "{answer:?}");
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn a_shop_that_sends_mail_learns_whether_ses_does() {
    let account = |sends: bool, is_in_production: bool| {
        json!({
            "SendingEnabled": sends, "ProductionAccessEnabled": is_in_production,
            "SendQuota": { "MaxSendRate": 14.0 },
        })
    };
    for (account, expected, is_in_sandbox) in [
        (account(true, true), "ok", false),
        (account(true, false), "ok", true),
        (account(false, true), "FAILED", false),
    ] {
        let shop = Deployment::start().await;
        shop.send_mail(account);
        let answer = shop.check(&FOLLOWS).await;
        assert_eq!(outcome(&answer, "ask SES whether it sends mail"), Some(expected), "{answer:?}");
        let says_so = answer.stdout.contains("SES is still in its sandbox");
        assert_eq!(says_so, is_in_sandbox, "{answer:?}");
        assert_eq!(answer.code, Some(i32::from(expected == "FAILED")), "{answer:?}");
    }
}

#[tokio::test]
async fn a_product_of_the_shop_is_ordered_and_put_back() {
    let shop = Deployment::start().await;
    let stock = |items: &[Value]| -> Vec<Value> {
        let stock = items.iter().filter(|item| item["_type"]["S"] == "Stock");
        let mut stock: Vec<_> =
            stock.map(|item| json!([item["PK"], item["SK"], item["stock"]])).collect();
        stock.sort_by_key(Value::to_string);
        stock
    };
    let before = stock(&shop.items().await);
    let answer = shop.check(&[&FOLLOWS[..], &["--category", "Coffee"]].concat()).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(outcome(&answer, "place an order"), Some("ok"), "{answer:?}");
    assert_eq!(outcome(&answer, "add a product to order"), None, "{answer:?}");
    assert!(!before.is_empty());
    assert_eq!(stock(&shop.items().await), before);
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn without_a_product_in_the_category_nothing_is_ordered_and_the_check_does_not_pass() {
    let shop = Deployment::start().await;
    let answer = shop.check(&[&AT_ONCE[..], &["--category", "hats & caps"]].concat()).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(outcome(&answer, "list products"), Some("FAILED"), "{answer:?}");
    assert!(
        answer.stdout.contains("the category hats & caps has no product that can be ordered"),
        "{answer:?}"
    );
    assert!(answer.stdout.contains("leave out --category"), "{answer:?}");
    for step in ["place an order", "list orders", "cancel the order"] {
        assert_eq!(outcome(&answer, step), Some("skipped"), "{answer:?}");
    }
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn what_aws_denies_a_function_names_the_statement_of_its_role_and_what_to_do() {
    let shop = Deployment::start().await;
    shop.fail("POST /orders", FailedAnswer::Internal("request-1"), 1);
    shop.log("orders", &denied("orders", "request-0", "dynamodb:GetItem", ""));
    shop.log("orders", &denied("orders", "request-1", "dynamodb:PutItem", ""));
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(outcome(&answer, "place an order"), Some("FAILED"), "{answer:?}");
    assert_eq!(outcome(&answer, "cancel the order"), Some("skipped"), "{answer:?}");
    for text in [
        "500 internal: Something went wrong. (request request-1)",
        "Idempotency-Key: check-",
        "the statement NewOrders of OrdersRole should allow it",
        "to IDEMPOTENCY#*, ORDER#*, PRODUCT#*, USER#*",
        "sam deploy --stack-name shop --parameter-overrides FineGrainedAccess=false",
        "storefront-ops check --stack shop",
        "please report it",
    ] {
        assert!(answer.stdout.contains(text), "{text}: {answer:?}");
    }
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn an_index_has_a_statement_of_its_own() {
    let shop = Deployment::start().await;
    shop.fail("GET /products", FailedAnswer::Internal("request-1"), 1);
    let index = denied("products", "request-1", "dynamodb:Query", "/index/GSI1");
    shop.log("products", &index);
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.stdout.contains("the statement ProductsOfCategory of ProductsRole"),
        "{answer:?}"
    );
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn without_conditions_another_cause_is_looked_for() {
    let shop = Deployment::start().await;
    shop.without_conditions();
    shop.fail("GET /users/me", FailedAnswer::Internal("request-1"), 1);
    shop.log("users", &denied("users", "request-1", "dynamodb:GetItem", ""));
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("the statement UsersAndCounts of UsersRole"), "{answer:?}");
    assert!(answer.stdout.contains("detect-stack-drift"), "{answer:?}");
    assert!(!answer.stdout.contains("sam deploy"), "{answer:?}");
}

#[tokio::test]
async fn a_token_that_the_authorizer_cannot_verify_names_what_it_may_not_read() {
    let shop = Deployment::start().await;
    shop.fail("GET /users/me", FailedAnswer::Forbidden, 1);
    let action = "secretsmanager:GetSecretValue";
    shop.log("authorizer", &denied("authorizer", "request-1", action, ""));
    let answer = shop.check(&FOLLOWS).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("403, from API Gateway itself: Forbidden"), "{answer:?}");
    let statement = "the statement TokenSecret of AuthorizerRole should allow it";
    assert!(answer.stdout.contains(statement), "{answer:?}");
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_named() {
    let shop = Deployment::start().await;
    let answer = shop.check(&["--timeout", "1", "--url", "http://127.0.0.1:1"]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(outcome(&answer, "register a user"), Some("FAILED"), "{answer:?}");
    assert!(answer.stdout.contains("can this machine reach it? --url"), "{answer:?}");
    assert!(!answer.stdout.contains("delete the user"), "{answer:?}");
}

#[tokio::test]
async fn a_failure_that_nothing_explains_says_where_to_look() {
    let shop = Deployment::start().await;
    shop.fail("POST /sessions", FailedAnswer::Internal("request-1"), 1);
    let answer = shop.check(&AT_ONCE).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(outcome(&answer, "log in"), Some("FAILED"), "{answer:?}");
    assert!(answer.stdout.contains("/aws/vendedlogs/shop/api"), "{answer:?}");
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn an_event_that_is_never_counted_ends_with_what_the_consumer_logged() {
    let shop = Deployment::start().await;
    shop.count_nothing();
    let answer = shop.check(&AT_ONCE).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let counted = "see the event of the cancellation published and counted";
    assert_eq!(outcome(&answer, counted), Some("FAILED"), "{answer:?}");
    assert!(answer.stdout.contains("IteratorAgeAlarm"), "{answer:?}");
    assert!(answer.stdout.contains("larger --timeout"), "{answer:?}");
    shop.expect_nothing_left().await;

    shop.log(
        "order-events",
        &json!({
            "level": "WARN", "message": "a status change was not delivered",
            "error.code": "AccessDeniedException", "error": "PutEvents failed: HTTP status 400",
        }),
    );
    let answer = shop.check(&AT_ONCE).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("the statement Publish of OrderStatusStreamRole"), "{answer:?}");
}

#[tokio::test]
async fn an_order_that_could_not_be_cancelled_is_cancelled_before_the_user_is_deleted() {
    let shop = Deployment::start().await;
    shop.fail("PATCH /orders/", FailedAnswer::Internal("request-1"), 1);
    shop.log("orders", &denied("orders", "request-1", "dynamodb:UpdateItem", ""));
    let answer = shop.check(&[&FOLLOWS[..], &["--category", "tea"]].concat()).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(outcome(&answer, "cancel the order"), Some("FAILED"), "{answer:?}");
    assert_eq!(outcome(&answer, "cancel the order that is left"), Some("ok"), "{answer:?}");
    assert!(answer.stdout.contains("OrdersAndTheirProducts"), "{answer:?}");
    shop.expect_nothing_left().await;
}

#[tokio::test]
async fn what_the_api_does_not_remove_is_removed_in_the_table() {
    let shop = Deployment::start().await;
    shop.fail("PATCH /orders/", FailedAnswer::Internal("request-1"), 2);
    shop.fail("POST /users/me/deletion", FailedAnswer::Internal("request-2"), 1);
    let answer = shop.check(&AT_ONCE).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.stdout.contains("delete the user  (DynamoDB, because the API has not done it)"),
        "{answer:?}"
    );
    shop.expect_nothing_left().await;
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_removes_what_there_is_even_if_its_answer_never_came() {
    for route in ["POST /users", "POST /orders"] {
        let shop = Deployment::start().await;
        shop.fail(route, FailedAnswer::Never, 1);
        let mut command = shop.command(&FOLLOWS);
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        timeout(PATIENCE, shop.stuck.notified()).await.expect("it sends the request");
        let pid = running.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
        let output = timeout(PATIENCE, running.wait_with_output()).await.expect("it exits");
        let answer = shop.answer(output.unwrap());
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert!(answer.stderr.contains("interrupted"), "{answer:?}");
        assert_eq!(outcome(&answer, "delete the user"), Some("ok"), "{answer:?}");
        shop.expect_nothing_left().await;
    }
}

#[tokio::test]
async fn an_unknown_stack_is_named() {
    let shop = Deployment::start().await;
    let endpoint = ("AWS_ENDPOINT_URL", shop.url());
    let answer = storefront_ops(&["check", "--stack", "elsewhere"], &[endpoint]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    for text in ["the stack elsewhere", "eu-central-1", "ValidationError", "does not exist"] {
        assert!(answer.stderr.contains(text), "{text}: {answer:?}");
    }
}
