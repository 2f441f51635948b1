use crate::UnverifiableHash;

/// What the functions of this crate answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What could not be done with a password or a key. None of it is the user's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// argon2 failed, for want of memory or of random numbers.
    #[error("the password could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// No password can be compared with what is stored as a user's hash.
    #[error("the stored password hash cannot be verified")]
    StoredHash(#[from] UnverifiableHash),
    /// argon2 failed with a stored hash that may be verified.
    #[error("the password could not be verified")]
    Verify(#[source] argon2::password_hash::Error),
    /// The task that hashed was cut off.
    #[error("hashing the password was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    /// Neither `TOKEN_SECRET` nor `TOKEN_SECRET_ARN` says what signs access tokens.
    #[error("set TOKEN_SECRET_ARN (or, for local runs, TOKEN_SECRET): nothing signs access tokens")]
    MissingSecret,
    /// The secret could be guessed.
    #[error("the token secret has {0} bytes; HS256 needs at least 32 (RFC 7518, section 3.2)")]
    SecretTooShort(usize),
    /// Secrets Manager did not give the secret.
    #[error("the token secret could not be read from Secrets Manager")]
    Secret(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Secrets Manager's secret holds bytes where it should hold a text.
    #[error("the token secret is not a text")]
    BinarySecret,
    /// The token could not be signed.
    #[error("the access token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}
