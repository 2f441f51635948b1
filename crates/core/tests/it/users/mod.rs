mod costs;
mod login_attempts;
mod mail_tokens;
mod registrations;
mod sessions;

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::ItemType;
use storefront_core::{
    Error, Locale, LoginAttempt, NewUser, PasswordHash, Role, Source, User, UserChanges, UserId,
    schema,
};

use crate::items;
use crate::shop::{Shop, attempt, email, new_user, number};

pub(crate) use costs::measure;

/// Registers two users, and begins a log-in, a session that is ended, and one that a new password does not end.
pub(crate) async fn put_examples(shop: &Shop) {
    let anna = NewUser { locale: Some(Locale::De), ..new_user(" Anna@Example.com ") };
    shop.users.register(items::anna(), anna).await.unwrap();
    let ben = shop.register("ben@example.com").await.unwrap();
    let session = shop.sessions.begin(&ben, Some("a browser".parse().unwrap())).await.unwrap();
    let over = shop.sessions.begin(&ben, None).await.unwrap();
    shop.sessions.end(ben.id, over.id).await.unwrap();
    let password_hash = Some(PasswordHash::new("$argon2id$changed".to_owned()));
    let keeps = shop.sessions.to_keep(&ben, session.id).await.unwrap();
    let changes = UserChanges { password_hash, keeps, ..UserChanges::default() };
    shop.users.update(ben.id, changes, None).await.unwrap();
    shop.login_attempts.begin(&attempt(&email("anna@example.com"))).await.unwrap();
    let source = Source::of([203, 0, 113, 7].into());
    for address in ["anna@example.com", "nobody@example.com"] {
        let attempt = LoginAttempt::new(email(address), None, source.clone());
        shop.login_attempts.begin(&attempt).await.unwrap();
        shop.login_attempts.failed(&attempt).await;
    }
    let attempt = LoginAttempt::new(email("ben@example.com"), None, source);
    shop.login_attempts.succeeded(&attempt).await;
    mail_tokens::put_examples(shop, ben.id).await;
    registrations::put_example(shop).await;
}

#[tokio::test]
async fn a_role_is_the_current_one_and_none_for_a_deleted_user() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let promote = || UserChanges { role: Some(Role::Admin), ..UserChanges::default() };
    assert_eq!(shop.users.role_of(anna.id).await.unwrap(), Some(Role::User));
    shop.users.update(anna.id, promote(), None).await.unwrap();
    assert_eq!(shop.users.role_of(anna.id).await.unwrap(), Some(Role::Admin));
    shop.users.delete(anna.id, None).await.unwrap();
    assert_eq!(shop.users.role_of(anna.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_registered_user_is_found_by_id_and_by_email() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna.clone()));
    let found = shop.users.find_by_email(&email("ANNA@example.com")).await.unwrap();
    assert_eq!(found, Some(anna));
    assert_eq!(shop.users.find(UserId::new()).await.unwrap(), None);
    assert_eq!(shop.users.find_by_email(&email("ben@example.com")).await.unwrap(), None);
}

#[tokio::test]
async fn an_email_that_is_taken_leaves_the_first_user_as_it_was() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    assert!(matches!(shop.register("anna@example.com").await, Err(Error::EmailTaken)));
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna));
    assert_eq!(shop.count(ItemType::User).await, 1);
}

#[tokio::test]
async fn a_change_increments_the_version_and_leaves_the_rest() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let changes = UserChanges { name: Some("Anna B.".parse().unwrap()), ..UserChanges::default() };
    let changed = shop.users.update(anna.id, changes, Some(1)).await.unwrap();
    assert_eq!(changed.name.as_str(), "Anna B.");
    assert_eq!(changed.version, 2);
    assert_eq!(changed.email, anna.email);
    assert_eq!(changed.password_hash, anna.password_hash);
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(changed));
}

#[tokio::test]
async fn a_change_of_another_version_or_of_a_missing_user_is_rejected() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let promote = || UserChanges { role: Some(Role::Admin), ..UserChanges::default() };
    assert!(matches!(
        shop.users.update(anna.id, promote(), Some(7)).await,
        Err(Error::VersionMismatch { current: 1 })
    ));
    assert!(matches!(
        shop.users.update(UserId::new(), promote(), None).await,
        Err(Error::UserNotFound)
    ));
    assert_eq!(shop.count(ItemType::User).await, 1, "an update of a missing user creates none");
    assert_eq!(shop.users.find(anna.id).await.unwrap().unwrap().role, Role::User);
}

#[tokio::test]
async fn a_change_of_email_frees_the_old_one_and_guards_the_new_one() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let changes = UserChanges {
        email: Some(email("anna@example.org")),
        name: Some("A.".parse().unwrap()),
        ..UserChanges::default()
    };
    let changed = shop.users.update(anna.id, changes, None).await.unwrap();
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(changed.clone()));
    assert_eq!(changed.version, 2);
    assert_eq!(shop.users.find_by_email(&email("anna@example.org")).await.unwrap(), Some(changed));
    assert!(matches!(shop.register("anna@example.org").await, Err(Error::EmailTaken)));
    shop.register("anna@example.com").await.expect("the old email is free");
}

#[tokio::test]
async fn a_change_to_another_users_email_changes_nothing() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let ben = shop.register("ben@example.com").await.unwrap();
    let changes = UserChanges {
        email: Some(ben.email.clone()),
        name: Some("Thief".parse().unwrap()),
        ..UserChanges::default()
    };
    assert!(matches!(shop.users.update(anna.id, changes, None).await, Err(Error::EmailTaken)));
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna));
    assert_eq!(shop.users.find_by_email(&ben.email).await.unwrap(), Some(ben));
}

#[tokio::test]
async fn a_change_to_the_same_email_keeps_the_guard() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let changes = UserChanges { email: Some(anna.email.clone()), ..UserChanges::default() };
    let changed = shop.users.update(anna.id, changes, None).await.unwrap();
    assert_eq!(changed.email, anna.email);
    assert_eq!(shop.count(ItemType::UniqueEmail).await, 1);
}

#[tokio::test]
async fn a_renewal_changes_only_the_password_hash_in_the_table_and_in_the_index() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let new = PasswordHash::new("$argon2id$renewed".to_owned());
    assert!(shop.users.renew_password_hash(anna.id, &anna.password_hash, &new).await.unwrap());
    let renewed = User { password_hash: new, ..anna.clone() };
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(renewed.clone()));
    assert_eq!(shop.users.find_by_email(&anna.email).await.unwrap(), Some(renewed));
}

#[tokio::test]
async fn a_password_hash_is_renewed_only_if_it_is_still_there_whatever_else_was_changed() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let hash = |text: &str| PasswordHash::new(format!("$argon2id${text}"));
    let renew = async |old: &PasswordHash| {
        shop.users.renew_password_hash(anna.id, old, &hash("renewed")).await.unwrap()
    };
    let changes = UserChanges { password_hash: Some(hash("changed")), ..UserChanges::default() };
    shop.users.update(anna.id, changes, None).await.unwrap();
    assert!(!renew(&anna.password_hash).await);
    assert_eq!(shop.users.find(anna.id).await.unwrap().unwrap().password_hash, hash("changed"));

    let changes = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
    shop.users.update(anna.id, changes, None).await.unwrap();
    assert!(renew(&hash("changed")).await);
    let renewed = shop.users.find(anna.id).await.unwrap().unwrap();
    assert_eq!((renewed.name.as_str(), renewed.version), ("A.", 3));

    shop.users.delete(anna.id, None).await.unwrap();
    assert!(!renew(&hash("renewed")).await);
    assert_eq!(shop.count(ItemType::User).await, 0, "a renewal of a missing user creates none");
}

#[tokio::test]
async fn a_deleted_user_is_gone_and_the_email_is_free() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    assert!(matches!(
        shop.users.delete(anna.id, Some(2)).await,
        Err(Error::VersionMismatch { current: 1 })
    ));
    shop.users.delete(anna.id, Some(1)).await.unwrap();
    assert_eq!(shop.users.find(anna.id).await.unwrap(), None);
    assert_eq!(shop.users.find_by_email(&anna.email).await.unwrap(), None);
    assert!(matches!(shop.users.delete(anna.id, None).await, Err(Error::UserNotFound)));
    shop.register("anna@example.com").await.unwrap();
}

#[tokio::test]
async fn an_item_that_is_not_what_its_key_says_is_an_error() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    shop.overwrite(schema::Key::user(anna.id), "_type", number(7)).await;
    assert!(matches!(shop.users.find(anna.id).await, Err(Error::Item(_))));
}

#[tokio::test]
async fn a_user_is_written_to_at_the_current_address_in_their_language() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let recipient = shop.users.recipient(anna.id).await.unwrap().unwrap();
    assert_eq!((&recipient.email, &recipient.name), (&anna.email, &anna.name));
    assert_eq!(recipient.locale, None);
    let changes = UserChanges {
        email: Some(email("anna@example.org")),
        locale: Some(Locale::De),
        ..UserChanges::default()
    };
    let changed = shop.users.update(anna.id, changes, None).await.unwrap();
    assert_eq!(changed.locale, Some(Locale::De));
    let recipient = shop.users.recipient(anna.id).await.unwrap().unwrap();
    assert_eq!((recipient.email, recipient.locale), (email("anna@example.org"), Some(Locale::De)));
    shop.users.delete(anna.id, None).await.unwrap();
    assert!(shop.users.recipient(anna.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_language_that_this_version_does_not_know_counts_as_none() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let mut item = shop.raw(schema::Key::user(anna.id)).await.unwrap();
    item.insert("locale".to_owned(), AttributeValue::S("tlh".to_owned()));
    let put = shop.client.put_item().table_name(&shop.table_name).set_item(Some(item));
    put.send().await.unwrap();
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna.clone()));
    assert_eq!(shop.users.recipient(anna.id).await.unwrap().unwrap().locale, None);
}
