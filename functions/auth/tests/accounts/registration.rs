//! POST /users.

use futures_util::future::join_all;
use serde_json::json;
use storefront_testing::Answer;

use crate::{PASSWORD, anna, log_in, register, start, statuses};

#[tokio::test]
async fn registering_returns_the_user_and_never_the_password() {
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
            "emailVerified": false,
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
async fn one_of_24_concurrent_registrations_of_an_email_wins() {
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
async fn a_user_gets_the_language_that_the_browser_asks_for_if_the_shop_writes_in_it() {
    let (api, _database) = start().await;
    for (number, (header, locale)) in
        [("de-AT, de;q=0.9, en;q=0.8", Some("de")), ("fr, en;q=0.5", Some("en")), ("fr, *", None)]
            .into_iter()
            .enumerate()
    {
        let mut body = anna();
        body["email"] = format!("anna-{number}@example.com").into();
        let request = api.post("/users").header("accept-language", header).json(body);
        let answer = request.send().await.expect(201);
        assert_eq!(answer.body["locale"], json!(locale), "{header}");
    }
}
