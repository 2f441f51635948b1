//! The table is created and served, is isolated, outlives its process, and is never replaced.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::PathBuf;

use serde_json::json;
use storefront_embedded::{EmbeddedDynamoDb, Error, PrivateDynamoDb, Storage, test_table};
use storefront_template::{TableDefinition, Template};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn definition() -> TableDefinition {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    Template::read(path).unwrap().table().unwrap()
}

async fn in_file(path: PathBuf, definition: &TableDefinition) -> Result<EmbeddedDynamoDb, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    EmbeddedDynamoDb::serve(&Storage::File(path), listener, definition, "shop")
}

fn put(db: &EmbeddedDynamoDb, key: &str) {
    let request = json!({
        "TableName": db.table_name(),
        "Item": { "PK": { "S": key }, "SK": { "S": "METADATA" } },
    });
    db.database().put_item(serde_json::from_value(request).unwrap()).unwrap();
}

fn keys(db: &EmbeddedDynamoDb) -> Vec<String> {
    let request = json!({ "TableName": db.table_name() });
    let answer = db.database().scan(serde_json::from_value(request).unwrap()).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let items = answer["Items"].as_array().unwrap();
    items.iter().map(|item| item["PK"]["S"].as_str().unwrap().to_owned()).collect()
}

fn stream_records(db: &EmbeddedDynamoDb) -> usize {
    let database = db.database();
    let streams = database.list_streams(serde_json::from_value(json!({})).unwrap()).unwrap();
    let arn = serde_json::to_value(streams).unwrap()["Streams"][0]["StreamArn"].clone();
    let described = database
        .describe_stream(serde_json::from_value(json!({ "StreamArn": arn })).unwrap())
        .unwrap();
    let described = serde_json::to_value(described).unwrap();
    let iterator = database
        .get_shard_iterator(
            serde_json::from_value(json!({
                "StreamArn": arn,
                "ShardId": described["StreamDescription"]["Shards"][0]["ShardId"],
                "ShardIteratorType": "TRIM_HORIZON",
            }))
            .unwrap(),
        )
        .unwrap();
    let iterator = serde_json::to_value(iterator).unwrap();
    database.get_records(serde_json::from_value(iterator).unwrap()).unwrap().records.len()
}

#[tokio::test]
async fn the_table_is_served_over_http() {
    let db = test_table().await;
    let address = db.endpoint_url().strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    db.shutdown().await.unwrap();
}

#[tokio::test]
async fn each_test_has_its_own_table() {
    let (anna, ben) = (test_table().await, test_table().await);
    put(&anna, "USER#anna");
    assert_eq!(keys(&anna), ["USER#anna"]);
    assert!(keys(&ben).is_empty());
}

#[tokio::test]
async fn a_write_is_in_the_stream_and_expiry_is_enabled() {
    let db = test_table().await;
    put(&db, "A");
    assert_eq!(stream_records(&db), 1);
    let request = serde_json::from_value(json!({ "TableName": db.table_name() })).unwrap();
    let ttl = serde_json::to_value(db.database().describe_time_to_live(request).unwrap()).unwrap();
    assert_eq!(
        ttl["TimeToLiveDescription"],
        json!({ "AttributeName": "expiresAt", "TimeToLiveStatus": "ENABLED" })
    );
}

#[tokio::test]
async fn a_file_keeps_items_and_stream_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = in_file(path.clone(), &definition()).await.unwrap();
    put(&db, "A");
    db.shutdown().await.unwrap();

    let db = in_file(path, &definition()).await.unwrap();
    assert_eq!(keys(&db), ["A"]);
    assert_eq!(stream_records(&db), 1);
    put(&db, "B");
    assert_eq!(stream_records(&db), 2);
}

#[tokio::test]
async fn stream_records_are_removed_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = in_file(path.clone(), &definition()).await.unwrap();
    put(&db, "A");
    put(&db, "B");
    db.shutdown().await.unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE _stream_records SET created_at = created_at - 90000 WHERE id = 1", [])
        .unwrap();

    let db = in_file(path, &definition()).await.unwrap();
    assert_eq!(stream_records(&db), 1);
}

#[tokio::test]
async fn a_table_with_another_definition_is_rejected_and_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = in_file(path.clone(), &definition()).await.unwrap();
    put(&db, "A");
    db.shutdown().await.unwrap();

    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
        .unwrap();
    let other =
        Template::parse("t.yaml", &text.replace("GSI1SK", "GSI1Range")).unwrap().table().unwrap();
    let error = in_file(path.clone(), &other).await.err().unwrap();
    assert!(
        matches!(error, Error::TableDiffers { property: "AttributeDefinitions", .. }),
        "{error}"
    );
    assert_eq!(keys(&in_file(path, &definition()).await.unwrap()), ["A"]);
}

#[tokio::test]
async fn the_error_for_a_file_that_is_not_a_database_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "not a database, just a text that is long enough to be looked at\n".repeat(20),
    )
    .unwrap();
    let error = in_file(path, &definition()).await.err().unwrap().to_string();
    assert!(
        error.starts_with("cannot use the database ") && error.contains("notes.txt: "),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_else_can_connect_to_a_private_table() {
    let table = PrivateDynamoDb::open(&Storage::Memory, &definition(), "shop").unwrap();
    for _ in 0..3 {
        let mut own = table.connect().await.unwrap();
        let other = TcpStream::connect(own.peer_addr().unwrap()).await;
        assert_eq!(other.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);

        own.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("healthy: dynamodb.us-east-1.amazonaws.com ") {
            let byte = own.read_u8().await.unwrap();
            answer.push(byte.into());
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}
