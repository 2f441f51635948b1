//! Why a step failed, as far as the functions' logs and the deployed template say.

use super::aws::Aws;
use super::denied::Denial;
use super::http::NoResponse;
use super::logs::Logs;
use super::report::Failure;
use super::shop::{Answer, Call};
use super::stack::Stack;

/// Verifies the access token of every request that needs one.
const AUTHORIZER: &str = "authorizer";

/// Finds out why something failed.
#[derive(Debug)]
pub(crate) struct Diagnosis<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) stack: &'a Stack,
    pub(crate) logs: &'a Logs,
}

impl Diagnosis<'_> {
    /// Describes a request that was not answered as expected.
    pub(crate) async fn of_answer(&self, call: &Call, answer: &Answer, expected: &str) -> Failure {
        let failure = Failure::new(answer.how(call))
            .sent(call.description())
            .got(format!("{}; expected {expected}", answer.description()));
        if answer.status >= 500 {
            return self.of_request(failure, call, answer).await;
        }
        if answer.status == 403 && answer.is_from_gateway() {
            return self.of_refused_token(failure).await;
        }
        failure.advice(advice(answer))
    }

    /// Describes a request without an answer.
    pub(crate) fn of_silence(call: &Call, silence: &NoResponse) -> Failure {
        Failure::new(call.route()).sent(call.description()).got(silence.to_string()).advice(
            "is the API's URL right, and can this machine reach it? --url names another one, such as \
             a custom domain",
        )
    }

    /// Adds what the log says about a request that failed in the shop.
    async fn of_request(&self, failure: Failure, call: &Call, answer: &Answer) -> Failure {
        let group = self.stack.log_group(call.function);
        if let Some(id) = &answer.request_id {
            match self.logs.cause(&group, id).await {
                Ok(Some(cause)) => return self.of_cause(failure, call.function, &cause).await,
                Ok(None) => {}
                Err(error) => {
                    return failure.log(error.to_string()).advice(format!(
                        "give the credentials logs:FilterLogEvents, or look for the request yourself: \
                         aws logs filter-log-events --log-group-name {group} --filter-pattern '\"{id}\"'"
                    ));
                }
            }
        }
        // A function that cannot start, and an authorizer that fails, do not know the request.
        let authorizer = call.token.is_some().then_some(AUTHORIZER);
        for function in [call.function].into_iter().chain(authorizer) {
            let group = self.stack.log_group(function);
            if let Ok(Some(cause)) = self.logs.earlier_denial(&group).await {
                return self.of_cause(failure, function, &cause).await;
            }
        }
        failure.advice(format!(
            "no function has logged why. Run the check again with a larger --timeout, or look at \
             {group} and at the API's access log, /aws/vendedlogs/{}/api",
            self.stack.name
        ))
    }

    /// Adds why the authorizer refused a token that the shop has just issued. If it cannot read the
    /// token secret, it refuses all of them.
    async fn of_refused_token(&self, failure: Failure) -> Failure {
        let group = self.stack.log_group(AUTHORIZER);
        match self.logs.denial(&group).await {
            Ok(Some(cause)) => self.of_cause(failure, AUTHORIZER, &cause).await,
            Ok(None) => failure.advice(format!("look at {group}: the authorizer logs why")),
            Err(error) => failure.log(error.to_string()).advice(format!("look at {group}")),
        }
    }

    /// Adds what to do about a cause that a function has logged.
    async fn of_cause(&self, failure: Failure, function: &str, cause: &str) -> Failure {
        let failure = failure.log(format!("{}: {cause}", self.stack.log_group(function)));
        match Denial::read(cause) {
            Some(denial) => self.of_denial(failure, function, &denial).await,
            None => failure.advice(
                "no permission is missing. The line in the log says what it is; \
                 docs/operations.md, \"ApiServerErrorsAlarm\", says what to do",
            ),
        }
    }

    /// Adds which statement should have allowed what AWS denied.
    pub(crate) async fn of_denial(
        &self,
        failure: Failure,
        function: &str,
        denial: &Denial,
    ) -> Failure {
        let failure = failure.reason(denial.sentence(function));
        match self.stack.template(self.aws).await {
            Ok(template) => {
                let (role, statement) = denial.statement(&template, function);
                let is_fine_grained = self.stack.parameter("FineGrainedAccess") != Some("false");
                let (role, statement) = (role.as_deref(), statement.as_ref());
                failure.advice(denial.advice(&self.stack.name, role, statement, is_fine_grained))
            }
            Err(error) => failure.advice(format!(
                "look in template.yaml for the statement of its role that has this action; the \
                 deployed template cannot be read: {error}"
            )),
        }
    }

    /// Describes a function of the stream that has not done its work in time.
    pub(crate) async fn of_consumer(&self, failure: Failure, function: &str) -> Failure {
        let group = self.stack.log_group(function);
        match self.logs.of_consumer(&group).await {
            Ok(Some(cause)) if Denial::read(&cause).is_some() => {
                self.of_cause(failure, function, &cause).await
            }
            Ok(Some(cause)) => {
                let failure = failure.log(format!("{group}: {cause}"));
                if cause.contains("AccessDenied") {
                    // The publisher does not log AWS's message, because it may quote an order.
                    self.of_denial(failure, function, &Denial::of("events:PutEvents")).await
                } else {
                    failure.advice("docs/operations.md, \"IteratorAgeAlarm\", says what to do")
                }
            }
            Ok(None) => failure.advice(format!(
                "{group} has no error. If it has no line at all, the function is not invoked: \
                 docs/operations.md, \"IteratorAgeAlarm\", says what to look at. If it has, run the \
                 check again with a larger --timeout"
            )),
            Err(error) => failure.log(error.to_string()).advice(format!("look at {group}")),
        }
    }
}

/// Returns what to do about a refusal.
fn advice(answer: &Answer) -> &'static str {
    match (answer.status, answer.text("code")) {
        (429, _) => "the API is throttled at the moment: run the check again",
        (409, Some("out_of_stock" | "not_for_sale" | "total_changed")) => {
            "somebody else has bought or changed the product meanwhile: run the check again"
        }
        (404, None) => {
            "this route does not exist: is it the URL of this stack's API, and is the stack deployed \
             from the same commit as this program?"
        }
        _ => {
            "use a storefront-ops that is built from the commit that is deployed; if it is, this is a \
             bug in the shop: find the request's id in the log (docs/operations.md, \"Reading the \
             logs\")"
        }
    }
}
