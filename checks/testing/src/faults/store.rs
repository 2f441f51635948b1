use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use storefront_core::schema;
use tokio::sync::watch;

/// A table in this process with an interface like HTTP: an operation and a JSON body in, a status
/// and a JSON body out.
pub struct Store {
    database: Database,
    table_name: String,
    /// The progress of each transaction, by token.
    tokens: Mutex<HashMap<String, Progress>>,
    /// The number of late writes that are still to be applied.
    late_writes: watch::Sender<usize>,
}

/// The progress of a transaction whose token `DynamoDB` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    InProgress,
    Written,
}

/// The answer of `DynamoDB` to a request.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Store {
    pub(super) fn open() -> Self {
        let (database, table_name) = storefront_embedded::test_database();
        Self { database, table_name, tokens: Mutex::default(), late_writes: watch::Sender::new(0) }
    }

    pub(super) fn table_name(&self) -> &str {
        &self.table_name
    }

    pub(super) fn items(&self) -> Vec<schema::Item> {
        let mut items = Vec::new();
        let mut request = json!({ "TableName": self.table_name, "ConsistentRead": true });
        loop {
            let mut page = self.apply("Scan", &request).body;
            items.extend(page["Items"].as_array_mut().into_iter().flatten().map(|item| {
                let item: serde_dynamo::Item =
                    serde_json::from_value(item.take()).expect("an item of DynamoDB JSON");
                schema::Item::from(item)
            }));
            match page["LastEvaluatedKey"].take() {
                Value::Null => return items,
                last => request["ExclusiveStartKey"] = last,
            }
        }
    }

    pub(super) fn stream(&self) -> Vec<Value> {
        self.records().expect("the table has a stream with one shard")
    }

    fn records(&self) -> Result<Vec<Value>, DynoxideError> {
        let request = ListStreamsRequest {
            table_name: Some(self.table_name.clone()),
            ..ListStreamsRequest::default()
        };
        let stream_arn = self.database.list_streams(request)?.streams.remove(0).stream_arn;
        let request =
            DescribeStreamRequest { stream_arn: stream_arn.clone(), ..Default::default() };
        let stream = self.database.describe_stream(request)?.stream_description;
        let mut iterator = self
            .database
            .get_shard_iterator(GetShardIteratorRequest {
                stream_arn,
                shard_id: stream.shards[0].shard_id.clone(),
                shard_iterator_type: "TRIM_HORIZON".to_owned(),
                sequence_number: None,
            })?
            .shard_iterator;
        let mut records = Vec::new();
        while let Some(shard_iterator) = iterator {
            let request = GetRecordsRequest { shard_iterator, limit: None };
            let answer = self.database.get_records(request)?;
            if answer.records.is_empty() {
                break;
            }
            let json = |record| serde_json::to_value(record).expect("a record is JSON");
            records.extend(answer.records.iter().map(json));
            iterator = answer.next_shard_iterator;
        }
        Ok(records)
    }

    pub(super) fn apply(&self, operation: &str, request: &Value) -> Reply {
        let token = request["ClientRequestToken"].as_str().map(str::to_owned);
        let request = request.to_string();
        /// Parses a request, runs it, and serialises its answer.
        macro_rules! run {
            ($method:ident) => {
                serde_json::from_str(&request)
                    .map_err(|error| DynoxideError::ValidationException(error.to_string()))
                    .and_then(|request| self.database.$method(request))
                    .map(|answer| serde_json::to_value(answer).expect("an answer is JSON"))
            };
        }
        let answer = match operation {
            "BatchGetItem" => run!(batch_get_item),
            "BatchWriteItem" => run!(batch_write_item),
            "DeleteItem" => run!(delete_item),
            "DescribeTable" => run!(describe_table),
            "GetItem" => run!(get_item),
            "PutItem" => run!(put_item),
            "Query" => run!(query),
            "Scan" => run!(scan),
            "TransactWriteItems" => run!(transact_write_items),
            "UpdateItem" => run!(update_item),
            other => panic!("the store of the fault tests does not know the operation {other}"),
        };
        match answer {
            Ok(body) => {
                if let Some(token) = token {
                    self.set_progress(&token, Some(Progress::Written));
                }
                Reply { status: 200, body }
            }
            Err(error) => Reply {
                status: error.status_code(),
                body: serde_json::from_str(&error.to_json()).expect("an error is JSON"),
            },
        }
    }

    pub(super) fn progress(&self, token: &str) -> Option<Progress> {
        self.tokens().get(token).copied()
    }

    /// `None` forgets the token, as if its transaction had been cancelled.
    pub(super) fn set_progress(&self, token: &str, progress: Option<Progress>) {
        match progress {
            Some(progress) => self.tokens().insert(token.to_owned(), progress),
            None => self.tokens().remove(token),
        };
    }

    pub(super) fn expect_late_write(&self) {
        self.late_writes.send_modify(|count| *count += 1);
    }

    pub(super) fn late_write_applied(&self) {
        self.late_writes.send_modify(|count| *count -= 1);
    }

    /// Waits until all late writes have been applied.
    pub(super) async fn settled(&self) {
        let settled = self.late_writes.subscribe().wait_for(|count| *count == 0).await.is_ok();
        assert!(settled, "the store still has its sender");
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, Progress>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store(…)")
    }
}
