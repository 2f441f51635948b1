//! An HTTP client for the API.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use storefront_cloud::{Options, TOKEN_SECRET};
use storefront_testing::evidence;

/// This repository's template.
pub(crate) fn template() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
}

/// Returns options for the suite in memory, on free ports, with the seed data.
pub(crate) fn in_memory() -> Options {
    evidence::start();
    evidence::token_secret(TOKEN_SECRET);
    Options {
        template: template(),
        parameters: Vec::new(),
        host: [127, 0, 0, 1].into(),
        port: 0,
        dynamodb_port: 0,
        data_dir: None,
        seed: true,
    }
}

/// A caller of the API, logged in or not.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    idempotency_key: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn anonymous(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: None,
            idempotency_key: None,
        }
    }

    /// Logs in as one of the seed's users.
    pub(crate) async fn logged_in(url: &str, email: &str) -> Self {
        let client = Self::anonymous(url);
        let answer = client
            .post("/sessions", json!({ "email": email, "password": "storefront-demo" }))
            .await
            .expect(StatusCode::CREATED);
        let token = answer.body["accessToken"].as_str().unwrap().to_owned();
        client.with_token(&token)
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Returns the same caller for another URL.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    /// Sends a POST with an idempotency key.
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.with_key(key).post(path, body).await
    }

    /// Returns the same caller, who sends this idempotency key with every request.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self.clone() }
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    /// Fails only if the server is not running or stops.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some((_, query)) = path.split_once('?') {
            evidence::query(query);
        }
        if let Some(token) = &self.token {
            evidence::authorization(token);
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            evidence::body(&body.to_string());
            request = request.json(&body);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        evidence::body(&text);
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, headers, body })
    }

    /// Waits until the answer to a request is as wanted.
    pub(crate) async fn get_until(&self, path: &str, wanted: impl Fn(&Value) -> bool) {
        let found = async {
            while !wanted(&self.get(path).await.expect(StatusCode::OK).body) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect("the answer comes");
    }

    /// Waits until the local bus has at least `count` events that match `wanted`, and returns them.
    pub(crate) async fn events(&self, count: usize, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let found = async {
            loop {
                let mut answer = self.get("/_local/events").await;
                let Value::Array(mut events) = answer.body["events"].take() else {
                    panic!("the response has no events");
                };
                events.retain(&wanted);
                if events.len() >= count {
                    return events;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect("the events arrive")
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}
