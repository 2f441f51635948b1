//! Measures everything in rounds: whatever disturbs the machine for a while disturbs all alike.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;

use crate::Error;
use crate::error::Failure;
use crate::process::{Process, Program};
use crate::runtime_api::{Answer, RuntimeApi};
use crate::services::Services;
use crate::subject::{Case, Kind, Plan, Subject};

/// How long a function may do nothing. Under valgrind it takes seconds.
const SILENCE: Duration = Duration::from_mins(1);

/// Invocations of each process after the first that do not count yet as warm.
const WARMING_UP: u32 = 3;

/// One process of one case, from its start to its end. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// From the start of the process to its first request for an event.
    pub(crate) init: f64,
    /// From handing out the first event to its answer.
    pub(crate) first: f64,
    /// Processor time until it asks for the second event.
    pub(crate) cold_processor: f64,
    pub(crate) warm: Vec<f64>,
    /// Processor time of a warm invocation, on average.
    pub(crate) warm_processor: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

/// The samples of each case of a plan, one a round.
pub(crate) type Measured = Vec<Vec<Sample>>;

/// An environment with its process.
pub(crate) struct Environment<'a> {
    name: String,
    case: &'a Case,
    api: RuntimeApi,
    process: Process,
    pub(crate) init: Duration,
}

/// All cases in each round, in turns from the first to the last and back, so that none always
/// follows the same other. The first round is not counted: it fills the system's caches.
pub(crate) async fn measure(
    plan: &Plan,
    services: &Services,
    rounds: u32,
) -> Result<Measured, Error> {
    let mut measured: Measured = plan.cases.iter().map(|_| Vec::new()).collect();
    compare_answers(plan, services).await?;
    // Another one each time, in all of a run.
    let mut number = 1_000;
    let since = Instant::now();
    for round in 0..=rounds {
        let mut order: Vec<_> = (0..plan.cases.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let sample = sample(plan, &plan.cases[index], services, &mut number).await?;
            if round > 0 {
                measured[index].push(sample);
            }
        }
        eprint!("\rround {round} of {rounds}, {} s", since.elapsed().as_secs());
    }
    eprintln!();
    Ok(measured)
}

async fn sample(
    plan: &Plan,
    case: &Case,
    services: &Services,
    number: &mut u64,
) -> Result<Sample, Error> {
    let mut invoke = async |environment: &mut Environment<'_>| {
        *number += 1;
        let answer = environment.invoke(*number).await?;
        environment.ready().await?;
        Ok::<_, Error>(milliseconds(answer.duration))
    };
    let program = &plan.subjects[case.subject].program;
    let mut environment = Environment::start(plan, case, program, services).await?;
    let first = invoke(&mut environment).await?;
    let cold_processor = environment.process.processor_time()?;
    for _ in 0..WARMING_UP {
        invoke(&mut environment).await?;
    }
    let mut warm = Vec::new();
    let before = environment.process.processor_time()?;
    for _ in 0..case.operation.warm {
        warm.push(invoke(&mut environment).await?);
    }
    let processor = environment.process.processor_time()?.saturating_sub(before);
    let sample = Sample {
        init: milliseconds(environment.init),
        first,
        cold_processor: milliseconds(cold_processor),
        warm,
        warm_processor: milliseconds(processor) / f64::from(case.operation.warm),
        peak_memory: environment.process.peak_memory()?,
    };
    environment.end().await?;
    Ok(sample)
}

/// Makes sure that what is compared is the same: all who have an operation answer it alike.
async fn compare_answers(plan: &Plan, services: &Services) -> Result<(), Error> {
    let mut expected: Option<(&Case, Value)> = None;
    for case in plan.cases.iter().filter(|case| case.operation.comparable) {
        let program = &plan.subjects[case.subject].program;
        let mut environment = Environment::start(plan, case, program, services).await?;
        let answer = environment.invoke(0).await?;
        environment.end().await?;
        let body = body(&answer);
        match &expected {
            // The first of an operation is the function itself.
            _ if plan.subjects[case.subject].kind == Kind::Function => {
                expected = Some((case, body));
            }
            Some((other, expected)) if *expected != body => {
                return Err(Error::OtherAnswer {
                    case: plan.name(case),
                    answer: body.to_string(),
                    other: plan.name(other),
                    expected: expected.to_string(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The body of an answer; of a cursor, which may be any text, only its length.
fn body(answer: &Answer) -> Value {
    let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let body = answer["body"].as_str().unwrap_or_default();
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(cursor) = body.get_mut("nextCursor") {
        *cursor = cursor.as_str().map_or(0, str::len).into();
    }
    body
}

impl<'a> Environment<'a> {
    /// Starts the case's subject, or rather `program`, and waits until it asks for an event.
    pub(crate) async fn start(
        plan: &Plan,
        case: &'a Case,
        program: &Program,
        services: &Services,
    ) -> Result<Self, Error> {
        let subject: &Subject = &plan.subjects[case.subject];
        let api = RuntimeApi::start().await.map_err(Error::io("cannot serve the Runtime API"))?;
        let mut variables = subject.variables.clone();
        variables.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), api.address().to_string());
        let output = services.folder().join("output");
        let process = Process::start(program, &variables, &output)?;
        let name = plan.name(case);
        let mut environment = Self { name, case, api, process, init: Duration::ZERO };
        let ready = environment.ready().await?;
        environment.init = ready - environment.process.started;
        Ok(environment)
    }

    /// Waits until it asks for an event.
    pub(crate) async fn ready(&mut self) -> Result<Instant, Error> {
        let outcome = tokio::select! {
            outcome = timeout(SILENCE, self.api.ready()) => outcome,
            status = self.process.ended() => Ok(Err(Failure::Ended(status?))),
        };
        self.checked(outcome.unwrap_or(Err(Failure::Silent(SILENCE))))
    }

    /// Hands out the event, as the `number`th time, and waits for a good answer.
    pub(crate) async fn invoke(&mut self, number: u64) -> Result<Answer, Error> {
        let event = self.case.operation.event(number);
        let outcome = tokio::select! {
            outcome = timeout(SILENCE, self.api.invoke(event)) => outcome,
            status = self.process.ended() => Ok(Err(Failure::Ended(status?))),
        };
        let answer = self.checked(outcome.unwrap_or(Err(Failure::Silent(SILENCE))))?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if self.case.operation.expected.is_met_by(&value) {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        self.checked(Err(Failure::Unexpected(body)))
    }

    pub(crate) async fn end(self) -> Result<(), Error> {
        self.process.kill().await
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn terminate(self) -> Result<(), Error> {
        self.process.terminate().await
    }

    fn checked<T>(&self, outcome: Result<T, Failure>) -> Result<T, Error> {
        outcome.map_err(|cause| Error::Function {
            case: self.name.clone(),
            cause,
            output: self.process.output(),
        })
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
