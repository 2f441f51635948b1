//! Rotation, as whoever signs and whoever verifies sees it. The time is the tests' own; only the
//! tokens themselves live in real time, for which an hour is long enough.

use std::sync::Mutex;

use jsonwebtoken::DecodingKeyKind;
use storefront_core::{Role, UserId};
use storefront_testing::SecretsManager;

use super::*;
use crate::secret::{PREVIOUS_IS_GOOD_FOR, READ_ONCE_MORE_AFTER, REFRESH_AFTER};

const SECOND: Duration = Duration::from_secs(1);
const A_DAY: Duration = Duration::from_hours(24);

/// A Secrets Manager, and a clock that stands still unless it is told otherwise.
struct World {
    secrets: SecretsManager,
    now: Arc<Mutex<SystemTime>>,
}

impl World {
    /// The secret "a", never rotated.
    async fn with_secret() -> Self {
        let world = Self {
            secrets: SecretsManager::start().await,
            now: Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + 365 * A_DAY)),
        };
        world.rotate_to("a");
        world
    }

    /// An environment that has just started.
    fn keys(&self) -> SigningKeys {
        let mut config = Builder::from(&aws::emulator_config());
        config.set_endpoint_url(Some(self.secrets.url().to_owned()));
        let now = self.now.clone();
        let clock = Arc::new(move || *now.lock().unwrap());
        SigningKeys::timed(Client::from_conf(config.build()), "token-secret".to_owned(), clock)
    }

    fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// As `aws secretsmanager put-secret-value` does.
    fn rotate_to(&self, letter: &str) {
        self.secrets.put(&letter.repeat(32), *self.now.lock().unwrap());
    }
}

fn token_of(letter: &str) -> String {
    let bearer = Bearer { user_id: UserId::new(), role: Role::User };
    access_token::issue(&SigningKey::new(&letter.repeat(32)).unwrap(), bearer).unwrap()
}

async fn takes(keys: &SigningKeys, token: &str) -> bool {
    match keys.verify(token).await {
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
    world.pass(REFRESH_AFTER.saturating_sub(SECOND));
    assert_eq!(signs_with(&keys.clone()).await, "a");
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
    world.pass(SECOND);
    assert_eq!(signs_with(&keys).await, "b");
}

#[tokio::test]
async fn a_stale_secret_is_better_than_none() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert_eq!(signs_with(&keys).await, "a");
    world.secrets.refuse("AWSCURRENT");
    world.pass(A_DAY);
    assert_eq!(signs_with(&keys).await, "a");
    assert!(takes(&keys, &token_of("a")).await);
    assert_eq!(world.secrets.calls().len(), 2, "it is not asked for again at once");
}

#[tokio::test]
async fn without_a_secret_there_is_no_key() {
    let world = World::with_secret().await;
    world.secrets.refuse("AWSCURRENT");
    assert!(matches!(world.keys().current().await, Err(Error::Secret(_))));
    assert!(matches!(world.keys().verify("a.b.c").await, Err(NotVerified::Key(_))));
    let world = World::with_secret().await;
    world.secrets.put_binary();
    assert!(matches!(world.keys().current().await, Err(Error::BinarySecret)));
    world.secrets.put("too short", SystemTime::UNIX_EPOCH);
    assert!(matches!(world.keys().current().await, Err(Error::SecretTooShort(9))));
}

#[tokio::test]
async fn tokens_of_the_previous_secret_are_good_until_the_last_of_them_has_expired() {
    assert_eq!(PREVIOUS_IS_GOOD_FOR, Duration::from_mins(65));
    let world = World::with_secret().await;
    world.pass(A_DAY);
    world.rotate_to("b");
    let (old, new) = (token_of("a"), token_of("b"));
    for (since_rotation, is_taken) in [
        (Duration::ZERO, true),
        (Duration::from_mins(5), true),
        (PREVIOUS_IS_GOOD_FOR.saturating_sub(SECOND), true),
        (PREVIOUS_IS_GOOD_FOR, false),
        (A_DAY, false),
    ] {
        let world = World {
            secrets: world.secrets.clone(),
            now: Arc::new(Mutex::new(*world.now.lock().unwrap() + since_rotation)),
        };
        let keys = world.keys();
        assert_eq!(takes(&keys, &old).await, is_taken, "{since_rotation:?}");
        assert!(takes(&keys, &new).await, "{since_rotation:?}");
        assert!(!takes(&keys, &token_of("x")).await, "{since_rotation:?}");
        assert_eq!(signs_with(&keys).await, "b");
    }
}

#[tokio::test]
async fn one_who_knows_the_previous_secret_forgets_it_when_its_time_is_over() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    let keys = world.keys();
    world.pass(PREVIOUS_IS_GOOD_FOR.saturating_sub(SECOND));
    assert!(takes(&keys, &token_of("a")).await);
    world.pass(SECOND);
    assert!(!takes(&keys, &token_of("a")).await);
}

#[tokio::test]
async fn the_previous_secret_is_asked_for_only_when_a_token_may_be_of_it() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    let keys = world.keys();
    signs_with(&keys).await;
    assert!(takes(&keys, &token_of("b")).await);
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
    for _ in 0..3 {
        assert!(takes(&keys, &token_of("a")).await);
    }
    assert_eq!(world.secrets.calls(), ["AWSCURRENT", "AWSPREVIOUS"]);

    world.pass(A_DAY);
    let later = world.keys();
    assert!(!takes(&later, &token_of("x")).await);
    assert_eq!(world.secrets.calls()[2..], ["AWSCURRENT"; 2]);
}

#[tokio::test]
async fn a_secret_that_was_never_rotated_has_no_previous_one() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert!(takes(&keys, &token_of("a")).await);
    assert!(!takes(&keys, &token_of("x")).await);
    assert!(takes(&keys, &token_of("a")).await);
}

#[tokio::test]
async fn that_the_previous_secret_cannot_be_read_concerns_its_tokens_only() {
    let world = World::with_secret().await;
    world.rotate_to("b");
    world.secrets.refuse("AWSPREVIOUS");
    let keys = world.keys();
    assert!(!takes(&keys, &token_of("a")).await);
    assert!(takes(&keys, &token_of("b")).await);
    assert_eq!(signs_with(&keys).await, "b");

    world.secrets.recover();
    world.pass(READ_ONCE_MORE_AFTER);
    assert!(takes(&keys, &token_of("a")).await, "it is asked for again");
}

#[tokio::test]
async fn a_token_of_a_secret_that_is_newer_than_the_known_one_is_taken_at_once() {
    let world = World::with_secret().await;
    world.pass(A_DAY);
    let keys = world.keys();
    assert!(takes(&keys, &token_of("a")).await);

    world.pass(SECOND);
    world.rotate_to("b");
    assert!(takes(&keys, &token_of("b")).await);
    assert!(takes(&keys, &token_of("a")).await);
    assert_eq!(signs_with(&keys).await, "b");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_is_no_flood_of_calls() {
    let world = World::with_secret().await;
    world.pass(A_DAY);
    let keys = world.keys();
    for _ in 0..100 {
        assert!(!takes(&keys, &token_of("x")).await);
    }
    assert_eq!(world.secrets.calls().len(), 2, "one to begin with, and one for the flood");
    world.pass(READ_ONCE_MORE_AFTER);
    for _ in 0..100 {
        assert!(!takes(&keys, &token_of("x")).await);
    }
    assert_eq!(world.secrets.calls().len(), 3);
}

#[tokio::test]
async fn what_is_wrong_but_not_with_the_signature_asks_for_no_other_key() {
    let world = World::with_secret().await;
    world.pass(A_DAY);
    let keys = world.keys();
    for token in ["", "a.b.c", "Bearer"] {
        assert!(!takes(&keys, token).await);
    }
    assert_eq!(world.secrets.calls(), ["AWSCURRENT"]);
}

#[tokio::test]
async fn two_rotations_are_the_end_of_a_secret() {
    let world = World::with_secret().await;
    let keys = world.keys();
    assert!(takes(&keys, &token_of("a")).await);
    world.rotate_to("b");
    world.pass(REFRESH_AFTER);
    assert!(takes(&keys, &token_of("a")).await);
    world.rotate_to("c");
    world.pass(REFRESH_AFTER);
    assert!(!takes(&keys, &token_of("a")).await);
    assert!(takes(&keys, &token_of("b")).await);
    assert!(takes(&keys, &token_of("c")).await);
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
