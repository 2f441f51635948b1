use serde_json::json;

use super::support::*;

/// A function with a rule, and queues for what it cannot process.
fn resources(rule: &str, function: &str) -> String {
    format!(
        "  Bus: {{Type: AWS::Events::EventBus}}
  Lost: {{Type: AWS::SQS::Queue}}
  LostRecords: {{Type: AWS::SQS::Queue}}
  Mail:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: mail}}}}
    Properties:
      Events:
        Changes: {{Type: EventBridgeRule, Properties: {{EventBusName: !Ref Bus, {rule}}}}}
      {function}
"
    )
}

const ALL: &str = "Pattern: {source: [shop]}";
const LETTERS: &str = "DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Lost.Arn}";

#[tokio::test(start_paused = true)]
async fn a_function_gets_matching_events_of_its_bus() {
    let mail = Recorder::new([]);
    let rule = "Pattern: {source: [shop], detail: {number: [1, 2]}}";
    let cloud = Setup::new(&resources(rule, ""), [("Mail", &mail)]).start();
    cloud.publish([1, 3, 2]).await;
    cloud.publish_to("default", [json!({ "number": 1 })]).await;
    seconds(600).await;
    assert_eq!(mail.invocations(), [(0, 1), (0, 2)]);
    let (_, shown) = cloud.get("/_local/events").await;
    assert_eq!(mail.events()[0], shown["events"][0]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_without_a_bus_gets_events_of_the_default_bus() {
    let mail = Recorder::new([]);
    let resources = resources(ALL, "").replace("EventBusName: !Ref Bus, ", "");
    let cloud = Setup::new(&resources, [("Mail", &mail)]).start();
    cloud.publish([1]).await;
    cloud.publish_to("default", [json!({ "number": 2 })]).await;
    seconds(1).await;
    assert_eq!(mail.invocations(), [(0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn events_are_delivered_in_the_order_published_and_a_failing_one_does_not_hold_them_up() {
    let mail = Recorder::new([Answer::Fail]);
    let cloud = Setup::new(&resources(ALL, ""), [("Mail", &mail)]).start();
    for request in 0..5 {
        cloud.publish(request * 10..request * 10 + 10).await;
    }
    seconds(59).await;
    let numbers: Vec<_> = mail.invocations().into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    seconds(2).await;
    assert_eq!(mail.invocations()[50..], [(60, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_fails_twice_gets_the_event_a_third_time() {
    let mail = Recorder::new([Answer::Fail, Answer::Fail]);
    let cloud = Setup::new(&resources(ALL, LETTERS), [("Mail", &mail)]).start();
    cloud.publish([1]).await;
    seconds(600).await;
    assert_eq!(mail.invocations(), [(0, 1), (60, 1), (180, 1)]);
    assert!(cloud.messages("Lost").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_keeps_failing_goes_to_the_dead_letter_queue_of_the_function() {
    let mail = Recorder::new([Answer::Fail, Answer::Fail, Answer::Fail]);
    let cloud = Setup::new(&resources(ALL, LETTERS), [("Mail", &mail)]).start();
    cloud.publish([1]).await;
    seconds(179).await;
    assert!(cloud.messages("Lost").await.is_empty());
    seconds(600).await;
    assert_eq!(mail.invocations(), [(0, 1), (60, 1), (180, 1)]);
    let letters = cloud.messages("Lost").await;
    assert_eq!(letters.len(), 1);
    let event: serde_json::Value =
        serde_json::from_str(letters[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(event, mail.events()[0]);
    assert_eq!(letters[0]["attributes"]["ErrorCode"], "200");
    assert_eq!(letters[0]["attributes"]["ErrorMessage"], "on purpose");
}

#[tokio::test(start_paused = true)]
async fn a_failure_destination_gets_a_record_of_the_invocation() {
    let mail = Recorder::new([Answer::Fail]);
    let config = "EventInvokeConfig: {MaximumRetryAttempts: 0, DestinationConfig: {OnFailure: \
                  {Type: SQS, Destination: !GetAtt LostRecords.Arn}}}";
    let cloud = Setup::new(&resources(ALL, config), [("Mail", &mail)]).start();
    cloud.publish([1]).await;
    seconds(1).await;
    let messages = cloud.messages("LostRecords").await;
    let mut record: serde_json::Value =
        serde_json::from_str(messages[0]["body"].as_str().unwrap()).unwrap();
    assert!(record["requestContext"]["requestId"].take().is_string());
    assert!(record["timestamp"].take().as_str().unwrap().starts_with("2030-01-31T12:00:30."));
    assert_eq!(
        record,
        json!({
            "version": "1.0",
            "timestamp": null,
            "requestContext": {
                "requestId": null,
                "functionArn": "arn:aws:lambda:eu-central-1:000000000000:function:Mail:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 1,
            },
            "requestPayload": mail.events()[0],
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": { "errorMessage": "on purpose" },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_too_old_is_given_up_without_an_invocation() {
    let mail = Recorder::new([Answer::Fail, Answer::Fail]);
    let config = "EventInvokeConfig: {MaximumEventAgeInSeconds: 90, DestinationConfig: \
                  {OnFailure: {Type: SQS, Destination: !GetAtt LostRecords.Arn}}}";
    let cloud = Setup::new(&resources(ALL, config), [("Mail", &mail)]).start();
    cloud.publish([1]).await;
    seconds(600).await;
    assert_eq!(mail.invocations(), [(0, 1), (60, 1)]);
    let messages = cloud.messages("LostRecords").await;
    let record: serde_json::Value =
        serde_json::from_str(messages[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
}

#[tokio::test(start_paused = true)]
async fn events_survive_a_kill() {
    let mail = Recorder::new([Answer::Fail, Answer::Take(std::time::Duration::from_mins(1))]);
    let resources = resources(ALL, "Timeout: 120");
    let setup = Setup::new(&resources, [("Mail", &mail)]).in_folder();
    let cloud = setup.start();
    cloud.publish([1, 2, 3]).await;
    seconds(10).await;
    assert_eq!(mail.invocations(), [(0, 1), (0, 2)], "one waits, one runs, one has not begun");
    cloud.kill().await;

    let cloud = setup.start();
    seconds(100).await;
    assert_eq!(mail.invocations()[2..], [(10, 2), (10, 3), (60, 1)]);
    cloud.shutdown().await;
    let cloud = setup.start();
    seconds(600).await;
    assert_eq!(mail.invocations().len(), 5, "each is done");
    cloud.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_rule_does_nothing_and_an_input_replaces_the_event() {
    let (mail, audit) = (Recorder::new([]), Recorder::new([]));
    let more = "  Audit:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: audit}}
  Shaped:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [shop]}
      Targets:
        - {Id: part, Arn: !GetAtt Audit.Arn, InputPath: $.detail}
        - {Id: constant, Arn: !GetAtt Lost.Arn, Input: '[7]'}
";
    let resources = resources(&format!("{ALL}, State: DISABLED"), "") + more;
    let cloud = Setup::new(&resources, [("Mail", &mail), ("Audit", &audit)]).start();
    cloud.publish([1]).await;
    seconds(1).await;
    assert!(mail.events().is_empty());
    assert_eq!(audit.events(), [json!({ "number": 1 })]);
    assert_eq!(cloud.messages("Lost").await[0]["body"], "[7]");
}

#[tokio::test]
async fn an_invalid_pattern_is_named() {
    let rule = "Pattern: {source: [{starts-with: shop}]}";
    let error = Setup::new(&resources(rule, ""), []).try_start().err().unwrap().to_string();
    let expected =
        r#"the template's event pattern {"source":[{"starts-with":"shop"}]} is not valid: "#;
    assert!(error.starts_with(expected), "{error}");
}
