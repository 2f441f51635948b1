use std::process::Stdio;

use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, TABLE_NAME};
use storefront_core::{AccountMailKind, MailTokens, Table, Timestamp, Users, aws};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::{Answer, PATIENCE, cloud, command, storefront_ops};

async fn make_admin(cloud: &LocalCloud, table: &str, email: &str) -> Answer {
    let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB", cloud.dynamodb_url());
    storefront_ops(&["make-admin", "--yes", "--table", table, email], &[endpoint]).await
}

/// Does the same without `--yes`, and answers what it asks.
async fn make_admin_answering(cloud: &LocalCloud, email: &str, answer: &str) -> Answer {
    let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB", cloud.dynamodb_url());
    let mut command = command(&["make-admin", "--table", TABLE_NAME, email], &[endpoint]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(answer.as_bytes()).await.unwrap();
    let output = timeout(PATIENCE, running.wait_with_output()).await.expect("it exits in time");
    Answer::from(output.unwrap())
}

async fn post(cloud: &LocalCloud, path: &str, body: Value) -> Value {
    let url = format!("{}{path}", cloud.api_url());
    let response = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

/// Verifies the email of a user, with a token as a mail has it.
async fn verify(cloud: &LocalCloud, user: &Value) {
    let client = aws::dynamodb(&aws::emulator_config(), Some(cloud.dynamodb_url().to_owned()));
    let table = Table::new(client, TABLE_NAME);
    let id = user["id"].as_str().unwrap().parse().unwrap();
    let to = Users::new(table.clone()).recipient(id).await.unwrap().unwrap();
    let tokens = MailTokens::new(table);
    let token = tokens.issue(AccountMailKind::Verification, &to, Timestamp::now()).await.unwrap();
    tokens.verify_email(&token).await.unwrap();
}

#[tokio::test]
async fn a_registered_user_becomes_an_administrator_once() {
    let cloud = cloud().await;
    let password = "correct horse";
    let grace = json!({ "email": "grace@example.com", "password": password, "name": "Grace" });
    post(&cloud, "/users", grace).await;

    let first = make_admin(&cloud, TABLE_NAME, " Grace@Example.com ").await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.contains("grace@example.com"), "{first:?}");
    let again = make_admin(&cloud, TABLE_NAME, "grace@example.com").await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("already"), "{again:?}");

    let log_in = json!({ "email": "grace@example.com", "password": password });
    let session = post(&cloud, "/sessions", log_in).await;
    assert_eq!(session["user"]["role"], "admin");
    assert_eq!(session["user"]["version"], 2, "the second run changed nothing");
}

#[tokio::test]
async fn the_operator_sees_who_it_is_and_is_asked() {
    let cloud = cloud().await;
    let new = json!({ "email": "grace@example.com", "password": "correct horse", "name": "Grace" });
    let user = post(&cloud, "/users", new).await;
    let created_at = user["createdAt"].as_str().unwrap().to_owned();
    for no in ["", "\n", "n\n", "maybe\n"] {
        let answer = make_admin_answering(&cloud, "grace@example.com", no).await;
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert!(answer.stderr.contains("nothing was changed"), "{answer:?}");
        for shown in ["grace@example.com", "\"Grace\"", &created_at, "NOT verified"] {
            assert!(answer.stdout.contains(shown), "{answer:?}");
        }
    }
    verify(&cloud, &user).await;
    let answer = make_admin_answering(&cloud, "grace@example.com", "n\n").await;
    assert!(answer.stdout.contains("the email is verified"), "{answer:?}");
    let answer = make_admin_answering(&cloud, "grace@example.com", "y\n").await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stdout.contains("is an administrator"), "{answer:?}");
    // Who is one already is not asked about.
    let answer = make_admin_answering(&cloud, "grace@example.com", "").await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
}

#[tokio::test]
async fn an_unknown_email_is_told_to_register_first() {
    let cloud = cloud().await;
    let answer = make_admin(&cloud, TABLE_NAME, "nobody@example.com").await;
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("nobody@example.com"), "{answer:?}");
    assert!(answer.stderr.contains("POST /users"), "{answer:?}");
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let cloud = cloud().await;
    let answer = make_admin(&cloud, "elsewhere", "ada@example.com").await;
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("the table elsewhere"), "{answer:?}");
    assert!(answer.stderr.contains("ResourceNotFoundException"), "{answer:?}");
}

#[tokio::test]
async fn an_invalid_email_is_a_usage_error() {
    let answer = storefront_ops(&["make-admin", "--table", "storefront", "grace"], &[]).await;
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("must be an email address"), "{answer:?}");
}
