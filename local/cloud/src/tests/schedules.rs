use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use super::support::*;

/// A function, `order-expiry`, with these events.
fn resources(events: &str) -> String {
    format!(
        "  Lost: {{Type: AWS::SQS::Queue}}
  Expiry:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: order-expiry}}}}
    Properties:
      Events: {{{events}}}
      DeadLetterQueue: {{Type: SQS, TargetArn: !GetAtt Lost.Arn}}
"
    )
}

fn start(events: &str, recorder: &Recorder) -> Running {
    Setup::new(&resources(events), [("Expiry", recorder)]).start()
}

/// Returns the times of the scheduled events that a function got.
fn times(recorder: &Recorder) -> Vec<String> {
    let events = recorder.events().into_iter();
    events.map(|event| event["time"].as_str().unwrap().to_owned()).collect()
}

const HOURLY: &str = "Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}";

#[tokio::test(start_paused = true)]
async fn a_rate_runs_after_each_period_with_the_event_of_scheduler() {
    let recorder = Recorder::new([]);
    let cloud = start(HOURLY, &recorder);
    sleep(Duration::from_mins(59)).await;
    assert_eq!(times(&recorder), [""; 0], "not before the first period is over");
    sleep(Duration::from_mins(122)).await;
    assert_eq!(
        times(&recorder),
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

    cloud.shutdown().await;
    sleep(Duration::from_hours(10)).await;
    assert_eq!(recorder.events().len(), 3, "none after the end");
}

#[tokio::test(start_paused = true)]
async fn a_cron_expression_runs_at_its_times_in_utc_with_the_event_of_a_rule() {
    let recorder = Recorder::new([]);
    let events = "Night: {Type: Schedule, Properties: {Schedule: cron(0/30 3 ? * FRI *)}}";
    let _cloud = start(events, &recorder);
    sleep(Duration::from_hours(24 * 8)).await;
    let expected = ["2030-02-01T03:00:00Z", "2030-02-01T03:30:00Z", "2030-02-08T03:00:00Z"];
    assert_eq!(times(&recorder), [&expected[..], &["2030-02-08T03:30:00Z"]].concat());
    let event = recorder.events().remove(0);
    assert_eq!((&event["source"], &event["detail"]), (&json!("aws.events"), &json!({})));
    let arn = "arn:aws:events:eu-central-1:000000000000:rule/ExpiryNight";
    assert_eq!(event["resources"], json!([arn]));
}

#[tokio::test(start_paused = true)]
async fn the_input_replaces_the_event() {
    let recorder = Recorder::new([]);
    let events = "Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), Input: \
                  '{\"at\": \"<aws.scheduler.scheduled-time>\", \"limit\": 5}'}}";
    let _cloud = start(events, &recorder);
    sleep(Duration::from_mins(61)).await;
    assert_eq!(recorder.events(), [json!({ "at": "2030-01-31T13:00:30Z", "limit": 5 })]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_schedule_runs_only_on_request() {
    let recorder = Recorder::new([Answer::Return(json!({ "expired": 3 }))]);
    let events = "A: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), \
                  State: DISABLED}}";
    let cloud = start(events, &recorder);
    sleep(Duration::from_hours(1)).await;
    assert!(recorder.events().is_empty());
    let answer = cloud.post("/_local/schedules/order-expiry/run").await;
    assert_eq!(answer, (StatusCode::OK, json!({ "expired": 3 })));
    assert_eq!(recorder.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_retried_twice_and_goes_to_the_dead_letter_queue() {
    let recorder = Recorder::new([Answer::Fail, Answer::Fail, Answer::Fail]);
    let cloud = start(HOURLY, &recorder);
    sleep(Duration::from_hours(1) + Duration::from_secs(59)).await;
    assert_eq!(recorder.events().len(), 1);
    seconds(60).await;
    assert_eq!(recorder.events().len(), 2);
    assert!(cloud.messages("Lost").await.is_empty());
    seconds(120).await;
    assert_eq!(times(&recorder), ["2030-01-31T13:00:30Z"; 3]);
    let letters = cloud.messages("Lost").await;
    assert_eq!(letters[0]["attributes"]["ErrorMessage"], "on purpose");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_than_the_period_does_not_delay_the_next() {
    let recorder = Recorder::new(vec![Answer::Take(Duration::from_secs(150)); 3]);
    let events = "A: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}";
    let resources = resources(events).replace("Properties:\n", "Properties:\n      Timeout: 200\n");
    let _cloud = Setup::new(&resources, [("Expiry", &recorder)]).start();
    seconds(185).await;
    assert_eq!((recorder.events().len(), recorder.most_at_once()), (3, 3));
}

#[tokio::test]
async fn a_failed_run_on_request_answers_with_the_error() {
    let cloud = start(HOURLY, &Recorder::new([Answer::Fail]));
    let answer = cloud.post("/_local/schedules/order-expiry/run").await;
    assert_eq!(answer, (StatusCode::BAD_GATEWAY, json!({ "message": "on purpose" })));
}

#[tokio::test]
async fn an_unknown_schedule_is_answered_with_those_that_there_are() {
    let cloud = start(HOURLY, &Recorder::new([]));
    let (status, body) = cloud.post("/_local/schedules/orders/run").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let message = "orders has no schedule; these functions have: order-expiry";
    assert_eq!(body, json!({ "message": message }));
    let (_, body) = cloud.get("/_local/schedules").await;
    let hourly = json!({ "function": "order-expiry", "event": "Hourly", "enabled": true });
    assert_eq!(body, json!({ "schedules": [hourly] }));
}

#[tokio::test]
async fn of_several_schedules_the_request_names_one() {
    let recorder = Recorder::new([]);
    let events = format!(
        "{HOURLY}, Daily: {{Type: Schedule, Properties: {{Schedule: rate(1 day), Input: '1'}}}}"
    );
    let cloud = start(&events, &recorder);
    let path = "/_local/schedules/order-expiry/run";
    let (status, body) = cloud.post(path).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["message"].as_str().unwrap().ends_with("with one of: Daily, Hourly"), "{body}");
    let (status, _) = cloud.post(&format!("{path}?event=Weekly")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = cloud.post(&format!("{path}?event=Daily")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(recorder.events(), [json!(1)]);
}
