//! A bucket on an S3 endpoint that supports only `PutObject`, and fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::put;
use serde_json::Value;

pub(crate) const BUCKET_NAME: &str = "storefront-failed-records";

/// The bucket, and what is in it.
#[derive(Clone, Default)]
pub(crate) struct Bucket(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    objects: BTreeMap<String, Value>,
    failure: Option<StatusCode>,
    requests: usize,
}

impl Bucket {
    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route(&format!("/{BUCKET_NAME}/{{*key}}"), put(put_object))
            .with_state(self.clone())
    }

    /// Answers with this status from now on; `None` for success.
    pub(crate) fn fail(&self, status: impl Into<Option<StatusCode>>) {
        self.0.lock().unwrap().failure = status.into();
    }

    /// The number of requests, whatever their outcome.
    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    /// The objects by key.
    pub(crate) fn objects(&self) -> BTreeMap<String, Value> {
        self.0.lock().unwrap().objects.clone()
    }

    /// The condition and the records of each object.
    pub(crate) fn put_aside(&self) -> Vec<(String, Vec<Value>)> {
        let objects = self.objects();
        let mut read: Vec<_> = objects.values().map(condition_and_records).collect();
        read.sort_by_key(|(_, records)| records[0]["dynamodb"]["SequenceNumber"].to_string());
        read
    }
}

fn condition_and_records(document: &Value) -> (String, Vec<Value>) {
    let payload: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    let condition = document["requestContext"]["condition"].as_str().unwrap();
    (condition.to_owned(), payload["Records"].as_array().unwrap().clone())
}

async fn put_object(
    State(bucket): State<Bucket>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-central-1/s3/aws4_request"), "{authorization}");
    assert!(headers.contains_key("x-amz-content-sha256") && headers.contains_key("x-amz-date"));
    let mut state = bucket.0.lock().unwrap();
    state.requests += 1;
    if let Some(status) = state.failure {
        // S3's errors name the bucket and the key.
        return (status, format!("<Error><Key>{key}</Key></Error>")).into_response();
    }
    state.objects.insert(key, serde_json::from_str(&body).unwrap());
    StatusCode::OK.into_response()
}
