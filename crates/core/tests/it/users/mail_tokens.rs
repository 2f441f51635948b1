//! Tokens that mails carry, and how many mails an email gets.

use AccountMailKind::{PasswordReset, Verification};
use futures_util::future::join_all;
use storefront_core::schema::{self, ItemType};
use storefront_core::{
    ACCOUNT_MAILS_WINDOW, AccountMailKind, Error, LoginAttempt, MAX_ACCOUNT_MAILS,
    MAX_LOGIN_FAILURES, MailToken, PasswordHash, RESET_LIFETIME, Timestamp, User, UserChanges,
    UserId, VERIFICATION_LIFETIME,
};

use crate::shop::{Shop, attempt, email, number};

/// Verifies a user, and leaves a token and a count.
pub(crate) async fn put_examples(shop: &Shop, user_id: UserId) {
    let to = shop.users.recipient(user_id).await.unwrap().unwrap();
    let token = shop.mail_tokens.issue(Verification, &to, Timestamp::now()).await.unwrap();
    shop.mail_tokens.verify_email(&token).await.unwrap();
    shop.mail_tokens.issue(PasswordReset, &to, Timestamp::now()).await.unwrap();
    assert!(shop.mail_tokens.admit(&to.email, PasswordReset, "first").await.unwrap());
}

impl Shop {
    /// A token, as a mail to this user has it.
    async fn token(&self, mail: AccountMailKind, user: &User) -> MailToken {
        self.token_of(mail, user, Timestamp::now()).await
    }

    async fn token_of(&self, mail: AccountMailKind, user: &User, now: Timestamp) -> MailToken {
        let to = self.users.recipient(user.id).await.unwrap().unwrap();
        self.mail_tokens.issue(mail, &to, now).await.unwrap()
    }

    async fn reset(&self, token: &MailToken, hash: &str) -> Result<UserId, Error> {
        let reset = self.mail_tokens.find_reset(token).await?;
        self.mail_tokens.reset_password(reset, PasswordHash::new(hash.to_owned())).await
    }

    async fn again(&self, user: &User) -> User {
        self.users.find_now(user.id).await.unwrap().unwrap()
    }

    async fn change(&self, user: &User, changes: UserChanges) {
        self.users.update(user.id, changes, None).await.unwrap();
    }
}

fn new_email() -> UserChanges {
    UserChanges { email: Some(email("anna@example.org")), ..UserChanges::default() }
}

fn new_password() -> UserChanges {
    let password_hash = Some(PasswordHash::new("$argon2id$changed".to_owned()));
    UserChanges { password_hash, ..UserChanges::default() }
}

fn is_invalid<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::MailTokenInvalid))
}

#[tokio::test]
async fn a_token_verifies_an_email_once_until_the_email_changes() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    assert!(!anna.email_verified);
    let token = shop.token(Verification, &anna).await;
    shop.mail_tokens.verify_email(&token).await.unwrap();
    let verified = shop.again(&anna).await;
    assert_eq!((verified.email_verified, verified.version), (true, 2));
    assert_eq!(shop.users.find_by_email(&anna.email).await.unwrap(), Some(verified));
    assert!(is_invalid(&shop.mail_tokens.verify_email(&token).await));
    assert_eq!(shop.count(ItemType::MailToken).await, 0);

    let name = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
    shop.change(&anna, name).await;
    assert!(shop.again(&anna).await.email_verified);
    let changed = shop.users.update(anna.id, new_email(), None).await.unwrap();
    assert!(!changed.email_verified);
    assert_eq!(shop.again(&anna).await, changed);
}

#[tokio::test]
async fn a_token_sets_a_password_once_and_ends_the_sessions() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let session = shop.sessions.begin(&anna, None).await.unwrap();
    let tokens = [shop.token(PasswordReset, &anna).await, shop.token(PasswordReset, &anna).await];
    assert_eq!(shop.reset(&tokens[0], "$argon2id$reset").await.unwrap(), anna.id);
    let reset = shop.again(&anna).await;
    assert_eq!(reset.password_hash.as_str(), "$argon2id$reset");
    assert_eq!((reset.password_version, reset.version), (1, 2));
    assert!(reset.email_verified, "whoever has the token reads the mails");
    assert!(!shop.sessions.is_in_force(anna.id, session.id).await.unwrap());
    for token in &tokens {
        assert!(is_invalid(&shop.reset(token, "$argon2id$again").await), "used, or outdated");
    }
    assert_eq!(shop.again(&anna).await, reset);
}

#[tokio::test]
async fn a_reset_lets_somebody_in_whom_failures_kept_out() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let guess = || LoginAttempt::new(anna.email.clone(), Some(&anna), None);
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&guess()).await.unwrap();
    }
    assert!(shop.login_attempts.begin(&guess()).await.is_err());
    let token = shop.token(PasswordReset, &anna).await;
    shop.reset(&token, "$argon2id$reset").await.unwrap();
    let reset = shop.again(&anna).await;
    let attempt = LoginAttempt::new(anna.email.clone(), Some(&reset), None);
    shop.login_attempts.begin(&attempt).await.unwrap();
}

#[tokio::test]
async fn a_token_is_for_the_email_and_the_password_that_the_user_had() {
    for (mail, changes) in
        [(Verification, new_email()), (PasswordReset, new_email()), (PasswordReset, new_password())]
    {
        let shop = Shop::open().await;
        let anna = shop.anna().await;
        let token = shop.token(mail, &anna).await;
        shop.change(&anna, changes).await;
        let before = shop.again(&anna).await;
        let refused = if mail == PasswordReset {
            shop.reset(&token, "$argon2id$reset").await.map(drop)
        } else {
            shop.mail_tokens.verify_email(&token).await
        };
        assert!(is_invalid(&refused));
        assert_eq!(shop.again(&anna).await, before);
    }
    // A verification does not depend on the password.
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let token = shop.token(Verification, &anna).await;
    shop.change(&anna, new_password()).await;
    shop.mail_tokens.verify_email(&token).await.unwrap();
}

#[tokio::test]
async fn a_token_of_a_deleted_user_makes_nobody() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tokens = [shop.token(Verification, &anna).await, shop.token(PasswordReset, &anna).await];
    shop.users.delete(anna.id, None).await.unwrap();
    assert!(is_invalid(&shop.mail_tokens.verify_email(&tokens[0]).await));
    assert!(is_invalid(&shop.reset(&tokens[1], "$argon2id$reset").await));
    assert_eq!(shop.count(ItemType::User).await, 0);
}

#[tokio::test]
async fn a_token_is_for_one_thing_and_for_a_time() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (verification, reset) =
        (shop.token(Verification, &anna).await, shop.token(PasswordReset, &anna).await);
    assert!(is_invalid(&shop.mail_tokens.verify_email(&reset).await));
    assert!(is_invalid(&shop.mail_tokens.find_reset(&verification).await));
    let unknown = MailToken::given("qLX0pIuqQmuJvDzKIVWZ6s2mfdMA9hbVvj6DoEJ0t4k".to_owned());
    assert!(is_invalid(&shop.mail_tokens.find_reset(&unknown).await));

    let ago = |age: std::time::Duration| {
        let millis = i64::try_from(age.as_millis()).unwrap();
        Timestamp::from_millis(Timestamp::now().as_millis() - millis).unwrap()
    };
    let old = shop.token_of(Verification, &anna, ago(VERIFICATION_LIFETIME)).await;
    assert!(is_invalid(&shop.mail_tokens.verify_email(&old).await));
    let old = shop.token_of(PasswordReset, &anna, ago(RESET_LIFETIME)).await;
    assert!(is_invalid(&shop.mail_tokens.find_reset(&old).await));
    assert_eq!(shop.again(&anna).await, anna);
}

#[tokio::test]
async fn the_table_has_a_tokens_hash_and_not_the_token() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let token = shop.token(PasswordReset, &anna).await;
    let items = format!("{:?}", shop.scan().await);
    assert!(!items.contains(token.expose()));
    let item = shop.raw(schema::Key::mail_token(&token)).await.unwrap();
    assert_eq!(item["email"].as_s().unwrap(), anna.email.as_str());
}

#[tokio::test]
async fn of_two_who_use_a_token_at_once_one_sets_the_password() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let token = shop.token(PasswordReset, &anna).await;
    let hashes: Vec<_> = (0..8).map(|n| format!("$argon2id${n}")).collect();
    let uses = join_all(hashes.iter().map(|hash| shop.reset(&token, hash))).await;
    let won: Vec<_> = uses.iter().zip(&hashes).filter(|(used, _)| used.is_ok()).collect();
    let [(_, hash)] = &won[..] else { panic!("{uses:?}") };
    let reset = shop.again(&anna).await;
    assert_eq!((reset.password_hash.as_str(), reset.password_version), (hash.as_str(), 1));
    assert!(uses.iter().all(|used| used.is_ok() || is_invalid(used)), "{uses:?}");
}

#[tokio::test]
async fn a_change_of_the_name_meanwhile_does_not_outdate_a_reset() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let token = shop.token(PasswordReset, &anna).await;
    let reset = shop.mail_tokens.find_reset(&token).await.unwrap();
    let name = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
    shop.change(&anna, name).await;
    let hash = PasswordHash::new("$argon2id$reset".to_owned());
    shop.mail_tokens.reset_password(reset, hash).await.unwrap();
    let reset = shop.again(&anna).await;
    assert_eq!((reset.name.as_str(), reset.password_version), ("A.", 1));
}

#[tokio::test]
async fn an_email_gets_three_mails_of_a_kind_within_an_hour() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    let admit = async |mail, id: usize| {
        shop.mail_tokens.admit(&anna, mail, &format!("request-{id}")).await.unwrap()
    };
    for id in 0..MAX_ACCOUNT_MAILS {
        assert!(admit(PasswordReset, id).await);
        assert!(admit(PasswordReset, id).await, "it is delivered again");
    }
    assert!(!admit(PasswordReset, 9).await);
    assert!(admit(Verification, 9).await, "the other kind has a count of its own");
    assert!(admit(PasswordReset, 0).await, "it is delivered again, and still the same mail");

    let key = schema::Key::account_mails(&anna, PasswordReset);
    let counted = shop.raw(key.clone()).await.unwrap();
    let until: i64 = counted["expiresAt"].as_n().unwrap().parse().unwrap();
    let window = ACCOUNT_MAILS_WINDOW.as_secs().cast_signed();
    assert!((0..=5).contains(&(Timestamp::now().as_seconds() + window - until)));
    shop.overwrite(key, "expiresAt", number(Timestamp::now().as_seconds() - 1)).await;
    assert!(admit(PasswordReset, 10).await, "the hour is over");
}

#[tokio::test]
async fn mails_and_guesses_are_counted_apart() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for id in 0..MAX_ACCOUNT_MAILS {
        shop.mail_tokens.admit(&anna, PasswordReset, &format!("request-{id}")).await.unwrap();
    }
    shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
}

#[tokio::test]
async fn a_user_is_written_to_by_email_only_as_long_as_they_have_it() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let found = shop.users.recipient_at(&anna.email).await.unwrap().unwrap();
    assert_eq!((found.id, found.password_version, found.email_verified), (anna.id, 0, false));
    shop.change(&anna, new_email()).await;
    shop.change(&anna, new_password()).await;
    assert!(shop.users.recipient_at(&anna.email).await.unwrap().is_none());
    let found = shop.users.recipient_at(&email("anna@example.org")).await.unwrap().unwrap();
    assert_eq!((found.id, found.password_version), (anna.id, 1));
}
