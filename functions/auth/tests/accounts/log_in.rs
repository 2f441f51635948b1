//! POST /sessions.

use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use futures_util::future::join_all;
use serde_json::{Value, json};
use storefront_auth::{ApiDoc, ByMail};
use storefront_core::aws;
use storefront_credentials::SigningKeys;
use storefront_credentials::access_token::Bearer;
use storefront_http::{MetricSink, with_metrics};
use storefront_testing::faults::Fault;
use storefront_testing::{Answer, Api, CapturedMetrics, Database, SecretsManager, evidence};
use utoipa::OpenApi as _;

use crate::{PASSWORD, anna, log_in, register, signing_keys, start, start_with_faults, statuses};

#[tokio::test]
async fn logging_in_answers_with_a_token_of_the_user() {
    let (api, _database) = start().await;
    let user = register(&api, anna()).await.expect(201).body;
    let answer = log_in(&api, "ANNA@example.com ", PASSWORD).await.expect(201);

    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.body["tokenType"], "Bearer");
    assert_eq!(answer.body["expiresIn"], 900);
    assert_eq!(answer.body["user"], user);
    let token = answer.body["accessToken"].as_str().unwrap();
    let bearer: Bearer = signing_keys().verify(token).await.unwrap();
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
    let api =
        Api::new(storefront_auth::app(database.table(), keys, ByMail::default()), ApiDoc::openapi);

    let user = register(&api, anna()).await.expect(201).body;
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201).body;

    let token = session["accessToken"].as_str().unwrap();
    let bearer: Bearer = SigningKeys::fixed(secret).unwrap().verify(token).await.unwrap();
    assert_eq!(bearer.user_id.to_string(), user["id"].as_str().unwrap());
}

#[tokio::test]
async fn a_new_user_logs_in_even_if_the_index_does_not_have_them_yet() {
    let database = Database::start().await;
    let api = Api::new(
        storefront_auth::app(database.table_with_late_index(), signing_keys(), ByMail::default()),
        ApiDoc::openapi,
    );
    let user = register(&api, anna()).await.expect(201).body;
    let session = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(session.body["user"], user);
}

#[tokio::test]
async fn a_log_in_does_not_use_the_index_whose_password_hash_may_be_outdated() {
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
async fn the_right_password_logs_in_even_if_the_failures_cannot_be_forgotten() {
    let (api, plan) = start_with_faults();
    let _ = register(&api, anna()).await.expect(201);
    plan.next("DeleteItem", 4, Fault::Reset);
    let _ = log_in(&api, "anna@example.com", PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 0);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_get_the_same_answer() {
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
async fn a_successful_log_in_forgets_the_failures_before_it() {
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
async fn concurrent_guesses_are_all_counted() {
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
async fn the_metric_counts_failed_log_ins_but_not_those_rejected_unchecked() {
    let database = Database::start().await;
    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let app = storefront_auth::app(database.table(), signing_keys(), ByMail::default());
    let api = Api::new(with_metrics(app, sink), ApiDoc::openapi);
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
