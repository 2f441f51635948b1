use storefront_core::{AccountMailKind, Email, MailToken, OrderId};

/// Who writes the mails, and where their links lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    from: Email,
    shop_url: Option<String>,
}

/// A value of the environment is missing or not valid.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InvalidSettings {
    #[error("the environment variable MAIL_FROM is missing")]
    NoSender,
    #[error("MAIL_FROM must be an email address that SES has verified, such as shop@example.com")]
    Sender,
    #[error("SHOP_URL must be the URL of the shop's pages, such as https://shop.example.com")]
    ShopUrl,
}

impl Settings {
    /// Mails from this address, with links to the pages at this URL, if there are any.
    #[must_use]
    pub fn new(from: Email, shop_url: Option<String>) -> Self {
        let shop_url = shop_url.map(|url| url.trim_end_matches('/').to_owned());
        Self { from, shop_url }
    }

    /// Reads the settings from variables, of which empty ones count as absent.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidSettings> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let from = variable("MAIL_FROM").ok_or(InvalidSettings::NoSender)?;
        let from = from.parse().map_err(|_| InvalidSettings::Sender)?;
        let shop_url = variable("SHOP_URL").map(|url| {
            let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
            let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
            if is_web && is_plain { Ok(url) } else { Err(InvalidSettings::ShopUrl) }
        });
        Ok(Self::new(from, shop_url.transpose()?))
    }

    /// The address that mails come from.
    pub(crate) fn from(&self) -> &str {
        self.from.as_str()
    }

    /// Where a customer sees an order, if the shop has pages.
    pub(crate) fn order_url(&self, id: OrderId) -> Option<String> {
        self.shop_url.as_ref().map(|url| format!("{url}/orders/{id}"))
    }

    /// Where a customer uses the token of a mail, if the shop has pages.
    ///
    /// The token is in the fragment, which browsers send to no server, so that it is in nobody's log.
    pub(crate) fn token_url(&self, kind: AccountMailKind, token: &MailToken) -> Option<String> {
        Some(format!("{}#token={}", self.page_url(kind)?, token.expose()))
    }

    /// The page for the tokens of these mails, if the shop has pages.
    pub(crate) fn page_url(&self, kind: AccountMailKind) -> Option<String> {
        let page = match kind {
            AccountMailKind::Verification | AccountMailKind::Registration => "verification",
            AccountMailKind::PasswordReset => "password-reset",
        };
        self.shop_url.as_ref().map(|url| format!("{url}/{page}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &str, shop_url: &str) -> Result<Settings, InvalidSettings> {
        let value = |name: &str| if name == "MAIL_FROM" { from } else { shop_url }.to_owned();
        Settings::from_variables(|name| Some(value(name)))
    }

    #[test]
    fn links_lead_to_the_shops_pages_and_there_are_none_without() {
        let id: OrderId = "01930000-0000-7000-8000-000000000201".parse().unwrap();
        let url = format!("https://shop.example/de/orders/{id}");
        for shop in ["https://shop.example/de", "https://shop.example/de/"] {
            assert_eq!(read("shop@example.com", shop).unwrap().order_url(id), Some(url.clone()));
        }
        assert_eq!(read("shop@example.com", "").unwrap().order_url(id), None);
    }

    #[test]
    fn a_sender_without_an_address_and_a_shop_that_is_no_page_are_refused() {
        assert!(matches!(read("", ""), Err(InvalidSettings::NoSender)));
        for from in ["shop", "Shop <shop@example.com>", "a@b\r\nBcc: c@d"] {
            assert!(matches!(read(from, ""), Err(InvalidSettings::Sender)), "{from:?}");
        }
        for url in ["shop.example", "javascript:alert(1)", "https://shop .example", "//shop"] {
            let read = read("shop@example.com", url);
            assert!(matches!(read, Err(InvalidSettings::ShopUrl)), "{url}");
        }
    }
}
