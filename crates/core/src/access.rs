//! Logs requests to AWS in the terms of a role's policy.
//!
//! [`Observed`] wraps the HTTP client that all services share. It reads what is actually sent
//! rather than an SDK's types, so it covers every service, and no client can be created without it.

mod request;

use aws_sdk_dynamodb::config::ConfigBag;
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tracing::{Level, debug, enabled};

/// An HTTP client that logs the accesses in its requests, at level debug.
///
/// One line per action, table or index, and kind of partition; never a key, which may contain an
/// email. If the level is off, it costs one comparison per request.
#[derive(Debug)]
pub(crate) struct Observed<T>(T);

impl Observed<SharedHttpClient> {
    pub(crate) fn new(client: SharedHttpClient) -> Self {
        Self(client)
    }
}

impl HttpConnector for Observed<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if enabled!(Level::DEBUG) {
            for access in request::accesses(&request) {
                debug!(
                    action = access.action,
                    resource = access.resource,
                    leading_key = access.leading_key,
                    "access"
                );
            }
        }
        self.0.call(request)
    }
}

impl HttpClient for Observed<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Observed(self.0.http_connector(settings, components)))
    }

    // `validate_base_client_config` is not forwarded: the wrapped client would create a connector
    // there, only to read the system's roots, and discard it.

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.0, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
