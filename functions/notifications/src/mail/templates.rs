//! The templates of `templates/`, compiled in.

use std::time::Duration;

use askama::Template as _;
use storefront_core::{AccountMailKind, Locale};

/// A mail without its header fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// What the templates show. What a mail does not have is empty.
#[derive(Default)]
pub(super) struct View<'a> {
    pub(super) language: &'static str,
    pub(super) name: &'a str,
    pub(super) number: &'a str,
    pub(super) total: String,
    /// Absent if the shop has no pages.
    pub(super) order_url: Option<String>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) adjustments: Vec<Adjustment<'a>>,
    /// Absent if the order is paid, or held for ever.
    pub(super) pay_by: Option<String>,
    pub(super) carrier: Option<&'a str>,
    pub(super) tracking_number: Option<&'a str>,
    pub(super) tracking_url: Option<&'a str>,
    pub(super) is_expired: bool,
    pub(super) is_cancelled_by_customer: bool,
    /// What the customer gets back of a cancelled order, if it was paid.
    pub(super) refund_due: Option<String>,
    pub(super) refund: String,
    /// What has been paid back in all, if there were earlier refunds.
    pub(super) refunded: Option<String>,
    /// Where the token is used, or a new password is asked for. Absent if the shop has no pages.
    pub(super) link: Option<String>,
    pub(super) token: &'a str,
    /// How long the token is valid.
    pub(super) lifetime: Duration,
}

/// A product of an order.
pub(super) struct Item<'a> {
    pub(super) quantity: u32,
    pub(super) name: &'a str,
    /// Of all its pieces.
    pub(super) price: String,
}

/// What is added to the items' prices, or taken off.
pub(super) struct Adjustment<'a> {
    pub(super) label: &'a str,
    pub(super) amount: String,
}

/// Renders a mail by the two templates of its kind and language. A kind or a language without its
/// templates does not compile.
macro_rules! templates {
    ($($locale:ident in $language:ident { $($kind:ident in $module:ident: $text:tt, $html:tt;)* })*) => {
        $(mod $language {
            $(pub(super) mod $module {
                use crate::mail::templates::View;

                #[derive(askama::Template)]
                #[template(path = $text)]
                pub(in crate::mail::templates) struct Text<'a> {
                    pub(in crate::mail::templates) mail: &'a View<'a>,
                }

                #[derive(askama::Template)]
                #[template(path = $html)]
                pub(in crate::mail::templates) struct Html<'a> {
                    pub(in crate::mail::templates) mail: &'a View<'a>,
                }
            })*
        })*

        pub(super) fn render(
            locale: Locale,
            kind: Kind,
            mail: &View<'_>,
        ) -> Result<Rendered, askama::Error> {
            match (locale, kind) {
                $($((Locale::$locale, Kind::$kind) => Ok(rendered(
                    &$language::$module::Text { mail }.render()?,
                    $language::$module::Html { mail }.render()?,
                )),)*)*
            }
        }
    };
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
    Refunded,
    Verification,
    PasswordReset,
    Registration,
    AlreadyRegistered,
}

templates! {
    En in en {
        Placed in placed: "en/placed.txt", "en/placed.html";
        Paid in paid: "en/paid.txt", "en/paid.html";
        Shipped in shipped: "en/shipped.txt", "en/shipped.html";
        Delivered in delivered: "en/delivered.txt", "en/delivered.html";
        Cancelled in cancelled: "en/cancelled.txt", "en/cancelled.html";
        Refunded in refunded: "en/refunded.txt", "en/refunded.html";
        Verification in verification: "en/verification.txt", "en/verification.html";
        PasswordReset in password_reset: "en/password-reset.txt", "en/password-reset.html";
        Registration in registration: "en/registration.txt", "en/registration.html";
        AlreadyRegistered in already_registered:
            "en/already-registered.txt", "en/already-registered.html";
    }
    De in de {
        Placed in placed: "de/placed.txt", "de/placed.html";
        Paid in paid: "de/paid.txt", "de/paid.html";
        Shipped in shipped: "de/shipped.txt", "de/shipped.html";
        Delivered in delivered: "de/delivered.txt", "de/delivered.html";
        Cancelled in cancelled: "de/cancelled.txt", "de/cancelled.html";
        Refunded in refunded: "de/refunded.txt", "de/refunded.html";
        Verification in verification: "de/verification.txt", "de/verification.html";
        PasswordReset in password_reset: "de/password-reset.txt", "de/password-reset.html";
        Registration in registration: "de/registration.txt", "de/registration.html";
        AlreadyRegistered in already_registered:
            "de/already-registered.txt", "de/already-registered.html";
    }
}

impl From<AccountMailKind> for Kind {
    fn from(kind: AccountMailKind) -> Self {
        match kind {
            AccountMailKind::Verification => Self::Verification,
            AccountMailKind::PasswordReset => Self::PasswordReset,
            AccountMailKind::Registration => Self::Registration,
        }
    }
}

impl Kind {
    /// The name in the metrics and the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::Verification => AccountMailKind::Verification.as_str(),
            Self::PasswordReset => AccountMailKind::PasswordReset.as_str(),
            Self::Registration => AccountMailKind::Registration.as_str(),
            Self::AlreadyRegistered => "already_registered",
        }
    }
}

/// Takes the subject from the first line of the text.
fn rendered(text: &str, html: String) -> Rendered {
    let (subject, text) = text.split_once('\n').unwrap_or((text, ""));
    Rendered { subject: subject.trim().to_owned(), text: format!("{}\n", text.trim()), html }
}
