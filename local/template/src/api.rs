use std::time::Duration;

use crate::error::Error;
use crate::node::Node;
use crate::template::Template;

const API: &str = "AWS::Serverless::HttpApi";
/// The type of a function's event that is a route of the API.
pub(crate) const EVENT: &str = "HttpApi";

/// A route of the API and its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// In upper case, or `ANY`.
    pub method: String,
    /// With parameters in braces: `/orders/{orderId}`.
    pub path: String,
    /// The logical id of the function.
    pub function: String,
    /// Whether the API's authorizer is called first.
    pub authorized: bool,
}

/// The Lambda authorizer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of its function.
    pub function: String,
    /// The headers that identify a caller, in lower case. If one of them is missing, the request is
    /// rejected without calling the authorizer.
    pub identity_headers: Vec<String>,
    /// How long a decision is cached for the same identity. Zero means not at all.
    pub time_to_live: Duration,
}

/// The API's responses to a browser's preflight requests, and its additions to other responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins that may call; `*` for all.
    pub allow_origins: Vec<String>,
    /// Methods that they may use.
    pub allow_methods: Vec<String>,
    /// Request headers that they may send.
    pub allow_headers: Vec<String>,
    /// Response headers that they may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may cache this.
    pub max_age: Option<Duration>,
    /// Whether requests may include credentials, such as cookies.
    pub allow_credentials: bool,
}

impl Template {
    /// Returns the routes of all functions.
    pub fn routes(&self) -> Result<Vec<Route>, Error> {
        let default = self.auth()?.optional("DefaultAuthorizer").is_some();
        let events = self.events(EVENT)?.into_iter();
        events
            .map(|(function, event)| {
                let own = event.member("Auth").optional("Authorizer");
                Ok(Route {
                    method: event.member("Method").text()?.to_uppercase(),
                    path: event.member("Path").text()?.to_owned(),
                    function,
                    authorized: match own {
                        Some(name) => name.text()? != "NONE",
                        None => default,
                    },
                })
            })
            .collect()
    }

    /// Returns the authorizer, if the API has one.
    pub fn authorizer(&self) -> Result<Option<Authorizer>, Error> {
        let auth = self.auth()?;
        let Some(authorizers) = auth.optional("Authorizers") else {
            return Ok(None);
        };
        let authorizers = authorizers.members()?;
        let [(_, authorizer)] = authorizers.as_slice() else {
            return Err(auth.member("Authorizers").unexpected("exactly one authorizer"));
        };
        require_simple(authorizer)?;
        let identity = authorizer.member("Identity");
        let ttl = identity.optional("ReauthorizeEvery").map_or(Ok(0), |ttl| ttl.number())?;
        let headers = identity.member("Headers").texts()?;
        Ok(Some(Authorizer {
            function: authorizer.member("FunctionArn").resource()?,
            identity_headers: headers.iter().map(|name| name.to_lowercase()).collect(),
            time_to_live: Duration::from_secs(ttl.try_into().unwrap_or_default()),
        }))
    }

    /// Returns the CORS settings, if the API has any.
    pub fn cors(&self) -> Result<Option<Cors>, Error> {
        let (_, api) = self.the_resource(API)?;
        let properties = api.member("Properties");
        let Some(cors) = properties.optional("CorsConfiguration") else {
            return Ok(None);
        };
        let list = |name| cors.optional(name).map_or(Ok(Vec::new()), |node| node.texts());
        let max_age = cors.optional("MaxAge").map(|age| age.number()).transpose()?;
        Ok(Some(Cors {
            allow_origins: list("AllowOrigins")?,
            allow_methods: list("AllowMethods")?,
            allow_headers: list("AllowHeaders")?,
            expose_headers: list("ExposeHeaders")?,
            max_age: max_age.map(|age| Duration::from_secs(age.try_into().unwrap_or_default())),
            allow_credentials: match cors.optional("AllowCredentials") {
                Some(node) => node.flag()?,
                None => false,
            },
        }))
    }

    fn auth(&self) -> Result<Node<'_>, Error> {
        let (_, api) = self.the_resource(API)?;
        Ok(api.member("Properties").member("Auth"))
    }
}

/// Rejects authorizers with payload 1.0 or policy documents, which nothing here can call.
fn require_simple(authorizer: &Node<'_>) -> Result<(), Error> {
    let version = authorizer.member("AuthorizerPayloadFormatVersion");
    let version_is_two = match version.value() {
        serde_json::Value::String(text) => text == "2.0",
        value => value.as_f64() == Some(2.0),
    };
    if !version_is_two {
        return Err(version.unexpected("\"2.0\""));
    }
    let simple = authorizer.member("EnableSimpleResponses");
    if simple.flag()? { Ok(()) } else { Err(simple.unexpected("true")) }
}
