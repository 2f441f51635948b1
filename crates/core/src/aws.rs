//! How the suite reaches AWS: one TLS stack, and timeouts and retries set on purpose.

mod credentials;
mod trust;

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::access::Observed;
use crate::capacity;

pub use trust::TrustError;

/// A new connection inside a region takes a few milliseconds; one that takes longer than this is
/// better given up for another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// One try. DynamoDB answers in single-digit milliseconds, and a transaction of 100 actions or an
/// argon2-busy neighbour still well below this.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// All tries and the pauses between them. Half of the functions' own timeout of 10 s or more: a
/// request that does not get through is answered, rather than cut off with its function.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Tries in all, with full jitter between (the SDK's standard mode).
const MAX_ATTEMPTS: u32 = 4;

/// The first pause between tries: DynamoDB recommends 50 ms to begin with.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// Why AWS cannot be reached from this environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing says where.
    #[error("set AWS_REGION to the region of the stack, such as eu-central-1")]
    NoRegion,
    /// Nothing says whom to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// The configuration of the environment that a function runs in: its region, its role's credentials
/// and whom to trust. To be made once and handed to whoever makes a client, so that all share its
/// connections.
///
/// Nothing is waited for: Lambda says all of it in environment variables.
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

/// The same for whoever operates a stack, on a machine of their own: region and credentials may also
/// come from profiles and the other sources that the SDK knows, and the system is trusted.
pub async fn operator_config() -> Result<SdkConfig, ConfigError> {
    let client = http_client(trust::operators_store()?);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Observed::new(client))
        .timeout_config(timeouts().build())
        .retry_config(retries());
    // Boxed: loading makes a future of many kilobytes.
    let config = Box::pin(loader.load()).await;
    config.region().ok_or(ConfigError::NoRegion)?;
    Ok(config)
}

/// A configuration that needs no environment, for an emulator: any region, any credentials.
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

/// The same without timeouts, for an emulator that shares its machine with others: a request waits
/// for a core or the disk there, and trying it again does not make that faster.
#[must_use]
pub fn patient_emulator_config() -> SdkConfig {
    emulator_config().into_builder().timeout_config(TimeoutConfig::disabled()).build()
}

/// A client of DynamoDB that counts what its requests consume (see [`capacity`]).
#[must_use]
pub fn dynamodb(config: &SdkConfig, endpoint_url: Option<String>) -> Client {
    let mut config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(capacity::Meter);
    config.set_endpoint_url(endpoint_url);
    Client::from_conf(config.build())
}

/// The endpoint that the environment names for a service, such as `DYNAMODB`, if any.
///
/// The SDK would read the same variables, but takes an empty one for an endpoint and panics;
/// `sam local` leaves variables empty that a template declares without a value.
#[must_use]
pub fn endpoint_url(service: &str) -> Option<String> {
    variable(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| variable("AWS_ENDPOINT_URL"))
}

/// An environment variable; an empty one counts as absent.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a variable says so, as the SDK would read it.
fn is_on(name: &str) -> bool {
    variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The one HTTP client of all services, to be [`Observed`] so that nobody asks AWS for anything
/// unseen.
fn http_client(roots: TrustStore) -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(roots).build();
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.unwrap_or_default())
        .build_https()
}

/// The timeouts of every client, to be changed where one needs others.
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
