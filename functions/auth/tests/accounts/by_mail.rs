//! What is done by mail: verifying an email, and setting a new password.

use futures_util::future::join_all;
use serde_json::{Value, json};
use storefront_core::{
    AccountMail, AccountMailKind, MailTokens, Registrations, RequestedMail, Table, Timestamp,
    UserId, Users,
};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Answer, Api, CapturedLog, Database, Persona, evidence};
use utoipa::OpenApi as _;

use crate::sqs::{self, Sqs};
use crate::{ApiDoc, ByMail, PASSWORD, anna, log_in, register, signing_keys, start, statuses};

const NEW_PASSWORD: &str = "another horse battery";

/// The function with a queue, on a table.
struct Shop {
    api: Api,
    sqs: Sqs,
    table: Table,
}

impl Shop {
    async fn on(table: Table) -> Self {
        Self::with(table, false).await
    }

    async fn with(table: Table, registers: bool) -> Self {
        let sqs = Sqs::start().await;
        let by_mail = ByMail { account_mails: Some(sqs.queue()), registers };
        let app = storefront_auth::app(table.clone(), signing_keys(), by_mail);
        Self { api: Api::new(app, ApiDoc::openapi), sqs, table }
    }

    async fn open() -> (Self, Database) {
        let database = Database::start().await;
        (Self::on(database.table()).await, database)
    }

    async fn ask_for_reset(&self, email: &str) -> Answer {
        self.api.post("/password-resets").json(json!({ "email": email })).send().await
    }

    /// The token of a mail to the user with this id.
    async fn token(&self, mail: AccountMailKind, user_id: UserId) -> String {
        let to = Users::new(self.table.clone()).recipient(user_id).await.unwrap().unwrap();
        let tokens = MailTokens::new(self.table.clone());
        let token = tokens.issue(mail, &to, Timestamp::now()).await.unwrap();
        evidence::mail_token(token.expose());
        token.expose().to_owned()
    }

    async fn register_anna(&self) -> UserId {
        let user = register(&self.api, anna()).await.expect(201).body;
        assert_eq!(user["emailVerified"], false);
        user["id"].as_str().unwrap().parse().unwrap()
    }

    async fn confirm(&self, token: &str, password: &str) -> Answer {
        let body = json!({ "token": token, "password": password });
        self.api.post("/password-resets/confirm").json(body).send().await
    }

    async fn verify(&self, token: &str) -> Answer {
        self.api.post("/verifications").json(json!({ "token": token })).send().await
    }
}

/// A message of the queue, without what differs each time.
fn requested(message: &Value) -> RequestedMail {
    serde_json::from_value::<AccountMail>(message.clone()).unwrap().mail
}

#[tokio::test]
async fn a_reset_is_asked_for_without_a_look_at_the_table_whoever_has_the_email() {
    let plan = Plan::none();
    let shop = Shop::on(FaultyDynamoDb::start().table(&plan)).await;
    shop.register_anna().await;
    // Whatever asks the table fails.
    plan.next("GetItem", 1, Fault::ServerError);
    plan.next("Query", 1, Fault::ServerError);
    let log = CapturedLog::start();
    let mut answers = Vec::new();
    for email in [" Anna@Example.COM ", "nobody@example.com"] {
        answers.push(shop.ask_for_reset(email).await.expect(202));
    }
    assert_eq!(answers[0].body, answers[1].body);
    assert_eq!(plan.remaining(), 2);
    for line in log.lines("request served") {
        assert_eq!(line["requests"], 0, "{line}");
    }
    let messages = shop.sqs.messages();
    let emails = ["anna@example.com", "nobody@example.com"];
    let expected =
        emails.map(|email| RequestedMail::PasswordReset { email: email.parse().unwrap() });
    assert_eq!(messages.iter().map(requested).collect::<Vec<_>>(), expected);
    assert_ne!(messages[0]["id"], messages[1]["id"]);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_with_the_token_of_a_mail() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.register_anna().await;
    let before = log_in(&shop.api, "anna@example.com", PASSWORD).await.expect(201).body;
    let token = shop.token(AccountMailKind::PasswordReset, anna).await;
    let log = CapturedLog::start();
    let _ = shop.confirm(&token, NEW_PASSWORD).await.expect(204);
    let _ = shop.confirm(&token, PASSWORD).await.problem(422, "mail_token_invalid");
    let _ =
        log_in(&shop.api, "anna@example.com", PASSWORD).await.problem(401, "invalid_credentials");
    let after = log_in(&shop.api, "anna@example.com", NEW_PASSWORD).await.expect(201).body;
    assert_eq!(after["user"]["emailVerified"], true);
    let refresh = json!({ "refreshToken": before["refreshToken"] });
    let refreshed = shop.api.post("/sessions/refresh").json(refresh).send().await;
    let _ = refreshed.problem(401, "session_over");
    let text = log.text();
    for secret in [&*token, NEW_PASSWORD, PASSWORD, "anna@"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn a_verification_is_asked_for_by_the_user_and_shown_from_then_on() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.register_anna().await;
    let caller = Persona { user_id: anna, role: storefront_core::Role::User };
    let _ = shop.api.post("/users/me/verification").by(caller).send().await.expect(202);
    let _ = shop.api.post("/users/me/verification").send().await.problem(401, "unauthenticated");
    let [message] = &shop.sqs.messages()[..] else { panic!("one message") };
    assert_eq!(requested(message), RequestedMail::Verification { user_id: anna });
    let token = shop.token(AccountMailKind::Verification, anna).await;
    let reset = shop.token(AccountMailKind::PasswordReset, anna).await;
    let _ = shop.verify(&reset).await.problem(422, "mail_token_invalid");
    let _ = shop.confirm(&token, NEW_PASSWORD).await.problem(422, "mail_token_invalid");
    let _ = shop.verify(&token).await.expect(204);
    let session = log_in(&shop.api, "anna@example.com", PASSWORD).await.expect(201).body;
    assert_eq!(
        (&session["user"]["emailVerified"], &session["user"]["version"]),
        (&json!(true), &json!(2))
    );
    let _ = shop.verify(&token).await.problem(422, "mail_token_invalid");
}

#[tokio::test]
async fn a_shop_that_sends_no_mails_says_so() {
    let (api, _database) = start().await;
    let body = json!({ "email": "anna@example.com" });
    let _ = api.post("/password-resets").json(body).send().await.problem(404, "mail_disabled");
    let answer = api.post("/users/me/verification").by(Persona::user()).send().await;
    let _ = answer.problem(404, "mail_disabled");
}

#[tokio::test]
async fn what_passes_at_the_queue_is_tried_again_and_what_does_not_is_503() {
    let (shop, _database) = Shop::open().await;
    let log = CapturedLog::start();
    let lost = sqs::Answer::KeepAndBreakOff;
    let busy = sqs::Answer::Fail(503, "ServiceUnavailable");
    shop.sqs.answer_next([lost, busy]);
    let _ = shop.ask_for_reset("anna@example.com").await.expect(202);
    let messages = shop.sqs.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], messages[1], "the same request, so one mail");
    assert_eq!(shop.sqs.requests(), 3);

    shop.sqs.answer_next([busy; 3]);
    let answer = shop.ask_for_reset("anna@example.com").await.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(shop.sqs.requests(), 6);
    shop.sqs.answer_next([sqs::Answer::Fail(403, "AccessDenied")]);
    let _ = shop.ask_for_reset("anna@example.com").await.problem(503, "unavailable");
    assert_eq!(shop.sqs.requests(), 7, "another try would not help");
    assert!(!log.text().contains("anna@"), "{}", log.text());
    assert!(log.text().contains("HTTP status 403, AccessDenied"), "{}", log.text());
}

#[tokio::test]
async fn an_unknown_token_writes_nothing() {
    let plan = Plan::none();
    let shop = Shop::on(FaultyDynamoDb::start().table(&plan)).await;
    let anna = shop.register_anna().await;
    let token = shop.token(AccountMailKind::PasswordReset, anna).await;
    // A write would be seen.
    plan.next("TransactWriteItems", 1, Fault::ServerError);
    let unknown = "qLX0pIuqQmuJvDzKIVWZ6s2mfdMA9hbVvj6DoEJ0t4k";
    let _ = shop.confirm(unknown, NEW_PASSWORD).await.problem(422, "mail_token_invalid");
    assert_eq!(plan.remaining(), 1);
    let _ = shop.confirm(&token, NEW_PASSWORD).await.expect(204);
    assert_eq!(plan.remaining(), 0);
}

#[tokio::test]
async fn what_is_no_token_or_no_password_is_refused_field_by_field() {
    let (shop, _database) = Shop::open().await;
    let answer = shop.confirm("", "2short!").await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/password", "/token"]);
    let answer = shop.verify(&"x".repeat(129)).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/token"]);
    for body in [json!({}), json!({ "token": 1 }), json!({ "token": null }), json!([])] {
        let _ =
            shop.api.post("/verifications").json(body).send().await.problem(422, "invalid_body");
    }
    let _ = shop.ask_for_reset("anna.example").await.problem(422, "invalid_body");
    for token in ["\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}", "éééééé", "../../token", "' OR 1=1"] {
        let _ = shop.verify(token).await.problem(422, "mail_token_invalid");
    }
    assert_eq!(shop.sqs.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_token_at_once_one_sets_the_password() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.register_anna().await;
    let token = shop.token(AccountMailKind::PasswordReset, anna).await;
    let passwords: Vec<_> = (0..8).map(|n| format!("{NEW_PASSWORD} {n}")).collect();
    let answers = join_all(passwords.iter().map(|new| shop.confirm(&token, new))).await;
    assert_eq!(statuses(&answers), [vec![204], vec![422; 7]].concat());
    let won = answers.iter().position(|answer| answer.status == 204).unwrap();
    let _ = log_in(&shop.api, "anna@example.com", &passwords[won]).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_reset_whose_answer_was_lost_has_set_the_password() {
    let plan = Plan::none();
    let shop = Shop::on(FaultyDynamoDb::start().table(&plan)).await;
    let anna = shop.register_anna().await;
    let token = shop.token(AccountMailKind::PasswordReset, anna).await;
    plan.next("TransactWriteItems", 1, Fault::AppliedReset);
    let _ = shop.confirm(&token, NEW_PASSWORD).await.expect(204);
    let _ = log_in(&shop.api, "anna@example.com", NEW_PASSWORD).await.expect(201);
}

#[tokio::test]
async fn a_registration_asks_the_table_the_same_whether_or_not_the_email_is_taken() {
    let (shop, _database) = Shop::open().await;
    let log = CapturedLog::start();
    let _ = register(&shop.api, anna()).await.expect(201);
    let _ = register(&shop.api, anna()).await.expect(409);
    let served = log.lines("request served");
    let requests: Vec<_> = served.iter().map(|line| line["requests"].clone()).collect();
    assert_eq!(requests, [json!(1), json!(1)]);
}

#[tokio::test]
async fn a_shop_that_registers_by_mail_does_not_tell_who_is_registered() {
    let database = Database::start().await;
    let shop = Shop::with(database.table(), true).await;
    let users = Users::new(database.table());
    let log = CapturedLog::start();
    let first = register(&shop.api, anna()).await.expect(202);
    let [message] = &shop.sqs.messages()[..] else { panic!("one message") };
    let RequestedMail::Registration { user_id } = requested(message) else { panic!("{message}") };
    let unknown = log_in(&shop.api, "anna@example.com", PASSWORD).await;
    let _ = unknown.problem(401, "invalid_credentials");
    let registrations = Registrations::new(database.table());
    let to = registrations.recipient(user_id).await.unwrap().unwrap();
    let tokens = MailTokens::new(database.table());
    let token = tokens.issue(AccountMailKind::Registration, &to, Timestamp::now()).await.unwrap();
    let _ = shop.verify(token.expose()).await.expect(204);
    let session = log_in(&shop.api, "anna@example.com", PASSWORD).await.expect(201).body;
    assert_eq!(session["user"]["emailVerified"], true);
    assert_eq!(session["user"]["id"], user_id.to_string());

    let again = register(&shop.api, anna()).await.expect(202);
    assert_eq!((&first.body, first.header("location")), (&again.body, again.header("location")));
    assert_eq!(shop.sqs.messages().len(), 1);
    assert_eq!(users.find_now(user_id).await.unwrap().unwrap().version, 1);
    // The same requests and units, whether or not somebody has the email.
    let lines = log.lines("request served");
    let costs = lines
        .iter()
        .filter(|line| line["route"] == "/users")
        .map(|line| ["requests", "read_units", "write_units"].map(|name| line[name].clone()));
    let [one, other] = &costs.collect::<Vec<_>>()[..] else { panic!("two registrations") };
    assert_eq!(one, other);
    assert!(!log.text().contains("anna@"), "{}", log.text());
}

#[tokio::test]
async fn a_shop_that_registers_by_mail_names_what_is_wrong_with_a_registration() {
    let database = Database::start().await;
    let shop = Shop::with(database.table(), true).await;
    let body = json!({ "email": "anna.example", "password": "2short!", "name": "" });
    let answer = register(&shop.api, body).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/email", "/name", "/password"]);
    assert_eq!(shop.sqs.requests(), 0);
}
