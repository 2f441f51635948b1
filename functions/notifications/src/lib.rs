//! Queue consumer: writes to customers about their orders and their accounts, through SES.
//!
//! A rule of the event bus puts the events of orders that customers want to hear of into a queue. `auth` puts
//! requests for mails about accounts into another, so that nobody who waits for one waits behind orders. This
//! function reads both. An event becomes a mail in the customer's language, in four steps: read whom to
//! write to, write it, claim it in the table, send it. The claim makes sure that an event that is delivered
//! twice causes one mail ([`storefront_core::Mails`]). It holds for some minutes, so that a mail whose
//! function has crashed is sent at a later delivery.
//!
//! # What happens to a mail that cannot be sent
//!
//! - What passes (throttling, an outage of SES or the table, an account that is paused) fails the message.
//!   The queue delivers it again every few minutes, until the event is [`MAILED_FOR`] old, or the request
//!   [`ACCOUNT_MAILED_FOR`]. Later nobody wants to hear of it.
//! - If SES refuses a mail for good, no retry helps. It is counted and settled.
//! - If SES does not answer, or the function crashes while it sends, the mail may have been sent. It is sent
//!   again, and counted: customers rather get it twice than not at all.
//! - A message that is neither an event nor a request of this version fails at each delivery, and so ends in the dead-letter
//!   queue, for an operator to look at.
//!
//! Neither the log nor the metrics have anybody's name or address: an event's id leads to the order.

mod account;
mod batch;
mod mail;
mod orders;
mod send;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use storefront_core::aws::request::NotSent;
use storefront_core::{
    AccountMail, Claim, Claimed, Email, Error as CoreError, MailTokens, Mails, OrderAccess, Orders,
    Registrations, Settled, Table, Timestamp, Users,
};
use storefront_events::Event;
use storefront_http::invocation::{InvocationIds, Served, Telemetry, deadline};
use storefront_http::logging::with_sources;
use storefront_http::{Metric, MetricSink, Metrics};
use tokio::time::Instant;
use tracing::{Level, debug, error, warn};

pub use batch::{BatchAnswer, BatchItemFailure, Message, QueueBatch};
pub use send::Ses;
pub use settings::{InvalidSettings, Settings};

use mail::{Kind, News, OrderMail};

/// The metrics of this function.
pub const METRICS: &[Metric] =
    &[MAILS_SENT, MAILS_SENT_AGAIN, MAILS_REFUSED, MAILS_TOO_OLD, MAILS_HELD_BACK];

/// Mails that SES accepted.
const MAILS_SENT: Metric = Metric::count("MailsSent").by("Mail");
/// Mails that are sent although an earlier attempt may have sent them.
const MAILS_SENT_AGAIN: Metric = Metric::count("MailsSentAgain");
/// Mails that SES refused for good. An alarm watches it.
const MAILS_REFUSED: Metric = Metric::count("MailsRefused");
/// Events and requests that nobody was written to about, because they were too old.
const MAILS_TOO_OLD: Metric = Metric::count("MailsTooOld");
/// Mails that were asked for and not sent, because their email has got as many as it may.
const MAILS_HELD_BACK: Metric = Metric::count("MailsHeldBack");

/// How long after an event its customer is written to.
pub const MAILED_FOR: Duration = Duration::from_hours(6);

/// How long after somebody has asked for a mail about an account it is sent.
pub const ACCOUNT_MAILED_FOR: Duration = Duration::from_hours(1);

/// What a mail takes at most: reading, claiming, sending. It is begun only if so much time is left, so that
/// Lambda does not end the function while it sends.
const TIME_FOR_A_MAIL: Duration = Duration::from_secs(15 + send::SEND_WITHIN.as_secs());

/// The name of the function in its log and its metrics.
const FUNCTION: &str = "notifications";

/// Where the function takes the time from. Tests have their own.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The function, which writes to customers.
pub struct Notifications {
    users: Users,
    orders: Orders,
    mails: Mails,
    mail_tokens: MailTokens,
    registrations: Registrations,
    ses: Ses,
    settings: Settings,
    telemetry: Telemetry,
    metrics: MetricSink,
    clock: Clock,
}

/// Why a message has to be delivered again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the table could not be used")]
    Table(#[from] CoreError),
    #[error("the mail cannot be written")]
    Template(#[from] askama::Error),
    #[error("the mail was not sent")]
    NotSent(#[source] NotSent),
    #[error("another invocation may be sending the mail")]
    ByAnother,
    #[error("the invocation's time is nearly up")]
    OutOfTime,
}

/// What a message says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    /// Somebody wants a mail about an account.
    Request(AccountMail),
    /// Something has happened to an order.
    Event(Box<Event>),
}

/// What belongs to one invocation.
struct Invocation<'a> {
    request_id: Option<&'a str>,
    deadline: Option<Instant>,
    metrics: &'a Metrics,
}

/// What became of a message that need not be delivered again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handled {
    /// It causes no mail, or none any more.
    NoMail,
    /// SES accepted the mail.
    Sent,
    /// SES refused it for good.
    Refused,
}

impl Notifications {
    /// Writes to the customers of this table.
    #[must_use]
    pub fn new(table: Table, ses: Ses, settings: Settings) -> Self {
        Self {
            users: Users::new(table.clone()),
            orders: Orders::new(table.clone()),
            mails: Mails::new(table.clone()),
            mail_tokens: MailTokens::new(table.clone()),
            registrations: Registrations::new(table),
            ses,
            settings,
            telemetry: Telemetry::new(FUNCTION),
            metrics: MetricSink::default(),
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Makes the function write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Makes the function take the time from this clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sends the mails of a batch, and names the messages that have to be delivered again.
    pub async fn handle(&self, event: LambdaEvent<QueueBatch>) -> BatchAnswer {
        let ids = InvocationIds::new(&event.context, None);
        let metrics = Metrics::new(self.metrics.clone());
        let LambdaEvent { payload: batch, context } = event;
        let invocation = Invocation {
            request_id: ids.request_id.as_deref(),
            deadline: deadline(&context),
            metrics: &metrics,
        };
        // Boxed, because the future contains the SDK's.
        let sending = Box::pin(self.send_all(&batch, &invocation));
        self.telemetry.observe(&ids, &metrics, sending).await
    }

    async fn send_all(
        &self,
        batch: &QueueBatch,
        invocation: &Invocation<'_>,
    ) -> (BatchAnswer, Served) {
        let mut answer = BatchAnswer::default();
        let (mut sent, mut refused) = (0, 0);
        for message in &batch.messages {
            match self.handle_message(message, invocation).await {
                Some(Handled::NoMail) => {}
                Some(Handled::Sent) => sent += 1,
                Some(Handled::Refused) => refused += 1,
                None => answer.fail(message),
            }
        }
        let failed = answer.batch_item_failures.len();
        let (outcome, level) =
            if failed == 0 { ("sent", Level::INFO) } else { ("incomplete", Level::WARN) };
        let served = Served {
            level,
            outcome: Some(outcome),
            records: Some(batch.messages.len()),
            changes: Some(sent + refused + failed),
            delivered: Some(sent),
            ..Served::default()
        };
        (answer, served)
    }

    /// Returns `None` if the message has to be delivered again, and logs why.
    async fn handle_message(
        &self,
        message: &Message,
        invocation: &Invocation<'_>,
    ) -> Option<Handled> {
        let content: Content = match serde_json::from_str(&message.body) {
            Ok(content) => content,
            Err(error) => {
                // The error itself may quote the message.
                let (reason, column) = (error.classify(), error.column());
                error!(
                    message.id = message.message_id,
                    ?reason,
                    column,
                    "a message is neither an event of the shop nor a request for a mail"
                );
                return None;
            }
        };
        let handled =
            if invocation.deadline.is_some_and(|end| Instant::now() + TIME_FOR_A_MAIL > end) {
                Err(Failure::OutOfTime)
            } else {
                // Boxed, because the futures contain the SDK's.
                match &content {
                    Content::Request(request) => {
                        Box::pin(self.write_account_mail(request, invocation)).await
                    }
                    Content::Event(event) => Box::pin(self.write_about(event, invocation)).await,
                }
            };
        handled
            .inspect_err(|failure| {
                warn!(
                    event.id = content.id(),
                    cause = %with_sources(failure),
                    "a mail was not sent; the queue delivers its message again"
                );
            })
            .ok()
    }

    /// Writes to the customer of an order, if they want to hear of this event.
    async fn write_about(
        &self,
        event: &Event,
        invocation: &Invocation<'_>,
    ) -> Result<Handled, Failure> {
        let Some(news) = orders::news(event) else { return Ok(Handled::NoMail) };
        let (order, kind, now) = (orders::state(event), news.kind(), (self.clock)());
        let id = order.event_id.to_string();
        if age(event.envelope().time, now) > MAILED_FOR {
            invocation.metrics.add(MAILS_TOO_OLD, 1.0);
            warn!(event.id = id, mail = kind.as_str(), "an event is too old to write about");
            return Ok(Handled::NoMail);
        }
        let Some(to) = self.users.recipient(order.user_id).await? else {
            debug!(event.id = id, mail = kind.as_str(), "the customer has been deleted");
            return Ok(Handled::NoMail);
        };
        if is_of_nobody(&to.email) {
            return Ok(Handled::NoMail);
        }
        let placed = match news {
            News::Placed { .. } => {
                let access = OrderAccess::OwnedBy(order.user_id);
                self.orders.find(access, order.order_id).await?
            }
            _ => None,
        };
        let mail = OrderMail { order, news, placed }.write(&to, &self.settings)?;
        self.send(&id, kind, &mail, now, invocation).await
    }

    /// Sends a mail, unless it has been sent.
    async fn send(
        &self,
        id: &str,
        kind: Kind,
        mail: &mail::Message,
        now: Timestamp,
        Invocation { request_id, metrics, .. }: &Invocation<'_>,
    ) -> Result<Handled, Failure> {
        let claim = match self.mails.claim(id, now).await? {
            Claimed::Yes(claim) => claim,
            Claimed::Settled => return Ok(Handled::NoMail),
            Claimed::ByAnother => return Err(Failure::ByAnother),
        };
        if claim.may_be_sent {
            metrics.add(MAILS_SENT_AGAIN, 1.0);
            // At once: if the function is ended after it has sent the mail, nobody else counts it.
            metrics.write(FUNCTION, *request_id);
            warn!(event.id = id, mail = kind.as_str(), "a mail may be sent for the second time");
        }
        match self.ses.send(self.settings.from(), mail).await {
            Ok(()) => {
                metrics.add_of(MAILS_SENT, kind.as_str(), 1.0);
                self.settle(&claim, Settled::Sent).await;
                Ok(Handled::Sent)
            }
            Err(NotSent::Refused(refused)) if send::is_for_good(&refused) => {
                metrics.add(MAILS_REFUSED, 1.0);
                let code = &refused.code;
                warn!(event.id = id, mail = kind.as_str(), error.code = code, "SES refused a mail");
                self.settle(&claim, Settled::Refused).await;
                Ok(Handled::Refused)
            }
            // The claim stays, to say that the mail may have been sent.
            Err(unknown @ NotSent::NoAnswer(_)) => Err(Failure::NotSent(unknown)),
            Err(not_sent) => {
                if let Err(error) = self.mails.give_back(&claim).await {
                    // Then the mail that is sent later counts as one that may be the second.
                    log_unwritten(id, &error);
                }
                Err(Failure::NotSent(not_sent))
            }
        }
    }

    /// Remembers that a mail is done with. If that fails, the message is still not delivered again, so there
    /// is a second mail only if SQS delivers it twice by itself.
    async fn settle(&self, claim: &Claim, how: Settled) {
        if let Err(error) = self.mails.settle(claim, how).await {
            log_unwritten(claim.event_id(), &error);
        }
    }
}

impl Content {
    /// The id of the event or the request.
    fn id(&self) -> String {
        match self {
            Self::Request(request) => request.id.to_string(),
            Self::Event(event) => event.envelope().event_id.to_string(),
        }
    }
}

fn log_unwritten(id: &str, error: &CoreError) {
    let cause = with_sources(error);
    warn!(event.id = id, %cause, "the state of a mail could not be written");
}

/// Whether nobody can have this address (RFC 2606, section 2): that of the customer of `storefront-ops check`.
/// Mails to such addresses bounce, and SES counts bounces.
fn is_of_nobody(email: &Email) -> bool {
    email.as_str().ends_with(".invalid")
}

/// An event of the future, by another clock, has no age.
fn age(time: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millis() - time.as_millis()).unwrap_or_default())
}
