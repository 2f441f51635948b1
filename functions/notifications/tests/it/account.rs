//! Mails about accounts: who gets them, what they say, and how often.

use std::slice;

use serde_json::{Value, json};
use storefront_core::{
    AccountMail, AccountMailKind, Email, Locale, MailToken, MailTokens, PasswordHash,
    RequestedMail, Timestamp, User, UserChanges, UserId, schema,
};
use storefront_notifications::{ACCOUNT_MAILED_FOR, Notifications};
use storefront_testing::faults::{Fault, Plan};
use storefront_testing::{CapturedLog, evidence};

use crate::ses::{Answer, Mail};
use crate::world::World;
use crate::{SENDER, send};

const ADA: &str = "Ada \"Countess\" King";

impl World {
    fn function(&self) -> Notifications {
        self.function_on(self.shop.table(), Timestamp::now())
    }

    fn reset(&self) -> Value {
        reset_of(&self.ada.email)
    }

    fn verification(&self) -> Value {
        request(RequestedMail::Verification { user_id: self.ada.id })
    }

    /// Sends mails, and expects that all messages are done with.
    async fn send(&self, messages: &[Value]) {
        assert_eq!(send(&self.function(), messages).await, [""; 0]);
    }

    /// How often a metric was counted, one at a time.
    fn times(&self, metric: &str) -> usize {
        let counted = self.counted().into_iter();
        let is_one = |(name, value): &(String, f64)| {
            name.split(' ').next() == Some(metric) && value.total_cmp(&1.0).is_eq()
        };
        counted.filter(is_one).count()
    }

    async fn again(&self) -> User {
        self.shop.users.find_now(self.ada.id).await.unwrap().unwrap()
    }
}

fn request(mail: RequestedMail) -> Value {
    json!(AccountMail::new(mail))
}

fn reset_of(email: &Email) -> Value {
    request(RequestedMail::PasswordReset { email: email.clone() })
}

/// The token in the link of a mail.
fn token(mail: &Mail) -> MailToken {
    let text = mail.text();
    let (_, rest) = text.split_once("#token=").unwrap_or_else(|| panic!("a link: {text}"));
    let token = rest.split_whitespace().next().unwrap();
    assert_eq!(token.len(), MailToken::LENGTH, "{token}");
    evidence::mail_token(token);
    MailToken::given(token.to_owned())
}

fn new_hash() -> PasswordHash {
    PasswordHash::new("$argon2id$reset".to_owned())
}

#[tokio::test]
async fn who_has_forgotten_the_password_gets_a_token_that_sets_a_new_one() {
    let world = World::of(ADA, None).await;
    world.send(&[world.reset()]).await;
    let [mail] = &world.ses.mails()[..] else { panic!("one mail") };
    assert_eq!(mail.to, world.ada.email.as_str());
    assert_eq!(mail.subject(), "Your new password");
    let token = token(mail);
    assert_eq!(
        mail.text(),
        format!(
            "Hello Ada \"Countess\" King,\n\nsomebody has asked for a new password for this address. You \
             have 60 minutes to set it.\n\nhttps://shop.example/password-reset#token={}\n\nIf it was \
             not you, you need not do anything: your password stays as it is.\n",
            token.expose()
        )
    );
    let html = mail.html();
    let link = format!("<a href=\"https://shop.example/password-reset#token={}\">", token.expose());
    assert!(html.contains(&link) && html.contains("Ada &#34;Countess&#34; King"), "{html}");
    assert_eq!(world.times("MailsSent"), 1);

    let tokens = MailTokens::new(world.shop.table());
    let reset = tokens.find_reset(&token).await.unwrap();
    assert_eq!(tokens.reset_password(reset, new_hash()).await.unwrap(), world.ada.id);
    assert_eq!(world.again().await.password_hash, new_hash());
}

#[tokio::test]
async fn a_user_gets_a_token_that_verifies_the_email_in_their_language() {
    let world = World::of(ADA, Some(Locale::De)).await;
    world.send(&[world.verification()]).await;
    let [mail] = &world.ses.mails()[..] else { panic!("one mail") };
    assert_eq!(mail.subject(), "Bitte bestätigen Sie Ihre E-Mail-Adresse");
    let text = mail.text();
    assert!(text.contains("24 Stunden") && text.contains("/verification#token="), "{text}");
    let language = mail.parsed().header("Content-Language").unwrap().as_text().map(str::to_owned);
    assert_eq!(language.as_deref(), Some("de"));
    let tokens = MailTokens::new(world.shop.table());
    tokens.verify_email(&token(mail)).await.unwrap();
    assert!(world.again().await.email_verified);

    world.send(&[world.verification()]).await;
    assert_eq!(world.ses.requests(), 1, "it is verified already");
}

#[tokio::test]
async fn without_pages_a_mail_shows_the_token_as_a_code() {
    let world = World::of(ADA, None).await;
    let settings = storefront_notifications::Settings::new(SENDER.parse().unwrap(), None);
    let config = storefront_core::aws::patient_emulator_config();
    let ses = storefront_notifications::Ses::new(&config, Some(world.ses.url.clone()));
    let function = Notifications::new(world.shop.table(), ses, settings);
    assert_eq!(send(&function, &[world.reset(), world.verification()]).await, [""; 0]);
    for mail in world.ses.mails() {
        let (text, html) = (mail.text(), mail.html());
        assert!(!text.contains("http") && !html.contains("href"), "{text}{html}");
        let (_, rest) = text.split_once("Your code: ").unwrap();
        let code = rest.lines().next().unwrap();
        assert_eq!(code.len(), MailToken::LENGTH);
        assert!(html.contains(&format!("<code>{code}</code>")), "{html}");
        evidence::mail_token(code);
    }
}

#[tokio::test]
async fn nobody_is_written_to_at_an_email_that_nobody_has() {
    let world = World::of(ADA, None).await;
    let changes = UserChanges {
        email: Some("ada@storefront.invalid".parse().unwrap()),
        ..UserChanges::default()
    };
    let former = world.reset();
    world.shop.users.update(world.ada.id, changes, None).await.unwrap();
    let unknown = reset_of(&"nobody@example.com".parse().unwrap());
    let reserved = reset_of(&"ada@storefront.invalid".parse().unwrap());
    world.send(&[former, unknown, reserved, world.verification()]).await;
    world.shop.users.delete(world.ada.id, None).await.unwrap();
    world.send(&[world.verification()]).await;
    assert_eq!(world.ses.requests(), 0);
    assert!(world.shop.tokens().is_empty(), "none is made for nobody");
}

#[tokio::test]
async fn an_email_gets_three_mails_of_a_kind_within_an_hour_and_more_after_it() {
    let world = World::of(ADA, None).await;
    for _ in 0..5 {
        world.send(&[world.reset()]).await;
    }
    assert_eq!(world.ses.mails().len(), 3);
    assert_eq!(world.times("MailsHeldBack"), 2);
    world.send(&[world.verification()]).await;
    assert_eq!(world.ses.mails().len(), 4, "another kind");
    let key = schema::Key::account_mails(&world.ada.email, AccountMailKind::PasswordReset);
    world.shop.expire(key).await;
    world.send(&[world.reset()]).await;
    assert_eq!(world.ses.mails().len(), 5, "the hour is over");
}

#[tokio::test]
async fn a_request_that_is_delivered_several_times_is_mailed_once() {
    let world = World::of(ADA, None).await;
    let reset = world.reset();
    world.send(&[reset.clone(), reset.clone()]).await;
    world.send(&[reset]).await;
    assert_eq!((world.ses.requests(), world.times("MailsSent")), (1, 1));
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_sent_again_with_a_token_that_works() {
    let world = World::of(ADA, None).await;
    let reset = world.reset();
    world.ses.answer_next([Answer::SendAndBreakOff]);
    assert_eq!(send(&world.function(), slice::from_ref(&reset)).await, ["0"]);
    let later = Timestamp::from_millis(Timestamp::now().as_millis() + 180_000).unwrap();
    let function = world.function_on(world.shop.table(), later);
    assert_eq!(send(&function, &[reset]).await, [""; 0]);
    let mails = world.ses.mails();
    let [first, second] = &mails[..] else { panic!("two mails") };
    let id = |mail: &Mail| mail.parsed().message_id().map(str::to_owned);
    assert_eq!(id(first), id(second));
    assert_eq!(world.times("MailsSentAgain"), 1);
    let tokens = MailTokens::new(world.shop.table());
    for mail in [first, second] {
        tokens.find_reset(&token(mail)).await.unwrap();
    }
    let reset = tokens.find_reset(&token(second)).await.unwrap();
    tokens.reset_password(reset, new_hash()).await.unwrap();
    let outdated = tokens.find_reset(&token(first)).await.unwrap();
    assert!(tokens.reset_password(outdated, new_hash()).await.is_err());
}

#[tokio::test]
async fn a_mail_that_ses_or_the_table_refuses_for_now_is_sent_at_the_next_delivery() {
    let world = World::of(ADA, None).await;
    let reset = world.reset();
    world.ses.answer_next([Answer::Fail(429, "TooManyRequestsException")]);
    assert_eq!(send(&world.function(), slice::from_ref(&reset)).await, ["0"]);
    for (operation, times) in [("GetItem", 4), ("PutItem", 4), ("UpdateItem", 4)] {
        let plan = Plan::none();
        plan.next(operation, times, Fault::ServerError);
        let function = world.function_on(world.shop.dynamodb.table(&plan), Timestamp::now());
        assert_eq!(send(&function, slice::from_ref(&reset)).await, ["0"], "{operation}");
        assert_eq!(plan.remaining(), 0, "{operation}");
    }
    world.send(&[reset]).await;
    assert_eq!(world.ses.mails().len(), 1);
    // Of several tries it counts once.
    for _ in 0..2 {
        world.send(&[world.reset()]).await;
    }
    assert_eq!(world.ses.mails().len(), 3);
}

#[tokio::test]
async fn a_request_is_mailed_for_an_hour() {
    let world = World::of(ADA, None).await;
    let reset = world.reset();
    let hour = i64::try_from(ACCOUNT_MAILED_FOR.as_millis()).unwrap();
    let late = Timestamp::from_millis(Timestamp::now().as_millis() + hour + 1).unwrap();
    let function = world.function_on(world.shop.table(), late);
    assert_eq!(send(&function, &[reset]).await, [""; 0]);
    assert_eq!((world.ses.requests(), world.times("MailsTooOld")), (0, 1));
}

#[tokio::test]
async fn a_message_that_is_no_request_fails_and_nothing_is_said_of_it() {
    let world = World::of(ADA, None).await;
    let log = CapturedLog::start();
    let mut odd = world.reset();
    odd["mail"] = json!("newsletter");
    let mut incomplete = world.reset();
    incomplete.as_object_mut().unwrap().remove("email");
    let mut no_email = world.reset();
    no_email["email"] = json!(["ada@example.com"]);
    let messages = [odd, incomplete, no_email, world.reset()];
    assert_eq!(send(&world.function(), &messages).await, ["0", "1", "2"]);
    assert_eq!(world.ses.mails().len(), 1);
    let text = log.text();
    let mail = &world.ses.mails()[0];
    for secret in ["Countess", "example.com", token(mail).expose()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn who_registers_by_mail_gets_a_token_that_makes_the_user() {
    let world = World::of(ADA, None).await;
    let id = UserId::new();
    world.shop.registers(id, "grace@example.com", "Grace").await;
    world.send(&[request(RequestedMail::Registration { user_id: id })]).await;
    let [mail] = &world.ses.mails()[..] else { panic!("one mail") };
    assert_eq!(mail.to, "grace@example.com");
    assert_eq!(mail.subject(), "Please confirm your registration");
    let text = mail.text();
    assert!(text.contains("Hello Grace,") && text.contains("/verification#token="), "{text}");
    MailTokens::new(world.shop.table()).verify_email(&token(mail)).await.unwrap();
    assert!(world.shop.users.find_now(id).await.unwrap().unwrap().email_verified);
}

#[tokio::test]
async fn who_is_registered_already_learns_that_and_whoever_tried_does_not() {
    let world = World::of(ADA, None).await;
    let try_again = async || {
        let id = UserId::new();
        world.shop.registers(id, world.ada.email.as_str(), "Mallory").await;
        world.send(&[request(RequestedMail::Registration { user_id: id })]).await;
    };
    try_again().await;
    let [mail] = &world.ses.mails()[..] else { panic!("one mail") };
    assert_eq!(mail.subject(), "You have an account with us");
    let (text, html) = (mail.text(), mail.html());
    let link = "https://shop.example/password-reset";
    assert!(text.contains(&format!("{link}\n")) && !text.contains("#token="), "{text}");
    assert!(html.contains(&format!("<a href=\"{link}\">")), "{html}");
    assert!(world.shop.tokens().is_empty());
    assert_eq!(world.again().await, world.ada);
    for _ in 0..3 {
        try_again().await;
    }
    assert_eq!(world.ses.mails().len(), 3, "the owner is not flooded");
    world.send(&[request(RequestedMail::Registration { user_id: UserId::new() })]).await;
    assert_eq!(world.ses.mails().len(), 3, "a registration that is gone");
}
