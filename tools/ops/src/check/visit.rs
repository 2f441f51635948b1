//! The check, step by step.

use std::time::Duration;

use storefront_core::{ProductId, Table, Timestamp};
use uuid::Uuid;

use super::aws::Aws;
use super::diagnosis::Diagnosis;
use super::http::NoResponse;
use super::logs::Logs;
use super::report::{Failure, Report};
use super::shop::{Answer, Call, Shop};
use super::stack::Stack;
use crate::error::Error;

/// The check, and what it has made so far.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(super) aws: Aws,
    pub(super) stack: Stack,
    pub(super) logs: Logs,
    pub(super) shop: Shop,
    pub(super) table: Table,
    /// How long to wait for what follows a request.
    pub(super) timeout: Duration,
    /// The category to order from.
    pub(super) category: String,
    /// Whether the check adds the product that it orders.
    has_own_product: bool,
    pub(super) customer: Customer,
    /// The product that the check may have added.
    pub(super) own_product: Option<ProductId>,
    /// The product to order.
    pub(super) product: Product,
    pub(super) order: Order,
    pub(super) cancelled_at: Timestamp,
    pub(super) report: Report,
    passed: Vec<Step>,
}

/// The throw-away user.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) email: String,
    pub(super) password: Secret,
    /// Whether the shop may have registered the user.
    pub(super) may_exist: bool,
    pub(super) token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
}

/// A product of the shop.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) price: u64,
}

/// The order.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) idempotency_key: String,
    pub(super) id: String,
    /// Whether the shop may have an order that is still pending.
    pub(super) may_be_open: bool,
}

/// A text that debug output hides.
pub(super) struct Secret(pub(super) String);

/// Why a step did not pass.
pub(super) enum Trouble {
    /// The request was answered, but not with what was expected.
    Answer(Box<(Call, Answer)>, String),
    Silence(Box<Call>, NoResponse),
    /// A function has not done in time what follows a request.
    Consumer(&'static str, Failure),
    Other(Failure),
}

/// A step of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Register,
    LogIn,
    Refresh,
    ListSessions,
    Profile,
    AddProduct,
    ListProducts,
    ReadProduct,
    Place,
    PlaceAgain,
    ListOrders,
    ReadOrder,
    SoldOut,
    Cancel,
    BackInStock,
    Mail,
    Count,
}

impl Step {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Register => "register a user",
            Self::LogIn => "log in",
            Self::Refresh => "refresh the session",
            Self::ListSessions => "list the user's sessions",
            Self::Profile => "read the user's own profile",
            Self::AddProduct => "add a product to order",
            Self::ListProducts => "list products",
            Self::ReadProduct => "read the product",
            Self::Place => "place an order",
            Self::PlaceAgain => "place it again with the same Idempotency-Key",
            Self::ListOrders => "list orders",
            Self::ReadOrder => "read the order",
            Self::SoldOut => "see in the list that the product is sold out",
            Self::Cancel => "cancel the order",
            Self::BackInStock => "see the piece back in stock",
            Self::Mail => "ask SES whether it sends mail",
            Self::Count => "see the event of the cancellation published and counted",
        }
    }

    /// The steps that must have passed.
    const fn needs(self) -> &'static [Self] {
        match self {
            Self::Register | Self::AddProduct | Self::Mail => &[],
            Self::LogIn => &[Self::Register],
            Self::Refresh | Self::ListSessions | Self::Profile => &[Self::LogIn],
            Self::ListProducts => &[Self::AddProduct],
            Self::ReadProduct => &[Self::ListProducts],
            Self::Place => &[Self::LogIn, Self::ListProducts],
            Self::PlaceAgain
            | Self::ListOrders
            | Self::ReadOrder
            | Self::SoldOut
            | Self::Cancel => &[Self::Place],
            Self::BackInStock | Self::Count => &[Self::Cancel],
        }
    }

    /// Whether the step is about the product that the check adds.
    const fn is_of_own_product(self) -> bool {
        matches!(self, Self::AddProduct | Self::SoldOut | Self::BackInStock)
    }
}

impl Visit {
    const SHOPPING: [Step; 15] = [
        Step::Register,
        Step::LogIn,
        Step::Refresh,
        Step::ListSessions,
        Step::Profile,
        Step::AddProduct,
        Step::ListProducts,
        Step::ReadProduct,
        Step::Place,
        Step::PlaceAgain,
        Step::ListOrders,
        Step::ReadOrder,
        Step::SoldOut,
        Step::Cancel,
        Step::BackInStock,
    ];

    pub(super) fn new(
        aws: Aws,
        stack: Stack,
        shop: Shop,
        table: Table,
        timeout: Duration,
        category: Option<String>,
    ) -> Self {
        let random = || format!("check-{}", Uuid::new_v4());
        let now = Timestamp::now();
        Self {
            logs: Logs::new(aws.clone(), now, timeout),
            aws,
            stack,
            shop,
            table,
            timeout,
            has_own_product: category.is_none(),
            category: category.unwrap_or_else(random),
            customer: Customer {
                // Nobody can have an address there (RFC 2606, section 2).
                email: format!("{}@storefront.invalid", random()),
                password: Secret(format!("{}-{}", Uuid::new_v4(), Uuid::new_v4())),
                may_exist: false,
                token: None,
                refresh_token: None,
            },
            own_product: None,
            product: Product::default(),
            order: Order { idempotency_key: random(), id: String::new(), may_be_open: false },
            cancelled_at: now,
            report: Report::default(),
            passed: Vec::new(),
        }
    }

    /// Goes shopping, up to the cancellation.
    pub(super) async fn shop(&mut self) {
        for step in Self::SHOPPING {
            self.step(step).await;
        }
    }

    /// Asks what nothing of the shop has to wait for: whether SES sends mail, if the shop does, and whether
    /// the event of the cancellation is published and counted.
    pub(super) async fn count(&mut self) {
        if self.stack.parameter("MailFrom").is_some_and(|from| !from.is_empty()) {
            self.step(Step::Mail).await;
        }
        self.step(Step::Count).await;
    }

    async fn step(&mut self, step: Step) {
        if step.is_of_own_product() && !self.has_own_product {
            self.passed.push(step);
            return;
        }
        if let Some(missing) = step.needs().iter().find(|needed| !self.passed.contains(needed)) {
            self.report.skipped(step.what(), &format!("needs: {}", missing.what()));
            return;
        }
        // Boxed, because the futures of requests are large.
        match Box::pin(self.perform(step)).await {
            Ok(how) => {
                self.passed.push(step);
                self.report.passed(step.what(), &how);
            }
            Err(trouble) => {
                let failure = self.explain(trouble).await;
                self.report.failed(step.what(), &failure);
            }
        }
    }

    /// Finds out why a step did not pass.
    pub(super) async fn explain(&self, trouble: Trouble) -> Failure {
        let diagnosis = Diagnosis { aws: &self.aws, stack: &self.stack, logs: &self.logs };
        match trouble {
            Trouble::Answer(exchange, expected) => {
                let (call, answer) = *exchange;
                Box::pin(diagnosis.of_answer(&call, &answer, &expected)).await
            }
            Trouble::Silence(call, silence) => Diagnosis::of_silence(&call, &silence),
            Trouble::Consumer(function, failure) => {
                Box::pin(diagnosis.of_consumer(failure, function)).await
            }
            Trouble::Other(failure) => failure,
        }
    }

    /// Returns whether everything passed.
    pub(super) fn outcome(&self) -> Result<(), Error> {
        let Report { passed, failed, skipped } = self.report;
        if failed == 0 && skipped == 0 {
            println!("all {passed} steps passed");
            return Ok(());
        }
        Err(Error::NotPassed { passed, failed, skipped })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
