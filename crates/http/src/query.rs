use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Problem;
use crate::body::field_named_in;

/// The query's parameters, typed.
///
/// A parameter that is unknown (with `deny_unknown_fields`), missing, repeated or invalid, for
/// example not UTF-8, gives a 400 that names it. If a misspelt filter were ignored, the client
/// would get something other than what it asked for.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    // Bytes that are not UTF-8 are read as this character, so the query would look for something
    // that nobody meant. Nobody means the character itself, either.
    let is_odd = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if let Some((name, _)) =
        form_urlencoded(query).find(|(name, value)| is_odd(name) || is_odd(value))
    {
        return Err(Problem::invalid_query(name, "must be UTF-8, without U+FFFD"));
    }
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded(query));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let detail = error.inner().to_string();
        let parameter =
            field_named_in(&detail).map_or_else(|| error.path().to_string(), ToOwned::to_owned);
        match parameter.as_str() {
            "cursor" => Problem::invalid_cursor(),
            _ => Problem::invalid_query(parameter, detail),
        }
    })
}

fn form_urlencoded(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}
