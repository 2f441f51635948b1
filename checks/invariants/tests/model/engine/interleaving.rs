//! Lets the requests of concurrent operations through to DynamoDB one at a time, in a given order.
//!
//! DynamoDB performs each request atomically, so the order of requests decides every race. Because
//! the script chooses that order, a race can be repeated and shrunk.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures_util::future::{join, join_all};
use tokio::sync::oneshot;

tokio::task_local! {
    /// The operation that a request belongs to, and the queue in which it waits.
    static OPERATION: (usize, Arc<Gate>);
}

/// An HTTP client whose requests wait for their turn if they are sent within [`interleave`].
#[derive(Debug)]
pub(crate) struct Interleaved<T>(pub(crate) T);

/// Where requests wait before they go to the table.
#[derive(Debug, Default)]
struct Gate(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// The waiting requests of each unfinished operation.
    waiting: BTreeMap<usize, VecDeque<Waiting>>,
    /// Whether a request is with DynamoDB.
    is_serving: bool,
    /// Woken by every change of the queue.
    scheduler: Option<Waker>,
    /// The requests that were let through: the operation's number and DynamoDB's action.
    served: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Waiting {
    action: String,
    turn: oneshot::Sender<Turn>,
}

/// The right to send one request. Dropping it lets the next request go, also if this one failed.
#[derive(Debug)]
struct Turn(Arc<Gate>);

/// Runs the operations concurrently. Whenever all unfinished ones wait for the table, the next number
/// of `order` says whose request is served. Returns the results, and the requests in the order in
/// which they were served.
pub(crate) async fn interleave<F: Future>(
    operations: Vec<F>,
    order: &[u8],
) -> (Vec<F::Output>, Vec<(usize, String)>) {
    let gate = Arc::new(Gate::default());
    gate.queue().waiting = (0..operations.len()).map(|number| (number, VecDeque::new())).collect();
    let operations = operations.into_iter().enumerate().map(|(number, operation)| {
        let done = Arc::clone(&gate);
        let operation = async move {
            let result = operation.await;
            done.change(|queue| queue.waiting.remove(&number));
            result
        };
        OPERATION.scope((number, Arc::clone(&gate)), operation)
    });
    let mut order = order.iter();
    let schedule = async {
        while gate.all_are_waiting().await {
            gate.serve_next(order.next().copied().unwrap_or_default());
        }
    };
    let (results, ()) = join(join_all(operations), schedule).await;
    let served = std::mem::take(&mut gate.queue().served);
    (results, served)
}

impl Gate {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().expect("no panic while it is locked")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue();
        let result = change(&mut queue);
        if let Some(scheduler) = queue.scheduler.take() {
            scheduler.wake();
        }
        result
    }

    /// Waits until every unfinished operation has a waiting request; false when all are finished.
    async fn all_are_waiting(&self) -> bool {
        poll_fn(|context| {
            let mut queue = self.queue();
            // An operation that failed meanwhile has dropped its requests.
            for requests in queue.waiting.values_mut() {
                requests.retain(|request| !request.turn.is_closed());
            }
            if !queue.is_serving && queue.waiting.values().all(|requests| !requests.is_empty()) {
                return Poll::Ready(!queue.waiting.is_empty());
            }
            queue.scheduler = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn serve_next(self: &Arc<Self>, turn: u8) {
        let mut queue = self.queue();
        let turn = usize::from(turn) % queue.waiting.len();
        let (&operation, requests) = queue.waiting.iter_mut().nth(turn).expect("within bounds");
        let request = requests.pop_front().expect("each has one");
        queue.served.push((operation, request.action));
        queue.is_serving = true;
        drop(queue);
        // If the operation has just failed, the turn comes back and is dropped here.
        drop(request.turn.send(Turn(Arc::clone(self))));
    }
}

impl HttpConnector for Interleaved<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok((operation, gate)) = OPERATION.try_with(Clone::clone) else {
            return self.0.call(request);
        };
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (turn, its_turn) = oneshot::channel();
        let waiting = Waiting { action, turn };
        gate.change(|queue| queue.waiting.entry(operation).or_default().push_back(waiting));
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let _turn = its_turn.await.map_err(|gone| ConnectorError::other(gone.into(), None))?;
            let mut response = connector.call(request).await?;
            // The whole body within the turn, so that the reader does not wait again.
            let body = ByteStream::new(response.take_body()).collect().await;
            let body = body.map_err(|error| ConnectorError::io(error.into()))?;
            *response.body_mut() = SdkBody::from(body.into_bytes());
            Ok(response)
        })
    }
}

impl HttpClient for Interleaved<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Interleaved(self.0.http_connector(settings, components)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.change(|queue| queue.is_serving = false);
    }
}
