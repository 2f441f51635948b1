//! Access tokens, which say who the caller of a request is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use storefront_core::{Role, SessionId, Timestamp, UserId};

use crate::token::{self, Token};
use crate::{Result, SigningKey};

/// How long a token is valid.
///
/// Whatever it says about its user stays in force that long, plus the time for which the gateway caches
/// the authorizer's decision (`ReauthorizeEvery` in template.yaml). So a token only says who the user
/// is. What the user may do is looked up in the table, as is the user before any change.
pub const LIFETIME: Duration = Duration::from_mins(15);

/// The user to whom a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    /// The user's id.
    #[serde(rename = "sub")]
    pub user_id: UserId,
    /// The user's role when the token was issued.
    pub role: Role,
    /// The session that it was issued in. Tokens of version 0.1 have none.
    #[serde(rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
}

impl Token for Bearer {
    const AUDIENCE: &'static str = "storefront";
    const LIFETIME: Duration = LIFETIME;
}

/// Signs a token for a user who has just logged in, or whose session has just been refreshed.
pub fn issue(key: &SigningKey, bearer: Bearer) -> Result<String> {
    issue_at(key, bearer, Timestamp::now())
}

fn issue_at(key: &SigningKey, bearer: Bearer, now: Timestamp) -> Result<String> {
    token::sign(key, &bearer, now.as_seconds() + LIFETIME.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::errors::ErrorKind;
    use jsonwebtoken::{Algorithm, Header};

    use super::*;
    use crate::hs256;
    use crate::token::InvalidToken;

    const SECRET: &str = "a secret of the tests, 32 bytes or more";

    fn verify(key: &SigningKey, token: &str) -> Result<Bearer, InvalidToken> {
        token::verify(key, token)
    }

    fn key() -> SigningKey {
        SigningKey::new(SECRET).unwrap()
    }

    fn anna() -> Bearer {
        Bearer { user_id: UserId::new(), role: Role::User, session_id: Some(SessionId::new()) }
    }

    fn rejection(token: &str) -> ErrorKind {
        verify(&key(), token).unwrap_err().0.into_kind()
    }

    fn signed(header: &Header, claims: &impl Serialize) -> String {
        hs256::install();
        jsonwebtoken::encode(header, claims, key().encoding()).unwrap()
    }

    #[test]
    fn a_token_names_its_bearer() {
        let anna = anna();
        let token = issue(&key(), anna).unwrap();
        assert_eq!(verify(&key(), &token).unwrap(), anna);
    }

    #[test]
    fn a_token_is_valid_for_a_quarter_of_an_hour() {
        let seconds_ago = |seconds: i64| {
            let then = Timestamp::from_millis(Timestamp::now().as_millis() - seconds * 1000);
            issue_at(&key(), anna(), then.unwrap()).unwrap()
        };
        assert!(verify(&key(), &seconds_ago(890)).is_ok());
        assert_eq!(rejection(&seconds_ago(902)), ErrorKind::ExpiredSignature);
    }

    #[test]
    fn a_token_signed_with_another_secret_is_rejected() {
        let other = SigningKey::new("another secret of the tests, 32 bytes").unwrap();
        let token = issue(&other, anna()).unwrap();
        assert_eq!(rejection(&token), ErrorKind::InvalidSignature);
    }

    #[test]
    fn no_part_of_a_token_can_be_changed_or_cut_off() {
        let token = issue(&key(), anna()).unwrap();
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let is_last = position == token.len() - 1;
            // The last base64 character of 32 bytes has unused bits. A strict decoder rejects other
            // values of them, too, but need not.
            assert!(verify(&key(), &changed).is_err() || is_last, "{position}");
            assert!(verify(&key(), &token[..position]).is_err(), "{position}");
        }
    }

    #[test]
    fn the_algorithm_is_pinned() {
        let token = issue(&key(), anna()).unwrap();
        let rest = token.split_once('.').unwrap().1;
        for header in [
            // {"alg":"none"}, {"alg":"HS512"}, {"alg":"RS256"}
            "eyJhbGciOiJub25lIn0",
            "eyJhbGciOiJIUzUxMiJ9",
            "eyJhbGciOiJSUzI1NiJ9",
        ] {
            assert!(verify(&key(), &format!("{header}.{rest}")).is_err(), "{header}");
            let unsigned = rest.split_once('.').unwrap().0;
            assert!(verify(&key(), &format!("{header}.{unsigned}.")).is_err(), "{header}");
        }
    }

    #[test]
    fn tokens_with_another_issuer_or_audience_or_without_a_claim_are_rejected() {
        let good = serde_json::json!({
            "iss": "storefront", "aud": "storefront", "sub": UserId::new(), "role": "user",
            "iat": 0, "exp": Timestamp::now().as_seconds() + 60,
        });
        let header = Header::new(Algorithm::HS256);
        assert!(verify(&key(), &signed(&header, &good)).is_ok());
        for (claim, value) in [
            ("iss", "other"),
            ("aud", "other"),
            ("aud", "storefront/refresh"),
            ("sub", "anna"),
            ("role", "root"),
            ("sid", "anna's"),
        ] {
            let mut claims = good.clone();
            claims[claim] = value.into();
            assert!(verify(&key(), &signed(&header, &claims)).is_err(), "{claim}");
        }
        for claim in ["iss", "aud", "sub", "role", "exp"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(verify(&key(), &signed(&header, &claims)).is_err(), "{claim}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_rejected() {
        for text in ["", ".", "..", "a.b.c", "Bearer", "\0\0.\0.\0", &".".repeat(10_000)] {
            assert!(verify(&key(), text).is_err());
        }
    }
}
