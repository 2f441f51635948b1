//! Queues, and the functions that read them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::Duration;

use storefront_template::{Error, QueueMapping, Redrive, Template, UnknownTrigger};

/// Returns a template with these resources and a function with these properties.
fn template(resources: &str, properties: &str) -> Template {
    let text = format!(
        "Resources:\n{resources}\n  F:\n    Type: AWS::Serverless::Function\n    \
         Metadata: {{BuildProperties: {{Binary: f}}}}\n    Properties: {{{properties}}}\n"
    );
    Template::parse("t.yaml", &text).unwrap()
}

/// Returns the mappings of a function that reads `Jobs` with these settings.
fn mappings(settings: &str) -> Result<Vec<QueueMapping>, Error> {
    let event = format!("{{Type: SQS, Properties: {{Queue: !GetAtt Jobs.Arn, {settings}}}}}");
    template("  Jobs: {Type: AWS::SQS::Queue}", &format!("Events: {{E: {event}}}")).queue_mappings()
}

fn unknown(template: &Template) -> Vec<(String, String)> {
    let unknown = template.unknown_triggers().unwrap().into_iter();
    unknown.map(|UnknownTrigger { name, kind }| (name, kind)).collect()
}

#[test]
fn a_queue_has_the_defaults_of_sqs() {
    let queues = template("  Jobs: {Type: AWS::SQS::Queue}", "").queues().unwrap();
    assert_eq!(queues[0].logical_id, "Jobs");
    assert_eq!(queues[0].visibility_timeout, Duration::from_secs(30));
    assert_eq!(queues[0].delay, Duration::ZERO);
    assert_eq!(queues[0].retention, Duration::from_hours(4 * 24));
    assert_eq!(queues[0].redrive, None);
}

#[test]
fn a_queue_has_what_its_properties_say() {
    let resources = "  Dead: {Type: AWS::SQS::Queue}
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      DelaySeconds: 5
      MessageRetentionPeriod: 600
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}";
    let queues = template(resources, "").queues().unwrap();
    let [_, jobs] = &*queues else { panic!("{queues:?}") };
    assert_eq!(jobs.visibility_timeout, Duration::from_mins(1));
    assert_eq!((jobs.delay, jobs.retention), (Duration::from_secs(5), Duration::from_mins(10)));
    let redrive = Redrive { dead_letter_queue: "Dead".to_owned(), maximum_receives: 3 };
    assert_eq!(jobs.redrive, Some(redrive));
}

#[test]
fn a_mapping_has_the_defaults_of_lambda() {
    let mapping = mappings("").unwrap().remove(0);
    assert_eq!((&*mapping.function, &*mapping.queue), ("F", "Jobs"));
    assert_eq!((mapping.batch_size, mapping.batching_window), (10, Duration::ZERO));
    assert!(!mapping.report_batch_item_failures && mapping.filters.is_empty());
    assert_eq!(mapping.maximum_concurrency, None);
}

#[test]
fn a_mapping_has_what_its_properties_say() {
    let mapping = mappings(
        "BatchSize: 100, MaximumBatchingWindowInSeconds: 5, \
         FunctionResponseTypes: [ReportBatchItemFailures], ScalingConfig: {MaximumConcurrency: 2}, \
         FilterCriteria: {Filters: [{Pattern: '{\"body\":{\"kind\":[\"a\"]}}'}]}",
    );
    let mapping = mapping.unwrap().remove(0);
    assert_eq!((mapping.batch_size, mapping.batching_window), (100, Duration::from_secs(5)));
    assert!(mapping.report_batch_item_failures);
    assert_eq!(mapping.maximum_concurrency, Some(2));
    assert_eq!(mapping.filters, [r#"{"body":{"kind":["a"]}}"#]);
    assert_eq!(mappings("Enabled: false").unwrap(), []);
}

#[test]
fn what_aws_would_reject_is_named_with_what_is_expected() {
    let at = "t.yaml: Resources.F.Properties.Events.E.Properties";
    for (settings, expected) in [
        ("BatchSize: 11", "BatchSize: expected at most 10, or a MaximumBatchingWindowInSeconds"),
        ("BatchSize: 0", "BatchSize: expected a whole number from 1 to 10000, found 0"),
        ("ScalingConfig: {MaximumConcurrency: 1}", "ScalingConfig.MaximumConcurrency: expected a"),
        (
            "FilterCriteria: {Filters: [{Pattern: x}]}",
            "FilterCriteria.Filters[0].Pattern: expected",
        ),
    ] {
        let error = mappings(settings).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{at}.{expected}")), "{error}");
    }
    let slow = "Timeout: 31, Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}";
    let slow = template("  Jobs: {Type: AWS::SQS::Queue}", slow);
    let error = slow.queue_mappings().unwrap_err().to_string();
    assert!(error.contains("VisibilityTimeout (30 s) is at least the function's Timeout (31 s)"));
}

#[test]
fn a_queue_that_does_not_exist_is_named() {
    let nowhere = "{Type: SQS, Properties: {Queue: !GetAtt Nowhere.Arn}}";
    let error = template("", &format!("Events: {{E: {nowhere}}}")).queue_mappings().unwrap_err();
    let place =
        "t.yaml: Resources.F.Properties.Events.E.Properties.Queue: expected !GetAtt QUEUE.Arn";
    assert!(error.to_string().starts_with(place), "{error}");

    let policy = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Nowhere.Arn, maxReceiveCount: 3}";
    let jobs = format!("  Jobs: {{Type: AWS::SQS::Queue, Properties: {{{policy}}}}}");
    let error = template(&jobs, "").queues().unwrap_err();
    let place = "t.yaml: Resources.Jobs.Properties.RedrivePolicy.deadLetterTargetArn: expected";
    assert!(error.to_string().starts_with(place), "{error}");
}

#[test]
fn a_fifo_queue_and_one_elsewhere_are_named_and_not_run() {
    let resources = "  Jobs: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Named: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${AWS::StackName}-jobs.fifo'}}";
    let events = "Events: {A: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}, \
                  B: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:eu-central-1:1:jobs'}}, \
                  C: {Type: SQS, Properties: {Queue: !Sub \
                  'arn:aws:sqs:eu-central-1:${AWS::AccountId}:jobs'}}}";
    let template = template(resources, events);
    assert_eq!(template.queues().unwrap(), []);
    assert_eq!(template.queue_mappings().unwrap(), []);
    let expected = [
        ("F.A", "SQS of a FIFO queue"),
        ("F.B", "SQS of a queue outside the template"),
        ("F.C", "SQS of a queue outside the template"),
        ("Jobs", "AWS::SQS::Queue, a FIFO queue"),
        ("Named", "AWS::SQS::Queue, a FIFO queue"),
    ];
    assert_eq!(unknown(&template), expected.map(|(name, kind)| (name.into(), kind.into())));
}
