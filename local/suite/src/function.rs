//! The functions, as the local cloud and the checks see them.

use axum::Router;
use storefront_http::Metric;
use utoipa::OpenApi;

use crate::Handler;

/// A Lambda function of the suite.
#[derive(Clone)]
pub struct Function {
    /// The name of its binary.
    pub name: &'static str,
    /// What invokes it, and how it responds.
    pub kind: Kind,
    /// The metrics that it alone writes. All functions write those of `storefront_http::METRICS`.
    pub metrics: &'static [Metric],
}

/// What invokes a function, and how it responds.
#[derive(Clone)]
pub enum Kind {
    /// API Gateway, for its routes in `template.yaml`.
    Api {
        /// Its service.
        router: Router,
        /// Its part of the OpenAPI document.
        doc: fn() -> utoipa::openapi::OpenApi,
    },
    /// API Gateway, before the routes that need a token.
    Authorizer(Handler),
    /// The event source mapping of the table's stream.
    Stream(Handler),
    /// A schedule of EventBridge.
    Schedule(Handler),
    /// A rule of EventBridge, with an event that another function published.
    Rule(Handler),
    /// The event source mapping of an SQS queue.
    Queue(Handler),
}

impl Function {
    pub(crate) fn api<D: OpenApi>(name: &'static str, router: Router) -> Self {
        Self::new(name, Kind::Api { router, doc: D::openapi })
    }

    pub(crate) fn authorizer(name: &'static str, handler: Handler) -> Self {
        Self::new(name, Kind::Authorizer(handler))
    }

    pub(crate) fn stream(name: &'static str, handler: Handler) -> Self {
        Self::new(name, Kind::Stream(handler))
    }

    /// Creates a function that runs on a schedule.
    #[must_use]
    pub fn schedule(name: &'static str, handler: Handler) -> Self {
        Self::new(name, Kind::Schedule(handler))
    }

    /// Creates a function that a rule of the event bus invokes.
    #[must_use]
    pub fn rule(name: &'static str, handler: Handler) -> Self {
        Self::new(name, Kind::Rule(handler))
    }

    /// Creates a function that reads a queue.
    #[must_use]
    pub fn queue(name: &'static str, handler: Handler) -> Self {
        Self::new(name, Kind::Queue(handler))
    }

    fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, metrics: &[] }
    }

    pub(crate) fn with_metrics(self, metrics: &'static [Metric]) -> Self {
        Self { metrics, ..self }
    }

    /// Returns the function's handler as Lambda sees it, whatever invokes it.
    #[must_use]
    pub fn handler(&self) -> Handler {
        match &self.kind {
            Kind::Api { router, .. } => Handler::http(router.clone()),
            Kind::Authorizer(handler)
            | Kind::Stream(handler)
            | Kind::Schedule(handler)
            | Kind::Rule(handler)
            | Kind::Queue(handler) => handler.clone(),
        }
    }
}
