//! The authorizer's decisions, as the gateway gets them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_authorizer::Authorizer;
use storefront_core::{Role, SessionId, Sessions, UserId, Users, aws};
use storefront_credentials::access_token::{self, Bearer};
use storefront_credentials::{SigningKey, SigningKeys};
use storefront_testing::{
    CapturedLog, Database, Persona, SecretsManager, evidence, unreachable_table,
};

const SECRET: &str = "a secret of the tests, 32 bytes or more";

fn token(secret: &str, bearer: Bearer) -> String {
    evidence::token_secret(secret);
    access_token::issue(&SigningKey::new(secret).unwrap(), bearer).unwrap()
}

fn admin() -> Bearer {
    Bearer { user_id: UserId::new(), role: Role::Admin, session_id: Some(SessionId::new()) }
}

fn event(authorization: &str) -> Value {
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:api-id/$default/GET/users/me",
        "identitySource": [authorization],
        "routeKey": "GET /users/{userId}",
        "rawPath": "/users/me",
        "rawQueryString": "",
        "headers": { "authorization": authorization },
        "requestContext": { "requestId": "JKJaXmPLvHcESHA=", "stage": "$default" },
    })
}

async fn decide(event: &Value) -> Value {
    decide_with(&authorizer(), event).await
}

async fn decide_with(authorizer: &Authorizer, event: &Value) -> Value {
    evidence::start();
    evidence::payload(event);
    let mut context = Context::default();
    context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
    context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".to_owned());
    let event = LambdaEvent::new(event.clone(), context);
    serde_json::to_value(authorizer.authorize(event).await).unwrap()
}

fn authorizer() -> Authorizer {
    Authorizer::new(SigningKeys::fixed(SECRET).unwrap())
}

fn refused() -> Value {
    json!({ "isAuthorized": false })
}

#[tokio::test]
async fn a_valid_token_tells_the_function_who_the_caller_is() {
    let admin = admin();
    assert_eq!(
        decide(&event(&format!("Bearer {}", token(SECRET, admin)))).await,
        json!({
            "isAuthorized": true,
            "context": {
                "userId": admin.user_id.to_string(),
                "role": "admin",
                "sessionId": admin.session_id.unwrap().to_string(),
            },
        })
    );
}

#[tokio::test]
async fn a_token_of_version_0_1_names_no_session() {
    let admin = Bearer { session_id: None, ..admin() };
    assert_eq!(
        decide(&event(&format!("Bearer {}", token(SECRET, admin)))).await,
        json!({
            "isAuthorized": true,
            "context": { "userId": admin.user_id.to_string(), "role": "admin" },
        })
    );
}

#[tokio::test]
async fn if_it_is_to_revoke_immediately_a_session_that_is_over_is_refused_at_once() {
    let database = Database::start().await;
    let (users, sessions) = (Users::new(database.table()), Sessions::new(database.table()));
    let persona = Persona::registered(&database.table(), Role::User).await;
    let user = users.find_now(persona.user_id).await.unwrap().unwrap();
    let session = sessions.begin(&user, None).await.unwrap();
    let authorizer = authorizer().revoking_immediately(sessions.clone());
    let bearer = Bearer { user_id: user.id, role: Role::User, session_id: Some(session.id) };
    let event_of = |bearer| event(&format!("Bearer {}", token(SECRET, bearer)));
    assert_eq!(decide_with(&authorizer, &event_of(bearer)).await["isAuthorized"], true);
    for other in [
        Bearer { session_id: None, ..bearer },
        Bearer { session_id: Some(SessionId::new()), ..bearer },
        Bearer { user_id: UserId::new(), ..bearer },
    ] {
        assert_eq!(decide_with(&authorizer, &event_of(other)).await, refused(), "{other:?}");
    }
    sessions.end(user.id, session.id).await.unwrap();
    assert_eq!(decide_with(&authorizer, &event_of(bearer)).await, refused());
    assert_eq!(decide(&event_of(bearer)).await["isAuthorized"], true, "otherwise until it expires");
}

#[tokio::test]
async fn a_session_that_cannot_be_looked_up_is_refused_and_the_cause_logged() {
    let log = CapturedLog::start();
    let authorizer = authorizer().revoking_immediately(Sessions::new(unreachable_table()));
    let event = event(&format!("Bearer {}", token(SECRET, admin())));
    assert_eq!(decide_with(&authorizer, &event).await, refused());
    let line = &log.lines("request served")[0];
    assert_eq!((&line["level"], &line["outcome"]), (&"ERROR".into(), &"refused".into()));
    assert_eq!(line["reason"], "its session could not be looked up");
    assert!(line["cause"].as_str().unwrap().starts_with("DynamoDB is unavailable: "), "{line}");
}

#[tokio::test]
async fn the_case_of_the_scheme_does_not_matter() {
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let decision = decide(&event(&format!("{scheme} {}", token(SECRET, admin())))).await;
        assert_eq!(decision["isAuthorized"], true, "{scheme}");
    }
}

#[tokio::test]
async fn the_header_is_used_if_there_is_no_identity_source() {
    let mut event = event("");
    event.as_object_mut().unwrap().remove("identitySource");
    event["headers"] = json!({ "Authorization": format!("Bearer {}", token(SECRET, admin())) });
    assert_eq!(decide(&event).await["isAuthorized"], true);
}

#[tokio::test]
async fn the_identity_source_takes_precedence_over_the_header() {
    let mut event = event("Bearer nonsense");
    event["headers"]["authorization"] = format!("Bearer {}", token(SECRET, admin())).into();
    assert_eq!(decide(&event).await, refused());
}

#[tokio::test]
async fn an_invalid_request_is_refused_and_never_an_error() {
    let good = token(SECRET, admin());
    let forged = token("another secret, which is not the suite's", admin());
    for authorization in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer not.a.token",
        &good,
        &format!("Basic {good}"),
        &format!("Bearer{good}"),
        &format!("Bearer {good} {good}"),
        &format!("Bearer {good}, Bearer {good}"),
        &format!("Bearer {forged}"),
        "Bearer \0nonsense",
        "Bearer äöü.äöü.äöü",
    ] {
        assert_eq!(decide(&event(authorization)).await, refused(), "{authorization:?}");
    }
    for event in [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({ "identitySource": [] }),
        json!({ "identitySource": [null] }),
        json!({ "identitySource": [{}] }),
        json!({ "headers": { "authorization": 7 } }),
    ] {
        assert_eq!(decide(&event).await, refused(), "{event}");
    }
}

#[tokio::test]
async fn a_rotation_of_the_secret_logs_nobody_out() {
    let secrets = SecretsManager::start().await;
    let minutes_ago = |minutes| SystemTime::now() - Duration::from_mins(minutes);
    secrets.put(SECRET, minutes_ago(90));
    let mut config = Builder::from(&aws::emulator_config());
    config.set_endpoint_url(Some(secrets.url().to_owned()));
    let client = Client::from_conf(config.build());
    let environment =
        || Authorizer::new(SigningKeys::secrets_manager(client.clone(), "token-secret"));
    let is_let_through = async |authorizer: &Authorizer, secret: &str| {
        let event = event(&format!("Bearer {}", token(secret, admin())));
        decide_with(authorizer, &event).await["isAuthorized"] == true
    };

    let before = environment();
    assert!(is_let_through(&before, SECRET).await);
    let rotated = "the secret after the rotation, 32 bytes";
    secrets.put(rotated, minutes_ago(15));
    for authorizer in [before, environment()] {
        assert!(is_let_through(&authorizer, rotated).await);
        assert!(is_let_through(&authorizer, SECRET).await);
        assert!(!is_let_through(&authorizer, "another secret, which is not the suite's").await);
    }

    secrets.put("the secret after the second rotation", minutes_ago(25));
    assert!(!is_let_through(&environment(), rotated).await, "rotated more than 20 minutes ago");
}

#[tokio::test]
async fn each_request_logs_one_line_with_the_decision_and_its_reason_but_no_token() {
    let log = CapturedLog::start();
    let authorizer = authorizer();
    let (forged, admin) = (token("another secret, which is not the suite's", admin()), admin());
    decide_with(&authorizer, &event(&format!("Bearer {forged}"))).await;
    decide_with(&authorizer, &event(&format!("Bearer {}", token(SECRET, admin)))).await;
    decide_with(&authorizer, &json!({})).await;

    let served = log.lines("request served");
    assert_eq!(served.len(), 3);
    assert_eq!(served.len(), log.text().lines().count(), "{}", log.text());
    assert_eq!(
        (&served[0]["outcome"], &served[0]["cold_start"]),
        (&json!("refused"), &json!(true))
    );
    assert_eq!(served[0]["reason"], "wrong signature");
    assert_eq!(
        served[0]["span"],
        json!({
            "name": "request",
            "function": "authorizer",
            "request_id": "JKJaXmPLvHcESHA=",
            "lambda_request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        })
    );
    assert_eq!(
        (&served[1]["outcome"], &served[1]["cold_start"]),
        (&json!("let through"), &json!(false))
    );
    assert_eq!(served[1]["user_id"], admin.user_id.to_string());
    assert!(served[1].get("reason").is_none());
    assert!(served[1]["latency_ms"].is_f64());
    assert_eq!(served[2]["reason"], "no bearer token");
    assert_eq!(served[2]["span"]["request_id"], "8f507cfc-xmpl-4697-b07a-ac58fc914c95");
    assert!(served[2]["span"].get("lambda_request_id").is_none());
    assert!(!log.text().contains("eyJ"), "{}", log.text());
}
