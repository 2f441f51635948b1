//! Lets the requests of several operations through to DynamoDB one at a time, in a given order.
//!
//! DynamoDB does one request as a whole, so all that clients can do to each other is decided by the
//! order of their requests. Chosen here, and not by chance, a race comes again when a case is run
//! again, and can be shrunk.

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
    /// Which operation a request belongs to, and who gives it its turn.
    static OPERATION: (usize, Arc<Table>);
}

/// An HTTP client whose requests wait for their turn, where they are made within [`in_turns`].
#[derive(Debug)]
pub(crate) struct TakingTurns<T>(pub(crate) T);

/// The queue before the table.
#[derive(Debug, Default)]
struct Table(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// The requests of each operation that is not done.
    waiting: BTreeMap<usize, VecDeque<Waiting>>,
    is_serving: bool,
    /// Whom to wake when anything here changes.
    scheduler: Option<Waker>,
    /// What was let through: which operation's, and which of DynamoDB's actions.
    served: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Waiting {
    action: String,
    turn: oneshot::Sender<Turn>,
}

/// Ends a turn when it is dropped, wherever it has got to.
#[derive(Debug)]
struct Turn(Arc<Table>);

/// Runs the operations at once. Whenever each that is not done waits for the table, `turns` says
/// whose request it serves next. Gives the results, and the requests as they were served.
pub(crate) async fn in_turns<F: Future>(
    operations: Vec<F>,
    turns: &[u8],
) -> (Vec<F::Output>, Vec<(usize, String)>) {
    let table = Arc::new(Table::default());
    table.queue().waiting = (0..operations.len()).map(|number| (number, VecDeque::new())).collect();
    let operations = operations.into_iter().enumerate().map(|(number, operation)| {
        let done = Arc::clone(&table);
        let operation = async move {
            let result = operation.await;
            done.change(|queue| queue.waiting.remove(&number));
            result
        };
        OPERATION.scope((number, Arc::clone(&table)), operation)
    });
    let mut turns = turns.iter();
    let schedule = async {
        while table.is_wanted().await {
            table.serve_next(turns.next().copied().unwrap_or_default());
        }
    };
    let (results, ()) = join(join_all(operations), schedule).await;
    let served = std::mem::take(&mut table.queue().served);
    (results, served)
}

impl Table {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().expect("nobody panics in between")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue();
        let result = change(&mut queue);
        if let Some(scheduler) = queue.scheduler.take() {
            scheduler.wake();
        }
        result
    }

    /// Waits until every operation that is not done has a request for the table; false when all are
    /// done.
    async fn is_wanted(&self) -> bool {
        poll_fn(|context| {
            let mut queue = self.queue();
            // An operation that failed meanwhile has dropped what it waited for.
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
        // Who has gone just now gives it back.
        drop(request.turn.send(Turn(Arc::clone(self))));
    }
}

impl HttpConnector for TakingTurns<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok((operation, table)) = OPERATION.try_with(Clone::clone) else {
            return self.0.call(request);
        };
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (turn, its_turn) = oneshot::channel();
        let waiting = Waiting { action, turn };
        table.change(|queue| queue.waiting.entry(operation).or_default().push_back(waiting));
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let _turn = its_turn.await.map_err(|gone| ConnectorError::other(gone.into(), None))?;
            let mut response = connector.call(request).await?;
            // To the end within the turn, so that who reads it goes on at once.
            let body = ByteStream::new(response.take_body()).collect().await;
            let body = body.map_err(|error| ConnectorError::io(error.into()))?;
            *response.body_mut() = SdkBody::from(body.into_bytes());
            Ok(response)
        })
    }
}

impl HttpClient for TakingTurns<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(TakingTurns(self.0.http_connector(settings, components)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.change(|queue| queue.is_serving = false);
    }
}
