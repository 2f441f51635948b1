//! Registration and log-in, through events of API Gateway.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bodies;
mod by_mail;
mod lockout;
mod log_in;
mod registration;
mod scripts;
mod sessions;
mod sqs;

use serde_json::{Value, json};
use storefront_auth::{ApiDoc, ByMail};
use storefront_credentials::SigningKeys;
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{Answer, Api, CapturedLog, Database, evidence, unreachable_table};
use utoipa::OpenApi as _;

const PASSWORD: &str = "correct horse battery";

fn signing_keys() -> SigningKeys {
    let secret = "a secret of the tests, 32 bytes or more";
    evidence::token_secret(secret);
    SigningKeys::fixed(secret).unwrap()
}

async fn start() -> (Api, Database) {
    let database = Database::start().await;
    (
        Api::new(
            storefront_auth::app(database.table(), signing_keys(), ByMail::default()),
            ApiDoc::openapi,
        ),
        database,
    )
}

/// Does the same, with requests to the table that fail when the plan says so.
fn start_with_faults() -> (Api, Plan) {
    let plan = Plan::none();
    let table = FaultyDynamoDb::start().table(&plan);
    (
        Api::new(storefront_auth::app(table, signing_keys(), ByMail::default()), ApiDoc::openapi),
        plan,
    )
}

fn anna() -> Value {
    json!({ "email": "anna@example.com", "password": PASSWORD, "name": "Anna" })
}

async fn register(api: &Api, body: Value) -> Answer {
    api.post("/users").json(body).send().await
}

async fn log_in(api: &Api, email: &str, password: &str) -> Answer {
    api.post("/sessions").json(json!({ "email": email, "password": password })).send().await
}

/// The statuses, sorted.
fn statuses(answers: &[Answer]) -> Vec<i64> {
    let mut statuses: Vec<i64> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn an_unknown_route_is_a_problem_too() {
    let (api, _database) = start().await;
    let _ = api.get("/nowhere").send().await.problem(404, "route_not_found");
    let answer = api.put("/sessions").send().await.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST,DELETE"));
}

#[tokio::test]
async fn an_unreachable_database_is_503_and_reveals_nothing_of_itself() {
    let log = CapturedLog::start();
    let api = Api::new(
        storefront_auth::app(unreachable_table(), signing_keys(), ByMail::default()),
        ApiDoc::openapi,
    );
    for path in ["/users", "/sessions"] {
        let mut body = anna();
        if path == "/sessions" {
            body.as_object_mut().unwrap().remove("name");
        }
        let answer = api.post(path).json(body).send().await.problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
        let text = answer.body.to_string().to_lowercase();
        for secret in ["dynamo", "127.0.0.1", "connect", "storefront\"", "dispatch"] {
            assert!(!text.contains(secret), "{text}");
        }
    }

    let served = log.lines("request served");
    assert_eq!(served.len(), 2);
    for line in &served {
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["status"], 503);
        assert_eq!(line["span"]["request_id"], "JKJaXmPLvHcESHA=");
        let cause = line["cause"].as_str().unwrap();
        assert!(cause.starts_with("DynamoDB is unavailable: "), "{cause}");
        assert!(cause.to_lowercase().contains("connect"), "down to the root cause: {cause}");
    }
    assert_eq!(log.text().matches("DynamoDB is unavailable").count(), 2, "{}", log.text());
}

#[tokio::test]
async fn the_log_has_a_line_per_request_and_nothing_personal() {
    let (api, _database) = start().await;
    let log = CapturedLog::start();
    let _ = register(&api, anna()).await.expect(201);
    let _ = register(&api, anna()).await.expect(409);
    let _ = log_in(&api, "anna@example.com", "wrong password").await.expect(401);
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    let malformed = r#"{"email":"anna@example.com","password":"correct horse battery""#;
    let _ = api.post("/sessions").text("application/json", malformed).send().await.expect(400);

    let served = log.lines("request served");
    let statuses: Vec<_> = served.iter().map(|line| line["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [201, 409, 401, 201, 400]);
    let first = &served[0];
    assert_eq!((&first["method"], &first["route"]), (&"POST".into(), &"/users".into()));
    assert_eq!((&first["requests"], &first["write_units"]), (&1.into(), &5.0.into()));
    assert!(first["latency_ms"].as_f64().is_some());
    assert!(first["cold_start"].as_bool().is_some());

    let text = log.text();
    let token = session.body["accessToken"].as_str().unwrap();
    for secret in ["anna@", "Anna", PASSWORD, "wrong password", token, "$argon2id"] {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}
