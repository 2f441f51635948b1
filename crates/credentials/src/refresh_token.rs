//! Refresh tokens, which prolong a session.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use storefront_core::{SESSION_LIFETIME, Session, SessionId, UserId};

use crate::token::{self, Token};
use crate::{Result, SigningKey};

/// What a refresh token names: one generation of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The session's user.
    #[serde(rename = "sub")]
    pub user_id: UserId,
    /// The session.
    #[serde(rename = "sid")]
    pub session_id: SessionId,
    /// The session's generation that it is good for.
    #[serde(rename = "gen")]
    pub generation: u64,
}

impl Token for RefreshToken {
    const AUDIENCE: &'static str = "storefront/refresh";
    const LIFETIME: Duration = SESSION_LIFETIME;
}

/// Signs the token of a session as it is now. It is the same one each time, so that a client whose answer
/// was lost gets it again.
pub fn issue(key: &SigningKey, user_id: UserId, session: &Session) -> Result<String> {
    let Session { id: session_id, generation, expires_at, .. } = *session;
    token::sign(key, &RefreshToken { user_id, session_id, generation }, expires_at)
}

#[cfg(test)]
mod tests {
    use storefront_core::Role;

    use super::*;
    use crate::access_token::{self, Bearer};

    #[test]
    fn no_token_is_taken_for_one_of_the_other_kind() {
        let key = SigningKey::new("a secret of the tests, 32 bytes or more").unwrap();
        let (user_id, session_id) = (UserId::new(), SessionId::new());
        let refresh = RefreshToken { user_id, session_id, generation: 7 };
        let exp = session_id.created_at().as_seconds() + 60;
        let refresh_token = token::sign(&key, &refresh, exp).unwrap();
        assert_eq!(token::verify::<RefreshToken>(&key, &refresh_token).unwrap(), refresh);
        assert!(token::verify::<Bearer>(&key, &refresh_token).is_err());

        let bearer = Bearer { user_id, role: Role::Admin, session_id: Some(session_id) };
        let access_token = access_token::issue(&key, bearer).unwrap();
        assert!(token::verify::<RefreshToken>(&key, &access_token).is_err());
    }

    #[test]
    fn the_same_generation_has_the_same_token_and_an_expired_one_is_refused() {
        let key = SigningKey::new("a secret of the tests, 32 bytes or more").unwrap();
        let refresh =
            RefreshToken { user_id: UserId::new(), session_id: SessionId::new(), generation: 0 };
        let sign = |exp| token::sign(&key, &refresh, exp).unwrap();
        let exp = refresh.session_id.created_at().as_seconds();
        assert_eq!(sign(exp + 60), sign(exp + 60));
        let refused = token::verify::<RefreshToken>(&key, &sign(exp - 60)).unwrap_err();
        assert_eq!(refused.reason(), "expired");
    }
}
