//! Puts objects into a bucket: the one request to S3 that the shop makes.
//!
//! The SDK's client for S3 would bring some sixty more crates for it. This request is signed with the
//! SDK's own signer, and sent with its HTTP client and timeouts, which trusts the same root certificates
//! as for all others. Nothing is made before the first object, so a cold start pays nothing for it.

use aws_config::SdkConfig;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SigningSettings, UriPathNormalizationMode,
};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use storefront_core::aws::sign::{Unsigned, domain, signature};

/// A bucket in the region of the configuration.
pub struct Bucket {
    config: SdkConfig,
    name: String,
    endpoint_url: Option<String>,
}

/// Why an object was not put into the bucket. Reveals nothing of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPut {
    /// There is no time left.
    #[error("the invocation's time is nearly up")]
    OutOfTime,
    /// The configuration lacks something.
    #[error("the configuration has no {0}")]
    Configuration(&'static str),
    /// The request could not be made.
    #[error("the request cannot be made")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request failed.
    #[error("the request failed")]
    Failed(#[source] Box<SdkError<Refused, HttpResponse>>),
}

/// S3 answered with an error. Its body may quote the request, and is not kept.
#[derive(Debug, thiserror::Error)]
#[error("HTTP status {0}")]
pub(crate) struct Refused(u16);

impl Bucket {
    /// The bucket with this name. At another endpoint than AWS's own it is a part of the path, as
    /// emulators expect it.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint_url: Option<String>, name: impl Into<String>) -> Self {
        Self { config: config.clone(), name: name.into(), endpoint_url }
    }

    /// Puts an object, in place of the one with this key, if any. The key has only characters that
    /// need no encoding.
    pub(crate) async fn put(&self, key: &str, content: String) -> Result<(), NotPut> {
        let base = self.base_url()?;
        let request = self.signed(&base, key, content).await?;
        let config = &self.config;
        let operation = Operation::builder()
            .service_name("S3")
            .operation_name("PutObject")
            .http_client(config.http_client().ok_or(NotPut::Configuration("HTTP client"))?)
            .endpoint_url(&base)
            .no_auth()
            // Lambda delivers the record again.
            .no_retry()
            .timeout_config(
                config.timeout_config().ok_or(NotPut::Configuration("timeouts"))?.clone(),
            )
            .with_connection_poisoning()
            .serializer(|request: HttpRequest| Ok(request))
            .deserializer(|response: &HttpResponse| match response.status().as_u16() {
                200..300 => Ok(()),
                status => Err(OrchestratorError::operation(Refused(status))),
            })
            .build();
        // Boxed, because the future takes many kilobytes.
        let put = Box::pin(operation.invoke(request));
        put.await.map_err(|error| NotPut::Failed(Box::new(error)))
    }

    /// The URL that keys are appended to, with a slash between.
    fn base_url(&self) -> Result<String, NotPut> {
        let name = &self.name;
        if let Some(endpoint) = &self.endpoint_url {
            return Ok(format!("{}/{name}", endpoint.trim_end_matches('/')));
        }
        let region = self.config.region().ok_or(NotPut::Configuration("region"))?.as_ref();
        let fips = if self.config.use_fips() == Some(true) { "-fips" } else { "" };
        let dual_stack = if self.config.use_dual_stack() == Some(true) { ".dualstack" } else { "" };
        Ok(format!("https://{name}.s3{fips}{dual_stack}.{region}.{}", domain(region)))
    }

    async fn signed(&self, base: &str, key: &str, content: String) -> Result<HttpRequest, NotPut> {
        let mut settings = SigningSettings::default();
        // What is different for S3.
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let headers = [("content-type", "application/json")];
        let url = format!("{base}/{key}");
        let body = content.as_bytes();
        let unsigned = Unsigned { method: "PUT", url: &url, headers: &headers, body };
        let signature = signature(&self.config, "s3", settings, unsigned).await.map_err(request)?;
        let mut put = HttpRequest::new(SdkBody::from(content));
        put.set_method("PUT").map_err(request)?;
        // The endpoint is added when it is sent.
        put.set_uri(format!("/{key}")).map_err(request)?;
        for (name, value) in headers {
            put.headers_mut().insert(name, value);
        }
        for (name, value) in signature {
            put.headers_mut().insert(name, value);
        }
        Ok(put)
    }
}

fn request(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NotPut {
    NotPut::Request(error.into())
}

#[cfg(test)]
mod tests {
    use aws_config::Region;
    use storefront_core::aws;

    use super::*;

    fn base_url(region: &'static str, fips: bool, dual_stack: bool) -> String {
        let config = aws::emulator_config().into_builder().region(Region::new(region));
        let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
        Bucket::new(&config, None, "failed").base_url().unwrap()
    }

    #[test]
    fn the_bucket_is_reached_in_its_region() {
        for (region, url) in [
            ("eu-central-1", "https://failed.s3.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "https://failed.s3.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://failed.s3.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://failed.s3.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(base_url(region, false, false), url);
        }
        let url = "https://failed.s3-fips.dualstack.us-east-1.amazonaws.com";
        assert_eq!(base_url("us-east-1", true, true), url);
    }
}
