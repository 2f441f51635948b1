//! Signatures of the few requests that no client of the SDK makes.

use std::error::Error;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

/// A request to sign. Its headers are signed, too.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Unsigned<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The configuration lacks something.
    #[error("the configuration has no {0}")]
    Configuration(&'static str),
    /// There are no credentials, or the request is not valid.
    #[error("the request cannot be signed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Returns the headers that sign a request to this service, with the credentials and the region of the
/// configuration.
pub async fn signature(
    config: &SdkConfig,
    service: &str,
    settings: SigningSettings,
    request: Unsigned<'_>,
) -> Result<Vec<(String, String)>, SignError> {
    let region = config.region().ok_or(SignError::Configuration("region"))?;
    let provider = config.credentials_provider();
    let provider = provider.ok_or(SignError::Configuration("credentials"))?;
    let identity = provider.provide_credentials().await.map_err(failed)?.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name(service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(failed)?
        .into();
    let Unsigned { method, url, headers, body } = request;
    let body = SignableBody::Bytes(body);
    let signable = SignableRequest::new(method, url, headers.iter().copied(), body);
    let (instructions, _) = sign(signable.map_err(failed)?, &params).map_err(failed)?.into_parts();
    let headers = instructions.headers();
    Ok(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> SignError {
    SignError::Failed(error.into())
}

/// The domain of a region's services.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
#[must_use]
pub fn domain(region: &str) -> &'static str {
    const OTHER_PARTITIONS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    let other = OTHER_PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    other.map_or("amazonaws.com", |(_, domain)| domain)
}
