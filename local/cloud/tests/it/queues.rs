//! Events of the shop reach a queue through a rule, and survive a kill there.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, template};
use crate::process::LocalCloudProcess;

const PRODUCT: &str = "01930000-0000-7000-8000-000000000101";

/// Sends the status changes to a queue that nobody reads.
const RULE: &str = "
  StatusChanges:
    Type: AWS::SQS::Queue
  StatusChangesRule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref EventBus
      EventPattern: { detail-type: [OrderStatusChanged], detail: { status: [paid] } }
      Targets: [{ Id: queue, Arn: !GetAtt StatusChanges.Arn }]
  EventBus:
";

#[tokio::test]
async fn a_message_of_a_rule_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(template()).unwrap();
    let with_rule = text.replacen("\n  EventBus:\n", RULE, 1);
    assert_ne!(with_rule, text);
    let path = folder.path().join("template.yaml");
    fs::write(&path, with_rule).unwrap();
    let data_dir = folder.path().join("data");

    let process = LocalCloudProcess::start_from(&path, &data_dir, &[]).await;
    let ada = Client::logged_in(&process.api_url, "ada@example.com").await;
    let admin = Client::logged_in(&process.api_url, "admin@example.com").await;
    let items = json!({ "items": [{ "productId": PRODUCT, "quantity": 1 }] });
    let order = ada.post("/orders", items).await.expect(StatusCode::CREATED).body;
    let order = format!("/orders/{}", order["id"].as_str().unwrap());
    for status in ["paid", "shipped"] {
        admin.patch(&order, json!({ "status": status })).await.expect(StatusCode::OK);
    }
    let is_shipped = |event: &Value| event["detail"]["status"] == "shipped";
    admin.events(1, is_shipped).await;
    let events = admin.events(1, |event| event["detail"]["status"] == "paid").await;
    process.kill().await;

    let process = LocalCloudProcess::start_from(&path, &data_dir, &[]).await;
    let anyone = Client::anonymous(&process.api_url);
    let answer = anyone.get("/_local/queues/StatusChanges").await.expect(StatusCode::OK).body;
    let messages = answer["messages"].as_array().unwrap();
    assert!(!messages.is_empty());
    for message in messages {
        let body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
        // A kill, or an answer that takes too long, lets the consumer publish the change once more.
        assert_eq!(body["detail"], events[0]["detail"]);
    }
    let waiting = messages.len();
    let counts =
        json!({ "queue": "StatusChanges", "waiting": waiting, "inFlight": 0, "delayed": 0 });
    let answer = anyone.get("/_local/queues").await.expect(StatusCode::OK).body;
    assert!(answer["queues"].as_array().unwrap().contains(&counts), "{answer}");
}
