//! What access and refresh tokens have in common: JWTs signed with HS256.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, SigningKey, hs256};

/// The issuer of all tokens.
const ISSUER: &str = "storefront";

/// The claims of a kind of token. No token is taken for one of another kind, because each has an audience of
/// its own.
pub trait Token: Serialize + DeserializeOwned {
    /// Who the token is for (RFC 7519, section 4.1.3).
    const AUDIENCE: &'static str;

    /// How long a token is valid at most. The previous secret is accepted for as long after a rotation.
    const LIFETIME: Duration;
}

/// Why a token is not valid. Reveals nothing of its contents.
#[derive(Debug, thiserror::Error)]
#[error("the token is not valid")]
pub struct InvalidToken(#[source] pub(crate) jsonwebtoken::errors::Error);

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

/// The registered claims (RFC 7519, section 4.1), and the token's own.
#[derive(Serialize, Deserialize)]
struct Claims<T> {
    iss: String,
    aud: String,
    exp: i64,
    #[serde(flatten)]
    own: T,
}

/// Signs a token that expires at this time, in seconds since 1970. The same claims give the same token.
pub(crate) fn sign<T: Token>(key: &SigningKey, own: &T, exp: i64) -> Result<String> {
    hs256::install();
    let claims = Claims { iss: ISSUER.to_owned(), aud: T::AUDIENCE.to_owned(), exp, own };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key.encoding())
        .map_err(Error::Sign)
}

/// Returns the token's claims if this key signed it, this suite is its issuer, and it has not expired.
pub(crate) fn verify<T: Token>(key: &SigningKey, token: &str) -> Result<T, InvalidToken> {
    hs256::install();
    // Only this algorithm, whatever the token's header says.
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[T::AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Issuer and verifier use the same provider's clock, so no leeway is needed.
    validation.leeway = 0;
    let decoded = jsonwebtoken::decode::<Claims<T>>(token, key.decoding(), &validation);
    Ok(decoded.map_err(InvalidToken)?.claims.own)
}
