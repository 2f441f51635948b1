//! POST /sessions by users from another shop, with the hashes that it made.
//!
//! These tests hash a lot, often concurrently, and use the real clock: a paused one jumps ahead
//! whenever its test only waits for a processor that another test has. So they are a binary of
//! their own.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use futures_util::future::join_all;
use serde_json::{Value, json};
use storefront_auth::{ApiDoc, ByMail};
use storefront_core::{
    AccountMailKind, MailTokens, NewUser, PasswordHash, Role, Table, Timestamp, User, UserChanges,
    UserId, Users,
};
use storefront_credentials::{GivenPassword, Password, SigningKeys};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Answer, Api, CapturedLog, Database, evidence};
use utoipa::OpenApi as _;

const PASSWORD: &str = "correct horse battery";

/// Hashes of this password. More of them, and where they are from: storefront-credentials' tests.
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.";
const HASHES: [&str; 6] = [
    BCRYPT,
    "$2a$04$Zmu/A0LfHkALJdrsCoPDBOxFKGtBD5YiZ56i.Ro41j8RH5PcjYQqq",
    "$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.",
    "$argon2i$m=64,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ$z64DUSBZmEM9liVPVOKjKv5M4/fcxn5JVaMIeiXND7U",
    "$argon2d$v=19$m=64,t=1,p=2$c3RvcmVmcm9udC1zYWx0IQ$rlOGan7nY+r0Kp0wlKX4xxxRAqSeTCcITYY1RM2OyDg",
    "$argon2id$v=19$m=65536,t=4,p=1$c3RvcmVmcm9udC1zYWx0IQ$4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q",
];

const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
const TRANSACTION: &str = "TransactWriteItems";
const EMAIL: &str = "anna@example.com";

/// The shop that the other shop's users move to.
#[derive(Clone)]
struct Shop {
    api: Api,
    users: Users,
}

impl Shop {
    async fn open() -> (Self, Database) {
        let database = Database::start().await;
        (Self::on(database.table()), database)
    }

    /// Opens a shop whose requests fail when the plan says so.
    fn with_faults() -> (Self, Plan) {
        let plan = Plan::none();
        (Self::on(FaultyDynamoDb::start().table(&plan)), plan)
    }

    fn on(table: Table) -> Self {
        let secret = "a secret of the tests, 32 bytes or more";
        evidence::token_secret(secret);
        let keys = SigningKeys::fixed(secret).unwrap();
        let api =
            Api::new(storefront_auth::app(table.clone(), keys, ByMail::default()), ApiDoc::openapi);
        Self { api, users: Users::new(table) }
    }

    /// Puts Anna into the table with this hash.
    async fn import(&self, hash: &str) -> User {
        self.import_as(EMAIL, hash).await
    }

    async fn import_as(&self, email: &str, hash: &str) -> User {
        evidence::email(email);
        evidence::password_hash(hash);
        let new = NewUser {
            email: email.parse().unwrap(),
            name: "Anna".parse().unwrap(),
            password_hash: PasswordHash::new(hash.to_owned()),
            role: Role::User,
            locale: None,
        };
        self.users.register(UserId::new(), new).await.unwrap()
    }

    /// Reads the user from the table again.
    async fn again(&self, user: &User) -> User {
        self.users.find_now(user.id).await.unwrap().unwrap()
    }

    async fn log_in(&self, password: &str) -> Answer {
        self.log_in_as(EMAIL, password).await
    }

    async fn log_in_as(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.api.post("/sessions").json(body).send().await
    }
}

async fn is_password_of(user: &User, password: &str) -> bool {
    let password: GivenPassword = password.parse().unwrap();
    password.verify(&user.password_hash).await.unwrap()
}

#[tokio::test]
async fn a_user_with_an_imported_hash_logs_in_and_gets_a_current_one() {
    for hash in HASHES {
        let (shop, _database) = Shop::open().await;
        let anna = shop.import(hash).await;
        let _ = shop.log_in("wrong password").await.problem(401, "invalid_credentials");
        assert_eq!(shop.again(&anna).await, anna, "a guess changes nothing");

        let session = shop.log_in(PASSWORD).await.expect(201);
        assert_eq!(session.body["user"]["id"], anna.id.to_string());
        let renewed = shop.again(&anna).await;
        assert!(renewed.password_hash.as_str().starts_with(CURRENT), "{hash}");
        let _ = shop.log_in(PASSWORD).await.expect(201);
        let _ = shop.log_in("wrong password").await.problem(401, "invalid_credentials");
        assert_eq!(shop.again(&anna).await, renewed, "it is renewed once");
    }
}

#[tokio::test]
async fn a_renewed_hash_makes_no_new_version_of_the_user() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.import(BCRYPT).await;
    let session = shop.log_in(PASSWORD).await.expect(201);
    assert_eq!(session.body["user"]["version"], 1);
    let renewed = shop.again(&anna).await;
    assert_ne!(renewed.password_hash, anna.password_hash);
    assert_eq!(User { password_hash: anna.password_hash.clone(), ..renewed }, anna);
    // A client that read the user before can still change them.
    let changes = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
    assert_eq!(shop.users.update(anna.id, changes, Some(1)).await.unwrap().version, 2);
}

#[tokio::test]
async fn nothing_is_written_for_a_current_hash_or_a_wrong_password() {
    let (shop, plan) = Shop::with_faults();
    shop.import(BCRYPT).await;
    plan.next(TRANSACTION, 1, Fault::ServerError);
    let _ = shop.log_in("wrong password").await.expect(401);
    assert_eq!(plan.stop(), 1);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    plan.next(TRANSACTION, 1, Fault::ServerError);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 1);
}

#[tokio::test]
async fn passwords_that_are_not_allowed_here_still_log_in() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.import("$2y$04$abcdefghijklmnopqrstuuw3ibSUktrT3FMj6h0xq2asDu3JGiBV2").await;
    for _ in 0..2 {
        let _ = shop.log_in("sesame7").await.expect(201);
    }
    assert!(is_password_of(&shop.again(&anna).await, "sesame7").await);
    let answer = shop.log_in("").await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/password"]);
    let answer = shop.log_in(&"ä".repeat(1025)).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/password"]);
}

#[tokio::test]
async fn what_bcrypt_ignores_does_not_become_part_of_the_password() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.import("$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S").await;
    let digits = "0123456789".repeat(20);
    for length in [72, 80, 200] {
        let _ = shop.log_in(&digits[..length]).await.expect(201);
    }
    let _ = shop.log_in(&digits[..71]).await.problem(401, "invalid_credentials");
    assert_eq!(shop.again(&anna).await, anna);
}

#[tokio::test]
async fn the_right_password_logs_in_even_if_the_hash_cannot_be_renewed() {
    for fault in [Fault::ServerError, Fault::Throttled] {
        renewal_fails(fault).await;
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_a_renewal_keeps_nobody_out() {
    renewal_fails(Fault::SlowAnswer).await;
}

async fn renewal_fails(fault: Fault) {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.import(BCRYPT).await;
    let log = CapturedLog::start();
    plan.next(TRANSACTION, 100, fault);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert!(plan.stop() < 100, "it was tried");

    let lines = log.lines("renewing the password's hash failed");
    assert_eq!(lines.len(), 1, "{fault:?}");
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["user_id"], anna.id.to_string());
    assert!(lines[0]["error"].is_string());
    assert_says_nothing_personal(&log, &[PASSWORD, BCRYPT]);
    // The next log-in renews it, unless the first did without learning of it.
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert!(shop.again(&anna).await.password_hash.as_str().starts_with(CURRENT));
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_is_made_once() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.import(BCRYPT).await;
    let log = CapturedLog::start();
    plan.next(TRANSACTION, 2, Fault::AppliedReset);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 0);
    assert_eq!(log.lines("the password's hash was renewed").len(), 1);
    assert!(is_password_of(&shop.again(&anna).await, PASSWORD).await);
}

const NEW_PASSWORD: &str = "abcdefgh";
const NEW_HASH: &str = "$2y$04$abcdefghijklmnopqrstuubKfWQchfpA0DnwJbo1YQE8GtK91uzdC";

/// Turns a renewal into another client's request, which changes the password to the new one.
fn password_change(mut renewal: Value) -> Value {
    let update = &mut renewal["TransactItems"][0]["Update"];
    update["ConditionExpression"] = "attribute_exists(PK)".into();
    update["ExpressionAttributeValues"] = json!({ ":passwordHash": { "S": NEW_HASH } });
    renewal["ClientRequestToken"] = "another request's".into();
    renewal
}

/// Turns a renewal into a request that deletes the user.
#[allow(clippy::needless_pass_by_value, reason = "a plan hands over what it has")]
fn deletion(renewal: Value) -> Value {
    let update = &renewal["TransactItems"][0]["Update"];
    json!({ "TransactItems": [{
        "Delete": { "TableName": update["TableName"], "Key": update["Key"] },
    }] })
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_stays_changed() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.import(BCRYPT).await;
    plan.precede_next(TRANSACTION, password_change);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 0, "another request came first");
    assert_eq!(shop.again(&anna).await.password_hash.as_str(), NEW_HASH);
    let _ = shop.log_in(PASSWORD).await.problem(401, "invalid_credentials");
    let _ = shop.log_in(NEW_PASSWORD).await.expect(201);
}

#[tokio::test]
async fn a_user_who_was_deleted_meanwhile_stays_deleted() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.import(BCRYPT).await;
    plan.precede_next(TRANSACTION, deletion);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert_eq!(plan.remaining(), 0, "another request came first");
    assert_eq!(shop.users.find_now(anna.id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_8_concurrent_log_ins_succeed_and_leave_one_hash() {
    let (shop, _database) = Shop::open().await;
    let anna = shop.import(BCRYPT).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.log_in(PASSWORD).await })
        })
        .collect();
    for answer in join_all(tasks).await {
        let _ = answer.unwrap().expect(201);
    }
    let renewed = shop.again(&anna).await;
    assert!(renewed.password_hash.as_str().starts_with(CURRENT));
    assert!(is_password_of(&renewed, PASSWORD).await);
    assert_eq!(renewed.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_during_log_ins_stays_changed() {
    let (shop, _database) = Shop::open().await;
    for round in 0..12 {
        let email = format!("anna{round}@example.com");
        let anna = shop.import_as(&email, BCRYPT).await;
        let log_ins = (0..2).map(|_| {
            let (shop, email) = (shop.clone(), email.clone());
            tokio::spawn(async move { shop.log_in_as(&email, PASSWORD).await.status })
        });
        let log_ins: Vec<_> = log_ins.collect();
        // It takes as long as a renewal does.
        let password: Password = NEW_PASSWORD.parse().unwrap();
        let new_hash = password.hash().await.unwrap();
        let changes =
            UserChanges { password_hash: Some(new_hash.clone()), ..UserChanges::default() };
        shop.users.update(anna.id, changes, None).await.unwrap();
        for status in join_all(log_ins).await {
            assert!(matches!(status.unwrap(), 201 | 401));
        }
        let changed = shop.again(&anna).await;
        assert_eq!((changed.password_hash, changed.version), (new_hash, 2));
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_verified_matches_no_password_and_is_logged_for_operators() {
    let (shop, _database) = Shop::open().await;
    let unknown = shop.log_in_as("nobody@example.com", PASSWORD).await.expect(401);
    for (number, (hash, reason)) in [
        ("$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/", "neither argon2"),
        ("$2x$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.", "faulty bcrypt"),
        ("$2y$31$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.", "too costly"),
        ("$argon2id$v=19$m=4194304,t=9,p=1$c3RvcmVmcm9udC1zYWx0IQ$4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q", "too costly"),
        ("$2y$05$abcdefghijklmnopqrstuu", "truncated"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("anna{number}@example.com");
        let anna = shop.import_as(&email, hash).await;
        let log = CapturedLog::start();
        let answer = shop.log_in_as(&email, PASSWORD).await.problem(401, "invalid_credentials");
        assert_eq!(answer.body, unknown.body);

        let lines = log.lines("a stored password hash cannot be verified");
        assert_eq!(lines.len(), 1, "{hash}");
        assert_eq!(lines[0]["level"], "WARN");
        assert_eq!(lines[0]["user_id"], anna.id.to_string());
        assert!(lines[0]["reason"].as_str().unwrap().contains(reason), "{}", lines[0]["reason"]);
        assert_says_nothing_personal(&log, &[PASSWORD, hash]);
        assert_eq!(shop.again(&anna).await, anna);
    }
}

#[tokio::test]
async fn a_user_whose_hash_nobody_can_verify_gets_in_with_the_token_of_a_mail() {
    let (shop, database) = Shop::open().await;
    let anna = shop.import("$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/").await;
    let _ = shop.log_in(PASSWORD).await.problem(401, "invalid_credentials");
    let to = shop.users.recipient(anna.id).await.unwrap().unwrap();
    let tokens = MailTokens::new(database.table());
    let token = tokens.issue(AccountMailKind::PasswordReset, &to, Timestamp::now()).await.unwrap();
    let body = json!({ "token": token.expose(), "password": PASSWORD });
    let _ = shop.api.post("/password-resets/confirm").json(body).send().await.expect(204);
    let _ = shop.log_in(PASSWORD).await.expect(201);
    assert!(shop.again(&anna).await.password_hash.as_str().starts_with(CURRENT));
}

fn assert_says_nothing_personal(log: &CapturedLog, secrets: &[&str]) {
    let text = log.text();
    for secret in secrets.iter().chain(&["anna", "Anna", "@example", "$argon2", "$2"]) {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}

#[tokio::test]
async fn a_hash_of_a_password_as_it_was_typed_is_replaced_by_one_of_its_normal_form() {
    let (shop, _database) = Shop::open().await;
    // Version 0.1 and other shops hash the bytes that they get. This one got two code points for the ñ.
    let anna = shop.import("$2y$04$abcdefghijklmnopqrstuuFTeHFYF.xViVPFZQfZe81G.ofNEJx1i").await;
    let _ = shop.log_in("mañana-mañana").await.problem(401, "invalid_credentials");
    let _ = shop.log_in("man\u{303}ana-man\u{303}ana").await.expect(201);
    let renewed = shop.again(&anna).await;
    assert_ne!(renewed.password_hash, anna.password_hash);
    let _ = shop.log_in("mañana-mañana").await.expect(201);
    let _ = shop.log_in("man\u{303}ana-man\u{303}ana").await.expect(201);
    assert_eq!(shop.again(&anna).await.password_hash, renewed.password_hash);
}
