//! What the function may log: nobody's name, email or address.

use serde_json::json;
use storefront_core::Timestamp;
use storefront_testing::CapturedLog;

use crate::events::{ORDER, paid};
use crate::ses::{Answer, Ses};
use crate::shop::Shop;
use crate::{notifications, send};

#[tokio::test]
async fn the_log_names_events_and_codes_but_no_person() {
    let shop = Shop::open();
    let ada = shop.customer("Augusta Ada King", None).await;
    let ses = Ses::start().await;
    ses.answer_next([
        Answer::Send,
        Answer::Fail(400, "MessageRejected"),
        Answer::Fail(429, "TooManyRequestsException"),
        Answer::SendAndBreakOff,
    ]);
    let log = CapturedLog::start();
    let now = Timestamp::now();
    let mut events: Vec<_> = (2..6).map(|version| paid(ada.id, version, now)).collect();
    events.push(paid(ada.id, 6, Timestamp::UNIX_EPOCH));
    let mut odd = paid(ada.id, 7, now);
    odd["detail"]["status"] = json!(ada.email.as_str());
    events.push(odd);
    let failed = send(&notifications(shop.table(), &ses), &events).await;
    assert_eq!(failed, ["2", "3", "5"]);

    let text = log.text();
    for secret in ["Augusta", "King", ada.email.as_str(), "example.com"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let ids = |message| -> Vec<_> {
        let lines = log.lines(message).into_iter();
        lines.map(|line| line["event.id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(ids("SES refused a mail"), [format!("{ORDER}:3")]);
    let again = "a mail was not sent; the queue delivers its message again";
    assert_eq!(ids(again), [format!("{ORDER}:4"), format!("{ORDER}:5")]);
    let causes: Vec<_> = log.lines(again).iter().map(|line| line["cause"].to_string()).collect();
    assert!(causes[0].contains("HTTP status 429, TooManyRequestsException"), "{causes:?}");
    assert_eq!(ids("an event is too old to write about"), [format!("{ORDER}:6")]);
    assert_eq!(
        log.lines("a message is neither an event of the shop nor a request for a mail").len(),
        1
    );
    let [line] = &log.lines("request served")[..] else { panic!("one line") };
    assert_eq!((&line["outcome"], &line["level"]), (&json!("incomplete"), &json!("WARN")));
    assert_eq!((&line["records"], &line["delivered"]), (&json!(6), &json!(1)));
}
