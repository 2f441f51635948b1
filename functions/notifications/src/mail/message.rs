//! A mail as SES sends it: header fields, a text and a page (RFC 5322, MIME).

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use storefront_core::{Locale, Recipient};

use super::templates::Rendered;

/// A mail that can be sent.
pub(crate) struct Message {
    /// Whom SES delivers it to, whatever the header fields say.
    pub(crate) to: String,
    /// The whole message.
    pub(crate) content: Vec<u8>,
}

impl Message {
    pub(super) fn new(
        rendered: Rendered,
        locale: Locale,
        to: &Recipient,
        from: &str,
        id: &str,
    ) -> Self {
        let Rendered { subject, text, html } = rendered;
        let mut content = Vec::new();
        MessageBuilder::new()
            .from(from)
            .to(Address::new_address(display_name(to), to.email.as_str()))
            .subject(subject)
            // SES replaces it, and the date, by its own.
            .message_id(message_id(id, from))
            .header("Content-Language", Raw::new(locale.as_str()))
            // So that nobody's holiday answers it (RFC 3834).
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(text)
            .html_body(html)
            .serialize(&mut content);
        Self { to: to.email.as_str().to_owned(), content }
    }
}

/// The name beside the address. None if it looks like an encoded word: the builder writes it as a quoted
/// text, where it has no meaning (RFC 2047, section 5), but some programs decode it there, too.
fn display_name(to: &Recipient) -> Option<&str> {
    Some(to.name.as_str()).filter(|name| !name.contains("=?"))
}

/// The same for the same event or request, so that it tells a doubled mail.
fn message_id(id: &str, from: &str) -> String {
    let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    // An event's id has a colon, which must not stand there (RFC 5322, section 3.6.4).
    format!("{}@{domain}", id.replace(':', "."))
}
