//! How the suite reaches AWS: one TLS stack, and deliberate timeouts and retries.

mod credentials;
pub mod request;
pub mod sign;
mod trust;

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};

use crate::access::Observed;
use crate::capacity;

pub use trust::TrustError;

/// A new connection within a region takes a few milliseconds. If one takes longer than this, it is
/// better to open another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// For one try. DynamoDB answers in single-digit milliseconds. A transaction of 100 actions, or a
/// neighbour that is busy with argon2, still stays well below this.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// For all tries and the pauses between them. At most half of the functions' own timeout of 10 s or
/// more, so that a request that does not get through is answered before Lambda kills the function.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of tries in all, with full jitter between them (the SDK's standard mode).
const MAX_ATTEMPTS: u32 = 4;

/// The first pause between tries. DynamoDB recommends starting with 50 ms.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// Why AWS cannot be reached from this environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No region is set.
    #[error("set AWS_REGION to the region of the stack, such as eu-central-1")]
    NoRegion,
    /// The root certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Reads the configuration of a function: its region, its role's credentials and the root
/// certificates to trust. Create it once and create all clients from it, so that they share its
/// connections.
///
/// It waits for nothing, because Lambda sets all of this in environment variables.
pub fn config() -> Result<SdkConfig, ConfigError> {
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let region = Region::new(region.ok_or(ConfigError::NoRegion)?);
    let client = http_client(trust::store(region.as_ref())?);
    let credentials = credentials::of_function(region.clone(), client.clone());
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().build())
        .http_client(Observed::new(client))
        .timeout_config(timeouts().build())
        .retry_config(retries())
        .use_fips(is_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"))
        .build())
}

/// Reads the same on the machine of somebody who operates a stack: region and credentials may also
/// come from profiles and the SDK's other sources, and the system's root certificates are trusted.
pub async fn operator_config() -> Result<SdkConfig, ConfigError> {
    let client = http_client(trust::operators_store()?);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Observed::new(client))
        .timeout_config(timeouts().build())
        .retry_config(retries());
    // Boxed, because the future takes many kilobytes.
    let config = Box::pin(loader.load()).await;
    config.region().ok_or(ConfigError::NoRegion)?;
    Ok(config)
}

/// Creates an HTTP client for an operator's requests that no SDK makes, such as those to the shop's
/// API. It trusts the same root certificates as [`operator_config`].
pub fn operator_connector() -> Result<SharedHttpConnector, ConfigError> {
    let tls = TlsContext::builder().with_trust_store(trust::operators_store()?).build();
    let connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.unwrap_or_default())
        .build();
    Ok(SharedHttpConnector::new(connector))
}

/// Returns a configuration for an emulator. It needs no environment: any region, any credentials.
#[must_use]
pub fn emulator_config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "local", "local", None, None, "emulator",
        )))
        .http_client(Observed::new(http_client(trust::amazon())))
        .timeout_config(timeouts().build())
        .retry_config(retries())
        .build()
}

/// Returns the same without timeouts, for an emulator that shares its machine with other processes:
/// a request waits there for a core or the disk, and a retry does not make that faster.
#[must_use]
pub fn patient_emulator_config() -> SdkConfig {
    emulator_config().into_builder().timeout_config(TimeoutConfig::disabled()).build()
}

/// Creates a DynamoDB client that counts what its requests consume (see [`capacity`]).
#[must_use]
pub fn dynamodb(config: &SdkConfig, endpoint_url: Option<String>) -> Client {
    let mut config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(capacity::Meter);
    config.set_endpoint_url(endpoint_url);
    Client::from_conf(config.build())
}

/// Returns the endpoint that the environment sets for a service, such as `DYNAMODB`, if any.
///
/// The SDK would read the same variables, but it takes an empty one for an endpoint and panics.
/// `sam local` leaves variables empty that a template declares without a value.
#[must_use]
pub fn endpoint_url(service: &str) -> Option<String> {
    variable(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| variable("AWS_ENDPOINT_URL"))
}

/// Reads an environment variable; an empty one counts as unset.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a variable is `true`, as the SDK would read it.
fn is_on(name: &str) -> bool {
    variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Creates the HTTP client for all services. Wrap it in [`Observed`], so that no request to AWS
/// goes unnoticed.
fn http_client(roots: TrustStore) -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(roots).build();
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.unwrap_or_default())
        .build_https()
}

/// Returns the timeouts of every client; a client that needs others changes them.
#[must_use]
pub fn timeouts() -> TimeoutConfigBuilder {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(INITIAL_BACKOFF)
}
