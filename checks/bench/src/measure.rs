//! Measures everything in rounds, so that a temporary disturbance of the machine affects all
//! equally.

use std::time::Instant;

use serde_json::Value;

use crate::Error;
use crate::environment::Environment;
use crate::report::milliseconds;
use crate::runtime_api::Answer;
use crate::services::Services;
use crate::subject::{Case, Kind, Plan};

/// The number of invocations after the first that do not count as warm yet.
const WARMING_UP: u32 = 3;

/// The measurements of one process of one case. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// From the start of the process to its first request for an event.
    pub(crate) init: f64,
    /// From sending the first event to its answer.
    pub(crate) first: f64,
    /// Processor time until the process asks for the second event.
    pub(crate) cold_processor: f64,
    pub(crate) warm: Vec<f64>,
    /// The average processor time of a warm invocation.
    pub(crate) warm_processor: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

/// The samples of each case of a plan, one per round.
pub(crate) type Measured = Vec<Vec<Sample>>;

/// Measures all cases in each round, alternately forwards and backwards, so that no case always
/// follows the same one. The first round does not count: it fills the system's caches.
pub(crate) async fn measure(
    plan: &Plan,
    services: &Services,
    rounds: u32,
) -> Result<Measured, Error> {
    let mut measured: Measured = plan.cases.iter().map(|_| Vec::new()).collect();
    compare_answers(plan, services).await?;
    // Never repeated within a run.
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
    let mut invoke = async |environment: &mut Environment| {
        *number += 1;
        let event = case.operation.event(*number);
        let answer = environment.invoke(event, case.operation.expected).await?;
        environment.ready().await?;
        Ok::<_, Error>(milliseconds(answer.duration))
    };
    let mut environment = Environment::of(plan, case, services).await?;
    let first = invoke(&mut environment).await?;
    let cold_processor = environment.processor_time()?;
    for _ in 0..WARMING_UP {
        invoke(&mut environment).await?;
    }
    let mut warm = Vec::new();
    let before = environment.processor_time()?;
    for _ in 0..case.operation.warm {
        warm.push(invoke(&mut environment).await?);
    }
    let processor = environment.processor_time()?.saturating_sub(before);
    let sample = Sample {
        init: milliseconds(environment.init),
        first,
        cold_processor: milliseconds(cold_processor),
        warm,
        warm_processor: milliseconds(processor) / f64::from(case.operation.warm),
        peak_memory: environment.peak_memory()?,
    };
    environment.end().await?;
    Ok(sample)
}

/// Checks that the comparison is fair: all programs with the same operation must give the same
/// answer.
async fn compare_answers(plan: &Plan, services: &Services) -> Result<(), Error> {
    let mut expected: Option<(&Case, Value)> = None;
    for case in plan.cases.iter().filter(|case| case.operation.comparable) {
        let mut environment = Environment::of(plan, case, services).await?;
        let event = case.operation.event(0);
        let answer = environment.invoke(event, case.operation.expected).await?;
        environment.end().await?;
        let body = body(&answer);
        match &expected {
            // The first program of an operation is the function itself.
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

/// The body of an answer, with each cursor, which may be any text, replaced by its length.
fn body(answer: &Answer) -> Value {
    let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let body = answer["body"].as_str().unwrap_or_default();
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(cursor) = body.get_mut("nextCursor") {
        *cursor = cursor.as_str().map_or(0, str::len).into();
    }
    body
}
