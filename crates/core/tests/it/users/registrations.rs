//! Registrations that wait until their email is verified.

use storefront_core::schema::{self, ItemType};
use storefront_core::{
    AccountMailKind, Error, Locale, MailToken, NewUser, Role, Timestamp, User, UserId,
};

use crate::shop::{Shop, email, new_user};

pub(crate) async fn put_example(shop: &Shop) {
    let new = NewUser { locale: Some(Locale::De), ..new_user("grace@example.com") };
    shop.registrations.keep(UserId::new(), new).await.unwrap();
}

impl Shop {
    /// Keeps a registration. Returns its id, and a token as its mail has it.
    async fn registers(&self, address: &str) -> (UserId, MailToken) {
        let id = UserId::new();
        self.registrations.keep(id, new_user(address)).await.unwrap();
        let to = self.registrations.recipient(id).await.unwrap().unwrap();
        assert_eq!((to.id, &to.email), (id, &email(address)));
        let mail = AccountMailKind::Registration;
        (id, self.mail_tokens.issue(mail, &to, Timestamp::now()).await.unwrap())
    }

    async fn is_refused(&self, token: &MailToken) -> bool {
        matches!(self.mail_tokens.verify_email(token).await, Err(Error::MailTokenInvalid))
    }
}

#[tokio::test]
async fn who_confirms_a_registration_is_a_user_with_a_verified_email() {
    let shop = Shop::open().await;
    let (id, token) = shop.registers("anna@example.com").await;
    assert_eq!(shop.count(ItemType::User).await, 0);
    assert!(shop.users.find_to_log_in(&email("anna@example.com")).await.unwrap().is_none());

    shop.mail_tokens.verify_email(&token).await.unwrap();
    let user = shop.users.find_now(id).await.unwrap().unwrap();
    assert_eq!(user, User { email_verified: true, ..User::new(id, new_user("anna@example.com")) });
    assert_eq!((user.version, user.role), (1, Role::User));
    assert_eq!(shop.users.find_by_email(&user.email).await.unwrap(), Some(user));
    for gone in [ItemType::Registration, ItemType::MailToken] {
        assert_eq!(shop.count(gone).await, 0);
    }
    assert!(shop.is_refused(&token).await);
}

#[tokio::test]
async fn of_several_registrations_of_an_email_one_becomes_a_user() {
    let shop = Shop::open().await;
    let (first, token) = shop.registers("anna@example.com").await;
    let (_, other) = shop.registers("anna@example.com").await;
    shop.mail_tokens.verify_email(&token).await.unwrap();
    assert!(shop.is_refused(&other).await);
    let user = shop.users.find_by_email(&email("anna@example.com")).await.unwrap().unwrap();
    assert_eq!(user.id, first);
    assert_eq!(shop.count(ItemType::User).await, 1);
}

#[tokio::test]
async fn an_email_that_was_taken_meanwhile_stays_its_owners() {
    let shop = Shop::open().await;
    let (_, token) = shop.registers("anna@example.com").await;
    let anna = shop.anna().await;
    assert!(shop.is_refused(&token).await);
    assert_eq!(shop.users.find_now(anna.id).await.unwrap(), Some(anna));
    assert_eq!(shop.count(ItemType::User).await, 1);
}

#[tokio::test]
async fn of_two_who_confirm_a_registration_at_once_one_makes_the_user() {
    let shop = Shop::open().await;
    let (id, token) = shop.registers("anna@example.com").await;
    let (one, other) =
        tokio::join!(shop.mail_tokens.verify_email(&token), shop.mail_tokens.verify_email(&token));
    assert_eq!([one.is_ok(), other.is_ok()].into_iter().filter(|done| *done).count(), 1);
    assert!(shop.users.find_now(id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_registration_that_is_gone_makes_nobody() {
    let shop = Shop::open().await;
    let (id, token) = shop.registers("anna@example.com").await;
    let delete = shop.client.delete_item().table_name(&shop.table_name);
    delete.set_key(Some(schema::Key::registration(id).into())).send().await.unwrap();
    assert!(shop.is_refused(&token).await);
    assert!(shop.registrations.recipient(id).await.unwrap().is_none());
    assert_eq!(shop.count(ItemType::User).await, 0);
}
