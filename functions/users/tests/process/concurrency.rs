//! On Lambda Managed Instances, one environment serves several invocations concurrently.

use serde_json::json;
use storefront_core::UserId;

use crate::dynamodb::{DynamoDb, read_units};
use crate::{body, lines, show_me, start};

const AT_ONCE: usize = 8;
const ROUNDS: usize = 3;

#[tokio::test]
async fn concurrent_invocations_do_not_mix() {
    let users: Vec<_> = (0..AT_ONCE * ROUNDS).map(|_| UserId::new()).collect();
    // It answers only when all invocations of a round have asked.
    let dynamodb = DynamoDb::new(&users, AT_ONCE);
    let mut function = start(&[
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.serve().await),
        ("AWS_LAMBDA_MAX_CONCURRENCY", &AT_ONCE.to_string()),
        ("METRICS_NAMESPACE", "storefront"),
    ])
    .await;

    for round in users.chunks(AT_ONCE) {
        for user in round {
            function.invoke(&format!("lambda-{user}"), &show_me(*user, &format!("gateway-{user}")));
        }
        let answers = function.answers(AT_ONCE).await;
        for user in round {
            let answer = &answers[&format!("lambda-{user}")];
            assert_eq!(answer["statusCode"], 200);
            assert_eq!(answer["headers"]["x-request-id"], format!("gateway-{user}"));
            assert_eq!(body(answer)["id"], json!(user));
        }
    }

    let written = function.end().await;
    let served = lines(&written, "request served");
    assert_eq!(served.len(), users.len());
    for (place, user) in users.iter().enumerate() {
        let gateway_id = format!("gateway-{user}");
        let of_user =
            |line: &&&serde_json::Value| line["span"]["request_id"] == gateway_id.as_str();
        let line = served.iter().find(of_user).unwrap();
        assert_eq!(line["span"]["lambda_request_id"], format!("lambda-{user}"));
        assert_eq!(line["user_id"], json!(user));
        assert_eq!(line["requests"], 1);
        assert_eq!(line["read_units"], read_units(place));

        let mut metrics = written.iter().filter(|line| line["request_id"] == gateway_id.as_str());
        let consumed = metrics.find(|line| !line["ConsumedReadUnits"].is_null()).unwrap();
        assert_eq!(consumed["ConsumedReadUnits"].as_f64(), Some(read_units(place)));
    }
    let cold_starts = written.iter().filter(|line| line["ColdStarts"] == 1).count();
    assert_eq!(cold_starts, 1, "one environment has one cold start");
    assert_eq!(served.iter().filter(|line| line["cold_start"] == true).count(), 1);
}
