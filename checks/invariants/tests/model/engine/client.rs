//! Sends an operation to the shop.

use serde_json::json;
use storefront_invariants::Shop;
use storefront_testing::{Answer, Persona, Request};

use super::operation::Client;
use super::response::{Response, with_state, without_update_times};
use super::script::IfMatch;
use crate::entities::{Model, Operation};

/// Sends an operation to the shop for a client that knows the shop as it was when the step began.
/// Of a list, reads all pages or only the first.
pub(crate) async fn send(
    shop: &Shop,
    operation: &Operation,
    known: &Model,
    all_pages: bool,
) -> Response {
    let entity = operation.entity();
    if let Some(running) = entity.run(shop, known) {
        return running.await;
    }
    let user_id = entity.caller(known);
    let caller = Persona { user_id, role: known.token_role(user_id) };
    let request = |cursor: &str| entity.request(&Client { shop, known, caller, cursor });
    let answer = request("").send().await;
    if !entity.is_list() || answer.status != 200 {
        return Response::from(&answer);
    }
    let mut pages = vec![without_update_times(&answer.body["items"])];
    let mut cursor = next_cursor(&answer);
    while let Some(after) = cursor.take_if(|_| all_pages) {
        let answer = request(&format!("&cursor={after}")).send().await;
        if answer.status != 200 {
            return Response::from(&answer);
        }
        pages.push(without_update_times(&answer.body["items"]));
        cursor = next_cursor(&answer);
    }
    let body = json!({ "pages": pages, "hasMore": cursor.is_some() });
    Response { body, ..Response::from(&answer) }
}

fn next_cursor(answer: &Answer) -> Option<String> {
    answer.body["nextCursor"].as_str().map(ToOwned::to_owned)
}

/// Adds the `If-Match` header, given the current version as the client knows it.
pub(crate) fn with_if_match(request: Request, if_match: IfMatch, current: Option<u64>) -> Request {
    with_if_match_and_state(request, if_match, current, None)
}

/// Adds the `If-Match` header of a client that knows this version and this state.
pub(crate) fn with_if_match_and_state(
    request: Request,
    if_match: IfMatch,
    current: Option<u64>,
    state: Option<u64>,
) -> Request {
    match (if_match, if_match.version(current)) {
        (IfMatch::None, _) => request,
        (_, None) => request.header("if-match", "*"),
        (_, Some(version)) => {
            let etag = with_state(version.to_string(), state);
            request.header("if-match", &format!("\"{etag}\""))
        }
    }
}
