//! Registration and log-in, through events of API Gateway.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use futures_util::future::join_all;
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_credentials::{SigningKey, SigningKeys, access_token};
use storefront_http::{MetricSink, with_metrics};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{
    Answer, Api, CapturedLog, CapturedMetrics, Database, SecretsManager, evidence,
    unreachable_table,
};

const PASSWORD: &str = "correct horse battery";

fn signing_keys() -> SigningKeys {
    let secret = "a secret of the tests, 32 bytes or more";
    evidence::token_secret(secret);
    SigningKeys::fixed(secret).unwrap()
}

async fn start() -> (Api, Database) {
    let database = Database::start().await;
    (Api::new(storefront_auth::app(database.table(), signing_keys())), database)
}

/// The same, whose requests to the table go wrong when the plan is told so.
fn start_with_faults() -> (Api, Plan) {
    let plan = Plan::none();
    let table = FaultyDynamoDb::start().table(&plan);
    (Api::new(storefront_auth::app(table, signing_keys())), plan)
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
async fn registering_answers_with_the_user_and_never_with_the_password() {
    let (api, _database) = start().await;
    let answer = register(&api, anna()).await.expect(201);

    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/users/{id}").as_str()));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.body,
        json!({
            "id": id,
            "email": "anna@example.com",
            "name": "Anna",
            "role": "user",
            "version": 1,
            "createdAt": answer.body["createdAt"],
            "updatedAt": answer.body["createdAt"],
        })
    );
}

#[tokio::test]
async fn an_email_is_registered_once_however_it_is_written() {
    let (api, _database) = start().await;
    let mut body = anna();
    body["email"] = " Anna@Example.COM ".into();
    let answer = register(&api, body).await.expect(201);
    assert_eq!(answer.body["email"], "anna@example.com");
    let _ = register(&api, anna()).await.problem(409, "email_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_24_who_register_one_email_at_once_one_wins() {
    let (api, _database) = start().await;
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { register(&api, anna()).await })
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();

    assert_eq!(statuses(&answers), [vec![201], vec![409; 23]].concat());
    let winner = answers.iter().find(|answer| answer.status == 201).unwrap();
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(session.body["user"]["id"], winner.body["id"]);
}

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let (api, _database) = start().await;
    let body = json!({ "email": "anna.example", "password": "2short!", "name": "" });
    let answer = register(&api, body).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/email", "/name", "/password"]);
    let text = answer.body.to_string();
    assert!(text.contains("8 to 128 characters"), "{text}");
    assert!(!text.contains("2short!"), "a password is not echoed: {text}");
}

#[tokio::test]
async fn fields_have_limits_in_characters() {
    let (api, _database) = start().await;
    for (field, value) in [
        ("password", "ä".repeat(7)),
        ("password", "ä".repeat(129)),
        ("name", "ä".repeat(201)),
        ("name", " \t ".to_owned()),
        ("name", "Anna\0".to_owned()),
        ("name", "\u{1b}[31mAnna".to_owned()),
        ("email", format!("{}@example.com", "a".repeat(250))),
        ("email", "anna\0@example.com".to_owned()),
        ("email", String::new()),
    ] {
        let mut body = anna();
        body[field] = value.into();
        let answer = register(&api, body).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), [format!("/{field}")]);
    }
    let longest =
        json!({ "email": "a@example.com", "password": "ä".repeat(128), "name": "ä".repeat(200) });
    let _ = register(&api, longest).await.expect(201);
}

#[tokio::test]
async fn missing_unknown_repeated_and_mistyped_fields_are_named() {
    let (api, _database) = start().await;
    for (body, pointer) in [
        (r#"{"email":"a@example.com","password":"pass-phrase"}"#, "/name"),
        (
            r#"{"email":"a@example.com","password":"pass-phrase","name":"A","role":"admin"}"#,
            "/role",
        ),
        (r#"{"email":"a@example.com","password":"pass-phrase","name":"A","a~b/c":1}"#, "/a~0b~1c"),
        (r#"{"email":"a@example.com","password":"pass-phrase","name":"A","name":"B"}"#, "/name"),
        (r#"{"email":"a@example.com","password":"pass-phrase","name":7}"#, "/name"),
        (r#"{"email":"a@example.com","password":null,"name":"A"}"#, "/password"),
        (r#"{"email":["a@example.com"],"password":"pass-phrase","name":"A"}"#, "/email"),
        ("[]", ""),
        ("null", ""),
        ("7", ""),
    ] {
        let answer = api.post("/users").text("application/json", body).send().await;
        let answer = answer.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400() {
    let (api, _database) = start().await;
    for body in [
        "",
        "{",
        "{}}",
        "[][",
        "email=anna@example.com",
        r#"{"email":"\ud800"}"#,
        "{\"email\":\"anna\0@example.com\"}",
        "{\"name\":\"\u{1}\"}",
        &"[".repeat(200_000),
    ] {
        let answer = api.post("/users").text("application/json", body).send().await;
        let _ = answer.problem(400, "malformed_body");
    }
    let body = b"{\"name\":\"\xff\xfe\"}";
    let answer = api.post("/users").bytes("application/json", body).send().await;
    let _ = answer.problem(400, "malformed_body");
}

#[tokio::test]
async fn no_depth_of_nesting_does_harm() {
    let (api, _database) = start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [deep.clone(), format!(r#"{{"email":{deep}}}"#), format!(r#"{{"x":{deep}}}"#)] {
        let answer = api.post("/users").text("application/json", &body).send().await;
        let _ = answer.problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn only_json_is_taken() {
    let (api, _database) = start().await;
    let body = anna().to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
    {
        let answer = api.post("/users").text(content_type, &body).send().await;
        let _ = answer.problem(415, "unsupported_media_type");
    }
    let _ = api.post("/users").send().await.problem(415, "unsupported_media_type");
    let charset = "Application/JSON; charset=utf-8";
    let _ = api.post("/users").text(charset, &body).send().await.expect(201);
}

#[tokio::test]
async fn a_body_encoded_by_the_gateway_is_read_as_well() {
    let (api, _database) = start().await;
    let body = anna().to_string();
    let answer = api.post("/users").bytes("application/json", body.as_bytes()).send().await;
    let _ = answer.expect(201);
}

#[tokio::test]
async fn bodies_over_256_kb_are_413() {
    let (api, _database) = start().await;
    let padded = |length: usize| {
        let body = anna().to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let too_large = padded(256 * 1024 + 1);
    let answer = api.post("/users").text("application/json", &too_large).send().await;
    let _ = answer.problem(413, "body_too_large");
    let answer = api.post("/users").text("application/json", &padded(256 * 1024)).send().await;
    let _ = answer.expect(201);
}

#[tokio::test]
async fn logging_in_answers_with_a_token_of_the_user() {
    let (api, _database) = start().await;
    let user = register(&api, anna()).await.expect(201).body;
    let answer = log_in(&api, "ANNA@example.com ", PASSWORD).await.expect(201);

    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.body["tokenType"], "Bearer");
    assert_eq!(answer.body["expiresIn"], 3600);
    assert_eq!(answer.body["user"], user);
    let key = signing_keys().current().await.unwrap();
    let token = answer.body["accessToken"].as_str().unwrap();
    let bearer = access_token::verify(&key, token).unwrap();
    assert_eq!(bearer.user_id.to_string(), user["id"].as_str().unwrap());
    assert_eq!(bearer.role.as_str(), "user");
}

#[tokio::test]
async fn tokens_are_signed_with_the_secret_that_secrets_manager_holds() {
    let secret = "what Secrets Manager holds, 32 bytes or more";
    evidence::token_secret(secret);
    let secrets = SecretsManager::start().await;
    secrets.put(secret, SystemTime::now());
    let mut config = Builder::from(&aws::emulator_config());
    config.set_endpoint_url(Some(secrets.url().to_owned()));
    let keys = SigningKeys::secrets_manager(Client::from_conf(config.build()), "token-secret");
    let database = Database::start().await;
    let api = Api::new(storefront_auth::app(database.table(), keys));

    let user = register(&api, anna()).await.expect(201).body;
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201).body;

    let token = session["accessToken"].as_str().unwrap();
    let bearer = access_token::verify(&SigningKey::new(secret).unwrap(), token).unwrap();
    assert_eq!(bearer.user_id.to_string(), user["id"].as_str().unwrap());
}

#[tokio::test]
async fn who_has_just_registered_logs_in_although_the_index_has_not_heard_of_them() {
    let database = Database::start().await;
    let api = Api::new(storefront_auth::app(database.table_with_late_index(), signing_keys()));
    let user = register(&api, anna()).await.expect(201).body;
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(session.body["user"], user);
}

#[tokio::test]
async fn a_log_in_does_not_go_by_the_index_whose_copy_of_the_password_may_be_old() {
    let (api, plan) = start_with_faults();
    let _ = register(&api, anna()).await.expect(201);
    plan.next("Query", 1, Fault::ServerError);
    let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 1, "nothing was queried");
}

#[tokio::test(start_paused = true)]
async fn a_log_in_that_could_not_be_decided_does_not_count() {
    for operation in ["GetItem", "UpdateItem"] {
        let (api, plan) = start_with_faults();
        let _ = register(&api, anna()).await.expect(201);
        for _ in 0..11 {
            plan.next(operation, 4, Fault::AppliedServerError);
            let answer = log_in(&api, "anna@example.com", PASSWORD).await;
            let answer = answer.problem(503, "unavailable");
            assert!(answer.header("retry-after").is_some());
            assert_eq!(plan.remaining(), 0);
        }
        let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    }
}

#[tokio::test(start_paused = true)]
async fn the_right_password_logs_in_although_the_failures_cannot_be_forgotten() {
    let (api, plan) = start_with_faults();
    let _ = register(&api, anna()).await.expect(201);
    plan.next("DeleteItem", 4, Fault::Reset);
    let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 0);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_answer_alike() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    let wrong = log_in(&api, "anna@example.com", "wrong password").await;
    let unknown = log_in(&api, "nobody@example.com", PASSWORD).await;
    let wrong = wrong.problem(401, "invalid_credentials");
    let unknown = unknown.problem(401, "invalid_credentials");
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.header("www-authenticate"), unknown.header("www-authenticate"));
}

#[tokio::test]
async fn ten_failures_lock_the_log_in_even_for_the_right_password() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    for _ in 0..10 {
        let answer = log_in(&api, "anna@example.com", "wrong password").await;
        let _ = answer.problem(401, "invalid_credentials");
    }
    let answer = log_in(&api, "anna@example.com", PASSWORD).await.problem(429, "too_many_logins");
    let retry_after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((890..=900).contains(&retry_after), "{retry_after}");

    let mut ben = anna();
    ben["email"] = "ben@example.com".into();
    let _ = register(&api, ben).await.expect(201);
    let _ = log_in(&api, "ben@example.com", PASSWORD).await.expect(201);
}

#[tokio::test]
async fn an_unknown_email_is_locked_like_a_known_one() {
    let (api, _database) = start().await;
    for _ in 0..10 {
        let answer = log_in(&api, "nobody@example.com", PASSWORD).await;
        let _ = answer.problem(401, "invalid_credentials");
    }
    let _ = log_in(&api, "nobody@example.com", PASSWORD).await.problem(429, "too_many_logins");
}

#[tokio::test]
async fn a_log_in_that_succeeds_forgives_the_failures_before_it() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    for _ in 0..2 {
        for _ in 0..9 {
            let _ = log_in(&api, "anna@example.com", "wrong password").await.expect(401);
        }
        let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_made_at_once_are_counted_one_by_one() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { log_in(&api, "anna@example.com", "wrong password").await })
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(statuses(&answers), [vec![401; 10], vec![429; 20]].concat());
}

#[tokio::test]
async fn what_is_served_nowhere_is_a_problem_too() {
    let (api, _database) = start().await;
    let _ = api.get("/nowhere").send().await.problem(404, "route_not_found");
    let answer = api.delete("/sessions").send().await.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_database_out_of_reach_is_503_and_says_nothing_of_itself() {
    let log = CapturedLog::start();
    let api = Api::new(storefront_auth::app(unreachable_table(), signing_keys()));
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
        assert!(cause.to_lowercase().contains("connect"), "down to its root: {cause}");
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

#[tokio::test]
async fn a_log_in_that_fails_is_counted_and_one_that_is_turned_away_unseen_is_not() {
    let database = Database::start().await;
    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let app = storefront_auth::app(database.table(), signing_keys());
    let api = Api::new(with_metrics(app, sink));
    let failures = || {
        let lines = metrics.take().into_iter();
        lines.filter(|line| line.get("LogInsFailed").is_some()).collect::<Vec<_>>()
    };
    let _ = register(&api, anna()).await.expect(201);
    let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(failures(), [] as [Value; 0]);

    for (email, password) in
        [("anna@example.com", "wrong password"), ("nobody@example.com", PASSWORD)]
    {
        let _ = log_in(&api, email, password).await.problem(401, "invalid_credentials");
        assert_eq!(
            failures(),
            [json!({
                "_aws": { "CloudWatchMetrics": [{
                    "Namespace": "storefront",
                    "Dimensions": [[]],
                    "Metrics": [{ "Name": "LogInsFailed", "Unit": "Count" }],
                }] },
                "LogInsFailed": 1,
                "function": "auth",
                "request_id": "JKJaXmPLvHcESHA=",
            })]
        );
    }

    for _ in 0..9 {
        let _ = log_in(&api, "anna@example.com", "wrong password").await.expect(401);
    }
    assert_eq!(failures().len(), 9);
    let _ = log_in(&api, "anna@example.com", PASSWORD).await.problem(429, "too_many_logins");
    assert_eq!(failures(), [] as [Value; 0]);
}
