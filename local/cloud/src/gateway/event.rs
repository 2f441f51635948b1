//! Converts HTTP requests to API Gateway's payload 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A request and its route.
pub(crate) struct Incoming<'a> {
    pub(crate) request_id: &'a str,
    /// Method and path of the route, such as `GET /users/{userId}`.
    pub(crate) route_key: &'a str,
    pub(crate) path_parameters: BTreeMap<String, String>,
    pub(crate) parts: &'a Parts,
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
}

impl Incoming<'_> {
    /// Returns the event for the function. `authorizer` is the authorizer's context for the caller.
    pub(crate) fn for_function(&self, body: &Bytes, authorizer: Option<&Value>) -> Value {
        let mut event = self.common();
        event["isBase64Encoded"] = false.into();
        if !body.is_empty() {
            let text = text(&self.parts.headers, body);
            event["isBase64Encoded"] = text.is_none().into();
            event["body"] = text.map_or_else(|| STANDARD.encode(body), str::to_owned).into();
        }
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = json!({ "lambda": context });
        }
        event
    }

    /// Returns the event for the authorizer. `identity` identifies the caller.
    pub(crate) fn for_authorizer(&self, identity: &[String]) -> Value {
        let mut event = self.common();
        let (region, account) = (crate::REGION, crate::ACCOUNT);
        let (method, path) = (&self.parts.method, self.path());
        event["type"] = "REQUEST".into();
        event["routeArn"] =
            format!("arn:aws:execute-api:{region}:{account}:local/$default/{method}{path}").into();
        event["identitySource"] = identity.into();
        event
    }

    fn common(&self) -> Value {
        let query = self.parts.uri.query().unwrap_or_default();
        let now = Timestamp::now();
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": self.path(),
            "rawQueryString": query,
            "headers": self.headers(),
            "requestContext": {
                "accountId": crate::ACCOUNT,
                "apiId": "local",
                "domainName": self.server.to_string(),
                "domainPrefix": "local",
                "http": {
                    "method": self.parts.method.as_str(),
                    "path": self.path(),
                    "protocol": format!("{:?}", self.parts.version),
                    "sourceIp": self.client.ip().to_string(),
                    "userAgent": self.parts.headers.get(header::USER_AGENT)
                        .and_then(|agent| agent.to_str().ok())
                        .unwrap_or_default(),
                },
                "requestId": self.request_id,
                "routeKey": self.route_key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": now.as_millisecond(),
            },
        });
        // Like API Gateway, leave out what is empty.
        let cookies = self.parts.headers.get_all(header::COOKIE).iter();
        let cookies: Vec<_> = cookies
            .filter_map(|cookie| cookie.to_str().ok())
            .flat_map(|cookie| cookie.split("; "))
            .collect();
        if !cookies.is_empty() {
            event["cookies"] = cookies.into();
        }
        let parameters = joined(form_urlencoded::parse(query.as_bytes()).into_owned());
        if !parameters.is_empty() {
            event["queryStringParameters"] = json!(parameters);
        }
        if !self.path_parameters.is_empty() {
            event["pathParameters"] = json!(self.path_parameters);
        }
        event
    }

    /// Returns the path, decoded: that is how an HTTP API passes it, despite the name `rawPath`.
    fn path(&self) -> String {
        decoded(self.parts.uri.path())
    }

    fn headers(&self) -> BTreeMap<String, String> {
        let own = self.parts.headers.iter().filter(|(name, _)| *name != header::COOKIE);
        let own = own.map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let mut headers = joined(own);
        headers.insert("x-forwarded-for".into(), self.client.ip().to_string());
        headers.insert("x-forwarded-port".into(), self.server.port().to_string());
        headers.insert("x-forwarded-proto".into(), "http".into());
        headers
    }
}

pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Joins repeated values with commas.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in pairs {
        joined
            .entry(name)
            .and_modify(|values| *values = format!("{values},{value}"))
            .or_insert(value);
    }
    joined
}

/// Returns the body if API Gateway passes its type on as text.
fn text<'a>(headers: &HeaderMap, body: &'a Bytes) -> Option<&'a str> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let is_text = essence.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&&*essence);
    std::str::from_utf8(body).ok().filter(|_| is_text)
}
