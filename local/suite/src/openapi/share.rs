//! Shares responses between operations.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Response};

/// Moves error responses that several operations describe in the same words to the components.
pub(crate) fn share_responses(document: &mut OpenApi) {
    let mut shared: Vec<(String, Response)> = Vec::new();
    let mut found: Vec<(String, Response)> = Vec::new();
    for path in document.paths.paths.values_mut() {
        for operation in operations(path) {
            for (status, response) in failures(operation) {
                let seen = |list: &[(String, Response)]| {
                    list.iter().any(|(of, other)| of == status && other == response)
                };
                if seen(&found) && !seen(&shared) {
                    shared.push((status.clone(), response.clone()));
                }
                found.push((status.clone(), response.clone()));
            }
        }
    }
    let mut names = BTreeMap::new();
    for (status, response) in shared {
        let number = names.entry(status.clone()).and_modify(|count| *count += 1).or_insert(1);
        let name = if *number == 1 {
            format!("Status{status}")
        } else {
            format!("Status{status}-{number}")
        };
        for path in document.paths.paths.values_mut() {
            for operation in operations(path) {
                for answer in operation.responses.responses.values_mut() {
                    if matches!(answer, RefOr::T(other) if *other == response) {
                        *answer = RefOr::Ref(Ref::from_response_name(&name));
                    }
                }
            }
        }
        let components = document.components.get_or_insert_with(Components::new);
        components.responses.insert(name, response.into());
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch]
        .into_iter()
        .flatten()
}

fn failures(operation: &Operation) -> impl Iterator<Item = (&String, &Response)> {
    operation.responses.responses.iter().filter_map(|(status, response)| match response {
        RefOr::T(response) if status.starts_with(['4', '5']) => Some((status, response)),
        _ => None,
    })
}
