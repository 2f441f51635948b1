//! Order, failures and redelivery of what can be delivered.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::bus::{Answer, Bus};
use crate::records::{
    order, order_id, other, paid, paid_event, paid_with, placed, record, refunded, sequence_number,
};
use crate::{all_delivered, failed_from, handle, handle_within};

fn all_paid(orders: std::ops::RangeInclusive<u16>) -> Vec<Value> {
    orders.map(paid).collect()
}

fn paid_events(orders: std::ops::RangeInclusive<u16>) -> Vec<String> {
    orders.map(paid_event).collect()
}

#[tokio::test]
async fn only_the_events_of_a_mixed_batch_are_published() {
    let bus = Bus::start().await;
    let batch = [
        placed(1),
        paid(2),
        record("MODIFY", 3, &other("User", "a"), &other("User", "b")),
        refunded(4),
        record("REMOVE", 5, &other("LoginAttempts", "x"), &json!({})),
    ];

    assert_eq!(handle(&bus, &batch).await, all_delivered());
    let ids =
        [(1, 1), (2, 2), (4, 4)].map(|(order, version)| format!("{}:{version}", order_id(order)));
    assert_eq!(bus.event_ids(), ids);
}

#[tokio::test]
async fn events_are_sent_in_calls_of_ten() {
    let bus = Bus::start().await;

    assert_eq!(handle(&bus, &all_paid(1..=25)).await, all_delivered());

    assert_eq!(bus.calls().iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(bus.event_ids(), paid_events(1..=25));
}

#[tokio::test]
async fn for_a_thousand_changes_one_call_is_in_flight_at_a_time() {
    let bus = Bus::scripted([], Answer::Hold).await;
    let answering = async {
        for call in 1..=100 {
            bus.held(call).await;
            bus.release();
        }
    };

    let batch = all_paid(1..=1000);
    let (answer, ()) = tokio::join!(handle(&bus, &batch), answering);

    assert_eq!(answer, all_delivered());
    assert_eq!((bus.calls().len(), bus.most_held()), (100, 1));
    assert_eq!(bus.event_ids(), paid_events(1..=1000));
}

#[tokio::test]
async fn a_refused_entry_is_named_and_no_further_call_is_made() {
    let bus = Bus::scripted([Answer::Refuse(4, "InternalFailure")], Answer::Accept).await;

    let answer = handle(&bus, &all_paid(1..=25)).await;

    assert_eq!(answer, failed_from(sequence_number(5)));
    assert_eq!(bus.calls().len(), 1);
}

#[tokio::test]
async fn a_refused_entry_of_a_later_call_leaves_the_earlier_calls_acknowledged() {
    let refuse_first = Answer::Refuse(0, "ThrottlingException");
    let bus = Bus::scripted([Answer::Accept, refuse_first], Answer::Accept).await;

    assert_eq!(handle(&bus, &all_paid(1..=25)).await, failed_from(sequence_number(11)));
    assert_eq!(bus.calls().len(), 2);
}

#[tokio::test]
async fn a_failure_before_an_unreadable_record_is_the_one_named() {
    let bus = Bus::scripted([Answer::Refuse(1, "InternalFailure")], Answer::Accept).await;
    let unreadable = paid_with(4, "/dynamodb/NewImage/total", None);

    let answer = handle(&bus, &[paid(1), paid(2), paid(3), unreadable]).await;

    assert_eq!(answer, failed_from(sequence_number(2)));
    assert_eq!(bus.bucket.requests(), 0, "it is delivered again with the others");
}

#[tokio::test]
async fn ignored_records_before_a_failed_one_are_acknowledged() {
    let bus = Bus::scripted([Answer::Refuse(0, "InternalFailure")], Answer::Accept).await;
    let batch = [record("MODIFY", 1, &other("User", "a"), &other("User", "b")), paid(2)];

    assert_eq!(handle(&bus, &batch).await, failed_from(sequence_number(2)));
}

#[tokio::test]
async fn redelivery_brings_every_event_and_duplicates_have_the_same_id() {
    let bus = Bus::scripted([Answer::Refuse(1, "InternalFailure")], Answer::Accept).await;
    let batch = all_paid(1..=3);

    assert_eq!(handle(&bus, &batch).await, failed_from(sequence_number(2)));
    assert_eq!(handle(&bus, &batch[1..]).await, all_delivered());

    let ids = [paid_event(1), paid_event(3), paid_event(2), paid_event(3)];
    assert_eq!(bus.event_ids(), ids);
    let accepted = bus.accepted();
    assert_eq!(accepted[1], accepted[3], "a duplicate is the same, byte for byte");
}

#[tokio::test]
async fn an_answer_with_too_few_results_counts_as_not_delivered() {
    let bus = Bus::scripted([Answer::Partial(2)], Answer::Accept).await;

    assert_eq!(handle(&bus, &all_paid(1..=4)).await, failed_from(sequence_number(3)));
}

#[tokio::test]
async fn a_call_that_keeps_failing_names_its_first_record() {
    for (status, code) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "InternalException"),
        (StatusCode::BAD_REQUEST, "ThrottlingException"),
        (StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
    ] {
        let bus = Bus::scripted([Answer::Accept], Answer::Fail(status, code)).await;

        let answer = handle(&bus, &all_paid(1..=12)).await;

        assert_eq!(answer, failed_from(sequence_number(11)), "{code}");
        assert_eq!(bus.event_ids(), paid_events(1..=10), "{code}");

        bus.recover();
        let rest = handle(&bus, &all_paid(11..=12)).await;
        assert_eq!(rest, all_delivered(), "{code}");
        assert_eq!(bus.event_ids(), paid_events(1..=12), "{code}");
    }
}

#[tokio::test]
async fn a_call_that_fails_once_is_retried() {
    for (status, code) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "InternalException"),
        (StatusCode::BAD_REQUEST, "ThrottlingException"),
    ] {
        let bus = Bus::scripted([Answer::Fail(status, code)], Answer::Accept).await;

        assert_eq!(handle(&bus, &[paid(1)]).await, all_delivered(), "{code}");
        assert_eq!(bus.event_ids(), [paid_event(1)], "{code}");
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_loses_nothing() {
    let mut bus = Bus::start().await;
    // Reserved by RFC 6335 and never listened on.
    bus.url = "http://127.0.0.1:1".to_owned();

    assert_eq!(handle(&bus, &all_paid(1..=2)).await, failed_from(sequence_number(1)));
}

#[tokio::test]
async fn two_changes_of_one_order_keep_their_order() {
    let bus = Bus::start().await;
    let batch = [
        record("MODIFY", 1, &order(1, "pending", 1), &order(1, "paid", 2)),
        paid(2),
        record("MODIFY", 3, &order(1, "paid", 2), &order(1, "shipped", 3)),
    ];

    assert_eq!(handle(&bus, &batch).await, all_delivered());
    let first = order_id(1);
    assert_eq!(bus.event_ids(), [format!("{first}:2"), paid_event(2), format!("{first}:3")]);
}

#[tokio::test]
async fn a_later_change_of_an_order_never_overtakes_one_that_failed() {
    let bus = Bus::scripted([Answer::Refuse(0, "InternalFailure")], Answer::Accept).await;
    let batch = [
        record("MODIFY", 1, &order(1, "pending", 1), &order(1, "paid", 2)),
        record("MODIFY", 2, &order(1, "paid", 2), &order(1, "shipped", 3)),
    ];

    assert_eq!(handle(&bus, &batch).await, failed_from(1));
    assert_eq!(bus.event_ids(), Vec::<String>::new());

    assert_eq!(handle(&bus, &batch).await, all_delivered());
    assert_eq!(bus.event_ids(), [format!("{}:2", order_id(1)), format!("{}:3", order_id(1))]);
}

#[tokio::test]
async fn nothing_is_sent_in_the_time_reserved_for_the_response() {
    let bus = Bus::start().await;

    let answer = handle_within(&bus, Duration::from_millis(400), &all_paid(1..=2)).await;

    assert_eq!(answer, failed_from(sequence_number(1)));
    assert!(bus.calls().is_empty());
}

#[tokio::test]
async fn a_call_that_hangs_times_out() {
    let bus = Bus::scripted([], Answer::Hang).await;

    let batch = all_paid(1..=12);
    let answer = handle_within(&bus, Duration::from_millis(1500), &batch);
    let answer = tokio::time::timeout(Duration::from_mins(1), answer).await;

    assert_eq!(answer.expect("it does not wait forever"), failed_from(sequence_number(1)));
}
