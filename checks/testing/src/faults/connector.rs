use std::io;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::StreamBody;

use super::injector::{Injector, Outcome};
use super::store::Reply;

/// Replaces the SDK's HTTP client.
#[derive(Clone, Debug)]
pub(super) struct Connector(Injector);

impl Connector {
    pub(super) fn new(injector: Injector) -> Self {
        Self(injector)
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let injector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            let body = request.body().bytes().expect("the SDK sends bodies at once");
            match injector.serve(operation, body).await {
                Outcome::Answered(reply) => {
                    let body = SdkBody::from(reply.body.to_string());
                    Ok(response(&reply, body))
                }
                Outcome::BrokenOff(reply) => {
                    let body = broken_off(reply.body.to_string());
                    Ok(response(&reply, body))
                }
                Outcome::Reset => Err(ConnectorError::io(reset().into())),
            }
        })
    }
}

fn response(reply: &Reply, body: SdkBody) -> HttpResponse {
    let mut response = HttpResponse::new(reply.status.try_into().expect("a status"), body);
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// The first half of the text, and then the error that hyper reports when the connection ends.
fn broken_off(text: String) -> SdkBody {
    // Half of the bytes: a half of the string could split a character.
    let mut bytes = text.into_bytes();
    bytes.truncate(bytes.len() / 2);
    let half = http_body::Frame::data(bytes.into());
    let frames = futures_util::stream::iter([Ok(half), Err(reset())]);
    SdkBody::from_body_1_x(StreamBody::new(frames))
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
