use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

use crate::openapi::openapi;
use crate::text;

/// An email address, in the one form that is its key: trimmed and lower-cased, the part before the `@`
/// in NFC (RFC 6531), the domain in its ASCII form (UTS 46). So one mailbox belongs to one user,
/// whichever keyboard or browser it was typed with.
///
/// What is read from the table is taken as it is, because that is its key there.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is not an address that mail could be sent to.
#[derive(Debug, thiserror::Error)]
#[error("must be an email address such as name@example.com, of at most 254 bytes")]
pub struct InvalidEmail;

/// In bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// The characters that may stand in the part before the `@`, beside letters, digits and dots (RFC
/// 5322, section 3.2.3). A quoted part, in which all others could stand, is not accepted: no browser's
/// email field accepts one, and hardly any mailbox has one.
const ATEXT: &str = "!#$%&'*+-/=?^_`{|}~";

impl Email {
    /// The longest address that fits an SMTP path, in bytes (RFC 5321, section 4.5.3.1.3, without
    /// brackets).
    pub const MAX_LENGTH: usize = 254;

    /// The normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An address as the table has it, in a key for example.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

openapi!(
    Email = crate::openapi::string(
        "Letters of any script may be in it. Its domain must contain a dot, and is returned in its \
         ASCII form (UTS 46). Case and surrounding spaces are ignored. At most 254 bytes",
    )
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::IdnEmail)))
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

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(InvalidEmail)?;
        let local = text::nfc(&text::nfc(local).to_lowercase()).into_owned();
        let domain = ascii(domain).ok_or(InvalidEmail)?;
        let normalised = format!("{local}@{domain}");
        if !is_local_part(&local) || normalised.len() > Self::MAX_LENGTH {
            return Err(InvalidEmail);
        }
        Ok(Self(normalised))
    }
}

/// Whether this is a dot-string of RFC 5321, with the further letters of RFC 6531.
fn is_local_part(text: &str) -> bool {
    let is_atext = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || ATEXT.contains(c);
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.chars().all(is_atext)
            && !atom.contains(text::is_space)
            && text::expect_line(atom).is_ok()
            && !is_encoded_word(atom)
    };
    text.len() <= MAX_LOCAL_PART && text.split('.').all(is_atom)
}

/// Whether some mail program may decode it, and write to another address (RFC 2047, section 5, forbids it here).
fn is_encoded_word(atom: &str) -> bool {
    atom.split_once("=?").is_some_and(|(_, rest)| rest.contains("?="))
}

/// Returns the ASCII form of a domain with at least one dot. Hyphens may also stand third and fourth in
/// a label: many hosts are named so, although UTS 46 would refuse it.
fn ascii(domain: &str) -> Option<String> {
    let (hyphens, length) = (Hyphens::CheckFirstLast, DnsLength::Verify);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, hyphens, length);
    ascii.ok().filter(|ascii| ascii.contains('.')).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> String {
        text.parse::<Email>().unwrap_or_else(|_| panic!("{text}")).0
    }

    #[test]
    fn an_email_is_trimmed_and_lower_cased() {
        assert_eq!(email(" Anna@Example.COM "), "anna@example.com");
    }

    #[test]
    fn one_mailbox_has_one_form() {
        for (one, other) in [
            ("kunde@müller.example", "kunde@xn--mller-kva.example"),
            ("KUNDE@MÜLLER.EXAMPLE", "kunde@mu\u{308}ller.example"),
            ("renée@example.com", "RENE\u{301}E@ｅｘａｍｐｌｅ。com"),
            ("user@विश्व.भारत", "user@xn--y2bac9a9d.xn--h2brj9c"),
            ("한글@example.com", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}@example.com"),
        ] {
            assert_eq!(email(one), email(other));
            assert_eq!(email(&email(one)), email(one));
        }
        // Two domains, whatever they look like.
        assert_ne!(email("a@faß.de"), email("a@fass.de"));
    }

    #[test]
    fn addresses_of_all_scripts_are_accepted() {
        for text in [
            "शक्ति@example.com",
            "renée@example.com",
            "用户@例え.jp",
            "عمر@example.com",
            "ада@пример.рф",
            "o'neill+shop@example.co.uk",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "a@r3---sn-abc.example.com",
            "a@1.example.com",
        ] {
            email(text);
        }
    }

    #[test]
    fn an_invalid_address_is_rejected() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let too_long = format!("a@{}example.com", "abcdefghi.".repeat(25));
        for text in [
            "",
            "anna",
            "anna@",
            "@example.com",
            "anna@localhost",
            "a b@example.com",
            "\"a b\"@example.com",
            "a\u{A0}b@example.com",
            "a\u{2800}b@example.com",
            "a\u{200B}b@example.com",
            "a\u{202E}b@example.com",
            "a\r\nb@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a@b@example.com",
            "a@example..com",
            "a@example.com.",
            "a@-example.com",
            "a@exa_mple.com",
            "a@exa mple.com",
            "a@xn--a.com",
            "a@[127.0.0.1]",
            "=?utf-8?q?victim=40x?=@example.com",
            "a=?utf-8?q?foo=2C=20bar?=@example.com",
            "Anna <anna@example.com>",
            &long_local,
            &too_long,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_are_in_bytes() {
        assert!(format!("{}@example.com", "é".repeat(32)).parse::<Email>().is_ok());
        assert!(format!("{}@example.com", "é".repeat(33)).parse::<Email>().is_err());
    }

    #[test]
    fn debug_output_hides_the_address() {
        let email: Email = "anna@example.com".parse().unwrap();
        assert!(!format!("{email:?}").contains("anna"));
    }
}
