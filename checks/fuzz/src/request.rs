//! Generates requests that get past JSON parsing: events of API Gateway whose parts a client chose.

use arbitrary::Arbitrary;
use serde_json::{Value, json};

use crate::json::{Json, empty_passwords};

/// The id of Anna, the caller, who may be an administrator.
pub const ANNA: &str = "01930000-0000-7000-8000-00000000000a";
/// The id of a product, and of an order.
pub const ID: &str = "01930000-0000-7000-8000-000000000101";

#[derive(Arbitrary, Debug)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Path {
    Users,
    Sessions,
    Refresh,
    Session(Id),
    Verification,
    Verifications,
    PasswordResets,
    PasswordReset,
    Products,
    Orders,
    User(Id),
    Role(Id),
    Product(Id),
    Order(Id),
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Id {
    Known,
    Me,
    Bytes([u8; 16]),
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Query {
    None,
    Parameters(Vec<(Parameter, Text)>),
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Parameter {
    Limit,
    Cursor,
    Category,
    Email,
    From,
    To,
    UserId,
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Text {
    Anna,
    Number(i32),
    Time(i64),
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Header {
    Host,
    IfMatch,
    IdempotencyKey,
    UserAgent,
    ContentType,
    Authorization,
    ForwardedProto,
    Cookie,
    Other(String),
}

#[derive(Arbitrary, Debug)]
pub enum Body {
    None,
    Json(Json),
    Text(String),
    Bytes(Vec<u8>),
    NotBase64(String),
}

#[derive(Arbitrary, Debug)]
pub enum Caller {
    None,
    Customer,
    Admin,
    Other(Json),
}

/// A request that came through the gateway.
#[derive(Arbitrary, Debug)]
pub struct Request {
    pub method: Method,
    pub path: Path,
    pub query: Query,
    pub headers: Vec<(Header, String)>,
    pub cookies: Option<Vec<String>>,
    /// The address that the gateway saw.
    pub source: Option<String>,
    pub caller: Caller,
    pub body: Body,
}

impl Request {
    /// A request of an administrator, without query and headers.
    pub fn new(method: Method, path: Path, body: Value) -> Self {
        let body = Body::Json(Json(body));
        Self {
            method,
            path,
            query: Query::None,
            headers: Vec::new(),
            cookies: None,
            source: None,
            caller: Caller::Admin,
            body,
        }
    }

    /// Returns the gateway's event for the request.
    pub fn event(self) -> Value {
        let method = self.method.text();
        let path = self.path.text();
        let mut headers = json!({ "content-type": "application/json" });
        for (name, value) in self.headers {
            headers[name.text()] = value.into();
        }
        let mut event = json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": self.query.text(),
            "headers": headers,
            "requestContext": {
                "domainName": "api.example.com",
                "http": { "method": method, "path": path },
                "requestId": "JKJaXmPLvHcESHA=",
                "stage": "$default",
            },
        });
        if let Some(source) = self.source {
            event["requestContext"]["http"]["sourceIp"] = source.into();
        }
        if let Some(cookies) = self.cookies {
            event["cookies"] = cookies.into();
        }
        let caller = match self.caller {
            Caller::None => None,
            Caller::Customer => Some(json!({ "userId": ANNA, "role": "user" })),
            Caller::Admin => Some(json!({ "userId": ANNA, "role": "admin" })),
            Caller::Other(Json(context)) => context.is_object().then_some(context),
        };
        if let Some(caller) = caller {
            event["requestContext"]["authorizer"] = json!({ "lambda": caller });
        }
        let (is_base64_encoded, body) = self.body.text();
        event["isBase64Encoded"] = is_base64_encoded.into();
        event["body"] = body.into();
        event
    }
}

impl Method {
    fn text(self) -> String {
        match self {
            Self::Get => "GET".to_owned(),
            Self::Post => "POST".to_owned(),
            Self::Put => "PUT".to_owned(),
            Self::Patch => "PATCH".to_owned(),
            Self::Delete => "DELETE".to_owned(),
            Self::Other(text) => text,
        }
    }
}

impl Path {
    fn text(self) -> String {
        match self {
            Self::Users => "/users".to_owned(),
            Self::Sessions => "/sessions".to_owned(),
            Self::Refresh => "/sessions/refresh".to_owned(),
            Self::Session(id) => format!("/sessions/{}", id.text()),
            Self::Verification => "/users/me/verification".to_owned(),
            Self::Verifications => "/verifications".to_owned(),
            Self::PasswordResets => "/password-resets".to_owned(),
            Self::PasswordReset => "/password-resets/confirm".to_owned(),
            Self::Products => "/products".to_owned(),
            Self::Orders => "/orders".to_owned(),
            Self::User(id) => format!("/users/{}", id.text()),
            Self::Role(id) => format!("/users/{}/role", id.text()),
            Self::Product(id) => format!("/products/{}", id.text()),
            Self::Order(id) => format!("/orders/{}", id.text()),
            Self::Other(text) => text,
        }
    }
}

impl Id {
    fn text(self) -> String {
        match self {
            Self::Known => ID.to_owned(),
            Self::Me => "me".to_owned(),
            Self::Bytes(bytes) => uuid::Uuid::from_bytes(bytes).to_string(),
            Self::Other(text) => text,
        }
    }
}

impl Query {
    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Other(text) => text,
            Self::Parameters(parameters) => {
                let pair =
                    |(name, value): (Parameter, Text)| format!("{}={}", name.text(), value.text());
                parameters.into_iter().map(pair).collect::<Vec<_>>().join("&")
            }
        }
    }
}

impl Parameter {
    fn text(self) -> String {
        match self {
            Self::Limit => "limit".to_owned(),
            Self::Cursor => "cursor".to_owned(),
            Self::Category => "category".to_owned(),
            Self::Email => "email".to_owned(),
            Self::From => "from".to_owned(),
            Self::To => "to".to_owned(),
            Self::UserId => "userId".to_owned(),
            Self::Other(text) => text,
        }
    }
}

impl Text {
    fn text(self) -> String {
        match self {
            Self::Anna => ANNA.to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Time(millis) => storefront_core::Timestamp::from_millis(millis)
                .map_or_else(String::new, |time| time.to_string()),
            Self::Other(text) => text,
        }
    }
}

impl Header {
    fn text(self) -> String {
        match self {
            Self::Host => "host".to_owned(),
            Self::IfMatch => "if-match".to_owned(),
            Self::IdempotencyKey => "idempotency-key".to_owned(),
            Self::UserAgent => "user-agent".to_owned(),
            Self::ContentType => "content-type".to_owned(),
            Self::Authorization => "authorization".to_owned(),
            Self::ForwardedProto => "x-forwarded-proto".to_owned(),
            Self::Cookie => "cookie".to_owned(),
            Self::Other(text) => text,
        }
    }
}

impl Body {
    fn text(self) -> (bool, Option<String>) {
        use base64::Engine as _;
        match self {
            Self::None => (false, None),
            Self::Json(Json(mut value)) => {
                empty_passwords(&mut value);
                (false, Some(value.to_string()))
            }
            // If the text is JSON, it may have a password in ways that are hard to find.
            Self::Text(text) => (false, Some(text.replace("assword", ""))),
            Self::Bytes(bytes) => {
                (true, Some(base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
            Self::NotBase64(text) => (true, Some(text)),
        }
    }
}
