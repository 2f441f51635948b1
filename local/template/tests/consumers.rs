//! Several functions may read the table's stream.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::Duration;

use storefront_template::{Error, StreamMapping, Template};

/// Returns the mappings of a template with these functions, each with its events.
fn mappings(functions: &[(&str, &str)]) -> Result<Vec<StreamMapping>, Error> {
    let function = |(id, events): &(&str, &str)| {
        let properties = format!("{{Events: {{{events}}}}}");
        format!("  {id}: {{Type: AWS::Serverless::Function, Properties: {properties}}}\n")
    };
    let functions: String = functions.iter().map(function).collect();
    let text = format!("Resources:\n{functions}");
    Template::parse("t.yaml", &text).unwrap().stream_mappings()
}

const READS: &str = "Changes: {Type: DynamoDB, Properties: {StartingPosition: TRIM_HORIZON}}";

#[test]
fn each_consumer_of_the_stream_has_its_own_mapping() {
    let other = "Changes: {Type: DynamoDB, Properties: {StartingPosition: TRIM_HORIZON, \
                 BatchSize: 5, MaximumBatchingWindowInSeconds: 2, \
                 FilterCriteria: {Filters: [{Pattern: '{\"eventName\":[\"INSERT\"]}'}]}, \
                 DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Lost.Arn}}}}";
    let mappings = mappings(&[("AFunction", READS), ("Idle", ""), ("BFunction", other)]).unwrap();
    let names: Vec<_> = mappings.iter().map(|mapping| &*mapping.function).collect();
    assert_eq!(names, ["AFunction", "BFunction"]);
    let [first, second] = &*mappings else { panic!("{mappings:?}") };
    assert_eq!((first.batch_size, first.filters.len()), (100, 0), "Lambda's defaults");
    assert_eq!(first.failure_bucket, None);
    assert_eq!((second.batch_size, second.batching_window), (5, Duration::from_secs(2)));
    assert_eq!(second.filters, [r#"{"eventName":["INSERT"]}"#]);
    assert_eq!(second.failure_bucket.as_deref(), Some("Lost"));
}

#[test]
fn a_third_consumer_is_rejected_because_reads_would_be_throttled() {
    let error = mappings(&[("A", READS), ("B", READS), ("C", READS)]).unwrap_err().to_string();
    assert_eq!(
        error,
        "t.yaml: Resources.C.Properties.Events.Changes.Properties: expected at most two functions \
         that read the stream, because no more than two consumers per shard may read a stream at \
         once, or reads are throttled, found {\"StartingPosition\":\"TRIM_HORIZON\"}"
    );
}

#[test]
fn a_second_mapping_to_the_same_function_is_rejected() {
    let twice = format!("{READS}, {}", READS.replace("Changes", "Inserts"));
    let error = mappings(&[("A", &twice)]).unwrap_err().to_string();
    assert!(error.starts_with("t.yaml: Resources.A.Properties.Events.Inserts"), "{error}");
    assert!(error.contains("one DynamoDB event per function"), "{error}");
}
