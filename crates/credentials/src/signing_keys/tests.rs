//! Rotation, for signing and for verifying. The clock is simulated, except that the tokens themselves
//! expire in real time.

use std::sync::Mutex;

use jsonwebtoken::DecodingKeyKind;
use storefront_core::{Role, SessionId, UserId};
use storefront_testing::SecretsManager;

use super::*;
use crate::access_token::{self, Bearer};
use crate::refresh_token::RefreshToken;
use crate::secret::{MIN_EXTRA_READ_INTERVAL, REFRESH_AFTER};

/// How long access tokens of the previous secret are accepted: a quarter of an hour, and the five minutes until
/// the last function has read the new one.
const PREVIOUS_IS_VALID_FOR: Duration = Duration::from_mins(20);

const SECOND: Duration = Duration::from_secs(1);
const A_DAY: Duration = Duration::from_hours(24);

/// A Secrets Manager, and a clock that moves only when a test moves it.
struct World {
    secrets: SecretsManager,
    now: Arc<Mutex<SystemTime>>,
}

impl World {
    /// With the secret "a", never rotated.
    async fn with_secret() -> Self {
        let world = Self {
            secrets: SecretsManager::start().await,
            now: Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + 365 * A_DAY)),
        };
        world.rotate_to("a");
        world
    }

    /// The keys of a function that has just started.
    fn keys(&self) -> SigningKeys {
        let mut config = Builder::from(&aws::emulator_config());
        config.set_endpoint_url(Some(self.secrets.url().to_owned()));
        let now = self.now.clone();
        let clock = Arc::new(move || *now.lock().unwrap());
        SigningKeys::timed(Client::from_conf(config.build()), "token-secret".to_owned(), clock)
    }

    fn advance(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// Does what `aws secretsmanager put-secret-value` does.
    fn rotate_to(&self, letter: &str) {
        self.secrets.put(&letter.repeat(32), *self.now.lock().unwrap());
    }
}

fn token_of(letter: &str) -> String {
    let bearer =
        Bearer { user_id: UserId::new(), role: Role::User, session_id: Some(SessionId::new()) };
    access_token::issue(&SigningKey::new(&letter.repeat(32)).unwrap(), bearer).unwrap()
}

async fn accepts(keys: &SigningKeys, token: &str) -> bool {
    accepts_a::<Bearer>(keys, token).await
}

async fn accepts_a<T: Token>(keys: &SigningKeys, token: &str) -> bool {
    match keys.verify::<T>(token).await {
        Ok(_) => true,
        Err(NotVerified::Token(_)) => false,
        Err(NotVerified::Key(error)) => panic!("{error}"),
    }
}

async fn signs_with(keys: &SigningKeys) -> String {
    let key = keys.current().await.unwrap();
    match key.decoding().kind() {
        DecodingKeyKind::SecretOrDer(bytes) => char::from(bytes[0]).to_string(),
        DecodingKeyKind::RsaModulusExponent { .. } => unreachable!(),
    }
}

#[tokio::test]
async fn a_secret_is_read_once_and_kept_for_five_minutes() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert_eq!(signs_with(&keys).await, "a");
    world.rotate_to("b");
    world.advance(REFRESH_AFTER.saturating_sub(SECOND));
    assert_eq!(signs_with(&keys.clone()).await, "a");
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
    world.advance(SECOND);
    assert_eq!(signs_with(&keys).await, "b");
}

#[tokio::test]
async fn a_stale_secret_is_better_than_none() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert_eq!(signs_with(&keys).await, "a");
    world.secrets.refuse("AWSCURRENT");
    world.advance(A_DAY);
    assert_eq!(signs_with(&keys).await, "a");
    assert!(accepts(&keys, &token_of("a")).await);
    assert_eq!(world.secrets.calls().len(), 2, "it is not read again at once");
}

#[tokio::test]
async fn without_a_secret_there_is_no_key() {
    let world = World::with_secret().await;
    world.secrets.refuse("AWSCURRENT");
    assert!(matches!(world.keys().current().await, Err(Error::Secret(_))));
    assert!(matches!(world.keys().verify::<Bearer>("a.b.c").await, Err(NotVerified::Key(_))));
    let world = World::with_secret().await;
    world.secrets.put_binary();
    assert!(matches!(world.keys().current().await, Err(Error::BinarySecret)));
    world.secrets.put("too short", SystemTime::UNIX_EPOCH);
    assert!(matches!(world.keys().current().await, Err(Error::SecretTooShort(9))));
}

#[tokio::test]
async fn tokens_of_the_previous_secret_are_valid_until_the_last_of_them_has_expired() {
    let world = World::with_secret().await;
    world.advance(A_DAY);
    world.rotate_to("b");
    let (old, new) = (token_of("a"), token_of("b"));
    for (since_rotation, is_accepted) in [
        (Duration::ZERO, true),
        (Duration::from_mins(5), true),
        (PREVIOUS_IS_VALID_FOR.saturating_sub(SECOND), true),
        (PREVIOUS_IS_VALID_FOR, false),
        (A_DAY, false),
    ] {
        let world = World {
            secrets: world.secrets.clone(),
            now: Arc::new(Mutex::new(*world.now.lock().unwrap() + since_rotation)),
        };
        let keys = world.keys();
        assert_eq!(accepts(&keys, &old).await, is_accepted, "{since_rotation:?}");
        assert!(accepts(&keys, &new).await, "{since_rotation:?}");
        assert!(!accepts(&keys, &token_of("x")).await, "{since_rotation:?}");
        assert_eq!(signs_with(&keys).await, "b");
    }
}

#[tokio::test]
async fn a_known_previous_secret_is_not_used_after_its_time() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    let keys = world.keys();
    world.advance(PREVIOUS_IS_VALID_FOR.saturating_sub(SECOND));
    assert!(accepts(&keys, &token_of("a")).await);
    world.advance(SECOND);
    assert!(!accepts(&keys, &token_of("a")).await);
}

#[tokio::test]
async fn the_previous_secret_is_read_only_when_it_may_have_signed_a_token() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    let keys = world.keys();
    signs_with(&keys).await;
    assert!(accepts(&keys, &token_of("b")).await);
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
    for _ in 0..3 {
        assert!(accepts(&keys, &token_of("a")).await);
    }
    assert_eq!(world.secrets.calls(), ["AWSCURRENT", "AWSPREVIOUS"]);

    world.advance(A_DAY);
    let later = world.keys();
    assert!(!accepts(&later, &token_of("x")).await);
    assert_eq!(world.secrets.calls()[2..], ["AWSCURRENT"; 2]);
}

#[tokio::test]
async fn a_secret_that_was_never_rotated_has_no_previous_one() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert!(accepts(&keys, &token_of("a")).await);
    assert!(!accepts(&keys, &token_of("x")).await);
    assert!(accepts(&keys, &token_of("a")).await);
}

#[tokio::test]
async fn an_unreadable_previous_secret_affects_only_its_own_tokens() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    world.secrets.refuse("AWSPREVIOUS");
    let keys = world.keys();
    // Nobody knows whether they are valid: a client must not throw them away.
    for _ in 0..2 {
        let unknown = keys.verify::<Bearer>(&token_of("a")).await;
        assert!(matches!(unknown, Err(NotVerified::Key(_))), "{unknown:?}");
    }
    assert!(accepts(&keys, &token_of("b")).await);
    assert_eq!(signs_with(&keys).await, "b");

    world.secrets.recover();
    world.advance(MIN_EXTRA_READ_INTERVAL);
    assert!(accepts(&keys, &token_of("a")).await, "it is read again");
}

#[tokio::test]
async fn a_token_of_a_secret_that_is_newer_than_the_known_one_is_accepted_at_once() {
    let world = World::with_secret().await;
    world.advance(A_DAY);
    let keys = world.keys();
    assert!(accepts(&keys, &token_of("a")).await);

    world.advance(SECOND);
    world.rotate_to("b");
    assert!(accepts(&keys, &token_of("b")).await);
    assert!(accepts(&keys, &token_of("a")).await);
    assert_eq!(signs_with(&keys).await, "b");
}

#[tokio::test]
async fn a_token_of_a_newer_secret_that_cannot_be_read_is_not_called_invalid() {
    let world = World::with_secret().await;
    world.advance(A_DAY);
    let keys = world.keys();
    assert!(accepts(&keys, &token_of("a")).await);
    world.advance(SECOND);
    world.rotate_to("b");
    world.secrets.refuse("AWSCURRENT");
    for _ in 0..2 {
        let unknown = keys.verify::<RefreshToken>(&token_of("b")).await;
        assert!(matches!(unknown, Err(NotVerified::Key(_))), "{unknown:?}");
    }
    world.secrets.recover();
    world.advance(MIN_EXTRA_READ_INTERVAL);
    assert!(accepts(&keys, &token_of("b")).await);
}

#[tokio::test]
async fn a_flood_of_bad_tokens_causes_no_flood_of_calls() {
    let world = World::with_secret().await;
    world.advance(A_DAY);
    let keys = world.keys();
    for _ in 0..100 {
        assert!(!accepts(&keys, &token_of("x")).await);
    }
    assert_eq!(world.secrets.calls().len(), 2, "one at the start, and one for the flood");
    world.advance(MIN_EXTRA_READ_INTERVAL);
    for _ in 0..100 {
        assert!(!accepts(&keys, &token_of("x")).await);
    }
    assert_eq!(world.secrets.calls().len(), 3);
}

#[tokio::test]
async fn a_token_with_another_fault_than_its_signature_causes_no_read() {
    let world = World::with_secret().await;
    world.advance(A_DAY);
    let keys = world.keys();
    for token in ["", "a.b.c", "Bearer"] {
        assert!(!accepts(&keys, token).await);
    }
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
}

#[tokio::test]
async fn a_secret_is_not_accepted_after_two_rotations() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert!(accepts(&keys, &token_of("a")).await);
    world.rotate_to("b");
    world.advance(REFRESH_AFTER);
    assert!(accepts(&keys, &token_of("a")).await);
    world.rotate_to("c");
    world.advance(REFRESH_AFTER);
    assert!(!accepts(&keys, &token_of("a")).await);
    assert!(accepts(&keys, &token_of("b")).await);
    assert!(accepts(&keys, &token_of("c")).await);
}

#[tokio::test]
async fn refresh_tokens_outlive_a_rotation_and_not_two() {
    let token_of = |letter: &str| {
        let claims =
            RefreshToken { user_id: UserId::new(), session_id: SessionId::new(), generation: 3 };
        let exp = claims.session_id.created_at().as_seconds() + 60;
        token::sign(&SigningKey::new(&letter.repeat(32)).unwrap(), &claims, exp).unwrap()
    };
    let world = World::with_secret().await;
    world.rotate_to("b");
    world.advance(29 * A_DAY);
    assert!(accepts_a::<RefreshToken>(&world.keys(), &token_of("a")).await);
    assert!(accepts_a::<RefreshToken>(&world.keys(), &token_of("b")).await);
    assert!(!accepts_a::<Bearer>(&world.keys(), &token_of("b")).await);
    world.rotate_to("c");
    world.advance(REFRESH_AFTER);
    assert!(!accepts_a::<RefreshToken>(&world.keys(), &token_of("a")).await);
    assert!(accepts_a::<RefreshToken>(&world.keys(), &token_of("b")).await);
}

#[tokio::test]
async fn debug_output_hides_the_secret() {
    let fixed = SigningKeys::fixed(&"hunter42".repeat(4)).unwrap();
    assert!(!format!("{fixed:?} {:?}", fixed.current().await).contains("hunter"));
    let world = World::with_secret().await;
    world.rotate_to("hunter");
    let keys = world.keys();
    keys.current().await.unwrap();
    assert!(!format!("{keys:?}").contains("hunter"));
}
