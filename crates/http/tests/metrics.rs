//! The metrics that invocations write for CloudWatch, tested with made-up routes.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use storefront_core::{LoginAttempt, LoginAttempts};
use storefront_http::{Metric, MetricSink, Metrics, Problem, service, with_metrics};
use storefront_testing::{Api, CapturedLog, CapturedMetrics, Database};

const FAILURES: Metric = Metric::count("Failures");

async fn fails(State(attempts): State<LoginAttempts>, metrics: Metrics) -> Result<(), Problem> {
    attempts.begin(&attempt()).await?;
    metrics.add(FAILURES, 1.0);
    Err(Problem::internal("on purpose"))
}

async fn panics(State(attempts): State<LoginAttempts>, metrics: Metrics) {
    attempts.begin(&attempt()).await.unwrap();
    metrics.add(FAILURES, 1.0);
    panic!("on purpose")
}

async fn reads_and_writes(State(attempts): State<LoginAttempts>) -> StatusCode {
    attempts.begin(&attempt()).await.unwrap();
    attempts.begin(&attempt()).await.unwrap();
    StatusCode::NO_CONTENT
}

fn attempt() -> LoginAttempt {
    LoginAttempt::new("anna@example.com".parse().unwrap(), None, None)
}

fn routes(database: &Database) -> Router {
    let routes = Router::new()
        .route("/idle", get(async || StatusCode::NO_CONTENT))
        .route("/attempts/{attemptId}", post(reads_and_writes))
        .route("/panics", post(panics))
        .route("/fails", post(fails))
        .with_state(LoginAttempts::new(database.table()));
    service("attempts", routes)
}

async fn api() -> (Database, Api, CapturedMetrics) {
    let database = Database::start().await;
    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let api = Api::made_up(with_metrics(routes(&database), sink));
    let _ = api.get("/idle").send().await.expect(204);
    (database, api, metrics)
}

fn line(dimension: Option<(&str, &str)>, metric: &str, value: f64) -> Value {
    let mut line = json!({
        "_aws": { "CloudWatchMetrics": [{
            "Namespace": "storefront",
            "Dimensions": [dimension.iter().map(|(name, _)| name).collect::<Vec<_>>()],
            "Metrics": [{ "Name": metric, "Unit": "Count" }],
        }] },
        "function": "attempts",
        "request_id": "JKJaXmPLvHcESHA=",
    });
    // Whole numbers are written without a decimal point.
    line[metric] = format!("{value}").parse::<serde_json::Number>().unwrap().into();
    if let Some((name, value)) = dimension {
        line[name] = value.into();
    }
    line
}

#[tokio::test]
async fn only_the_first_invocation_is_a_cold_start() {
    let (_database, api, metrics) = api().await;
    assert_eq!(metrics.take(), [line(Some(("Function", "attempts")), "ColdStarts", 1.0)]);
    let _ = api.get("/idle").send().await.expect(204);
    assert_eq!(metrics.take(), [] as [Value; 0], "nothing consumed, nothing written");
}

#[tokio::test]
async fn consumed_capacity_is_counted_for_its_route() {
    let (_database, api, metrics) = api().await;
    metrics.take();
    let _ = api.post("/attempts/anna@example.com").send().await.expect(204);
    let route = Some(("Route", "POST /attempts/{attemptId}"));
    assert_eq!(metrics.take(), [line(route, "ConsumedWriteUnits", 2.0)]);
}

#[tokio::test]
async fn a_request_that_fails_or_panics_is_counted_like_any_other() {
    let (_database, api, metrics) = api().await;
    metrics.take();
    for path in ["/fails", "/panics"] {
        let _ = api.post(path).send().await.problem(500, "internal");
        let route = format!("POST {path}");
        let expected =
            [line(Some(("Route", &route)), "ConsumedWriteUnits", 1.0), line(None, "Failures", 1.0)];
        assert_eq!(metrics.take(), expected);
    }
}

#[tokio::test]
async fn without_a_sink_metrics_are_not_written() {
    let database = Database::start().await;
    let api = Api::made_up(routes(&database));
    let _ = api.post("/fails").send().await.problem(500, "internal");
    // METRICS_NAMESPACE is not set in tests.
    let unset = MetricSink::from_environment();
    let api = Api::made_up(with_metrics(routes(&database), unset.clone()));
    let _ = api.post("/fails").send().await.problem(500, "internal");
    assert_eq!(format!("{unset:?}"), "MetricSink(nowhere)");
}

#[tokio::test]
async fn a_broken_output_fails_no_request() {
    struct Broken;

    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    let log = CapturedLog::start();
    let database = Database::start().await;
    let sink = MetricSink::new("storefront", Broken);
    let api = Api::made_up(with_metrics(routes(&database), sink));
    let _ = api.post("/attempts/x").send().await.expect(204);
    assert_eq!(log.lines("the metrics were not written").len(), 1);
    assert_eq!(log.lines("request served").len(), 1);
}
