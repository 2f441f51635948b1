//! SES as the SDK's HTTP client sees it, without a socket: under the paused clock there would be nothing to
//! wait for but timers.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use storefront_core::aws::{self, SdkConfig};
use tokio::time::sleep;

use crate::ses::Mail;

/// How many of 100 requests go wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odds {
    /// Answered with an error.
    pub(super) refused: u8,
    /// Sent, but the answer is lost or late.
    pub(super) unanswered: u8,
}

/// An SES that fails at random.
#[derive(Clone, Debug)]
pub(super) struct SimulatedSes(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    odds: Odds,
    sent: Vec<String>,
    unanswered: usize,
}

#[derive(Clone, Copy)]
enum Answer {
    Sent,
    Refused,
    Reset,
    Late,
}

impl SimulatedSes {
    pub(super) fn new(seed: u64, odds: Odds) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(State { random, odds, sent: Vec::new(), unanswered: 0 })))
    }

    pub(super) fn config(&self) -> SdkConfig {
        aws::emulator_config().into_builder().http_client(self.clone()).build()
    }

    /// The ids of the events whose mails were sent, in order.
    pub(super) fn sent(&self) -> Vec<String> {
        self.0.lock().unwrap().sent.clone()
    }

    /// How many answers were lost.
    pub(super) fn unanswered(&self) -> usize {
        self.0.lock().unwrap().unanswered
    }

    /// Decides on a request when it arrives. How long it takes to answer is after that.
    fn receive(&self, body: &[u8]) -> (Answer, Duration) {
        let mail = Mail::of(&serde_json::from_slice(body).unwrap());
        let mut state = self.0.lock().unwrap();
        let (chance, odds) = (state.random.u8(..100), state.odds);
        let latency = Duration::from_millis(state.random.u64(..300));
        if chance < odds.refused {
            return (Answer::Refused, latency);
        }
        state.sent.push(event_of(&mail));
        if chance < odds.refused + odds.unanswered {
            state.unanswered += 1;
            return (if chance.is_multiple_of(2) { Answer::Reset } else { Answer::Late }, latency);
        }
        (Answer::Sent, latency)
    }
}

/// Returns the id of the event that a mail is about, from its `Message-ID`.
fn event_of(mail: &Mail) -> String {
    let parsed = mail.parsed();
    let (event, _) = parsed.message_id().unwrap().split_once('@').unwrap();
    let (order, version) = event.split_once('.').unwrap();
    format!("{order}:{version}")
}

impl HttpClient for SimulatedSes {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SimulatedSes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, latency) = self.receive(request.body().bytes().unwrap());
        HttpConnectorFuture::new(async move {
            sleep(latency).await;
            let response = |status: u16, body: &'static str| {
                Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
            };
            match answer {
                Answer::Sent => response(200, r#"{"MessageId":"0102018c"}"#),
                Answer::Refused => response(429, r#"{"__type":"TooManyRequestsException"}"#),
                Answer::Reset => {
                    Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into()))
                }
                // Long after the client's patience.
                Answer::Late => {
                    sleep(Duration::from_mins(1)).await;
                    response(200, "{}")
                }
            }
        })
    }
}
