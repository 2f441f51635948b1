//! /sessions: refreshing, listing and ending them.

use serde_json::{Value, json};
use storefront_core::{Role, UserId};
use storefront_credentials::access_token::Bearer;
use storefront_http::{MetricSink, with_metrics};
use storefront_testing::faults::Fault;
use storefront_testing::{Answer, Api, CapturedLog, CapturedMetrics, Database, Request};
use utoipa::OpenApi as _;

use crate::{
    ApiDoc, ByMail, PASSWORD, anna, log_in, register, signing_keys, start, start_with_faults,
};

async fn refresh(api: &Api, refresh_token: &Value) -> Answer {
    api.post("/sessions/refresh").json(json!({ "refreshToken": refresh_token })).send().await
}

/// Registers Anna and logs her in.
async fn session(api: &Api) -> Value {
    let _ = register(api, anna()).await.expect(201);
    log_in_again(api).await
}

async fn log_in_again(api: &Api) -> Value {
    log_in(api, "anna@example.com", PASSWORD).await.expect(201).body
}

async fn bearer(tokens: &Value) -> Bearer {
    signing_keys().verify(tokens["accessToken"].as_str().unwrap()).await.unwrap()
}

/// What the authorizer tells the gateway of these tokens.
async fn with(tokens: &Value, request: Request) -> Answer {
    let Bearer { user_id, role, session_id } = bearer(tokens).await;
    let context = json!({ "userId": user_id, "role": role, "sessionId": session_id });
    request.authorized(context).send().await
}

#[tokio::test]
async fn a_session_is_refreshed_for_new_tokens_of_the_same_session() {
    let (api, _database) = start().await;
    let first = session(&api).await;
    let answer = refresh(&api, &first["refreshToken"]).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let second = answer.body;
    assert_eq!((&second["user"], &second["expiresIn"]), (&first["user"], &json!(900)));
    assert_ne!(second["refreshToken"], first["refreshToken"]);
    let left = second["refreshExpiresIn"].as_i64().unwrap();
    assert!((2_591_990..=2_592_000).contains(&left), "{left}");
    assert_eq!(bearer(&second).await.session_id, bearer(&first).await.session_id);
    let _ = refresh(&api, &second["refreshToken"]).await.expect(200);
}

#[tokio::test]
async fn a_role_that_was_given_counts_from_the_next_refresh() {
    let (api, database) = start().await;
    let tokens = session(&api).await;
    let Bearer { user_id, role, .. } = bearer(&tokens).await;
    assert_eq!(role, Role::User);
    let users = storefront_core::Users::new(database.table());
    users.assign_role(user_id, Role::Admin, None, UserId::new()).await.unwrap();
    let refreshed = refresh(&api, &tokens["refreshToken"]).await.expect(200).body;
    assert_eq!(bearer(&refreshed).await.role, Role::Admin);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_lost_the_answer_gets_the_same_refresh_token_again() {
    let (api, plan) = start_with_faults();
    let first = session(&api).await;
    plan.next("UpdateItem", 4, Fault::AppliedReset);
    let lost = refresh(&api, &first["refreshToken"]).await.problem(503, "unavailable");
    assert!(lost.header("retry-after").is_some());
    let tries = [
        refresh(&api, &first["refreshToken"]).await.expect(200).body,
        refresh(&api, &first["refreshToken"]).await.expect(200).body,
    ];
    assert_eq!(tries[0]["refreshToken"], tries[1]["refreshToken"]);
    let _ = refresh(&api, &tries[0]["refreshToken"]).await.expect(200);
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_and_is_counted() {
    let database = Database::start().await;
    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let app = storefront_auth::app(database.table(), signing_keys(), ByMail::default());
    let api = Api::new(with_metrics(app, sink), ApiDoc::openapi);
    let log = CapturedLog::start();
    let stolen = session(&api).await["refreshToken"].clone();
    let owners = refresh(&api, &stolen).await.expect(200).body["refreshToken"].clone();
    let owners = refresh(&api, &owners).await.expect(200).body["refreshToken"].clone();
    let is_counted = || metrics.take().iter().any(|line| line.get("RefreshTokensReused").is_some());
    assert!(!is_counted());
    let _ = refresh(&api, &stolen).await.problem(401, "session_over");
    assert!(is_counted());
    let _ = refresh(&api, &owners).await.problem(401, "session_over");
    assert!(!is_counted(), "the session is over already");
    assert_eq!(log.lines("a refresh token was used again, and its session ended").len(), 1);
    for token in [&stolen, &owners] {
        assert!(!log.text().contains(token.as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused_and_reads_nothing() {
    let (api, plan) = start_with_faults();
    let tokens = session(&api).await;
    plan.next("GetItem", 1, Fault::ServerError);
    let forged = {
        let mut token = tokens["refreshToken"].as_str().unwrap().to_owned();
        token.replace_range(..10, "AAAAAAAAAA");
        token
    };
    for token in ["", "not.a.token", tokens["accessToken"].as_str().unwrap(), &forged] {
        let answer = refresh(&api, &token.into()).await.problem(401, "session_over");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }
    let answer = refresh(&api, &"x".repeat(2049).into()).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/refreshToken"]);
    for body in [json!({}), json!({ "refreshToken": 1 }), json!({ "refreshToken": null })] {
        let _ = api.post("/sessions/refresh").json(body).send().await.problem(422, "invalid_body");
    }
    assert_eq!(plan.remaining(), 1);
}

#[tokio::test]
async fn a_user_sees_their_sessions_and_ends_one() {
    let (api, _database) = start().await;
    let phone = session(&api).await;
    let laptop = api
        .post("/sessions")
        .header("user-agent", "Mozilla/5.0 (a laptop)")
        .json(json!({ "email": "anna@example.com", "password": PASSWORD }));
    let laptop = laptop.send().await.expect(201).body;
    let list = with(&laptop, api.get("/sessions")).await.expect(200).body;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["current"], true);
    assert_eq!(items[0]["userAgent"], "Mozilla/5.0 (a laptop)");
    assert_eq!((&items[1]["current"], items[1].get("userAgent")), (&json!(false), None));

    let path = format!("/sessions/{}", items[1]["id"].as_str().unwrap());
    for _ in 0..2 {
        let _ = with(&laptop, api.delete(&path)).await.expect(204);
    }
    let _ = refresh(&api, &phone["refreshToken"]).await.problem(401, "session_over");
    let _ = refresh(&api, &laptop["refreshToken"]).await.expect(200);
    let _ = with(&laptop, api.delete("/sessions/current")).await.expect(204);
    let _ = refresh(&api, &laptop["refreshToken"]).await.problem(401, "session_over");
    for nothing in ["not-an-id", "01930000-0000-7000-8000-000000000301"] {
        let request = api.delete(format!("/sessions/{nothing}"));
        let _ = with(&laptop, request).await.problem(404, "session_not_found");
    }
}

#[tokio::test]
async fn a_user_ends_all_sessions_at_once() {
    let (api, _database) = start().await;
    let tokens = [session(&api).await, log_in_again(&api).await];
    let _ = with(&tokens[0], api.delete("/sessions")).await.expect(204);
    for tokens in &tokens {
        let _ = refresh(&api, &tokens["refreshToken"]).await.problem(401, "session_over");
    }
    let list = with(&tokens[0], api.get("/sessions")).await.expect(200).body;
    assert_eq!(list, json!({ "items": [] }));
}

#[tokio::test]
async fn a_token_of_version_0_1_has_no_session_and_may_list_and_end_those_there_are() {
    let (api, _database) = start().await;
    let tokens = session(&api).await;
    let Bearer { user_id, role, .. } = bearer(&tokens).await;
    let context = || json!({ "userId": user_id, "role": role });
    let list = api.get("/sessions").authorized(context()).send().await.expect(200).body;
    assert_eq!(list["items"][0]["current"], false);
    let current = api.delete("/sessions/current").authorized(context()).send().await;
    let _ = current.problem(404, "session_not_found");
    let _ = api.delete("/sessions").authorized(context()).send().await.expect(204);
    let _ = refresh(&api, &tokens["refreshToken"]).await.problem(401, "session_over");
}

#[tokio::test]
async fn what_a_client_calls_itself_is_kept_as_one_short_line() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    let long = "x".repeat(5000);
    let mut expected = Vec::new();
    for (sent, kept) in [
        ("curl/8.5.0", Some("curl/8.5.0")),
        (" \t ", None),
        ("a\tb", Some("a b")),
        (long.as_str(), Some(&long[..200])),
        ("caf\u{e9}", None),
    ] {
        let credentials = json!({ "email": "anna@example.com", "password": PASSWORD });
        let request = api.post("/sessions").header("user-agent", sent).json(credentials);
        let _ = request.send().await.expect(201);
        expected.insert(0, kept);
    }
    let tokens = log_in_again(&api).await;
    let list = with(&tokens, api.get("/sessions")).await.expect(200).body;
    let items = list["items"].as_array().unwrap();
    let found: Vec<_> = items[1..].iter().map(|item| item["userAgent"].as_str()).collect();
    assert_eq!(found, expected);
}
