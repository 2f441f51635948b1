use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::{Context, Error, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use storefront_core::{NewUser, PasswordHash, Role, Table, UserId, Users};
use utoipa::openapi::OpenApi;

use crate::contract::{Answered, Contract};
use crate::evidence;

/// The gateway's request id, the same for each request.
const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

/// The address that requests come from, unless they say another.
pub const SOURCE: &str = "192.0.2.1";

/// A function, called with events of API Gateway.
#[derive(Clone)]
pub struct Api {
    app: Router,
    contract: Option<Contract>,
}

/// A logged-in user.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Persona {
    pub user_id: UserId,
    pub role: Role,
}

/// A request to send.
#[must_use]
pub struct Request {
    api: Api,
    method: &'static str,
    path: String,
    query: String,
    headers: Map<String, Value>,
    source: String,
    authorizer: Option<Value>,
    body: Option<(bool, String)>,
}

/// A function's response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: i64,
    /// The body; null if there is none.
    pub body: Value,
    headers: http::HeaderMap,
}

impl Persona {
    /// A caller with a customer's token who is in no table. If the user must exist, use
    /// [`Self::registered`].
    #[must_use]
    pub fn user() -> Self {
        Self { user_id: UserId::new(), role: Role::User }
    }

    /// Adds a user with this role to the table, logged in but without a password.
    pub async fn registered(table: &Table, role: Role) -> Self {
        let user_id = UserId::new();
        let email = format!("{user_id}@example.com");
        evidence::email(&email);
        let new = NewUser {
            email: email.parse().expect("an email"),
            name: role.to_string().parse().expect("a name"),
            password_hash: PasswordHash::new("$argon2id$nobody's".to_owned()),
            role,
            locale: None,
        };
        let users = Users::new(table.clone());
        users.register(user_id, new).await.expect("the table takes users");
        Self { user_id, role }
    }
}

impl Api {
    /// The function with these routes and this document. A response that is not in the document
    /// fails the test.
    #[must_use]
    pub fn new(app: Router, doc: fn() -> OpenApi) -> Self {
        Self { app, contract: Some(Contract(doc)) }
    }

    /// A function with a test's own routes, without a contract.
    #[must_use]
    pub fn made_up(app: Router) -> Self {
        Self { app, contract: None }
    }

    /// A GET of a path with an optional query.
    pub fn get(&self, path_and_query: impl AsRef<str>) -> Request {
        self.request("GET", path_and_query)
    }

    /// A POST.
    pub fn post(&self, path_and_query: impl AsRef<str>) -> Request {
        self.request("POST", path_and_query)
    }

    /// A PUT.
    pub fn put(&self, path_and_query: impl AsRef<str>) -> Request {
        self.request("PUT", path_and_query)
    }

    /// A PATCH.
    pub fn patch(&self, path_and_query: impl AsRef<str>) -> Request {
        self.request("PATCH", path_and_query)
    }

    /// A DELETE.
    pub fn delete(&self, path_and_query: impl AsRef<str>) -> Request {
        self.request("DELETE", path_and_query)
    }

    fn request(&self, method: &'static str, path_and_query: impl AsRef<str>) -> Request {
        let (path, query) =
            path_and_query.as_ref().split_once('?').unwrap_or((path_and_query.as_ref(), ""));
        Request {
            api: self.clone(),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Map::new(),
            source: SOURCE.to_owned(),
            authorizer: None,
            body: None,
        }
    }

    /// Sends an event unchanged.
    pub async fn send_event(&self, event: &Value) -> Answer {
        evidence::payload(event);
        let answer = self.send_text(event.to_string()).await.expect("a payload 2.0 event");
        if let Some(contract) = &self.contract {
            let http = &event["requestContext"]["http"];
            let [method, path] =
                ["method", "path"].map(|name| http[name].as_str().unwrap_or_default());
            let Answer { status, body, headers } = &answer;
            contract.check(&Answered { method, path, status: *status, headers, body });
        }
        answer
    }

    /// Sends a text as the event. It need not be a valid one.
    pub async fn send_text(&self, event: String) -> Result<Answer, Error> {
        evidence::start();
        let event = LambdaEvent::new(RawValue::from_string(event)?, Context::default());
        let response = storefront_http::answer(self.app.clone(), event).await?;
        let response = serde_json::to_value(response).expect("a payload 2.0 response");
        evidence::payload(&response);
        Ok(Answer::from_payload(&response))
    }
}

impl Request {
    /// With a JSON body.
    #[allow(clippy::needless_pass_by_value, reason = "json!(…) makes a value")]
    pub fn json(self, body: Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    /// With any text as the body.
    pub fn text(self, content_type: &str, body: &str) -> Self {
        let body = Some((false, body.to_owned()));
        Self { body, ..self }.header("content-type", content_type)
    }

    /// With bytes as the body, which the gateway encodes.
    pub fn bytes(self, content_type: &str, body: &[u8]) -> Self {
        let body = Some((true, STANDARD.encode(body)));
        Self { body, ..self }.header("content-type", content_type)
    }

    /// With a header, whose name must be in lower case.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// From this IP address instead of [`SOURCE`].
    pub fn from(self, address: &str) -> Self {
        Self { source: address.to_owned(), ..self }
    }

    /// From a caller that the authorizer let through.
    pub fn by(self, persona: Persona) -> Self {
        self.authorized(json!({
            "userId": persona.user_id.to_string(),
            "role": persona.role.as_str(),
        }))
    }

    /// With any context from the authorizer.
    #[allow(clippy::needless_pass_by_value, reason = "json!(…) makes a value")]
    pub fn authorized(self, context: Value) -> Self {
        Self { authorizer: Some(json!({ "lambda": context })), ..self }
    }

    /// Sends the request and waits for the response.
    pub async fn send(self) -> Answer {
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api-id",
                "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
                "domainPrefix": "api-id",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source,
                    "userAgent": "test",
                },
                "requestId": REQUEST_ID,
                "routeKey": "$default",
                "stage": "$default",
                "time": "22/Nov/2026:09:00:00 +0000",
                "timeEpoch": 1_795_338_000_000_i64,
            },
            "isBase64Encoded": false,
        });
        if let Some(authorizer) = self.authorizer {
            event["requestContext"]["authorizer"] = authorizer;
        }
        if let Some((is_base64_encoded, body)) = self.body {
            event["body"] = body.into();
            event["isBase64Encoded"] = is_base64_encoded.into();
        }
        let answer = self.api.send_event(&event).await;
        assert_eq!(answer.header("x-request-id"), Some(REQUEST_ID));
        answer
    }
}

impl Answer {
    /// A header of the response.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts that the response is an RFC 9457 problem with this status and code.
    #[track_caller]
    #[must_use]
    pub fn problem(self, status: i64, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("urn:storefront:problem:{code}"));
        for text in ["title", "detail"] {
            assert!(self.body[text].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        self
    }

    /// Asserts that the response has this status.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: i64) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The pointers and parameters of the problem's errors, in order.
    #[must_use]
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors
            .iter()
            .filter_map(|error| error["pointer"].as_str().or(error["parameter"].as_str()))
            .collect()
    }

    fn from_payload(response: &Value) -> Self {
        let headers = response["headers"].as_object().into_iter().flatten();
        let body = match response["body"].as_str() {
            None | Some("") => Value::Null,
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        Self {
            status: response["statusCode"].as_i64().expect("a status"),
            body,
            headers: headers
                .map(|(name, value)| {
                    let value = value.as_str().unwrap_or_default();
                    (name.parse().expect("a header name"), value.parse().expect("a header value"))
                })
                .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
                .into_iter()
                .collect(),
        }
    }
}
