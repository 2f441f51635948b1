//! A hand-built DynamoDB client, which reads only the settings that it uses.

use std::{env, fs};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use lambda_http::Error;

pub(crate) fn client() -> Result<Client, Error> {
    // One root certificate; AWS would need four.
    let root = fs::read(env::var("AWS_CA_BUNDLE")?)?;
    let trust = TrustStore::empty().with_pem_certificate(root);
    let http_client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trust).build()?)
        .build_https();
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .endpoint_url(env::var("AWS_ENDPOINT_URL_DYNAMODB")?)
        .http_client(http_client)
        .build();
    Ok(Client::from_conf(config))
}
