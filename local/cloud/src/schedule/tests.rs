//! Tests schedules with tokio's clock paused, so that hours pass at once.

use std::sync::Mutex;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use lambda_runtime::LambdaEvent;
use storefront_suite::Handler;
use tokio::time::sleep;
use tower::ServiceExt as _;

use super::*;

const BEGAN_AT: &str = "2030-01-31T12:00:30Z";

/// A function that records its events, and fails as often as it is told.
#[derive(Clone, Default)]
struct Recorder {
    events: Arc<Mutex<Vec<Value>>>,
    failures: Arc<Mutex<u32>>,
}

impl Recorder {
    fn failing(times: u32) -> Self {
        Self { failures: Arc::new(Mutex::new(times)), ..Self::default() }
    }

    fn function(&self) -> Function {
        let recorder = self.clone();
        Function::new(Handler::new(move |event: LambdaEvent<Value>| {
            recorder.events.lock().unwrap().push(event.payload);
            let mut failures = recorder.failures.lock().unwrap();
            let answer =
                if *failures == 0 { Ok(json!({ "expired": 3 })) } else { Err("on purpose") };
            *failures = failures.saturating_sub(1);
            std::future::ready(answer)
        }))
    }

    fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    fn times(&self) -> Vec<String> {
        let events = self.events().into_iter();
        events.map(|event| event["time"].as_str().unwrap().to_owned()).collect()
    }
}

/// Returns the schedules of a template whose only function, `order-expiry`, has these events.
fn schedules(events: &str, recorder: &Recorder) -> Schedules {
    let text = format!(
        "Resources:\n  Expiry:\n    Type: AWS::Serverless::Function\n    \
         Metadata: {{BuildProperties: {{Binary: order-expiry}}}}\n    \
         Properties: {{Events: {{{events}}}}}\n"
    );
    let template = Template::parse("t.yaml", &text).unwrap();
    let functions = HashMap::from([("Expiry".to_owned(), recorder.function())]);
    Schedules::of(&template, &functions).unwrap()
}

async fn sent(schedules: &Schedules, method: &str, path: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = schedules.routes().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

const HOURLY: &str = "Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}";

#[tokio::test(start_paused = true)]
async fn a_rate_runs_after_each_period_with_the_event_of_scheduler() {
    let recorder = Recorder::default();
    let timers = schedules(HOURLY, &recorder).start(Clock::tokio(BEGAN_AT));
    sleep(Duration::from_mins(59)).await;
    assert_eq!(recorder.times(), [""; 0], "not before the first period is over");
    sleep(Duration::from_mins(122)).await;
    assert_eq!(
        recorder.times(),
        ["2030-01-31T13:00:30Z", "2030-01-31T14:00:30Z", "2030-01-31T15:00:30Z"]
    );
    let mut event = recorder.events().remove(0);
    assert_eq!(event["id"].take().as_str().unwrap().len(), 36);
    assert_eq!(
        event,
        json!({
            "version": "0",
            "id": null,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "000000000000",
            "time": "2030-01-31T13:00:30Z",
            "region": "eu-central-1",
            "resources": ["arn:aws:scheduler:eu-central-1:000000000000:schedule/default/ExpiryHourly"],
            "detail": "{}",
        })
    );

    timers.shutdown().await;
    sleep(Duration::from_hours(10)).await;
    assert_eq!(recorder.events().len(), 3, "none after the end");
}

#[tokio::test(start_paused = true)]
async fn a_cron_expression_runs_at_its_times_in_utc_with_the_event_of_a_rule() {
    let recorder = Recorder::default();
    let events = "Night: {Type: Schedule, Properties: {Schedule: cron(0/30 3 ? * FRI *)}}";
    let _timers = schedules(events, &recorder).start(Clock::tokio(BEGAN_AT));
    sleep(Duration::from_hours(24 * 8)).await;
    let expected = ["2030-02-01T03:00:00Z", "2030-02-01T03:30:00Z", "2030-02-08T03:00:00Z"];
    assert_eq!(recorder.times(), [&expected[..], &["2030-02-08T03:30:00Z"]].concat());
    let event = recorder.events().remove(0);
    assert_eq!((&event["source"], &event["detail"]), (&json!("aws.events"), &json!({})));
    let arn = "arn:aws:events:eu-central-1:000000000000:rule/ExpiryNight";
    assert_eq!(event["resources"], json!([arn]));
}

#[tokio::test(start_paused = true)]
async fn the_input_replaces_the_event() {
    let recorder = Recorder::default();
    let events = "Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), Input: \
                  '{\"at\": \"<aws.scheduler.scheduled-time>\", \"limit\": 5}'}}";
    let _timers = schedules(events, &recorder).start(Clock::tokio(BEGAN_AT));
    sleep(Duration::from_mins(61)).await;
    assert_eq!(recorder.events(), [json!({ "at": "2030-01-31T13:00:30Z", "limit": 5 })]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_schedule_runs_only_on_request() {
    let recorder = Recorder::default();
    let events = "A: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), \
                  State: DISABLED}}";
    let schedules = schedules(events, &recorder);
    let _timers = schedules.start(Clock::tokio(BEGAN_AT));
    sleep(Duration::from_hours(1)).await;
    assert!(recorder.events().is_empty());
    let answer = sent(&schedules, "POST", "/_local/schedules/order-expiry/run").await;
    assert_eq!(answer, (StatusCode::OK, json!({ "expired": 3 })));
    assert_eq!(recorder.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_retried_twice_after_one_and_two_minutes() {
    for (failures, runs) in [(2, 3), (3, 3)] {
        let recorder = Recorder::failing(failures);
        let _timers = schedules(HOURLY, &recorder).start(Clock::tokio(BEGAN_AT));
        sleep(Duration::from_hours(1) + Duration::from_secs(59)).await;
        assert_eq!(recorder.events().len(), 1);
        sleep(Duration::from_mins(1)).await;
        assert_eq!(recorder.events().len(), 2);
        sleep(Duration::from_mins(1)).await;
        assert_eq!(recorder.events().len(), 2);
        sleep(Duration::from_mins(30)).await;
        assert_eq!(recorder.events().len(), runs);
    }
}

#[tokio::test]
async fn a_failed_run_on_request_answers_with_the_error() {
    let schedules = schedules(HOURLY, &Recorder::failing(1));
    let answer = sent(&schedules, "POST", "/_local/schedules/order-expiry/run").await;
    assert_eq!(answer, (StatusCode::BAD_GATEWAY, json!({ "message": "on purpose" })));
}

#[tokio::test]
async fn an_unknown_schedule_is_answered_with_those_that_there_are() {
    let schedules = schedules(HOURLY, &Recorder::default());
    let (status, body) = sent(&schedules, "POST", "/_local/schedules/orders/run").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let message = "orders has no schedule; these functions have: order-expiry";
    assert_eq!(body, json!({ "message": message }));
    let (_, body) = sent(&schedules, "GET", "/_local/schedules").await;
    let hourly = json!({ "function": "order-expiry", "event": "Hourly", "enabled": true });
    assert_eq!(body, json!({ "schedules": [hourly] }));
}

#[tokio::test]
async fn of_several_schedules_the_request_names_one() {
    let recorder = Recorder::default();
    let events = format!(
        "{HOURLY}, Daily: {{Type: Schedule, Properties: {{Schedule: rate(1 day), Input: '1'}}}}"
    );
    let schedules = schedules(&events, &recorder);
    let path = "/_local/schedules/order-expiry/run";
    let (status, body) = sent(&schedules, "POST", path).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["message"].as_str().unwrap().ends_with("with one of: Daily, Hourly"), "{body}");
    let (status, _) = sent(&schedules, "POST", &format!("{path}?event=Weekly")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = sent(&schedules, "POST", &format!("{path}?event=Daily")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(recorder.events(), [json!(1)]);
}
