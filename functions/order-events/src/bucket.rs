//! Puts objects into a bucket: the one request to S3 that the shop makes.

use storefront_core::aws::SdkConfig;
use storefront_core::aws::request::{NotSent, Request, Signing, send};
use storefront_core::aws::sign::domain;

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
    /// The request failed.
    #[error("the request failed")]
    Failed(#[from] NotSent),
}

impl Bucket {
    /// The bucket with this name. At another endpoint than AWS's own it is a part of the path, as
    /// emulators expect it.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint_url: Option<String>, name: impl Into<String>) -> Self {
        Self { config: config.clone(), name: name.into(), endpoint_url }
    }

    /// Puts an object, in place of the one with this key, if any. The key has only characters that
    /// need no encoding. It is tried once: Lambda delivers the record again.
    pub(crate) async fn put(&self, key: &str, content: &str) -> Result<(), NotPut> {
        let base_url = self.base_url()?;
        let request = Request {
            operation: ("S3", "PutObject"),
            signing: Signing::S3,
            method: "PUT",
            base_url: &base_url,
            path: &format!("/{key}"),
            headers: &[("content-type", "application/json")],
            body: content,
            within: None,
        };
        Ok(send(&self.config, request).await?)
    }

    /// The URL that keys are appended to, with a slash between.
    fn base_url(&self) -> Result<String, NotSent> {
        let name = &self.name;
        if let Some(endpoint) = &self.endpoint_url {
            return Ok(format!("{}/{name}", endpoint.trim_end_matches('/')));
        }
        let region = self.config.region().ok_or(NotSent::Configuration("region"))?.as_ref();
        let fips = if self.config.use_fips() == Some(true) { "-fips" } else { "" };
        let dual_stack = if self.config.use_dual_stack() == Some(true) { ".dualstack" } else { "" };
        Ok(format!("https://{name}.s3{fips}{dual_stack}.{region}.{}", domain(region)))
    }
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
