//! A bucket in this process, with injected faults.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::time::sleep;

/// How long a successful request takes.
const LATENCY: Duration = Duration::from_millis(20);

/// What the bucket does with one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Put {
    Keep,
    /// The request fails.
    Fail {
        status: u16,
    },
    /// The connection breaks.
    Reset {
        kept: bool,
    },
    /// Never responds.
    Hang {
        kept: bool,
    },
}

impl Put {
    pub(super) fn strategy() -> impl Strategy<Value = Self> {
        prop_oneof![
            2 => Just(Self::Keep),
            2 => select(&[403_u16, 404, 500, 503]).prop_map(|status| Self::Fail { status }),
            1 => any::<bool>().prop_map(|kept| Self::Reset { kept }),
            1 => any::<bool>().prop_map(|kept| Self::Hang { kept }),
        ]
    }
}

/// The bucket, and the objects in it.
#[derive(Clone, Debug)]
pub(super) struct Bucket(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    answers: VecDeque<Put>,
    objects: BTreeMap<String, String>,
    faults: usize,
}

impl Bucket {
    /// Creates a bucket that gives these answers, one per request, and then keeps everything.
    pub(super) fn new(answers: &[Put]) -> Self {
        let answers = answers.iter().copied().collect();
        Self(Arc::new(Mutex::new(State { answers, objects: BTreeMap::new(), faults: 0 })))
    }

    /// Returns the objects.
    pub(super) fn objects(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.values().cloned().collect()
    }

    /// Returns how many requests were not simply answered.
    pub(super) fn faults(&self) -> usize {
        self.0.lock().unwrap().faults
    }

    fn next_answer(&self) -> Put {
        let mut state = self.0.lock().unwrap();
        let answer = state.answers.pop_front().unwrap_or(Put::Keep);
        state.faults += usize::from(!matches!(answer, Put::Keep));
        answer
    }

    pub(super) async fn answer(
        &self,
        request: &HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        sleep(LATENCY).await;
        let keep = || {
            let content = str::from_utf8(request.body().bytes().unwrap()).unwrap().to_owned();
            self.0.lock().unwrap().objects.insert(request.uri().to_owned(), content);
        };
        match self.next_answer() {
            Put::Keep => keep(),
            Put::Fail { status } => return Ok(response(status)),
            Put::Reset { kept } => {
                if kept {
                    keep();
                }
                let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                return Err(ConnectorError::io(reset.into()));
            }
            Put::Hang { kept } => {
                if kept {
                    keep();
                }
                std::future::pending::<()>().await;
            }
        }
        Ok(response(200))
    }
}

fn response(status: u16) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
}
