//! Customers are written to about their orders, and the mails are shown.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::StatusCode;
use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, Options, TABLE_NAME};
use storefront_core::schema::Key;
use storefront_core::{AccountMailKind, aws};
use tokio::time::{sleep, timeout};

use crate::client::{Client, in_memory};

const PRODUCT: &str = "01930000-0000-7000-8000-000000000101";
const PATIENCE: Duration = Duration::from_mins(1);

fn with(parameters: &[(&str, &str)]) -> Options {
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Options { parameters: parameters.collect(), ..in_memory() }
}

/// Waits until so many mails were sent, and returns them by subject.
async fn mails(cloud: &LocalCloud, count: usize) -> Vec<Value> {
    let all = async {
        loop {
            let mails = cloud.mails();
            if mails.len() >= count {
                return mails;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let mut mails = timeout(PATIENCE, all).await.expect("the mails are sent");
    mails.sort_by_key(|mail| mail["subject"].to_string());
    mails
}

async fn place(customer: &Client) -> Value {
    let items = json!({ "items": [{ "productId": PRODUCT, "quantity": 2 }] });
    customer.post("/orders", items).await.expect(StatusCode::CREATED).body
}

#[tokio::test]
async fn an_order_is_written_about_in_the_customers_language() {
    let cloud = LocalCloud::start(with(&[("ShopUrl", "https://shop.example")])).await.unwrap();
    let ada = Client::logged_in(cloud.api_url(), "ada@example.com").await;
    let admin = Client::logged_in(cloud.api_url(), "admin@example.com").await;
    ada.patch("/users/me", json!({ "locale": "de" })).await.expect(StatusCode::OK);
    let order = place(&ada).await;
    let (id, number) = (order["id"].as_str().unwrap(), order["number"].as_str().unwrap());
    let path = format!("/orders/{id}");
    admin.patch(&path, json!({ "status": "paid" })).await.expect(StatusCode::OK);

    let mails = mails(&cloud, 2).await;
    let [placed, paid] = &mails[..] else { panic!("two mails: {mails:?}") };
    assert_eq!(placed["subject"], format!("Ihre Bestellung {number}"));
    assert_eq!(placed["to"], "Ada Lovelace <ada@example.com>");
    assert_eq!(placed["from"], "shop@example.com");
    let text = placed["text"].as_str().unwrap();
    assert!(text.contains("2 × Espresso blend, 1 kg"), "{text}");
    assert!(text.contains(&format!("https://shop.example/orders/{id}")), "{text}");
    assert_eq!(
        paid["subject"],
        format!("Ihre Zahlung für die Bestellung {number} ist eingegangen")
    );

    let http = reqwest::Client::new();
    let url = format!("{}/_local/mail", cloud.api_url());
    let page = http.get(&url).send().await.unwrap();
    assert_eq!(
        page.headers()["content-security-policy"],
        "default-src 'none'; style-src 'unsafe-inline'"
    );
    let page = page.text().await.unwrap();
    assert!(page.contains("<iframe sandbox=\"allow-popups"), "{page}");
    assert!(page.contains("srcdoc=\"&#60;base target="), "a mail is escaped: {page}");
    let json = http.get(&url).header("accept", "application/json").send().await.unwrap();
    let json: Value = json.json().await.unwrap();
    assert_eq!(json["mails"].as_array().unwrap().len(), 2);
    cloud.shutdown().await;
}

#[tokio::test]
async fn an_email_is_verified_and_a_forgotten_password_set_anew_by_mail() {
    let cloud = LocalCloud::start(with(&[("ShopUrl", "https://shop.example")])).await.unwrap();
    let anyone = Client::anonymous(cloud.api_url());
    let ada = Client::logged_in(cloud.api_url(), "ada@example.com").await;
    let me = ada.get("/users/me").await.expect(StatusCode::OK).body;
    assert_eq!(me["emailVerified"], false);
    let accepted = ada.post("/users/me/verification", json!({})).await;
    accepted.expect(StatusCode::ACCEPTED);
    for email in ["Ada@example.com", "nobody@example.com"] {
        let forgotten = anyone.post("/password-resets", json!({ "email": email })).await;
        forgotten.expect(StatusCode::ACCEPTED);
    }
    let mails = mails(&cloud, 2).await;
    let [verification, reset] = &mails[..] else { panic!("two mails: {mails:?}") };
    assert_eq!(verification["subject"], "Please confirm your email address");
    assert_eq!(reset["subject"], "Your new password");
    let token = |mail: &Value, page: &str| {
        let text = mail["text"].as_str().unwrap();
        let (_, rest) = text.split_once(&format!("https://shop.example/{page}#token=")).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let verified = json!({ "token": token(verification, "verification") });
    anyone.post("/verifications", verified).await.expect(StatusCode::NO_CONTENT);
    let me = ada.get("/users/me").await.expect(StatusCode::OK).body;
    assert_eq!(me["emailVerified"], true);
    let token = token(reset, "password-reset");
    let new = json!({ "token": token, "password": "a fresh pass phrase" });
    let confirmed = anyone.post("/password-resets/confirm", new.clone()).await;
    confirmed.expect(StatusCode::NO_CONTENT);
    anyone.post("/password-resets/confirm", new).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let log_in = json!({ "email": "ada@example.com", "password": "a fresh pass phrase" });
    anyone.post("/sessions", log_in).await.expect(StatusCode::CREATED);

    make_count_old(&cloud, "ada@example.com").await;
    let forgotten = anyone.post("/password-resets", json!({ "email": "ada@example.com" })).await;
    forgotten.expect(StatusCode::ACCEPTED);
    self::mails(&cloud, 3).await;
    cloud.shutdown().await;
}

/// Makes the count of an email's mails for a new password one of long ago, which TTL has not deleted yet.
async fn make_count_old(cloud: &LocalCloud, email: &str) {
    let client = aws::dynamodb(&aws::emulator_config(), Some(cloud.dynamodb_url().to_owned()));
    let key = Key::account_mails(&email.parse().unwrap(), AccountMailKind::PasswordReset);
    let update = client.update_item().table_name(TABLE_NAME).set_key(Some(key.into()));
    let update = update.update_expression("SET expiresAt = :past");
    let update = update.condition_expression("attribute_exists(PK)");
    let past = AttributeValue::N("1".to_owned());
    update.expression_attribute_values(":past", past).send().await.unwrap();
}

#[tokio::test]
async fn a_shop_can_register_users_by_mail() {
    let cloud = LocalCloud::start(with(&[("RegistrationByMail", "true")])).await.unwrap();
    let anyone = Client::anonymous(cloud.api_url());
    for email in ["grace@example.com", "ada@example.com"] {
        let new = json!({ "email": email, "password": "a long password", "name": "Grace" });
        let accepted = anyone.post("/users", new).await.expect(StatusCode::ACCEPTED);
        assert_eq!(accepted.body, "");
    }
    let mails = mails(&cloud, 2).await;
    let [confirm, known] = &mails[..] else { panic!("two mails: {mails:?}") };
    assert_eq!(confirm["to"], "Grace <grace@example.com>");
    assert_eq!(known["to"], "Grace <ada@example.com>");
    assert_eq!(known["subject"], "You have an account with us");
    let (_, rest) = confirm["text"].as_str().unwrap().split_once("Your code: ").unwrap();
    let token = rest.split_whitespace().next().unwrap();
    anyone.post("/verifications", json!({ "token": token })).await.expect(StatusCode::NO_CONTENT);
    let log_in = json!({ "email": "grace@example.com", "password": "a long password" });
    let session = anyone.post("/sessions", log_in).await.expect(StatusCode::CREATED).body;
    assert_eq!(session["user"]["emailVerified"], true);
    cloud.shutdown().await;
}

#[tokio::test]
async fn without_a_sender_nobody_is_written_to() {
    let cloud = LocalCloud::start(with(&[("MailFrom", "")])).await.unwrap();
    let ada = Client::logged_in(cloud.api_url(), "ada@example.com").await;
    place(&ada).await;
    ada.events(1, |event| event["detail-type"] == "OrderPlaced").await;
    let queues = ada.get("/_local/queues").await.expect(StatusCode::OK).body;
    assert_eq!(queues, json!({ "queues": [] }));
    let forgotten = ada.post("/password-resets", json!({ "email": "ada@example.com" })).await;
    assert_eq!(forgotten.expect(StatusCode::NOT_FOUND).body["code"], "mail_disabled");
    assert_eq!(cloud.mails(), [Value::Null; 0]);
    cloud.shutdown().await;
}
