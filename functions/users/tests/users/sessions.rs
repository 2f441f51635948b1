//! What a new password does to the sessions of its user, and to where they log in from.

use serde_json::{Value, json};
use storefront_core::{
    LoginAttempt, LoginAttempts, PasswordHash, Role, Session, Sessions, Source, User,
};
use storefront_testing::{Answer, Persona};

use crate::{PASSWORD, Shop, path};

const HOME: &str = "203.0.113.7";

impl Shop {
    fn sessions(&self) -> Sessions {
        Sessions::new(self.table.clone())
    }

    async fn user(&self, persona: Persona) -> User {
        self.users.find_now(persona.user_id).await.unwrap().unwrap()
    }

    async fn log_in(&self, persona: Persona) -> Session {
        self.sessions().begin(&self.user(persona).await, None).await.unwrap()
    }

    /// With the access token of this session, from home.
    async fn change(&self, persona: Persona, session: &Session, body: Value) -> Answer {
        let context =
            json!({ "userId": persona.user_id, "role": persona.role, "sessionId": session.id });
        self.api.patch("/users/me").from(HOME).authorized(context).json(body).send().await
    }

    async fn is_over(&self, persona: Persona, session: &Session) -> bool {
        self.sessions().refresh(persona.user_id, session.id, session.generation).await.is_err()
    }
}

fn new_password(new: &str, current: &str) -> Value {
    json!({ "password": new, "currentPassword": current })
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_the_one_in_which_it_is_changed() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (phone, laptop) = (shop.log_in(anna).await, shop.log_in(anna).await);
    let _ = shop.change(anna, &laptop, json!({ "name": "Anna B." })).await.expect(200);
    let _ = shop.change(anna, &laptop, new_password("fresh secret", PASSWORD)).await.expect(200);
    assert!(shop.is_over(anna, &phone).await);
    assert!(!shop.is_over(anna, &laptop).await);
}

#[tokio::test]
async fn a_password_that_is_changed_after_logging_out_everywhere_brings_no_session_back() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    // A thief has its refresh token.
    let stolen = shop.log_in(anna).await;
    shop.sessions().end_all(anna.user_id).await.unwrap();
    let _ = shop.change(anna, &stolen, new_password("fresh secret", PASSWORD)).await.expect(200);
    assert!(shop.is_over(anna, &stolen).await);
}

#[tokio::test]
async fn a_password_that_is_changed_after_an_administrator_set_one_brings_no_session_back() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let stolen = shop.log_in(anna).await;
    let temporary = json!({ "password": "temporary password" });
    let _ = shop.api.patch(path(anna)).by(admin).json(temporary).send().await.expect(200);
    assert!(shop.is_over(anna, &stolen).await);
    let own = new_password("her own password", "temporary password");
    let _ = shop.change(anna, &stolen, own).await.expect(200);
    assert!(shop.is_over(anna, &stolen).await);
}

#[tokio::test]
async fn where_one_changes_email_and_password_is_where_one_may_log_in() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let session = shop.log_in(anna).await;
    let moved = json!({
        "email": "anna@example.org", "password": "fresh secret", "currentPassword": PASSWORD,
    });
    let _ = shop.change(anna, &session, moved).await.expect(200);
    let user = shop.user(anna).await;
    let attempts = LoginAttempts::new(shop.table.clone());
    let from = |address: String| {
        let source = Source::of(address.parse().unwrap());
        LoginAttempt::new(user.email.clone(), Some(&user), source)
    };
    for number in 0..100 {
        attempts.begin(&from(format!("10.0.0.{number}"))).await.unwrap();
    }
    assert!(attempts.begin(&from("10.0.0.200".to_owned())).await.is_err());
    attempts.begin(&from(HOME.to_owned())).await.unwrap();
}

#[tokio::test]
async fn a_hash_that_nobody_can_verify_confirms_nothing_and_is_no_failure_of_the_shop() {
    let shop = Shop::open().await;
    let hash = PasswordHash::new("$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/".to_owned());
    let anna = shop.with_hash("anna", Role::User, hash).await;
    let answer = shop.api.patch("/users/me").by(anna);
    let answer = answer.json(new_password("fresh secret", PASSWORD)).send().await;
    let _ = answer.problem(403, "wrong_password");
}
