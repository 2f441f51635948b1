//! What nobody has to wait for is done when the answer has been sent.
//!
//! Lambda passes an answer on as soon as it has it, and freezes the process only when that asks for the
//! next event.
//! <https://aws.amazon.com/blogs/compute/running-code-after-returning-a-response-from-an-aws-lambda-function/>

use std::cell::RefCell;
use std::task::{Context, Poll};

use lambda_http::Service;
use lambda_http::lambda_runtime::LambdaInvocation;
use tokio::task::futures::TaskLocalFuture;
use tokio::task_local;

task_local! {
    /// Of the invocation that is being served.
    static LEFT_TO_DO: LeftToDo;
}

type Work = Box<dyn FnOnce() + Send>;

/// Does this when the answer to the invocation has been sent, or could not be; at once where nothing is
/// sent, as in tests.
pub(crate) fn afterwards(work: impl FnOnce() + Send + 'static) {
    let mut work: Option<Work> = Some(Box::new(work));
    let _ = LEFT_TO_DO.try_with(|left| left.0.borrow_mut().extend(work.take()));
    if let Some(work) = work {
        work();
    }
}

/// Is done when the future of the invocation is dropped: that is when it is through, however it went.
#[derive(Default)]
pub(crate) struct LeftToDo(RefCell<Vec<Work>>);

impl Drop for LeftToDo {
    fn drop(&mut self) {
        for work in self.0.take() {
            work();
        }
    }
}

/// For Lambda's runtime, around all that it does for an invocation: answers first, and then does what
/// was left for [`afterwards`].
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

    fn told(log: &Receiver<&'static str>) -> Vec<&'static str> {
        log.try_iter().collect()
    }

    fn tell(log: &Sender<&'static str>, what: &'static str) {
        log.send(what).unwrap();
    }

    #[tokio::test]
    async fn what_was_left_is_done_when_the_answer_has_been_sent() {
        let (log, told_of) = channel();
        let mut runtime = AnswerFirst(service_fn(move |_| {
            let log = log.clone();
            async move {
                for what in ["first", "second"] {
                    let log = log.clone();
                    afterwards(move || tell(&log, what));
                }
                tell(&log, "answered");
                Ok::<_, Infallible>(())
            }
        }));
        for _ in 0..2 {
            runtime.call(invocation()).await.unwrap();
            assert_eq!(told(&told_of), ["answered", "first", "second"]);
        }
    }

    #[test]
    fn what_was_left_is_done_when_the_answer_is_never_sent() {
        let (log, told_of) = channel();
        let mut runtime = AnswerFirst(service_fn(move |_| {
            let log = log.clone();
            async move {
                afterwards(move || tell(&log, "left"));
                pending::<Result<(), Infallible>>().await
            }
        }));
        let mut serving = Box::pin(runtime.call(invocation()));
        assert!(serving.as_mut().now_or_never().is_none());
        assert_eq!(told(&told_of), [""; 0]);
        drop(serving);
        assert_eq!(told(&told_of), ["left"]);
    }

    #[test]
    fn it_is_done_at_once_where_nothing_is_sent() {
        let (log, told_of) = channel();
        afterwards(move || tell(&log, "left"));
        assert_eq!(told(&told_of), ["left"]);
    }
}
