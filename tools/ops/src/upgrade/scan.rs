use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use storefront_core::before_0_2::{self, OrderUpgrade, TextUpgrade};
use storefront_core::capacity::{self, Consumed};
use storefront_core::schema::{
    GSI1PK, GSI2PK, GSI2SK, Item, ItemType, METADATA, PK, SK, STOCK, TYPE, prefix,
};
use storefront_core::{Error as CoreError, ProductId, Result as CoreResult, Table, UserId};
use tokio::time::sleep;

use super::counts::{Counts, Left};
use super::pace::Pace;
use super::state::{Position, Progress};
use crate::error::Error;

/// The pauses before tries, each twice as long as the one before: two minutes in all. By then, auto
/// scaling has followed, or nobody else has bought the product for a moment.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(64);

/// What all segments share.
pub(super) struct Upgrader {
    client: Client,
    table: Table,
    table_name: String,
    pace: Pace,
    page_items: i32,
    dry_run: bool,
    progress: Mutex<Progress>,
}

/// A page of a segment.
struct Page {
    /// The items of any type that DynamoDB looked at.
    items: u64,
    /// The users, the products, the stock items and the orders among them. Of stock items, only keys
    /// count: what they and their products need is read together, and with strong consistency.
    found: Vec<(Key, Item)>,
    end: Position,
}

struct Key {
    pk: String,
    sk: String,
}

impl Upgrader {
    pub(super) fn new(
        client: Client,
        table_name: String,
        pace: Pace,
        page_items: NonZeroU16,
        dry_run: bool,
        progress: Progress,
    ) -> Self {
        let table = Table::new(client.clone(), &table_name);
        let page_items = page_items.get().into();
        let progress = Mutex::new(progress);
        Self { client, table, table_name, pace, page_items, dry_run, progress }
    }

    pub(super) fn counts(&self) -> Counts {
        self.progress().state().counts().clone()
    }

    /// Upgrades all products and orders of a segment.
    pub(super) async fn segment(&self, segment: usize) -> Result<(), Error> {
        loop {
            let position = self.progress().state().position(segment).clone();
            if position == Position::Done {
                return Ok(());
            }
            let page = self.read(segment, &position).await?;
            let mut counts = Counts { items: page.items, ..Counts::default() };
            let mut product = None;
            for (key, item) in page.found {
                let done = if key.is_order() {
                    counts.orders += 1;
                    self.order(item).await.map(|upgrade| counts.add_order(upgrade))
                } else if let Some(user) = key.user() {
                    counts.users += 1;
                    self.user(user, &item).await.map(|upgrade| counts.add_texts(upgrade))
                } else if key.sk == METADATA {
                    product = Some(key.pk.clone());
                    self.product(&key, &item, &mut counts).await
                } else if product.as_ref() == Some(&key.pk) {
                    continue;
                } else {
                    self.stock(&key).await.map(|orphan| counts.orphans += u64::from(orphan))
                };
                match done {
                    Ok(()) => {}
                    Err(
                        reason @ (CoreError::Item(_)
                        | CoreError::Contention
                        | CoreError::EmailTaken),
                    ) => {
                        let Key { pk, sk } = key;
                        counts.left.push(Left { pk, sk, reason: reason_of(&reason) });
                    }
                    Err(error) => return Err(self.failed(error)),
                }
            }
            self.progress().page_done(segment, page.end, counts)?;
        }
    }

    /// Reads the next page. What has been created in the last second may be missing; 0.2 moves that
    /// where it meets it, and so does the next run.
    async fn read(&self, segment: usize, position: &Position) -> Result<Page, Error> {
        let segments = self.progress().state().segments();
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let string = |text: &str| AttributeValue::S(text.to_owned());
        let start = match position {
            Position::After { pk, sk } => {
                Some(Item::from([(PK.to_owned(), string(pk)), (SK.to_owned(), string(sk))]))
            }
            Position::Start | Position::Done => None,
        };
        let names = attributes();
        let projection = names.keys().cloned().collect::<Vec<_>>().join(", ");
        let scan = self
            .client
            .scan()
            .table_name(&self.table_name)
            .segment(number(segment))
            .total_segments(number(segments))
            .limit(self.page_items)
            .set_exclusive_start_key(start)
            .filter_expression(
                "SK IN (:metadata, :stock) AND begins_with(PK, :product) \
                 OR (begins_with(SK, :order) OR SK = :metadata) AND begins_with(PK, :user)",
            )
            .projection_expression(projection)
            .set_expression_attribute_names(Some(names))
            .expression_attribute_values(":order", string(prefix::ORDER))
            .expression_attribute_values(":user", string(prefix::USER))
            .expression_attribute_values(":metadata", string(METADATA))
            .expression_attribute_values(":stock", string(STOCK))
            .expression_attribute_values(":product", string(prefix::PRODUCT))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        self.pace.wait().await;
        let answer = patiently(|| async { Ok(scan.clone().send().await?) }).await;
        let answer = answer.map_err(|error| self.failed(error))?;
        let consumed = answer.consumed_capacity().and_then(|table| table.capacity_units);
        let read_units = consumed.unwrap_or_default();
        self.pace.consumed(Consumed { read_units, ..Consumed::default() });
        let end = match answer.last_evaluated_key().and_then(Key::of) {
            Some(Key { pk, sk }) => Position::After { pk, sk },
            None => Position::Done,
        };
        let items = u64::try_from(answer.scanned_count()).unwrap_or_default();
        let found = answer.items.unwrap_or_default();
        let found = found.into_iter().filter_map(|item| Some((Key::of(&item)?, item))).collect();
        Ok(Page { items, found, end })
    }

    /// Upgrades an order. What the scan has read suffices: if it is not the order's state any more, the
    /// write is refused, and tells that state.
    async fn order(&self, item: Item) -> CoreResult<OrderUpgrade> {
        let needed = before_0_2::needed_by_order(&item)?;
        if self.dry_run || needed == OrderUpgrade::default() {
            return Ok(needed);
        }
        self.paced(|| before_0_2::upgrade_order(&self.table, item.clone())).await
    }

    async fn user(&self, id: UserId, item: &Item) -> CoreResult<TextUpgrade> {
        self.paced(|| async {
            if self.dry_run {
                before_0_2::needed_by_user(&self.table, id, item).await
            } else {
                before_0_2::upgrade_user(&self.table, id, item).await
            }
        })
        .await
    }

    /// Upgrades a product: first its texts, which its stock items have copies of. It may have been
    /// deleted since it was read.
    async fn product(&self, key: &Key, item: &Item, counts: &mut Counts) -> CoreResult<()> {
        let id = key.product();
        let id = id.ok_or_else(|| CoreError::Item("its key has no product id".to_owned()))?;
        let texts = self.paced(|| async {
            if self.dry_run {
                before_0_2::needed_by_product_texts(id, item)
            } else {
                before_0_2::upgrade_product_texts(&self.table, id, item).await
            }
        });
        let texts = texts.await;
        let upgrade = self.paced(|| async {
            if self.dry_run {
                before_0_2::needed_by(&self.table, id).await
            } else {
                before_0_2::upgrade(&self.table, id).await
            }
        });
        let upgrade = upgrade.await?;
        // A product whose texts cannot be upgraded is sold nevertheless.
        counts.add_texts(texts?);
        counts.add(upgrade);
        Ok(())
    }

    /// Returns whether the stock was left without its product, given the key of its first item.
    async fn stock(&self, key: &Key) -> CoreResult<bool> {
        let Some(id) = key.product() else { return Ok(false) };
        self.paced(|| async {
            if self.dry_run {
                before_0_2::is_orphan(&self.table, id).await
            } else {
                before_0_2::delete_orphan(&self.table, id).await
            }
        })
        .await
    }

    async fn paced<T, F, Fut>(&self, work: F) -> CoreResult<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = CoreResult<T>>,
    {
        self.pace.wait().await;
        let (result, consumed) = capacity::measure(patiently(work)).await;
        self.pace.consumed(consumed);
        result
    }

    fn failed(&self, source: CoreError) -> Error {
        Error::Upgrade { table: self.table_name.clone(), source }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn of(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }

    fn is_order(&self) -> bool {
        self.pk.starts_with(prefix::USER) && self.sk.starts_with(prefix::ORDER)
    }

    /// The user whose item this is.
    fn user(&self) -> Option<UserId> {
        (self.sk == METADATA).then(|| self.pk.strip_prefix(prefix::USER)?.parse().ok()).flatten()
    }

    /// The product whose partition this is. A further stock item has a partition of its own.
    fn product(&self) -> Option<ProductId> {
        self.pk.strip_prefix(prefix::PRODUCT)?.parse().ok()
    }
}

/// The texts of users and products, and the key of a category.
const TEXTS: [&str; 5] = ["email", "name", "description", "category", GSI1PK];

/// Returns the names of all attributes of an order, and of the texts, by their placeholders.
fn attributes() -> HashMap<String, String> {
    let attributes = ItemType::Order.layout().attributes.iter().copied();
    let names = [PK, SK, GSI2PK, GSI2SK, TYPE].into_iter().chain(TEXTS).chain(attributes);
    names.map(|name| (format!("#{name}"), name.to_owned())).collect()
}

const OTHER_SPELLING: &str = "another user has its email in another spelling; give one of the two \
                              another email, or delete it";

/// Returns why something is left, and what to do about it.
fn reason_of(error: &CoreError) -> String {
    match error {
        CoreError::EmailTaken => OTHER_SPELLING.to_owned(),
        other => other.to_string(),
    }
}

/// Tries again what DynamoDB throttled or could not do even after the SDK's retries, and what
/// conflicted with every other write of a moment.
async fn patiently<T, F, Fut>(mut work: F) -> CoreResult<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = CoreResult<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match work().await {
            Err(CoreError::Unavailable(_) | CoreError::Contention) if pause <= LAST_PAUSE => {
                sleep(pause).await;
                pause *= 2;
            }
            result => return result,
        }
    }
}
