//! What a function is to whoever starts it.

use axum::Router;
use utoipa::OpenApi;

use crate::Handler;

/// A Lambda function of the suite.
#[derive(Clone)]
pub struct Function {
    /// The name of its binary.
    pub name: &'static str,
    /// What invokes it, and what it answers with.
    pub kind: Kind,
}

/// What invokes a function, and what it answers with.
#[derive(Clone)]
pub enum Kind {
    /// API Gateway, for the routes of `template.yaml` that lead to it.
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
}

impl Function {
    pub(crate) fn api<D: OpenApi>(name: &'static str, router: Router) -> Self {
        Self { name, kind: Kind::Api { router, doc: D::openapi } }
    }

    pub(crate) fn authorizer(name: &'static str, handler: Handler) -> Self {
        Self { name, kind: Kind::Authorizer(handler) }
    }

    pub(crate) fn stream(name: &'static str, handler: Handler) -> Self {
        Self { name, kind: Kind::Stream(handler) }
    }

    /// The function as Lambda sees it, whatever invokes it.
    #[must_use]
    pub fn handler(&self) -> Handler {
        match &self.kind {
            Kind::Api { router, .. } => Handler::http(router.clone()),
            Kind::Authorizer(handler) | Kind::Stream(handler) => handler.clone(),
        }
    }
}
