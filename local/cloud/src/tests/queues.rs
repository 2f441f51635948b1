use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::support::*;

/// A rule that sends all events to a queue with these properties, and a function that reads it.
fn resources(queue: &str, mapping: &str) -> String {
    format!(
        "  Bus: {{Type: AWS::Events::EventBus}}
  Dead: {{Type: AWS::SQS::Queue}}
  Jobs: {{Type: AWS::SQS::Queue, Properties: {{{queue}}}}}
  All:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {{source: [shop]}}
      Targets: [{{Id: jobs, Arn: !GetAtt Jobs.Arn}}]
  Work:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: work}}}}
    Properties:
      Timeout: 30
      Events:
        Jobs: {{Type: SQS, Properties: {{Queue: !GetAtt Jobs.Arn, {mapping}}}}}
"
    )
}

const REPORTS: &str = "FunctionResponseTypes: [ReportBatchItemFailures]";
const REDRIVE: &str = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}";

#[tokio::test(start_paused = true)]
async fn a_function_gets_the_documented_event() {
    let work = Recorder::new([]);
    let cloud = Setup::new(&resources("", ""), [("Work", &work)]).start();
    cloud.publish([1]).await;
    seconds(1).await;
    let mut event = work.events().remove(0);
    let record = &mut event["Records"][0];
    let body = record["body"].take();
    let (_, shown) = cloud.get("/_local/events").await;
    assert_eq!(serde_json::from_str::<Value>(body.as_str().unwrap()).unwrap(), shown["events"][0]);
    for name in ["messageId", "receiptHandle"] {
        assert_eq!(record[name].take().as_str().unwrap().len(), 36, "{name}");
    }
    assert_eq!(record["md5OfBody"].take().as_str().unwrap().len(), 32);
    let now = "1896091230000";
    assert_eq!(
        event,
        json!({ "Records": [{
            "messageId": null,
            "receiptHandle": null,
            "body": null,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": now,
                "SenderId": "000000000000",
                "ApproximateFirstReceiveTimestamp": now,
            },
            "messageAttributes": {},
            "md5OfBody": null,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:Jobs",
            "awsRegion": "eu-central-1",
        }] })
    );
    assert!(cloud.messages("Jobs").await.is_empty(), "deleted");
}

#[tokio::test(start_paused = true)]
async fn reported_messages_are_received_again_after_the_visibility_timeout() {
    let work = Recorder::new([Answer::Report(&[2])]);
    let cloud = Setup::new(&resources("VisibilityTimeout: 45", REPORTS), [("Work", &work)]).start();
    cloud.publish([1, 2, 3]).await;
    seconds(1).await;
    assert_eq!(cloud.numbers("Jobs").await, [2]);
    assert_eq!(cloud.messages("Jobs").await[0]["state"], "in flight");
    seconds(600).await;
    assert_eq!(work.batches(), [(0, vec![1, 2, 3]), (45, vec![2])]);
    let again = &work.events()[1]["Records"][0]["attributes"];
    assert_eq!(again["ApproximateReceiveCount"], "2");
    assert!(cloud.messages("Jobs").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_is_received_again_as_a_whole() {
    let failures = json!([{ "itemIdentifier": "another" }]);
    for answer in [
        Answer::Fail,
        Answer::Take(Duration::from_mins(1)),
        Answer::Return(json!({ "batchItemFailures": failures })),
        Answer::Return(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] })),
        Answer::Return(json!({ "batchItemFailures": "all" })),
    ] {
        let work = Recorder::new([answer]);
        let cloud = Setup::new(&resources("", REPORTS), [("Work", &work)]).start();
        cloud.publish([1, 2]).await;
        seconds(600).await;
        assert_eq!(work.batches(), [(0, vec![1, 2]), (30, vec![1, 2])]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_report_batch_item_failures_an_answer_processes_the_batch() {
    let work = Recorder::new([Answer::Report(&[1])]);
    let cloud = Setup::new(&resources("", ""), [("Work", &work)]).start();
    cloud.publish([1, 2]).await;
    seconds(600).await;
    assert_eq!(work.batches(), [(0, vec![1, 2])]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_keeps_failing_goes_to_the_dead_letter_queue() {
    let fails = Answer::Report(&[2]);
    let work = Recorder::new([fails.clone(), fails.clone(), fails]);
    let cloud = Setup::new(&resources(REDRIVE, REPORTS), [("Work", &work)]).start();
    cloud.publish([1, 2]).await;
    seconds(89).await;
    assert!(cloud.messages("Dead").await.is_empty());
    seconds(2).await;
    assert_eq!(work.batches(), [(0, vec![1, 2]), (30, vec![2]), (60, vec![2])]);
    let (_, queues) = cloud.get("/_local/queues").await;
    let queue = |name: &str, waiting: u64| json!({ "queue": name, "waiting": waiting, "inFlight": 0, "delayed": 0 });
    assert_eq!(queues, json!({ "queues": [queue("Dead", 1), queue("Jobs", 0)] }));
    let letters = cloud.messages("Dead").await;
    assert_eq!(number_in(&letters[0]), 2);
    assert_eq!(
        (&letters[0]["deadLetterOf"], &letters[0]["receiveCount"]),
        (&json!("Jobs"), &json!(3))
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_can_read_a_dead_letter_queue() {
    let work = Recorder::new([Answer::Fail]);
    let repair = Recorder::new([Answer::Fail]);
    let redrive = REDRIVE.replace("maxReceiveCount: 3", "maxReceiveCount: 1");
    let more = "  Repair:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: repair}}
    Properties: {Events: {Dead: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn}}}}
";
    let resources = resources(&redrive, "") + more;
    let cloud = Setup::new(&resources, [("Work", &work), ("Repair", &repair)]).start();
    cloud.publish([1]).await;
    seconds(600).await;
    assert_eq!(work.batches(), [(0, vec![1])]);
    assert_eq!(repair.batches(), [(30, vec![1]), (60, vec![1])]);
    let attributes = &repair.events()[1]["Records"][0]["attributes"];
    let source = "arn:aws:sqs:eu-central-1:000000000000:Jobs";
    assert_eq!(attributes["DeadLetterQueueSourceArn"], source);
    assert_eq!(attributes["ApproximateReceiveCount"], "3", "over all queues");
    assert!(cloud.messages("Dead").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_that_do_not_match_the_filter_are_deleted_unseen() {
    let work = Recorder::new([]);
    let filter = r#"FilterCriteria: {Filters: [{Pattern: '{"body":{"detail":{"number":[2]}}}'}]}"#;
    let cloud = Setup::new(&resources("", filter), [("Work", &work)]).start();
    cloud.publish([1, 2, 3]).await;
    cloud.publish([1]).await;
    seconds(1).await;
    assert_eq!(work.batches(), [(0, vec![2])]);
    assert!(cloud.messages("Jobs").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_fills_during_its_window() {
    let work = Recorder::new([]);
    let mapping = "BatchSize: 3, MaximumBatchingWindowInSeconds: 10";
    let cloud = Setup::new(&resources("", mapping), [("Work", &work)]).start();
    cloud.publish([1]).await;
    seconds(4).await;
    cloud.publish([2]).await;
    seconds(20).await;
    assert_eq!(work.batches(), [(10, vec![1, 2])]);
    cloud.publish([3, 4, 5, 6]).await;
    seconds(20).await;
    assert_eq!(work.batches()[1..], [(24, vec![3, 4, 5]), (34, vec![6])]);
}

#[tokio::test(start_paused = true)]
async fn no_more_batches_are_processed_at_once_than_the_mapping_allows() {
    for (scaling, most) in [("ScalingConfig: {MaximumConcurrency: 2}", 2), ("Enabled: true", 5)] {
        let work = Recorder::new(vec![Answer::Take(Duration::from_secs(10)); 7]);
        let mapping = format!("BatchSize: 1, {scaling}");
        let cloud = Setup::new(&resources("", &mapping), [("Work", &work)]).start();
        cloud.publish(0..7).await;
        seconds(60).await;
        assert_eq!((work.batches().len(), work.most_at_once()), (7, most));
        assert!(cloud.messages("Jobs").await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_mapping_leaves_messages_where_they_are() {
    let work = Recorder::new([]);
    let cloud = Setup::new(&resources("", "Enabled: false"), [("Work", &work)]).start();
    cloud.publish([1, 2]).await;
    seconds(60).await;
    assert!(work.events().is_empty());
    assert_eq!(cloud.numbers("Jobs").await, [2, 1], "the newest first");
    assert_eq!(cloud.messages("Jobs").await[0]["state"], "waiting");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_hidden_during_its_delay_and_gone_after_its_retention_period() {
    let work = Recorder::new([]);
    let delay = "DelaySeconds: 5";
    let cloud = Setup::new(&resources(delay, ""), [("Work", &work)]).start();
    cloud.publish([1]).await;
    assert_eq!(cloud.messages("Jobs").await[0]["state"], "delayed");
    seconds(60).await;
    assert_eq!(work.batches(), [(5, vec![1])]);

    let retention = resources("MessageRetentionPeriod: 60", "Enabled: false");
    let cloud = Setup::new(&retention, [("Work", &work)]).start();
    cloud.publish([1]).await;
    seconds(59).await;
    assert_eq!(cloud.numbers("Jobs").await, [1]);
    seconds(2).await;
    assert_eq!(cloud.numbers("Jobs").await, [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn messages_survive_a_kill() {
    let takes_long = Answer::Take(Duration::from_secs(25));
    let work = Recorder::new([Answer::Fail, Answer::Fail, Answer::Fail, takes_long]);
    let setup = Setup::new(&resources(REDRIVE, "BatchSize: 1"), [("Work", &work)]).in_folder();
    let cloud = setup.start();
    cloud.publish([1]).await;
    seconds(91).await;
    assert_eq!(cloud.numbers("Dead").await, [1]);
    cloud.publish([2]).await;
    seconds(1).await;
    assert_eq!(work.batches()[3..], [(91, vec![2])], "it is still being processed");
    cloud.kill().await;

    let cloud = setup.start();
    assert_eq!(cloud.numbers("Dead").await, [1]);
    seconds(60).await;
    assert_eq!(work.batches()[4..], [(121, vec![2])], "visible again after 30 seconds");
    assert!(cloud.messages("Jobs").await.is_empty());
}

#[tokio::test]
async fn an_unknown_queue_is_answered_with_those_that_there_are() {
    let cloud = Setup::new(&resources("", ""), []).start();
    let (status, answer) = cloud.get("/_local/queues/Other").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(answer["message"], "there is no queue Other; the queues are: Dead, Jobs");
}
