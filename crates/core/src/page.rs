//! Pages of a query.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::schema::{self, Item, ItemType};

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
    /// The `after` of the next page; `None` on the last page.
    pub next: Option<C>,
}

/// Reads one page of `query`, starting after the item with the key `after`.
///
/// It requests one item more than the page holds, because only that tells whether there is a next
/// page: DynamoDB returns a `LastEvaluatedKey` even if nothing follows. If an answer was cut at
/// 1 MB before the page was full, it reads on.
pub(crate) async fn read<T: DeserializeOwned, C>(
    query: QueryFluentBuilder,
    kind: ItemType,
    limit: u32,
    after: Option<Item>,
    cursor: impl Fn(&T) -> C,
) -> Result<Page<T, C>> {
    let limit = limit as usize;
    let mut items: Vec<T> = Vec::with_capacity(limit + 1);
    let mut start = after;
    loop {
        let missing = limit + 1 - items.len();
        let answer = query
            .clone()
            .limit(i32::try_from(missing).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        for item in answer.items.unwrap_or_default() {
            items.push(schema::entity(kind, item)?);
        }
        start = answer.last_evaluated_key;
        if start.is_none() || items.len() > limit {
            break;
        }
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(cursor) } else { None };
    Ok(Page { items, next })
}
