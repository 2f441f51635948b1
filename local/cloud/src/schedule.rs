//! Schedules: invokes functions at their times, as EventBridge does, and on request.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use storefront_template::{Schedule, Scheduler, Template};
use uuid::Uuid;

use crate::Error;
use crate::asynchronous::{AsynchronousTarget, Invocations};
use crate::clock::Clock;
use crate::function::Function;
use crate::local_api::refusal;
use crate::stop::{Stop, Worker};

/// Runs that last longer than the period overlap, as on AWS. This is many more than anyone wants.
const CONCURRENCY: usize = 10;

/// The template's schedules.
#[derive(Clone)]
pub(crate) struct Schedules(Arc<[Scheduled]>);

/// A schedule and the function that it invokes.
struct Scheduled {
    schedule: Schedule,
    /// The name of the function's binary, which people know it by.
    binary: String,
    function: Function,
    /// The runs of the timer.
    invocations: Invocations,
}

impl Schedules {
    /// Reads the schedules of a template. `functions` and `targets` are by logical id.
    pub(crate) fn of(
        template: &Template,
        functions: &HashMap<String, Function>,
        targets: &HashMap<String, Arc<AsynchronousTarget>>,
    ) -> Result<Self, Error> {
        let definitions = template.functions()?;
        let schedules = template.schedules()?.into_iter().map(|schedule| {
            let missing = || Error::NoSuchFunction { logical_id: schedule.function.clone() };
            let target = targets.get(&schedule.function).ok_or_else(missing)?;
            let source = format!("schedule {}", schedule.name());
            Ok(Scheduled {
                invocations: Invocations::new(source, CONCURRENCY, target),
                binary: definitions.get(&schedule.function).ok_or_else(missing)?.binary.clone(),
                function: functions.get(&schedule.function).ok_or_else(missing)?.clone(),
                schedule,
            })
        });
        Ok(Self(schedules.collect::<Result<_, Error>>()?))
    }

    /// Runs each enabled schedule at its times.
    pub(crate) fn start(&self, clock: Clock) -> Vec<Worker> {
        let mut workers = Vec::new();
        for (index, scheduled) in self.0.iter().enumerate() {
            if scheduled.schedule.enabled {
                let schedules = self.clone();
                workers.push(Worker::start(|stop| keep_time(schedules, index, clock, stop)));
                workers.push(scheduled.invocations.start());
            }
        }
        workers
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/_local/schedules", get(list))
            .route("/_local/schedules/{function}/run", post(run))
            .with_state(self.clone())
    }

    /// Returns the binaries of the functions that have schedules.
    pub(crate) fn names(&self) -> Vec<&str> {
        let names: BTreeSet<_> = self.0.iter().map(|scheduled| scheduled.binary.as_str()).collect();
        names.into_iter().collect()
    }
}

async fn keep_time(schedules: Schedules, index: usize, clock: Clock, mut stop: Stop) {
    let scheduled = &schedules.0[index];
    let created = clock.now();
    let mut last = created;
    while let Some(next) = scheduled.schedule.expression.next(created, last)
        && stop.or(clock.wait_until(next)).await.is_some()
    {
        // A run that fell into a sleep of the machine is left out.
        last = next.max(clock.now());
        if let Err(error) = scheduled.hand_over(next).await {
            tracing::error!("schedule {}: {error}", scheduled.schedule.name());
        }
    }
}

impl Scheduled {
    async fn hand_over(&self, time: Timestamp) -> Result<(), Error> {
        self.invocations.send(self.event(time)?.to_string()).await
    }

    /// Returns what the function receives.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html>
    fn event(&self, time: Timestamp) -> serde_json::Result<Value> {
        let (region, account) = (crate::REGION, crate::ACCOUNT);
        let name = format!("{}{}", self.schedule.function, self.schedule.event);
        let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let id = Uuid::new_v4().to_string();
        let (source, arn, detail) = match self.schedule.service {
            // Scheduler sends the detail as a text.
            Scheduler::EventBridgeScheduler => (
                "aws.scheduler",
                format!("arn:aws:scheduler:{region}:{account}:schedule/default/{name}"),
                Value::from("{}"),
            ),
            Scheduler::EventBridgeRule => {
                ("aws.events", format!("arn:aws:events:{region}:{account}:rule/{name}"), json!({}))
            }
        };
        if let Some(input) = &self.schedule.input {
            let input = match self.schedule.service {
                Scheduler::EventBridgeScheduler => &input
                    .replace("<aws.scheduler.schedule-arn>", &arn)
                    .replace("<aws.scheduler.scheduled-time>", &time)
                    .replace("<aws.scheduler.execution-id>", &id)
                    // Retries of Scheduler, not of Lambda.
                    .replace("<aws.scheduler.attempt-number>", "1"),
                Scheduler::EventBridgeRule => input,
            };
            return serde_json::from_str(input);
        }
        Ok(json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": source,
            "account": account,
            "time": time,
            "region": region,
            "resources": [arn],
            "detail": detail,
        }))
    }
}

async fn list(State(schedules): State<Schedules>) -> Json<Value> {
    let schedules = schedules.0.iter().map(|Scheduled { schedule, binary, .. }| {
        json!({ "function": binary, "event": schedule.event, "enabled": schedule.enabled })
    });
    Json(json!({ "schedules": schedules.collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
struct Choice {
    /// The event's name, for a function with several schedules.
    event: Option<String>,
}

/// Runs a function's schedule now, even if it is disabled, and answers with what the function returns.
async fn run(
    State(schedules): State<Schedules>,
    Path(function): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let of_function = |scheduled: &&Scheduled| scheduled.binary == function;
    let mut found: Vec<_> = schedules.0.iter().filter(of_function).collect();
    if found.is_empty() {
        let names = schedules.names().join(", ");
        let message = if names.is_empty() {
            "the template has no schedules".to_owned()
        } else {
            format!("{function} has no schedule; these functions have: {names}")
        };
        return refusal(StatusCode::NOT_FOUND, &message);
    }
    let events: Vec<_> = found.iter().map(|found| found.schedule.event.as_str()).collect();
    let events = events.join(", ");
    if let Some(event) = choice.event {
        found.retain(|found| found.schedule.event == event);
        if found.is_empty() {
            let message = format!("{function} has no schedule {event}; it has: {events}");
            return refusal(StatusCode::NOT_FOUND, &message);
        }
    }
    let [scheduled] = *found else {
        let message =
            format!("{function} has several schedules; add ?event= with one of: {events}");
        return refusal(StatusCode::BAD_REQUEST, &message);
    };
    let answer = match scheduled.event(Timestamp::now()) {
        Ok(event) => scheduled.function.invoke(&event).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            tracing::error!("schedule {}: {error}", scheduled.schedule.name());
            refusal(StatusCode::BAD_GATEWAY, &error)
        }
    }
}
