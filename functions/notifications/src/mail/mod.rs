//! Mails to customers: what they say, in whose language, and how they are written.
//!
//! The texts are in `templates/`: a folder for each language, and in it a text and a page for each mail.
//! The first line of a text is the mail's subject. The template engine escapes pages, and the library that
//! writes the message escapes its header fields.

mod message;
mod money;
mod templates;
mod time;

use storefront_core::{
    AccountMailKind, AddressLine, CancelReason, Currency, Locale, MailToken, OrderWithItems,
    Payment, Recipient, Timestamp, Tracking,
};
use storefront_events::OrderState;

use crate::settings::Settings;
use templates::{Adjustment, Item, View};

pub(crate) use message::Message;
pub(crate) use templates::Kind;

/// A mail to the customer of an order.
pub(crate) struct OrderMail<'a> {
    /// The order after the event.
    pub(crate) order: &'a OrderState,
    /// What happened.
    pub(crate) news: News<'a>,
    /// The order with its items, for a mail that shows them.
    pub(crate) placed: Option<OrderWithItems>,
}

/// News of an order for its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News<'a> {
    /// It was placed, and is held until then.
    Placed { pay_by: Option<Timestamp> },
    /// It was paid.
    Paid,
    /// It is on its way.
    Shipped { tracking: Option<&'a Tracking> },
    /// It arrived.
    Delivered,
    /// It was cancelled.
    Cancelled { reason: Option<CancelReason> },
    /// This much was paid back.
    Refunded { amount: u64 },
}

impl OrderMail<'_> {
    /// Writes the mail to this customer, in their language.
    pub(crate) fn write(
        &self,
        to: &Recipient,
        settings: &Settings,
    ) -> Result<Message, askama::Error> {
        let locale = to.locale.unwrap_or_default();
        let money = Money { currency: self.order.currency, locale };
        let view = View {
            language: locale.as_str(),
            name: to.name.as_str(),
            number: self.order.number.as_str(),
            total: money.of(self.order.total),
            order_url: settings.order_url(self.order.order_id),
            items: self.placed.iter().flat_map(|placed| items(placed, money)).collect(),
            adjustments: self.placed.iter().flat_map(|placed| adjustments(placed, money)).collect(),
            ..self.news.view(self.order, money)
        };
        let rendered = templates::render(locale, self.news.kind(), &view)?;
        let id = self.order.event_id.to_string();
        Ok(Message::new(rendered, locale, to, settings.from(), &id))
    }
}

/// A mail about an account.
pub(crate) struct AccountMail<'a> {
    /// The id of the request for it.
    pub(crate) id: &'a str,
    /// What it says.
    pub(crate) says: AccountNews<'a>,
}

/// What a mail about an account says.
#[derive(Clone, Copy)]
pub(crate) enum AccountNews<'a> {
    /// Here is the token for this.
    Token(AccountMailKind, &'a MailToken),
    /// Who was about to register is registered already. The name and the language are those of whoever has given
    /// the email, so that nothing of the user goes to them.
    AlreadyRegistered,
}

impl AccountNews<'_> {
    /// What the mail is about.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Token(kind, _) => kind.into(),
            Self::AlreadyRegistered => Kind::AlreadyRegistered,
        }
    }
}

impl AccountMail<'_> {
    /// Writes the mail to this user, in their language.
    pub(crate) fn write(
        &self,
        to: &Recipient,
        settings: &Settings,
    ) -> Result<Message, askama::Error> {
        let locale = to.locale.unwrap_or_default();
        let language = locale.as_str();
        let view = match self.says {
            AccountNews::Token(kind, token) => View {
                link: settings.token_url(kind, token),
                token: token.expose(),
                lifetime: kind.lifetime(),
                ..View::default()
            },
            AccountNews::AlreadyRegistered => {
                View { link: settings.page_url(AccountMailKind::PasswordReset), ..View::default() }
            }
        };
        let view = View { language, name: to.name.as_str(), ..view };
        let rendered = templates::render(locale, self.says.kind(), &view)?;
        Ok(Message::new(rendered, locale, to, settings.from(), self.id))
    }
}

impl News<'_> {
    /// What the mail is about.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Placed { .. } => Kind::Placed,
            Self::Paid => Kind::Paid,
            Self::Shipped { .. } => Kind::Shipped,
            Self::Delivered => Kind::Delivered,
            Self::Cancelled { .. } => Kind::Cancelled,
            Self::Refunded { .. } => Kind::Refunded,
        }
    }

    /// What this mail shows besides what all show.
    fn view(&self, order: &OrderState, money: Money) -> View<'_> {
        match self {
            Self::Placed { pay_by } => View {
                pay_by: pay_by.map(|moment| time::format(moment, money.locale)),
                ..View::default()
            },
            Self::Paid | Self::Delivered | Self::Shipped { tracking: None } => View::default(),
            Self::Shipped { tracking: Some(tracking) } => View {
                carrier: tracking.carrier.as_ref().map(AddressLine::as_str),
                tracking_number: Some(tracking.number.as_str()),
                tracking_url: tracking.url.as_deref().filter(|url| is_web(url)),
                ..View::default()
            },
            Self::Cancelled { reason } => View {
                is_expired: *reason == Some(CancelReason::Expired),
                is_cancelled_by_customer: *reason == Some(CancelReason::Customer),
                refund_due: (order.payment == Payment::RefundDue)
                    .then(|| money.of(order.total.saturating_sub(order.refunded_amount))),
                ..View::default()
            },
            Self::Refunded { amount } => View {
                refund: money.of(*amount),
                refunded: (order.refunded_amount != *amount)
                    .then(|| money.of(order.refunded_amount)),
                ..View::default()
            },
        }
    }
}

/// Writes amounts of one currency in one language.
#[derive(Clone, Copy)]
struct Money {
    currency: Currency,
    locale: Locale,
}

impl Money {
    fn of(self, amount: impl Into<i128>) -> String {
        money::format(amount.into(), self.currency, self.locale)
    }
}

fn items(placed: &OrderWithItems, money: Money) -> Vec<Item<'_>> {
    let items = placed.items.iter().map(|item| Item {
        quantity: item.quantity,
        name: item.name.as_str(),
        price: money.of(i128::from(item.price) * i128::from(item.quantity)),
    });
    items.collect()
}

fn adjustments(placed: &OrderWithItems, money: Money) -> Vec<Adjustment<'_>> {
    let adjustments = placed.order.adjustments.iter().map(|adjustment| Adjustment {
        label: &adjustment.label,
        amount: money.of(adjustment.amount),
    });
    adjustments.collect()
}

/// Whether a mail may link to this URL. Staff may have noted anything.
fn is_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}
