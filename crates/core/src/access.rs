//! What is asked of AWS, logged in the terms that a role's policy is written in.
//!
//! [`Observed`] wraps the HTTP client that all services share. It reads what is really sent rather
//! than an SDK's types, so it knows every service's requests, and no client can be made without it.

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

/// An HTTP client that logs what is asked for through it, at level debug.
///
/// One line per action, table or index, and kind of partition; never a key, which may hold an
/// email. Where nobody wants the lines it costs one comparison per request.
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

    // `validate_base_client_config` is not passed on: the wrapped client would make a connector there
    // to have the system's roots read, and throw it away.

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
