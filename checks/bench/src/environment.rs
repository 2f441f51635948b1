//! A function's execution environment: its process, and the Runtime API that it calls.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;

use crate::Error;
use crate::error::Failure;
use crate::event::Expected;
use crate::process::{Process, Program};
use crate::runtime_api::{Answer, RuntimeApi};
use crate::services::Services;
use crate::subject::{Case, Plan};

/// How long a function may stay silent. Under valgrind, an answer takes seconds.
const SILENCE: Duration = Duration::from_mins(1);

/// An execution environment. It ends when dropped.
pub(crate) struct Environment {
    /// The program and its event, for messages.
    name: String,
    api: RuntimeApi,
    process: Process,
    pub(crate) init: Duration,
}

impl Environment {
    /// Starts the subject of a case, and waits until it asks for an event.
    pub(crate) async fn of(plan: &Plan, case: &Case, services: &Services) -> Result<Self, Error> {
        let subject = &plan.subjects[case.subject];
        let name = plan.name(case);
        Self::start(name, &subject.program, &subject.variables, services.folder()).await
    }

    /// Starts a program, and waits until it asks for an event. Its output is stored in the folder.
    pub(crate) async fn start(
        name: String,
        program: &Program,
        variables: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self, Error> {
        let api = RuntimeApi::start().await.map_err(Error::io("cannot serve the Runtime API"))?;
        let mut variables = variables.clone();
        variables.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), api.address().to_string());
        let process = Process::start(program, &variables, &folder.join("output"))?;
        let mut environment = Self { name, api, process, init: Duration::ZERO };
        let ready = environment.ready().await?;
        environment.init = ready - environment.process.started;
        Ok(environment)
    }

    /// Waits until it asks for an event.
    pub(crate) async fn ready(&mut self) -> Result<Instant, Error> {
        let outcome = within(self.api.ready(), &mut self.process).await?;
        self.checked(outcome)
    }

    /// Sends the event, and waits for the answer, which must be the expected one.
    pub(crate) async fn invoke(
        &mut self,
        event: String,
        expected: Expected,
    ) -> Result<Answer, Error> {
        let outcome = within(self.api.invoke(event), &mut self.process).await?;
        let answer = self.checked(outcome)?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if expected.is_met_by(&value) {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        self.checked(Err(Failure::Unexpected(body)))
    }

    /// The processor time of all its threads.
    pub(crate) fn processor_time(&self) -> Result<Duration, Error> {
        self.process.processor_time()
    }

    /// The peak memory of the process, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Error> {
        self.process.peak_memory()
    }

    pub(crate) async fn end(self) -> Result<(), Error> {
        self.process.kill().await
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn terminate(self) -> Result<(), Error> {
        self.process.terminate().await
    }

    /// Adds the failed case, and its last output, to a failure.
    fn checked<T>(&self, outcome: Result<T, Failure>) -> Result<T, Error> {
        outcome.map_err(|cause| Error::Function {
            case: self.name.clone(),
            cause,
            output: self.process.output(),
        })
    }
}

/// Waits for the work. Fails if the process ends first, or after a timeout.
async fn within<T>(
    work: impl Future<Output = Result<T, Failure>>,
    process: &mut Process,
) -> Result<Result<T, Failure>, Error> {
    let outcome = tokio::select! {
        outcome = timeout(SILENCE, work) => outcome,
        status = process.ended() => return Ok(Err(Failure::Ended(status?))),
    };
    Ok(outcome.unwrap_or(Err(Failure::Silent(SILENCE))))
}
