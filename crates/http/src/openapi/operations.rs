//! Kinds of operations, by their inputs and effects.

use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{HttpMethod, RefOr};

/// A kind of operation.
#[derive(Clone, Copy)]
pub(super) enum Operations {
    All,
    /// Operations that change something.
    Writing,
    /// Operations that need an access token.
    Secured,
    WithPathParameter,
    WithQuery,
    WithCursor,
    WithBody,
    WithHeaders,
    WithIfMatch,
}

impl Operations {
    pub(super) fn include(self, method: &HttpMethod, operation: &Operation) -> bool {
        let has_parameter = |is_wanted: fn(&ParameterIn, &str) -> bool| {
            operation.parameters.iter().flatten().any(|parameter| {
                matches!(parameter, RefOr::T(it) if is_wanted(&it.parameter_in, &it.name))
            })
        };
        match self {
            Self::All => true,
            Self::Writing => *method != HttpMethod::Get,
            Self::Secured => operation.security.is_some(),
            Self::WithPathParameter => has_parameter(|place, _| *place == ParameterIn::Path),
            Self::WithQuery => has_parameter(|place, _| *place == ParameterIn::Query),
            Self::WithCursor => has_parameter(|_, name| name == "cursor"),
            Self::WithBody => operation.request_body.is_some(),
            Self::WithHeaders => has_parameter(|place, _| *place == ParameterIn::Header),
            Self::WithIfMatch => has_parameter(|_, name| name == "If-Match"),
        }
    }
}

/// The operations of a path.
pub(super) fn of(path: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut path.get),
        (HttpMethod::Put, &mut path.put),
        (HttpMethod::Post, &mut path.post),
        (HttpMethod::Delete, &mut path.delete),
        (HttpMethod::Patch, &mut path.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
