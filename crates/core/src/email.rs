use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::openapi::openapi;

/// An email address, trimmed and lower-cased, so that one mailbox has one key.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Email(String);

/// The text is not an address that mail could be sent to.
#[derive(Debug, thiserror::Error)]
#[error("must be an email address such as name@example.com, of at most 254 characters")]
pub struct InvalidEmail;

impl Email {
    /// The longest address that fits an SMTP path (RFC 5321, section 4.5.3.1.3, without brackets).
    pub const MAX_LENGTH: usize = 254;

    /// The normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

openapi!(
    Email = crate::openapi::string(
        "Its domain must contain a dot. Case and surrounding spaces are ignored",
    )
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
    .min_length(Some("a@b.c".len()))
    .max_length(Some(Email::MAX_LENGTH))
    .examples(["ada@example.com"])
);

/// Addresses are personal data: they appear in a log only if code asks for them explicitly.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normalised = text.trim().to_lowercase();
        let options =
            Options::default().with_required_tld().without_display_text().without_domain_literal();
        if normalised.len() > Self::MAX_LENGTH
            || EmailAddress::parse_with_options(&normalised, options).is_err()
        {
            return Err(InvalidEmail);
        }
        Ok(Self(normalised))
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_trimmed_and_lower_cased() {
        assert_eq!(" Anna@Example.COM ".parse::<Email>().unwrap().as_str(), "anna@example.com");
    }

    #[test]
    fn an_invalid_address_is_rejected() {
        let too_long = format!("{}@example.com", "a".repeat(250));
        for text in
            ["", "anna", "anna@", "@example.com", "anna@localhost", "a b@example.com", &too_long]
        {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_hides_the_address() {
        let email: Email = "anna@example.com".parse().unwrap();
        assert!(!format!("{email:?}").contains("anna"));
    }
}
