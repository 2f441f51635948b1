//! Rules of event buses, and what becomes of events that a function cannot process.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::Duration;

use serde_json::json;
use storefront_template::{Bus, Input, Receiver, Rule, Target, Template};

const RESOURCES: &str = "Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop}}
  Jobs: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
";

/// Returns a template with a bus, two queues, a topic and a function with these properties.
fn with_function(properties: &str) -> Template {
    let text = format!(
        "{RESOURCES}  F:\n    Type: AWS::Serverless::Function\n    \
         Metadata: {{BuildProperties: {{Binary: f}}}}\n    Properties: {{{properties}}}\n"
    );
    Template::parse("t.yaml", &text).unwrap()
}

/// Returns the same with a rule with these properties.
fn with_rule(properties: &str) -> Template {
    let text = format!(
        "{RESOURCES}  F: {{Type: AWS::Serverless::Function}}\n  \
         R: {{Type: AWS::Events::Rule, Properties: {{{properties}}}}}\n"
    );
    Template::parse("t.yaml", &text).unwrap()
}

fn event_of_function() -> Target {
    Target { receiver: Receiver::Function("F".to_owned()), input: Input::Event }
}

#[test]
fn a_rule_of_a_function_sends_it_the_events_of_its_bus() {
    for kind in ["EventBridgeRule", "CloudWatchEvent"] {
        let event = format!(
            "Events: {{Changes: {{Type: {kind}, Properties: {{EventBusName: !Ref Bus, \
             Pattern: {{source: [shop]}}, RetryPolicy: {{MaximumRetryAttempts: 5}}, \
             DeadLetterConfig: {{Arn: !GetAtt Jobs.Arn}}}}}}}}"
        );
        let rule = Rule {
            name: "F.Changes".to_owned(),
            pattern: r#"{"source":["shop"]}"#.to_owned(),
            bus: Bus::Custom,
            enabled: true,
            targets: vec![event_of_function()],
        };
        assert_eq!(with_function(&event).rules().unwrap(), [rule]);
    }
}

#[test]
fn a_rule_sends_events_to_functions_and_queues_and_other_targets_are_named() {
    let template = with_rule(
        "EventPattern: {source: [shop]}, State: DISABLED, EventBusName: default, Targets: [\
         {Id: f, Arn: !GetAtt F.Arn}, \
         {Id: q, Arn: !GetAtt Jobs.Arn, InputPath: '$.detail.items[0].id'}, \
         {Id: c, Arn: !GetAtt Jobs.Arn, Input: '{\"a\": 1}'}, \
         {Id: fifo, Arn: !GetAtt Fifo.Arn}, {Id: topic, Arn: !Ref Topic}, \
         {Id: other, Arn: 'arn:aws:lambda:eu-central-1:1:function:x'}, \
         {Id: shaped, Arn: !GetAtt F.Arn, InputTransformer: {InputTemplate: x}}]",
    );
    let rule = template.rules().unwrap().remove(0);
    assert_eq!((rule.bus, rule.enabled), (Bus::Default, false));
    let queue = |input| Target { receiver: Receiver::Queue("Jobs".to_owned()), input };
    let part = Input::Part("/detail/items/0/id".to_owned());
    let constant = Input::Constant("{\"a\": 1}".to_owned());
    assert_eq!(rule.targets, [event_of_function(), queue(part), queue(constant)]);

    let unknown = template.unknown_triggers().unwrap().into_iter();
    let unknown: Vec<_> = unknown.map(|trigger| (trigger.name, trigger.kind)).collect();
    let expected = [
        ("R.fifo", "target of AWS::Events::Rule: a FIFO queue"),
        ("R.topic", "target of AWS::Events::Rule: AWS::SNS::Topic"),
        ("R.other", "target of AWS::Events::Rule: outside the template"),
        ("R.shaped", "target of AWS::Events::Rule: with an InputTransformer"),
        ("Fifo", "AWS::SQS::Queue, a FIFO queue"),
    ];
    assert_eq!(unknown, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
}

#[test]
fn a_target_receives_the_event_a_part_of_it_or_a_constant() {
    let event = json!({ "detail": { "items": [{ "id": 7 }] } });
    assert_eq!(Input::Event.of(&event), event.to_string());
    assert_eq!(Input::Part("/detail/items/0/id".to_owned()).of(&event), "7");
    assert_eq!(Input::Part("/detail/other".to_owned()).of(&event), "null");
    assert_eq!(Input::Constant("[1]".to_owned()).of(&event), "[1]");
}

#[test]
fn a_scheduled_rule_is_named_and_not_run() {
    let template = with_rule("ScheduleExpression: rate(1 day)");
    assert_eq!(template.rules().unwrap(), []);
    let kind = &template.unknown_triggers().unwrap()[0].kind;
    assert_eq!(kind, "AWS::Events::Rule with a ScheduleExpression");
}

#[test]
fn a_malformed_rule_is_named_with_what_is_expected() {
    let at = "t.yaml: Resources.R.Properties";
    let target = |target: &str| format!("EventPattern: {{}}, Targets: [{{Id: t, {target}}}]");
    for (properties, expected) in [
        ("Targets: []".to_owned(), "EventPattern: expected an event pattern, found nothing"),
        ("EventPattern: {}, EventBusName: !Ref Jobs".to_owned(), "EventBusName: expected the name"),
        ("EventPattern: {}, State: 'on'".to_owned(), "State: expected ENABLED or DISABLED"),
        (target("Arn: !GetAtt Nowhere.Arn"), "Targets[0].Arn: expected !GetAtt RESOURCE.Arn"),
        (target("Arn: !GetAtt F.Arn, InputPath: detail"), "Targets[0].InputPath: expected a path"),
        (target("Arn: !GetAtt F.Arn, Input: x"), "Targets[0].Input: expected JSON"),
        (
            target("Arn: !GetAtt F.Arn, RetryPolicy: {MaximumRetryAttempts: 200}"),
            "Targets[0].RetryPolicy.MaximumRetryAttempts: expected a whole number from 0 to 185",
        ),
        (
            target("Arn: !GetAtt F.Arn, DeadLetterConfig: {Arn: !GetAtt Topic.Arn}"),
            "Targets[0].DeadLetterConfig.Arn: expected !GetAtt QUEUE.Arn",
        ),
    ] {
        let error = with_rule(&properties).rules().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{at}.{expected}")), "{error}");
    }
}

#[test]
fn a_failed_asynchronous_invocation_is_retried_as_lambda_does_by_default() {
    let function = with_function("").functions().unwrap().remove("F").unwrap();
    assert_eq!(function.asynchronous.maximum_retry_attempts, 2);
    assert_eq!(function.asynchronous.maximum_event_age, Duration::from_hours(6));
    assert_eq!(function.asynchronous.failure_destination, None);
    assert_eq!(function.asynchronous.dead_letter_queue, None);
}

#[test]
fn a_function_says_what_becomes_of_its_failed_asynchronous_invocations() {
    let function = with_function(
        "EventInvokeConfig: {MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60, \
         DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Jobs.Arn}}}, \
         DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Jobs.Arn}",
    );
    assert_eq!(function.ignored_properties().unwrap(), []);
    let asynchronous = function.functions().unwrap().remove("F").unwrap().asynchronous;
    assert_eq!(asynchronous.maximum_retry_attempts, 1);
    assert_eq!(asynchronous.maximum_event_age, Duration::from_mins(1));
    assert_eq!(asynchronous.failure_destination.as_deref(), Some("Jobs"));
    assert_eq!(asynchronous.dead_letter_queue.as_deref(), Some("Jobs"));
}

#[test]
fn destinations_that_the_local_cloud_does_not_have_are_listed() {
    let template = with_function(
        "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: SNS, Destination: !Ref Topic}, \
         OnFailure: {Type: SQS}}}, DeadLetterQueue: {Type: SNS, TargetArn: !Ref Topic}",
    );
    let ignored = template.ignored_properties().unwrap().into_iter();
    let ignored: Vec<_> = ignored.map(|ignored| (ignored.of, ignored.property)).collect();
    let expected = [
        "EventInvokeConfig.DestinationConfig.OnSuccess",
        "EventInvokeConfig.DestinationConfig.OnFailure",
        "DeadLetterQueue",
    ];
    assert_eq!(ignored, expected.map(|property| ("F".to_owned(), property)));
}
