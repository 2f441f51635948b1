//! Work that no client has to wait for: it is done after the response has been sent.
//!
//! Lambda passes a response on as soon as it receives it, and freezes the process only when the
//! process asks for the next event.
//! <https://aws.amazon.com/blogs/compute/running-code-after-returning-a-response-from-an-aws-lambda-function/>

use std::cell::RefCell;
use std::task::{Context, Poll};

use lambda_http::Service;
use lambda_http::lambda_runtime::LambdaInvocation;
use tokio::task::futures::TaskLocalFuture;
use tokio::task_local;

task_local! {
    /// The work left by the current invocation.
    static LEFT_TO_DO: LeftToDo;
}

type Work = Box<dyn FnOnce() + Send>;

/// Does this work when the invocation's response has been sent, or could not be sent; at once if no
/// response is sent, as in tests.
pub(crate) fn afterwards(work: impl FnOnce() + Send + 'static) {
    let mut work: Option<Work> = Some(Box::new(work));
    let _ = LEFT_TO_DO.try_with(|left| left.0.borrow_mut().extend(work.take()));
    if let Some(work) = work {
        work();
    }
}

/// The work left by an invocation. It is done when the invocation's future is dropped, which is
/// when the invocation has ended, whatever its outcome.
#[derive(Default)]
pub(crate) struct LeftToDo(RefCell<Vec<Work>>);

impl Drop for LeftToDo {
    fn drop(&mut self) {
        for work in self.0.take() {
            work();
        }
    }
}

/// A layer around all that Lambda's runtime does for an invocation: sends the response first, and
/// then does the work left by [`afterwards`].
#[derive(Clone)]
pub(crate) struct AnswerFirst<S>(pub(crate) S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for AnswerFirst<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<LeftToDo, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        LEFT_TO_DO.scope(LeftToDo::default(), self.0.call(invocation))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use futures_util::FutureExt as _;
    use http::Response;
    use lambda_http::service_fn;

    use super::*;

    fn invocation() -> LambdaInvocation {
        let (parts, body) = Response::default().into_parts();
        LambdaInvocation { parts, body, context: lambda_http::Context::default() }
    }

    fn entries(log: &Receiver<&'static str>) -> Vec<&'static str> {
        log.try_iter().collect()
    }

    fn write(log: &Sender<&'static str>, entry: &'static str) {
        log.send(entry).unwrap();
    }

    #[tokio::test]
    async fn work_is_done_after_the_response_has_been_sent() {
        let (log, written) = channel();
        let mut runtime = AnswerFirst(service_fn(move |_| {
            let log = log.clone();
            async move {
                for what in ["first", "second"] {
                    let log = log.clone();
                    afterwards(move || write(&log, what));
                }
                write(&log, "answered");
                Ok::<_, Infallible>(())
            }
        }));
        for _ in 0..2 {
            runtime.call(invocation()).await.unwrap();
            assert_eq!(entries(&written), ["answered", "first", "second"]);
        }
    }

    #[test]
    fn work_is_done_even_if_the_response_is_never_sent() {
        let (log, written) = channel();
        let mut runtime = AnswerFirst(service_fn(move |_| {
            let log = log.clone();
            async move {
                afterwards(move || write(&log, "left"));
                pending::<Result<(), Infallible>>().await
            }
        }));
        let mut serving = Box::pin(runtime.call(invocation()));
        assert!(serving.as_mut().now_or_never().is_none());
        assert_eq!(entries(&written), [""; 0]);
        drop(serving);
        assert_eq!(entries(&written), ["left"]);
    }

    #[test]
    fn work_is_done_at_once_if_no_response_is_sent() {
        let (log, written) = channel();
        afterwards(move || write(&log, "left"));
        assert_eq!(entries(&written), ["left"]);
    }
}
