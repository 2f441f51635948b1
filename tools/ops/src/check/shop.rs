//! The shop's API as a customer sees it.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{Http, NoResponse, Request};

/// The API of a deployed shop.
#[derive(Debug)]
pub(crate) struct Shop {
    http: Http,
    url: String,
}

/// A request to the API.
#[derive(Clone, Default)]
pub(crate) struct Call {
    /// The function that serves the route.
    pub(crate) function: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Option<Value>,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Null` if it is not JSON.
    pub(crate) body: Value,
    pub(crate) request_id: Option<String>,
    pub(crate) is_replayed: bool,
    pub(crate) took: Duration,
}

impl Shop {
    pub(crate) fn new(http: Http, url: &str) -> Self {
        Self { http, url: url.trim_end_matches('/').to_owned() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, NoResponse> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if let Some(token) = &call.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(key) = &call.idempotency_key {
            headers.push(("idempotency-key".to_owned(), key.clone()));
        }
        if call.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let request = Request {
            method: call.method,
            url: format!("{}{}", self.url, call.path),
            headers,
            body: call.body.as_ref().map(Value::to_string),
        };
        let sent_at = Instant::now();
        let response = self.http.send(&request).await?;
        // The gateway's own answers have only its header.
        let request_id = response.header("x-request-id").or(response.header("apigw-requestid"));
        Ok(Answer {
            status: response.status,
            body: serde_json::from_str(&response.body).unwrap_or_default(),
            request_id: request_id.map(str::to_owned),
            is_replayed: response.header("idempotency-replayed") == Some("true"),
            took: sent_at.elapsed(),
        })
    }
}

impl Call {
    pub(crate) fn get(function: &'static str, path: impl Into<String>) -> Self {
        Self { function, method: "GET", path: path.into(), ..Self::default() }
    }

    pub(crate) fn post(function: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { function, method: "POST", path: path.into(), body: Some(body), ..Self::default() }
    }

    pub(crate) fn patch(function: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { method: "PATCH", ..Self::post(function, path, body) }
    }

    /// Sends an access token, if there is one.
    pub(crate) fn by(self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self }
    }

    pub(crate) fn keyed(self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self }
    }

    /// Method and path.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Describes the request without its secrets.
    pub(crate) fn description(&self) -> String {
        let mut parts = vec![self.route()];
        if self.token.is_some() {
            parts.push("Authorization: Bearer (the user's access token)".to_owned());
        }
        if let Some(key) = &self.idempotency_key {
            parts.push(format!("Idempotency-Key: {key}"));
        }
        if let Some(body) = &self.body {
            let mut body = body.clone();
            for name in ["password", "currentPassword"] {
                if let Some(password) = body.get_mut(name) {
                    *password = "(a random password)".into();
                }
            }
            parts.push(body.to_string());
        }
        parts.join(", ")
    }
}

impl Answer {
    /// Method, path and time, for the line of a step.
    pub(crate) fn how(&self, call: &Call) -> String {
        let path = call.path.split('?').next().unwrap_or_default();
        format!("{} {path}, {} ms", call.method, self.took.as_millis())
    }

    /// Returns a string in the body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    /// Whether API Gateway answered itself. Its answers are no problem documents.
    pub(crate) fn is_from_gateway(&self) -> bool {
        self.text("code").is_none() && self.body["message"].is_string()
    }

    /// Describes the answer without what may be secret: of a success only the fields' names.
    pub(crate) fn description(&self) -> String {
        let status = self.status;
        let text = if let Some(code) = self.text("code") {
            let detail = self.text("detail").unwrap_or_default();
            let lists = ["errors", "products"]
                .iter()
                .filter_map(|field| self.body.get(field).map(|list| format!(" {field}: {list}")));
            format!("{status} {code}: {detail}{}", lists.collect::<String>())
        } else if let Some(message) = self.text("message") {
            format!("{status}, from API Gateway itself: {message}")
        } else if let Some(fields) = self.body.as_object() {
            let names: Vec<_> = fields.keys().map(String::as_str).collect();
            format!("{status} with the fields {}", names.join(", "))
        } else {
            format!("{status} without a JSON body")
        };
        match &self.request_id {
            Some(id) => format!("{text} (request {id})"),
            None => text,
        }
    }
}
