//! Pages of a query.

use std::error::Error as StdError;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use tracing::error;

use crate::schema::{self, Item, ItemType, PK, SK};
use crate::{Error, Result};

/// Which page of a list to read.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<C> {
    /// The maximum number of items.
    pub limit: u32,
    /// The last item of the previous page; `None` for the first page.
    pub after: Option<C>,
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    /// In the list's order.
    pub items: Vec<T>,
    /// The number of items that were left out because they cannot be read.
    pub unreadable: usize,
    /// The `after` of the next page; `None` on the last page.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// The only page of an empty list.
    pub(crate) const fn empty() -> Self {
        Self { items: Vec::new(), unreadable: 0, next: None }
    }
}

/// Reads one page of `query`, starting after the item with the key `after`.
///
/// It requests one item more than the page holds, because only that tells whether there is a next
/// page: DynamoDB returns a `LastEvaluatedKey` even if nothing follows. If an answer was cut at
/// 1 MB before the page was full, it reads on.
///
/// An item that cannot be read, perhaps because it was edited by hand or written by a later version,
/// is left out and goes to the log: it must not hide all the others. Its place on the page stays
/// empty, so that a page costs the same however many there are. `cursor` takes an item's place from
/// its keys, which such an item still has; an item with other keys than the list's has no place.
pub(crate) async fn read<T: DeserializeOwned, C>(
    query: QueryFluentBuilder,
    kind: ItemType,
    request_limit: u32,
    after: Option<Item>,
    cursor: impl Fn(&Item) -> Option<C>,
) -> Result<Page<T, C>> {
    let limit = request_limit as usize;
    let mut found: Vec<(C, Item)> = Vec::with_capacity(limit + 1);
    let mut unreadable = 0;
    let mut start = after;
    loop {
        let missing = limit + 1 - found.len();
        let answer = query
            .clone()
            .limit(i32::try_from(missing).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        for item in answer.items.unwrap_or_default() {
            if let Some(place) = cursor(&item) {
                found.push((place, item));
            } else {
                unreadable += 1;
                log_misplaced(&item);
            }
        }
        start = answer.last_evaluated_key;
        if start.is_none() || found.len() > limit {
            break;
        }
    }
    let mut page = of(kind, request_limit, found);
    page.unreadable += unreadable;
    Ok(page)
}

/// Makes a page of what was found, with each item's place: of `limit` items, and one more if there is a
/// next page.
pub(crate) fn of<T: DeserializeOwned, C>(
    kind: ItemType,
    limit: u32,
    mut found: Vec<(C, Item)>,
) -> Page<T, C> {
    let limit = limit as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut page = Page { items: Vec::with_capacity(found.len()), unreadable: 0, next: None };
    for (place, mut item) in found {
        page.next = more.then_some(place);
        let keys = (item.remove(PK), item.remove(SK));
        match schema::entity(kind, item) {
            Ok(entity) => page.items.push(entity),
            Err(error) => {
                page.unreadable += 1;
                log_unreadable(keys.0.as_ref(), keys.1.as_ref(), &error);
            }
        }
    }
    page
}

/// Logs that an item is left out, because it has no place in the list.
pub(crate) fn log_misplaced(item: &Item) {
    let error = Error::Item("its keys are not those of the list".to_owned());
    log_unreadable(item.get(PK), item.get(SK), &error);
}

/// Logs that an item is left out.
pub(crate) fn log_unreadable(
    pk: Option<&AttributeValue>,
    sk: Option<&AttributeValue>,
    error: &Error,
) {
    let text = |key: Option<&AttributeValue>| key.and_then(|key| key.as_s().ok()).cloned();
    error!(
        item.pk = text(pk),
        item.sk = text(sk),
        error = error as &dyn StdError,
        "an item of a list cannot be read and was left out"
    );
}
