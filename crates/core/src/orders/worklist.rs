//! The orders that staff have something to do with, whosever they are, oldest first.
//!
//! They are in the index `GSI2`, each list spread over a constant number of shards, because all orders
//! of a shop that sells fast are written to the same list. A page merges the shards.

use std::collections::VecDeque;

use futures_util::future::try_join_all;

use super::{CreatedBetween, Order, Orders, Worklist};
use crate::change::string;
use crate::schema::{self, GSI2, GSI2SK, Item, ItemType, WORKLIST_SHARDS, WorklistKey};
use crate::{Error, OrderId, Page, PageRequest, Result, page};

impl Orders {
    /// Lists the orders that are in a worklist, oldest first, without their items and addresses. The
    /// index may be a moment old.
    pub async fn worklist(
        &self,
        list: Worklist,
        created: CreatedBetween,
        request: PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>> {
        let range = schema::worklist_sort_keys(created, request.after);
        if range.0 > range.1 {
            // DynamoDB rejects such a range; for the caller it is a range without orders.
            return Ok(Page::empty());
        }
        let wanted = request.limit as usize + 1;
        let mut shards: Vec<Shard> =
            (0..WORKLIST_SHARDS).map(|number| Shard::new(list, number, &range)).collect();
        // Orders are spread evenly by chance, so some more than a shard's share are mostly enough.
        let share = wanted.div_ceil(WORKLIST_SHARDS.into());
        let at_once = i32::try_from(share + 4).unwrap_or(i32::MAX);
        let mut found = Vec::with_capacity(wanted);
        let mut unreadable = 0;
        while found.len() < wanted {
            unreadable += self.fill(&mut shards, at_once).await?;
            let oldest = shards
                .iter_mut()
                .filter(|shard| !shard.read.is_empty())
                .min_by(|a, b| a.read[0].0.cmp(&b.read[0].0));
            let Some((_, id, item)) = oldest.and_then(|shard| shard.read.pop_front()) else {
                break;
            };
            found.push((id, item));
        }
        let mut page = page::of(ItemType::Order, request.limit, found);
        page.unreadable += unreadable;
        Ok(page)
    }

    /// Reads on in all shards of which nothing is left to merge, at once. Returns how many of the items
    /// have no place in the list.
    async fn fill(&self, shards: &mut [Shard], at_once: i32) -> Result<usize> {
        let empty = shards.iter_mut().filter(|shard| shard.read.is_empty() && !shard.is_done);
        let reads = empty.map(|shard| async {
            let (items, start) = self.read_shard(shard, at_once).await?;
            shard.is_done = start.is_none();
            shard.start = start;
            let mut misplaced = 0;
            for item in items {
                if let Some((sort_key, id)) = place(&item) {
                    shard.read.push_back((sort_key, id, item));
                } else {
                    misplaced += 1;
                    page::log_misplaced(&item);
                }
            }
            Ok::<_, Error>(misplaced)
        });
        let misplaced = try_join_all(reads).await?;
        Ok(misplaced.into_iter().sum())
    }

    async fn read_shard(&self, shard: &Shard, at_once: i32) -> Result<(Vec<Item>, Option<Item>)> {
        let (first, last) = &shard.range;
        let answer = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(GSI2)
            .key_condition_expression("GSI2PK = :list AND GSI2SK BETWEEN :first AND :last")
            .expression_attribute_values(":list", string(&shard.partition))
            .expression_attribute_values(":first", string(first))
            .expression_attribute_values(":last", string(last))
            .limit(at_once)
            .set_exclusive_start_key(shard.start.clone())
            .send()
            .await?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

/// A shard of a list, as far as it was read.
struct Shard {
    partition: String,
    range: (String, String),
    /// What was read and not merged yet: the sort key in the index, the order's id, the item.
    read: VecDeque<(String, OrderId, Item)>,
    /// Where to read on.
    start: Option<Item>,
    is_done: bool,
}

impl Shard {
    fn new(list: Worklist, number: u8, range: &(String, String)) -> Self {
        Self {
            partition: schema::worklist_partition(list, number),
            range: range.clone(),
            read: VecDeque::new(),
            start: None,
            is_done: false,
        }
    }
}

/// Returns an order's place in its list, and its id, from the item's keys.
fn place(item: &Item) -> Option<(String, OrderId)> {
    let id = schema::order_of(item)?;
    let sort_key = item.get(GSI2SK)?.as_s().ok()?;
    (*sort_key == WorklistKey::sort_key(id)).then(|| (sort_key.clone(), id))
}
