//! Access tokens: JWTs signed with HS256, valid for an hour.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use storefront_core::{Role, Timestamp, UserId};

use crate::{Error, Result, SigningKey, hs256};

/// How long a token is valid.
///
/// Whatever it says about its user stays in force that long, plus the time for which the gateway caches
/// the authorizer's decision (`ReauthorizeEvery` in template.yaml). So a token only says who the user
/// is. What the user may do is looked up in the table, as is the user before any change.
pub const LIFETIME: Duration = Duration::from_hours(1);

/// Both the issuer and the audience of the tokens.
const STOREFRONT: &str = "storefront";

/// Why a token is not valid. Reveals nothing of its contents.
#[derive(Debug, thiserror::Error)]
#[error("the access token is not valid")]
pub struct InvalidToken(#[source] jsonwebtoken::errors::Error);

impl InvalidToken {
    /// The reason, for the log. The library's own message is not used, because it may quote the token.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.0.kind() {
            ErrorKind::ExpiredSignature => "expired",
            ErrorKind::InvalidSignature => "wrong signature",
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "other algorithm",
            ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => "issued by or for others",
            ErrorKind::MissingRequiredClaim(_) => "incomplete",
            _ => "unreadable",
        }
    }

    /// Whether the token may be valid with another key.
    pub(crate) fn is_of_another_key(&self) -> bool {
        matches!(self.0.kind(), ErrorKind::InvalidSignature)
    }
}

/// The user to whom a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user's id.
    pub user_id: UserId,
    /// The user's role at log-in.
    pub role: Role,
}

/// The registered claims (RFC 7519, section 4.1), and the role.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    role: Role,
    iat: i64,
    exp: i64,
}

/// Signs a token for a user who has just logged in.
pub fn issue(key: &SigningKey, bearer: Bearer) -> Result<String> {
    issue_at(key, bearer, Timestamp::now())
}

/// Returns the token's bearer if this key signed it, this suite is its issuer and audience, and it has
/// not expired. [`SigningKeys::verify`](crate::SigningKeys::verify) tries every key that may have signed
/// it.
pub fn verify(key: &SigningKey, token: &str) -> Result<Bearer, InvalidToken> {
    hs256::install();
    // Only this algorithm, whatever the token's header says.
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[STOREFRONT]);
    validation.set_audience(&[STOREFRONT]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Issuer and verifier use the same provider's clock, so no leeway is needed.
    validation.leeway = 0;
    let claims: Claims =
        jsonwebtoken::decode(token, key.decoding(), &validation).map_err(InvalidToken)?.claims;
    Ok(Bearer { user_id: claims.sub, role: claims.role })
}

fn issue_at(key: &SigningKey, bearer: Bearer, now: Timestamp) -> Result<String> {
    hs256::install();
    let iat = now.as_seconds();
    let claims = Claims {
        iss: STOREFRONT.to_owned(),
        aud: STOREFRONT.to_owned(),
        sub: bearer.user_id,
        role: bearer.role,
        iat,
        exp: iat + LIFETIME.as_secs().cast_signed(),
    };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key.encoding())
        .map_err(Error::Sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of the tests, 32 bytes or more";

    fn key() -> SigningKey {
        SigningKey::new(SECRET).unwrap()
    }

    fn anna() -> Bearer {
        Bearer { user_id: UserId::new(), role: Role::User }
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
    fn a_token_is_valid_for_an_hour() {
        let seconds_ago = |seconds: i64| {
            let then = Timestamp::from_millis(Timestamp::now().as_millis() - seconds * 1000);
            issue_at(&key(), anna(), then.unwrap()).unwrap()
        };
        assert!(verify(&key(), &seconds_ago(3590)).is_ok());
        assert_eq!(rejection(&seconds_ago(3602)), ErrorKind::ExpiredSignature);
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
        for (claim, value) in
            [("iss", "other"), ("aud", "other"), ("sub", "anna"), ("role", "root")]
        {
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
