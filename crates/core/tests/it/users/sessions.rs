use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use storefront_core::schema::{ItemType, Key};
use storefront_core::{
    Error, KeptSession, PageRequest, PasswordHash, REFRESH_GRACE, SESSION_LIFETIME, Session,
    SessionEnd, SessionId, Timestamp, User, UserChanges, UserId,
};
use storefront_testing::faults::Fault;

use crate::shop::Shop;

impl Shop {
    async fn log_in(&self, user: &User) -> Session {
        let user = self.users.find_now(user.id).await.unwrap().unwrap();
        self.sessions.begin(&user, Some("a browser".parse().unwrap())).await.unwrap()
    }

    async fn refresh(&self, user: &User, session: &Session) -> Result<Session, Error> {
        self.refresh_generation(user, session.id, session.generation).await
    }

    async fn refresh_generation(
        &self,
        user: &User,
        id: SessionId,
        generation: u64,
    ) -> Result<Session, Error> {
        let (found, session) = self.sessions.refresh(user.id, id, generation).await?;
        assert_eq!(found.id, user.id);
        Ok(session)
    }

    async fn list(&self, user: &User) -> Vec<SessionId> {
        let page = PageRequest { limit: 100, after: None };
        let page = self.sessions.list(user.id, page).await.unwrap();
        assert_eq!((page.unreadable, page.next), (0, None));
        page.items.iter().map(|session| session.id).collect()
    }

    async fn set_password(&self, user: &User, keeps: Option<SessionId>) {
        let keeps = match keeps {
            Some(id) => Some(self.to_keep(user, id).await.unwrap()),
            None => None,
        };
        self.users.update(user.id, new_password(keeps), None).await.unwrap();
    }

    async fn to_keep(&self, user: &User, id: SessionId) -> Option<KeptSession> {
        let user = self.users.find_now(user.id).await.unwrap().unwrap();
        self.sessions.to_keep(&user, id).await.unwrap()
    }

    /// Makes an attribute of a session what it would be if time had passed.
    async fn age(&self, user: &User, session: &Session, name: &str, value: AttributeValue) {
        self.client
            .update_item()
            .table_name(&self.table_name)
            .set_key(Some(Key::session(user.id, session.id).into()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    async fn age_refresh(&self, user: &User, session: &Session, millis: i64) {
        let then = Timestamp::from_millis(Timestamp::now().as_millis() - millis).unwrap();
        let then = AttributeValue::S(then.to_string());
        self.age(user, session, "refreshedAt", then).await;
    }
}

fn new_password(keeps: Option<KeptSession>) -> UserChanges {
    let password_hash = Some(PasswordHash::new("$argon2id$changed".to_owned()));
    UserChanges { password_hash, keeps, ..UserChanges::default() }
}

#[track_caller]
fn assert_over<T: std::fmt::Debug>(result: Result<T, Error>, expected: SessionEnd) {
    match result {
        Err(Error::SessionOver(end)) => assert_eq!(end, expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_goes_from_generation_to_generation_and_keeps_its_end() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let first = shop.log_in(&anna).await;
    assert_eq!(first.generation, 0);
    let lifetime = first.expires_at - first.id.created_at().as_seconds();
    assert_eq!(lifetime, SESSION_LIFETIME.as_secs().cast_signed());
    let mut session = first.clone();
    for generation in 1..=3 {
        session = shop.refresh(&anna, &session).await.unwrap();
        assert_eq!(session.generation, generation);
    }
    assert_eq!((session.id, session.expires_at), (first.id, first.expires_at));
    assert_eq!(session.user_agent, first.user_agent);
    assert!(session.refreshed_at >= first.refreshed_at);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_refresh_does_not_end_the_session() {
    for fault in [Fault::AppliedServerError, Fault::AppliedReset, Fault::TruncatedBody] {
        let (shop, plan) = Shop::with_faults();
        let anna = shop.anna().await;
        plan.next("PutItem", 1, fault);
        let first = shop.log_in(&anna).await;
        assert_eq!(plan.remaining(), 0);
        // The SDK sends it again, and finds its own work.
        plan.next("UpdateItem", 1, fault);
        let second = shop.refresh(&anna, &first).await.unwrap();
        assert_eq!((second.generation, plan.remaining()), (1, 0));
        // So does a client that got no answer at all.
        assert_eq!(shop.refresh(&anna, &first).await.unwrap(), second);
        assert_eq!(shop.refresh(&anna, &second).await.unwrap().generation, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_refresh_at_once_all_get_the_same_generation() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let first = shop.log_in(&anna).await;
    let refreshed = join_all((0..20).map(|_| shop.refresh(&anna, &first))).await;
    for session in refreshed {
        assert_eq!(session.unwrap().generation, 1);
    }
}

#[tokio::test]
async fn the_generation_before_is_good_for_a_minute_and_then_ends_the_session() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let first = shop.log_in(&anna).await;
    let second = shop.refresh(&anna, &first).await.unwrap();
    let grace = i64::try_from(REFRESH_GRACE.as_millis()).unwrap();
    // Clocks differ: for this one, the refresh may not have happened yet.
    for millis_ago in [grace - 5_000, -5_000] {
        shop.age_refresh(&anna, &first, millis_ago).await;
        assert_eq!(shop.refresh(&anna, &first).await.unwrap().generation, 1);
    }
    shop.age_refresh(&anna, &first, grace + 1_000).await;
    assert_over(shop.refresh(&anna, &first).await, SessionEnd::Reuse);
    // Whoever it was, the other one is out too, and so is everybody after that.
    assert_over(shop.refresh(&anna, &second).await, SessionEnd::Ended);
    assert_over(shop.refresh(&anna, &first).await, SessionEnd::Ended);
    assert_eq!(shop.list(&anna).await, []);
}

#[tokio::test]
async fn an_older_generation_ends_the_session_at_once() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let first = shop.log_in(&anna).await;
    let second = shop.refresh(&anna, &first).await.unwrap();
    let third = shop.refresh(&anna, &second).await.unwrap();
    assert_over(shop.refresh(&anna, &first).await, SessionEnd::Reuse);
    assert_over(shop.refresh(&anna, &third).await, SessionEnd::Ended);
}

#[tokio::test]
async fn a_generation_that_the_table_does_not_know_ends_nothing() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let first = shop.log_in(&anna).await;
    assert_over(shop.refresh_generation(&anna, first.id, 1).await, SessionEnd::Ended);
    assert_over(shop.refresh_generation(&anna, first.id, u64::MAX).await, SessionEnd::Ended);
    assert_over(shop.refresh_generation(&anna, SessionId::new(), 0).await, SessionEnd::Ended);
    assert!(shop.refresh(&anna, &first).await.is_ok());
}

#[tokio::test]
async fn a_session_is_its_users_alone() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let session = shop.log_in(&anna).await;
    assert_over(shop.refresh(&ben, &session).await, SessionEnd::Ended);
    assert!(matches!(shop.sessions.end(ben.id, session.id).await, Err(Error::SessionNotFound)));
    assert_eq!(shop.list(&ben).await, []);
    assert!(!shop.sessions.is_in_force(ben.id, session.id).await.unwrap());
    assert!(shop.sessions.is_in_force(anna.id, session.id).await.unwrap());
}

#[tokio::test]
async fn an_ended_session_is_over_and_others_are_not() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (phone, laptop) = (shop.log_in(&anna).await, shop.log_in(&anna).await);
    assert_eq!(shop.list(&anna).await, [laptop.id, phone.id], "newest first");
    for _ in 0..2 {
        shop.sessions.end(anna.id, phone.id).await.unwrap();
    }
    let none = shop.sessions.end(anna.id, SessionId::new()).await;
    assert!(matches!(none, Err(Error::SessionNotFound)));
    assert_over(shop.refresh(&anna, &phone).await, SessionEnd::Ended);
    assert!(!shop.sessions.is_in_force(anna.id, phone.id).await.unwrap());
    assert!(shop.refresh(&anna, &laptop).await.is_ok());
    assert_eq!(shop.list(&anna).await, [laptop.id]);

    shop.sessions.end_all(anna.id).await.unwrap();
    assert_over(shop.refresh(&anna, &laptop).await, SessionEnd::Ended);
    assert_eq!(shop.list(&anna).await, []);
    assert!(!shop.sessions.is_in_force(anna.id, laptop.id).await.unwrap());
    let again = shop.log_in(&anna).await;
    assert_eq!(shop.list(&anna).await, [again.id]);
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_the_one_in_which_it_was_set() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (phone, laptop) = (shop.log_in(&anna).await, shop.log_in(&anna).await);
    shop.set_password(&anna, Some(laptop.id)).await;
    assert_over(shop.refresh(&anna, &phone).await, SessionEnd::Ended);
    let laptop = shop.refresh(&anna, &laptop).await.unwrap();
    let tablet = shop.log_in(&anna).await;
    assert_eq!(shop.list(&anna).await, [tablet.id, laptop.id]);
    // Another one is kept the next time, and none if an administrator sets the password.
    shop.set_password(&anna, Some(tablet.id)).await;
    assert_over(shop.refresh(&anna, &laptop).await, SessionEnd::Ended);
    shop.set_password(&anna, None).await;
    assert_over(shop.refresh(&anna, &tablet).await, SessionEnd::Ended);
    assert_eq!(shop.list(&anna).await, []);
}

#[tokio::test]
async fn a_session_that_is_over_is_not_kept_and_so_brought_back() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    // Its access token may still be accepted, and may be stolen.
    let ended = shop.log_in(&anna).await;
    shop.sessions.end(anna.id, ended.id).await.unwrap();
    let of_before = shop.log_in(&anna).await;
    shop.sessions.end_all(anna.id).await.unwrap();
    for session in [&ended, &of_before] {
        assert_eq!(shop.to_keep(&anna, session.id).await, None);
    }
    assert_eq!(shop.to_keep(&anna, SessionId::new()).await, None);

    // Nor one that is ended between the two.
    let session = shop.log_in(&anna).await;
    let keeps = shop.to_keep(&anna, session.id).await;
    assert!(keeps.is_some());
    shop.sessions.end_all(anna.id).await.unwrap();
    let changed = shop.users.update(anna.id, new_password(keeps), None).await;
    assert!(matches!(changed, Err(Error::VersionMismatch { .. })), "{changed:?}");
    assert_over(shop.refresh(&anna, &session).await, SessionEnd::Ended);
    // The first time that they are ended, too.
    let ben = shop.register("ben@example.com").await.unwrap();
    let session = shop.log_in(&ben).await;
    let keeps = shop.to_keep(&ben, session.id).await;
    shop.sessions.end_all(ben.id).await.unwrap();
    assert!(shop.users.update(ben.id, new_password(keeps), None).await.is_err());
}

#[tokio::test]
async fn a_new_email_with_a_new_password_ends_them_too() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (phone, laptop) = (shop.log_in(&anna).await, shop.log_in(&anna).await);
    let changes = UserChanges {
        email: Some("anna@example.org".parse().unwrap()),
        password_hash: Some(PasswordHash::new("$argon2id$changed".to_owned())),
        keeps: shop.to_keep(&anna, laptop.id).await,
        ..UserChanges::default()
    };
    let changed = shop.users.update(anna.id, changes, None).await.unwrap();
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(changed));
    assert_over(shop.refresh(&anna, &phone).await, SessionEnd::Ended);
    assert!(shop.refresh(&anna, &laptop).await.is_ok());
}

#[tokio::test]
async fn a_log_in_with_the_password_that_is_just_being_replaced_begins_a_session_that_is_over() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    // Read, and its old password found right, before the new one is written.
    let read_before = shop.users.find_now(anna.id).await.unwrap().unwrap();
    shop.set_password(&anna, None).await;
    let session = shop.sessions.begin(&read_before, None).await.unwrap();
    assert_over(shop.refresh(&anna, &session).await, SessionEnd::Ended);
}

#[tokio::test]
async fn neither_a_deleted_user_nor_an_expired_session_goes_on() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (old, new) = (shop.log_in(&anna).await, shop.log_in(&anna).await);
    let now = AttributeValue::N(Timestamp::now().as_seconds().to_string());
    shop.age(&anna, &old, "expiresAt", now).await;
    assert_over(shop.refresh(&anna, &old).await, SessionEnd::Ended);
    assert_eq!(shop.list(&anna).await, [new.id]);
    shop.users.delete(anna.id, None).await.unwrap();
    assert_over(shop.refresh(&anna, &new).await, SessionEnd::Ended);
    let page = PageRequest { limit: 1, after: None };
    assert!(matches!(shop.sessions.list(anna.id, page).await, Err(Error::CallerNotFound)));
    assert!(matches!(shop.sessions.end_all(anna.id).await, Err(Error::CallerNotFound)));
    assert!(!shop.sessions.is_in_force(anna.id, new.id).await.unwrap());
    assert_eq!(shop.sessions.erase(anna.id).await.unwrap(), 2);
    assert_eq!(shop.count(ItemType::Session).await, 0);
}

#[tokio::test]
async fn sessions_are_listed_in_pages() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, shop.log_in(&anna).await.id);
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = shop.sessions.list(anna.id, PageRequest { limit: 2, after }).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|session| session.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    let of_nobody = shop.sessions.erase(UserId::new()).await.unwrap();
    assert_eq!(of_nobody, 0);
}
