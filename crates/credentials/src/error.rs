use crate::UnverifiableHash;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure with a password or a key. None is the user's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// argon2 failed: it got no memory or no random numbers.
    #[error("the password could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// The user's stored hash is of no kind that can be verified.
    #[error("the stored password hash cannot be verified")]
    StoredHash(#[from] UnverifiableHash),
    /// argon2 failed on a stored hash that can be verified.
    #[error("the password could not be verified")]
    Verify(#[source] argon2::password_hash::Error),
    /// The task that hashed the password panicked or was cancelled.
    #[error("hashing the password was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    /// Neither `TOKEN_SECRET` nor `TOKEN_SECRET_ARN` is set.
    #[error(
        "no secret to sign access tokens with: set TOKEN_SECRET_ARN or, for local runs, TOKEN_SECRET"
    )]
    MissingSecret,
    /// The secret is so short that it could be guessed.
    #[error("the token secret has {0} bytes; HS256 needs at least 32 (RFC 7518, section 3.2)")]
    SecretTooShort(usize),
    /// Secrets Manager did not return the secret.
    #[error("the token secret could not be read from Secrets Manager")]
    Secret(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Secrets Manager did not return the secret a moment ago, and is not asked again yet.
    #[error("the token secret could not be read from Secrets Manager a moment ago")]
    SecretUnread,
    /// The secret in Secrets Manager is binary.
    #[error("the token secret is binary, not a string")]
    BinarySecret,
    /// Signing the token failed.
    #[error("the access token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}
