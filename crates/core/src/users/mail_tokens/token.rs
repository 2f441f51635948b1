use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The token of a mail: whoever has it has read the mail. Debug output hides it, and it is wiped from
/// memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MailToken(Zeroizing<String>);

/// In bytes. Nobody guesses 256 random bits.
const RANDOM: usize = 32;

impl MailToken {
    /// The length of a token, in characters.
    pub const LENGTH: usize = 43;

    /// Makes a new token, from the random numbers of the operating system.
    pub(super) fn random() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; RANDOM]);
        getrandom::fill(&mut *bytes).map_err(|error| Error::Unavailable(error.into()))?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// Takes what a client says is a token.
    #[must_use]
    pub fn given(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the mail alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the table knows of the token. A hash without salt is enough, because nobody can try all
    /// tokens.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for MailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_have_one_length() {
        let (a, b) = (MailToken::random().unwrap(), MailToken::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), MailToken::LENGTH);
        assert_ne!(a.hash(), a.expose());
        assert_eq!(a.hash(), MailToken::given(a.expose().to_owned()).hash());
        assert_eq!(format!("{a:?}"), "MailToken(…)");
    }
}
