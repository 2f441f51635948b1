//! Schedules: invokes functions at their times, as EventBridge does, and on request.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use storefront_template::{Schedule, Scheduler, Template};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Error;
use crate::clock::Clock;
use crate::function::Function;
use crate::local_api::refusal;

/// Lambda's pauses before it retries a failed asynchronous invocation.
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// The template's schedules.
#[derive(Clone)]
pub(crate) struct Schedules(Arc<[Scheduled]>);

/// A schedule and the function that it invokes.
struct Scheduled {
    schedule: Schedule,
    /// The name of the function's binary, which people know it by.
    binary: String,
    function: Function,
}

/// The timers of the schedules. They stop when this is dropped.
pub(crate) struct Timers(JoinSet<()>);

impl Schedules {
    /// Reads the schedules of a template. `functions` are by logical id.
    pub(crate) fn of(
        template: &Template,
        functions: &HashMap<String, Function>,
    ) -> Result<Self, Error> {
        let definitions = template.functions()?;
        let schedules = template.schedules()?.into_iter().map(|schedule| {
            let missing = || Error::NoSuchFunction { logical_id: schedule.function.clone() };
            Ok(Scheduled {
                binary: definitions.get(&schedule.function).ok_or_else(missing)?.binary.clone(),
                function: functions.get(&schedule.function).ok_or_else(missing)?.clone(),
                schedule,
            })
        });
        Ok(Self(schedules.collect::<Result<_, Error>>()?))
    }

    /// Runs each enabled schedule at its times.
    pub(crate) fn start(&self, clock: Clock) -> Timers {
        let mut timers = JoinSet::new();
        for (index, scheduled) in self.0.iter().enumerate() {
            if scheduled.schedule.enabled {
                timers.spawn(keep_time(self.clone(), index, clock));
            }
        }
        Timers(timers)
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/_local/schedules", get(list))
            .route("/_local/schedules/{function}/run", post(run))
            .with_state(self.clone())
    }

    fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|scheduled| scheduled.binary.as_str()).collect()
    }
}

impl Timers {
    /// Ends the timers, and the runs that wait for a retry.
    pub(crate) async fn shutdown(mut self) {
        self.0.shutdown().await;
    }
}

async fn keep_time(schedules: Schedules, index: usize, clock: Clock) {
    let Scheduled { schedule, .. } = &schedules.0[index];
    let created = clock.now();
    let mut last = created;
    let mut runs = JoinSet::new();
    while let Some(next) = schedule.expression.next(created, last) {
        clock.wait_until(next).await;
        // A run that fell into a sleep of the machine is left out.
        last = next.max(clock.now());
        let schedules = schedules.clone();
        runs.spawn(async move { schedules.0[index].invoke_with_retries(next).await });
        while runs.try_join_next().is_some() {}
    }
    // The runs end with this task.
    runs.join_all().await;
}

impl Scheduled {
    async fn invoke_with_retries(&self, time: Timestamp) {
        let name = self.schedule.name();
        let mut pauses = RETRIES.into_iter();
        for attempt in 1.. {
            let event = match self.event(time, attempt) {
                Ok(event) => event,
                Err(error) => return tracing::error!("schedule {name}: {error}"),
            };
            match (self.function.invoke(&event).await, pauses.next()) {
                (Ok(answer), _) => return tracing::info!("schedule {name}: {answer}"),
                (Err(error), Some(pause)) => {
                    tracing::warn!("schedule {name}: {error}; again in {} s", pause.as_secs());
                    tokio::time::sleep(pause).await;
                }
                (Err(error), None) => {
                    return tracing::error!("schedule {name}: {error}; gave up");
                }
            }
        }
    }

    /// Returns what the function receives.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html>
    fn event(&self, time: Timestamp, attempt: u32) -> serde_json::Result<Value> {
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
                    .replace("<aws.scheduler.attempt-number>", &attempt.to_string()),
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
        let names = Vec::from_iter(schedules.names()).join(", ");
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
    let answer = match scheduled.event(Timestamp::now(), 1) {
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
