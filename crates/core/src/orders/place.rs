//! Placing an order: one read of the products and the user, then one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use fastrand::Rng;
use serde::Serialize;

use super::draft::Draft;
use super::take::{Next, Takes};
use crate::before_0_2::{self, idempotency::ORDER_ID};
use crate::change::string;
use crate::idempotency::Once;
use crate::schema::{self, Item, ItemType, Key};
use crate::stock::StockItem;
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{
    Address, Error, IdempotencyKey, OrderAccess, OrderId, OrderWithItems, Orders, ProductId,
    RequestId, Result, Timestamp, UserId, retry, stock,
};

/// The maximum number of items in an order. A transaction holds 100 actions: the order, two for
/// each item, and the idempotency record.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_ORDER_ITEMS: usize = 48;

/// The maximum quantity of one product in an order.
pub const MAX_QUANTITY: u32 = 999;

/// The attributes of idempotency records.
const RECORD: [&str; 4] = ["resultId", "requestHash", "expiresAt", ORDER_ID];

/// A new order.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The new order's id.
    pub id: OrderId,
    /// The user who places it.
    pub user_id: UserId,
    /// A product may be named more than once.
    pub items: Vec<NewOrderItem>,
    /// Where it is sent, if anywhere.
    pub shipping_address: Option<Address>,
    /// The total that the customer has seen, in the currency's minor unit. Nothing is written if
    /// the order's total is another.
    pub expected_total: Option<u64>,
    /// The client's idempotency key, if any.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The request that places it, if known.
    pub request_id: Option<RequestId>,
}

/// A product and its quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewOrderItem {
    pub product_id: ProductId,
    pub quantity: u32,
}

impl NewOrder {
    /// A new order of these items, and nothing else.
    #[must_use]
    pub fn new(user_id: UserId, items: Vec<NewOrderItem>) -> Self {
        Self {
            id: OrderId::new(),
            user_id,
            items,
            shipping_address: None,
            expected_total: None,
            idempotency_key: None,
            request_id: None,
        }
    }
}

impl Orders {
    /// Places an order at the products' current prices, and takes their stock. The user must still
    /// exist ([`Error::CallerNotFound`]).
    ///
    /// The first read may be a moment old; the transaction's conditions make sure that it writes
    /// what is true. If the first read would reject the order, a second, strongly consistent one
    /// decides. As long as a name, a price or a stock changes between read and transaction, they
    /// are read again. Only two things are no conditions. The user's existence would cost two more write
    /// units: an order that is placed at the moment its user is deleted may get through. And of orders
    /// that a user places at the same time, more may get through than the rules allow
    /// ([`Error::TooManyOpenOrders`]).
    pub async fn place(&self, new: NewOrder) -> Result<Once<OrderWithItems>> {
        let draft = Draft::new(new)?;
        match self.try_to_place(&draft, Consistency::Eventual).await? {
            Attempt::Placed(placed) => return Ok(*placed),
            Attempt::Refused(Refusal::Certain(error)) => {
                return self.unless_placed(&draft, error).await;
            }
            Attempt::Refused(Refusal::Seen(_)) | Attempt::Outdated => {}
        }
        retry::while_outdated(|| async {
            match self.try_to_place(&draft, Consistency::Strong).await? {
                Attempt::Placed(placed) => Ok(Some(*placed)),
                Attempt::Refused(Refusal::Seen(error) | Refusal::Certain(error)) => {
                    self.unless_placed(&draft, error).await.map(Some)
                }
                Attempt::Outdated => Ok(None),
            }
        })
        .await
    }

    /// Returns the order that the same key has placed meanwhile, or the rejection. The reason for
    /// the rejection may be that very order: it took the last of the stock.
    async fn unless_placed(&self, draft: &Draft, refusal: Error) -> Result<Once<OrderWithItems>> {
        let Some(request) = draft.keyed.as_ref().filter(|_| refusal.may_be_of_earlier()) else {
            return Err(refusal);
        };
        match request.earlier_now(&self.table).await? {
            Some(order_id) => self.replay(draft, order_id).await,
            None => Err(refusal),
        }
    }

    async fn try_to_place(&self, draft: &Draft, consistency: Consistency) -> Result<Attempt> {
        let now = Timestamp::now();
        let (seen, room) = tokio::join!(
            self.look(draft, consistency),
            self.expect_room(draft.user_id, consistency)
        );
        let seen = seen?;
        if !seen.user {
            return Ok(Attempt::Refused(Refusal::Seen(Error::CallerNotFound)));
        }
        for record in seen.records {
            if let Some(order_id) = draft.earlier_order(record, now)? {
                return self.replay(draft, order_id).await.map(Attempt::placed);
            }
        }
        match room {
            Ok(()) => {}
            Err(refusal @ Error::TooManyOpenOrders { .. }) => {
                return Ok(Attempt::Refused(Refusal::Seen(refusal)));
            }
            Err(failure) => return Err(failure),
        }
        match draft.price(&seen.stock, self.rules) {
            Ok(order) => self.write(draft, order, &seen.stock).await,
            Err(Error::UnknownProducts(unknown)) if consistency == Consistency::Strong => {
                let mut moved = false;
                for id in &unknown {
                    moved |= before_0_2::move_stock(&self.table, *id).await?;
                }
                Ok(if moved {
                    Attempt::Outdated
                } else {
                    Attempt::Refused(Refusal::Seen(Error::UnknownProducts(unknown)))
                })
            }
            Err(refusal) => Ok(Attempt::Refused(Refusal::Seen(refusal))),
        }
    }

    /// Reads the products' first stock items, the user and the idempotency record in one request.
    async fn look(&self, draft: &Draft, consistency: Consistency) -> Result<Seen> {
        let mut keys: Vec<Item> =
            draft.items.iter().map(|item| Key::stock(item.product_id, 0).into()).collect();
        keys.push(Key::user(draft.user_id).into());
        if let Some(request) = &draft.keyed {
            keys.push(request.record_key().into());
            keys.push(before_0_2::idempotency::record_key(request).into());
        }
        // A batch reads the same attributes of all its items. The user's email and password hash are
        // not among them.
        let attributes = [&stock::ATTRIBUTES[..], &RECORD].concat();
        let mut seen = Seen { user: false, stock: HashMap::new(), records: Vec::new() };
        for item in self.table.batch_get(keys, &attributes, consistency).await? {
            let is = |kind: ItemType| item.get(schema::TYPE) == Some(&string(kind.as_str()));
            if is(ItemType::User) {
                seen.user = true;
            } else if is(ItemType::Idempotency) {
                seen.records.push(item);
            } else {
                let first: StockItem = schema::entity(ItemType::Stock, item)?;
                seen.stock.insert(first.product_id, first);
            }
        }
        Ok(seen)
    }

    /// Writes the order: tries other stock items of products that are spread until it is placed, or
    /// cannot be.
    async fn write(
        &self,
        draft: &Draft,
        mut order: OrderWithItems,
        stock: &HashMap<ProductId, StockItem>,
    ) -> Result<Attempt> {
        let mut takes = Takes::new(&order.items, stock, &mut Rng::new())?;
        let mut pauses = retry::pauses();
        let mut next = takes.look_ahead(&self.table).await?;
        loop {
            match next {
                Next::Now => {}
                Next::AfterPause => {
                    tokio::time::sleep(pauses.next().ok_or(Error::Contention)?).await;
                }
                Next::Outdated => return Ok(Attempt::Outdated),
                Next::Short(shortages) => {
                    let refusal = Error::OutOfStock(shortages);
                    return Ok(Attempt::Refused(Refusal::Certain(refusal)));
                }
            }
            let now = Timestamp::now();
            takes.note(&mut order.items);
            let actions = self.actions(draft, &order, &takes, now)?;
            let first_take = 1 + order.items.len();
            let record = first_take + order.items.len();
            next = match transaction::attempt(&self.table, actions).await? {
                transaction::Attempt::Decided(Outcome::Written) => {
                    return Ok(Attempt::placed(Once { value: order, replayed: false }));
                }
                transaction::Attempt::Conflict(actions) => takes.after_conflict(
                    actions.into_iter().map(|action| action.checked_sub(first_take)),
                ),
                // The idempotency record comes first, because an order that was already placed is
                // the answer, whatever happened to its products since.
                transaction::Attempt::Decided(Outcome::Cancelled(mut failed)) => {
                    if let Some(Some(item)) = failed.remove(&record)
                        && let Some(order_id) = draft.earlier_order(item, now)?
                    {
                        return self.replay(draft, order_id).await.map(Attempt::placed);
                    }
                    let failed = failed
                        .into_iter()
                        .map(|(action, found)| (action.checked_sub(first_take), found));
                    takes.after_failure(&self.table, failed).await?
                }
            };
        }
    }

    /// Builds the transaction: the order, its items, what each takes, the idempotency record.
    fn actions(
        &self,
        draft: &Draft,
        order: &OrderWithItems,
        takes: &Takes<'_>,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let puts = order.to_items()?.into_iter().map(|item| self.table.put_new(item));
        let mut actions = puts.collect::<Result<Vec<_>>>()?;
        actions.extend(takes.actions(&self.table)?);
        if let Some(request) = &draft.keyed {
            actions.push(request.action(&self.table, draft.id, now)?);
        }
        Ok(actions)
    }

    /// Returns the order that was placed with this key before.
    async fn replay(&self, draft: &Draft, order_id: OrderId) -> Result<Once<OrderWithItems>> {
        let access = OrderAccess::OwnedBy(draft.user_id);
        let value = self.find(access, order_id).await?.ok_or(Error::OrderNotFound)?;
        Ok(Once { value, replayed: true })
    }
}

/// The outcome of one try to place an order.
enum Attempt {
    Placed(Box<Once<OrderWithItems>>),
    Refused(Refusal),
    /// The products changed between read and transaction.
    Outdated,
}

impl Attempt {
    fn placed(placed: Once<OrderWithItems>) -> Self {
        Self::Placed(Box::new(placed))
    }
}

/// Why the shop's rules reject an order.
enum Refusal {
    /// As far as the first read could see.
    Seen(Error),
    /// By what a transaction or a strongly consistent read has found.
    Certain(Error),
}

/// What [`Orders::look`] found.
struct Seen {
    /// Whether the user exists.
    user: bool,
    /// The first stock item of each product.
    stock: HashMap<ProductId, StockItem>,
    /// The idempotency records of the request's key.
    records: Vec<Item>,
}
