//! The problems of a route, as listed in its annotation.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::Value;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::ProblemCode;

/// The specific problems of a route. [`Conventions`](crate::openapi::Conventions) adds those that
/// come with its inputs (a body, a query, an access token…).
///
/// ```
/// use storefront_http::Problems;
/// use storefront_http::problems::{EmailTaken, TooManyLogins, UserNotFound};
///
/// #[utoipa::path(
///     put,
///     path = "/users/{userId}/email",
///     responses(
///         (status = 204, description = "The email is changed"),
///         Problems<(EmailTaken, TooManyLogins, UserNotFound)>,
///     )
/// )]
/// async fn change_email() {}
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Problems<L>(PhantomData<L>);

/// One of the types in [`problems`](crate::problems), or several as a tuple.
pub trait ProblemList {
    /// The codes of the problems.
    fn codes() -> Vec<ProblemCode>;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: ProblemList),*> ProblemList for ($($name,)*) {
            fn codes() -> Vec<ProblemCode> {
                [$($name::codes()),*].concat()
            }
        }
    };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

impl<L: ProblemList> IntoResponses for Problems<L> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses: BTreeMap<String, Response> = BTreeMap::new();
        for code in L::codes() {
            add(responses.entry(code.status().as_str().to_owned()).or_default(), code);
        }
        responses.into_iter().map(|(status, response)| (status, response.into())).collect()
    }
}

/// Carries a response's codes from its annotation to `Conventions`. It appears in no document.
const EXTENSION: &str = "x-problem-codes";

/// Adds a problem to a response of its status.
pub(crate) fn add(response: &mut Response, code: ProblemCode) {
    describe(response, &format!("`{code}`: {}", code.description()));
    let codes = response.extensions.get_or_insert_default().entry(EXTENSION.to_owned());
    if let Value::Array(codes) = codes.or_insert_with(|| Value::Array(Vec::new())) {
        codes.push(code.as_str().into());
    }
}

/// Adds a sentence to a response's description.
pub(crate) fn describe(response: &mut Response, sentence: &str) {
    if !response.description.is_empty() {
        response.description.push_str("; ");
    }
    response.description.push_str(sentence);
}

/// Takes the codes out of a response, in the order of the table.
pub(crate) fn take_codes(response: &mut Response) -> Vec<ProblemCode> {
    let mut extensions = response.extensions.take().unwrap_or_default();
    let codes = extensions.remove(EXTENSION).unwrap_or_default();
    response.extensions = Some(extensions).filter(|left| !left.is_empty());
    let has = |code: ProblemCode| {
        codes.as_array().is_some_and(|codes| codes.iter().any(|it| it == code.as_str()))
    };
    ProblemCode::ALL.iter().copied().filter(|code| has(*code)).collect()
}
