//! Schedules of functions.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use storefront_template::{Error, IgnoredProperty, Schedule, Template};

/// Returns a template whose function has an event of this type with these properties.
fn template(kind: &str, properties: &str) -> Template {
    let event = format!("{{Type: {kind}, Properties: {{{properties}}}}}");
    let function =
        format!("Type: AWS::Serverless::Function, Properties: {{Events: {{E: {event}}}}}");
    Template::parse("t.yaml", &format!("Resources:\n  F: {{{function}}}\n")).unwrap()
}

fn schedule(kind: &str, properties: &str) -> Result<Schedule, Error> {
    template(kind, properties).schedules().map(|mut schedules| schedules.remove(0))
}

/// Returns the times after the start of 2030 at which an expression runs.
fn times(expression: &str, count: usize) -> Vec<String> {
    let created = "2030-01-01T00:00:00Z".parse().unwrap();
    let properties = format!("ScheduleExpression: '{expression}'");
    let expression = schedule("ScheduleV2", &properties).unwrap().expression;
    let next = |time: &_| expression.next(created, *time);
    let times = std::iter::successors(next(&created), next).take(count);
    times.map(|time| time.to_string()).collect()
}

#[test]
fn a_rate_runs_after_each_period() {
    assert_eq!(times("rate(1 hour)", 2), ["2030-01-01T01:00:00Z", "2030-01-01T02:00:00Z"]);
    assert_eq!(times("rate(15 minutes)", 1), ["2030-01-01T00:15:00Z"]);
    assert_eq!(times("rate(2 days)", 1), ["2030-01-03T00:00:00Z"]);
}

#[test]
fn a_cron_expression_is_read_as_aws_reads_it() {
    for (expression, expected) in [
        ("cron(0 12 * * ? *)", ["2030-01-01T12:00:00Z", "2030-01-02T12:00:00Z"]),
        ("cron(0/30 9-17 ? * MON-FRI *)", ["2030-01-01T09:00:00Z", "2030-01-01T09:30:00Z"]),
        // Sunday is 1.
        ("cron(0 8 ? * 1 *)", ["2030-01-06T08:00:00Z", "2030-01-13T08:00:00Z"]),
        ("cron(0 8 ? * 2#1 *)", ["2030-01-07T08:00:00Z", "2030-02-04T08:00:00Z"]),
        ("cron(0 8 ? * 6L *)", ["2030-01-25T08:00:00Z", "2030-02-22T08:00:00Z"]),
        ("cron(0 8 L * ? *)", ["2030-01-31T08:00:00Z", "2030-02-28T08:00:00Z"]),
        // Saturday the 5th is moved to Friday.
        ("cron(0 8 5W * ? *)", ["2030-01-04T08:00:00Z", "2030-02-05T08:00:00Z"]),
        ("cron(15 10 1 JAN,JUL ? 2031)", ["2031-01-01T10:15:00Z", "2031-07-01T10:15:00Z"]),
    ] {
        assert_eq!(times(expression, 2), expected, "{expression}");
    }
    assert_eq!(times("cron(0 12 1 1 ? 2029)", 1), [""; 0], "in the past");
}

#[test]
fn a_time_runs_once() {
    assert_eq!(times("at(2030-01-01T12:00:00)", 2), ["2030-01-01T12:00:00Z"]);
    assert_eq!(times("at(2029-12-31T12:00:00)", 2), [""; 0]);
}

#[test]
fn a_schedule_is_enabled_unless_it_says_otherwise() {
    let rate = "ScheduleExpression: rate(1 day)";
    assert!(schedule("ScheduleV2", rate).unwrap().enabled);
    assert!(!schedule("ScheduleV2", &format!("{rate}, State: DISABLED")).unwrap().enabled);
    assert!(!schedule("Schedule", "Schedule: rate(1 day), Enabled: false").unwrap().enabled);
}

#[test]
fn a_malformed_schedule_is_named_with_what_is_expected() {
    let at = "t.yaml: Resources.F.Properties.Events.E.Properties";
    for (kind, properties, expected) in [
        ("ScheduleV2", "State: ENABLED", "ScheduleExpression: expected a string, found nothing"),
        ("Schedule", "Schedule: hourly", "Schedule: expected rate(…) or cron(…), found \"hourly\""),
        ("Schedule", "Schedule: rate(0 minutes)", "Schedule: expected a rate, such as "),
        ("Schedule", "Schedule: rate(1 hours)", "Schedule: expected a rate, such as "),
        ("Schedule", "Schedule: rate(5 weeks)", "Schedule: expected a rate, such as "),
        ("Schedule", "Schedule: cron(0 12 * * ?)", "Schedule: expected cron(…) with six fields"),
        ("Schedule", "Schedule: cron(0 12 * * * *)", "Schedule: expected cron(…) with ? as either"),
        ("Schedule", "Schedule: cron(0 25 * * ? *)", "Schedule: expected a cron expression of"),
        ("Schedule", "Schedule: at(2030-01-01T00:00:00)", "Schedule: expected rate(…) or cron(…)"),
        ("ScheduleV2", "ScheduleExpression: at(noon)", "ScheduleExpression: expected a time, "),
        ("Schedule", "Schedule: rate(1 day), State: 'off'", "State: expected ENABLED or DISABLED"),
        ("Schedule", "Schedule: rate(1 day), Input: '{'", "Input: expected JSON ("),
    ] {
        let error = schedule(kind, properties).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{at}.{expected}")), "{error}");
    }
}

#[test]
fn properties_that_the_local_cloud_does_not_honour_are_listed() {
    let properties = "ScheduleExpression: rate(1 day), StartDate: '2030-01-01T00:00:00Z', \
                      ScheduleExpressionTimezone: UTC, FlexibleTimeWindow: {Mode: 'OFF'}";
    let ignored = template("ScheduleV2", properties).ignored_properties().unwrap();
    let start_date = IgnoredProperty {
        of: "F.E".to_owned(),
        property: "StartDate",
        instead: "it runs from now on",
    };
    assert_eq!(ignored, [start_date]);
    let zone = "ScheduleExpression: rate(1 day), ScheduleExpressionTimezone: Europe/Berlin";
    assert_eq!(template("ScheduleV2", zone).ignored_properties().unwrap().len(), 1);
}
