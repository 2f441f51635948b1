//! Placing an order: one read of the products and the user, then one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use serde::Deserialize;

use super::idempotency::{IdempotencyRecord, request_hash};
use super::total;
use crate::change::{Change, number, string};
use crate::schema::{self, Item, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, FailedConditions, Outcome};
use crate::{
    Currency, CurrentTotal, Error, IdempotencyKey, MAX_TOTAL, Order, OrderAccess, OrderId,
    OrderItem, OrderStatus, OrderWithItems, Orders, ProductId, RequestId, Result, Shortage,
    Timestamp, UserId, retry,
};

/// The maximum number of items in an order. A transaction holds 100 actions: the order, two for
/// each item, and the idempotency record.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_ORDER_ITEMS: usize = 48;

/// The maximum quantity of one product in an order.
pub const MAX_QUANTITY: u32 = 999;

/// The attributes to read: those of products in [`Priced`], and those of idempotency records. A
/// batch reads the same attributes of all its items. The user's email and password hash are not
/// among them, so they are not read.
const LOOKED_AT: [&str; 8] =
    ["id", "name", "price", "currency", "stock", "orderId", "requestHash", "expiresAt"];

/// A new order.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The new order's id.
    pub id: OrderId,
    /// The user who places it.
    pub user_id: UserId,
    /// A product may be named more than once.
    pub items: Vec<NewOrderItem>,
    /// The total that the customer has seen, in the currency's minor unit. Nothing is written if
    /// the order's total is another.
    pub expected_total: Option<u64>,
    /// The client's idempotency key, if any.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The request that places it, if known.
    pub request_id: Option<RequestId>,
}

/// A product and its quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewOrderItem {
    pub product_id: ProductId,
    pub quantity: u32,
}

/// A placed order.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The order in its current state.
    pub order: OrderWithItems,
    /// Whether the same idempotency key had placed it before, and so nothing was written.
    pub replayed: bool,
}

impl Orders {
    /// Places an order at the products' current prices, and takes their stock. The user must still
    /// exist ([`Error::CallerNotFound`]).
    ///
    /// The first read may be a moment old; the transaction's conditions make sure that it writes
    /// what is true. If the first read would reject the order, a second, strongly consistent one
    /// decides. As long as a name, a price or a stock changes between read and transaction, they
    /// are read again. Only the user's existence is not a condition, which would cost two more
    /// write units: an order that is placed at the moment its user is deleted may get through.
    pub async fn place(&self, new: NewOrder) -> Result<Placed> {
        let draft = Draft::new(new)?;
        match self.try_to_place(&draft, Consistency::Eventual).await? {
            Attempt::Placed(placed) => return Ok(placed),
            Attempt::Refused(_) | Attempt::Outdated => {}
        }
        retry::while_outdated(|| async {
            match self.try_to_place(&draft, Consistency::Strong).await? {
                Attempt::Placed(placed) => Ok(Some(placed)),
                Attempt::Refused(error) => self.unless_placed(&draft, error).await.map(Some),
                Attempt::Outdated => Ok(None),
            }
        })
        .await
    }

    /// Returns the order that the same key has placed meanwhile, or the rejection. The reason for
    /// the rejection may be that very order: it took the last of the stock.
    async fn unless_placed(&self, draft: &Draft, refusal: Error) -> Result<Placed> {
        let by_products = matches!(
            refusal,
            Error::OutOfStock(_)
                | Error::UnknownProducts(_)
                | Error::MixedCurrencies(_)
                | Error::TotalTooLarge { .. }
                | Error::TotalChanged(_)
        );
        let Some(key) = draft.idempotency_key.as_ref().filter(|_| by_products) else {
            return Err(refusal);
        };
        let key = Key::idempotency(draft.user_id, key);
        let record: Option<IdempotencyRecord> =
            self.table.get(ItemType::Idempotency, key, Consistency::Strong).await?;
        match record.filter(|record| record.is_live(Timestamp::now())) {
            Some(record) => self.replay(draft, &record).await,
            None => Err(refusal),
        }
    }

    async fn try_to_place(&self, draft: &Draft, consistency: Consistency) -> Result<Attempt> {
        let now = Timestamp::now();
        let seen = self.look(draft, consistency).await?;
        if !seen.user {
            return Ok(Attempt::Refused(Error::CallerNotFound));
        }
        if let Some(record) = seen.record.filter(|record| record.is_live(now)) {
            return self.replay(draft, &record).await.map(Attempt::Placed);
        }
        let order = match draft.price(&seen.products) {
            Ok(order) => order,
            Err(refusal) => return Ok(Attempt::Refused(refusal)),
        };
        let actions = self.actions(draft, &order, &seen.products, now)?;
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => Ok(Attempt::Placed(Placed { order, replayed: false })),
            Outcome::Cancelled(failed) => self.why_cancelled(draft, &order, failed, now).await,
        }
    }

    /// Reads the products, the user and the idempotency record in one request.
    async fn look(&self, draft: &Draft, consistency: Consistency) -> Result<Seen> {
        let mut keys: Vec<Item> =
            draft.items.iter().map(|item| Key::product(item.product_id).into()).collect();
        keys.push(Key::user(draft.user_id).into());
        if let Some(key) = &draft.idempotency_key {
            keys.push(Key::idempotency(draft.user_id, key).into());
        }
        let mut seen = Seen { user: false, products: HashMap::new(), record: None };
        for item in self.table.batch_get(keys, &LOOKED_AT, consistency).await? {
            let is = |kind: ItemType| item.get(schema::TYPE) == Some(&string(kind.as_str()));
            if is(ItemType::User) {
                seen.user = true;
            } else if is(ItemType::Idempotency) {
                seen.record = Some(schema::entity(ItemType::Idempotency, item)?);
            } else {
                let product: Priced = schema::entity(ItemType::Product, item)?;
                seen.products.insert(product.id, product);
            }
        }
        Ok(seen)
    }

    /// Builds the transaction: the order, its items, each product's stock, the idempotency record.
    fn actions(
        &self,
        draft: &Draft,
        placed: &OrderWithItems,
        products: &HashMap<ProductId, Priced>,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let puts = placed.to_items()?.into_iter().map(|item| self.table.put_new(item));
        let mut actions = puts.collect::<Result<Vec<_>>>()?;
        for item in &placed.items {
            let product = &products[&item.product_id];
            actions.push(match product.stock {
                Some(_) => Change::at(now)
                    .take("stock", u64::from(item.quantity))
                    .require("name", string(&product.name))
                    .require("price", number(product.price))
                    .require("currency", string(product.currency.code()))
                    .into_action(&self.table, Key::product(product.id))?,
                None => self.still_unlimited(product)?,
            });
        }
        if let Some(key) = &draft.idempotency_key {
            let record = IdempotencyRecord::new(draft.id, draft.request_hash.clone(), now);
            actions.push(record.into_action(&self.table, draft.user_id, key, now)?);
        }
        Ok(actions)
    }

    /// Checks a product without a stock count, and writes nothing to it.
    fn still_unlimited(&self, product: &Priced) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.table.name)
            .set_key(Some(Key::product(product.id).into()))
            .condition_expression(
                "attribute_exists(PK) AND (attribute_not_exists(stock) OR stock = :null) \
                 AND #name = :name AND price = :price AND currency = :currency",
            )
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", string(&product.name))
            // Document clients in JavaScript write an absent value as NULL.
            .expression_attribute_values(":null", AttributeValue::Null(true))
            .expression_attribute_values(":price", number(product.price))
            .expression_attribute_values(":currency", string(product.currency.code()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Interprets the failed conditions. The idempotency record's comes first, because an order
    /// that was already placed is the answer, whatever happened to its products since.
    async fn why_cancelled(
        &self,
        draft: &Draft,
        placed: &OrderWithItems,
        mut failed: FailedConditions,
        now: Timestamp,
    ) -> Result<Attempt> {
        let first_product = 1 + placed.items.len();
        let record = first_product + placed.items.len();
        if let Some(Some(item)) = failed.remove(&record) {
            let record: IdempotencyRecord = schema::entity(ItemType::Idempotency, item)?;
            if record.is_live(now) {
                return self.replay(draft, &record).await.map(Attempt::Placed);
            }
        }
        let mut shortages = Vec::new();
        for (action, found) in failed {
            let (Some(position), Some(found)) = (action.checked_sub(first_product), found) else {
                return Ok(Attempt::Outdated);
            };
            let product: Priced = schema::entity(ItemType::Product, found)?;
            shortages.extend(shortage(&product, placed.items[position].quantity));
        }
        Ok(if shortages.is_empty() {
            Attempt::Outdated
        } else {
            Attempt::Refused(Error::OutOfStock(shortages))
        })
    }

    /// Returns the order that was placed with this key before.
    async fn replay(&self, draft: &Draft, record: &IdempotencyRecord) -> Result<Placed> {
        if record.request_hash != draft.request_hash {
            return Err(Error::IdempotencyKeyReused);
        }
        let access = OrderAccess::OwnedBy(draft.user_id);
        let order = self.find(access, record.order_id).await?.ok_or(Error::OrderNotFound)?;
        Ok(Placed { order, replayed: true })
    }
}

/// The outcome of one try to place an order.
enum Attempt {
    Placed(Placed),
    /// Rejected by the shop's rules, as far as this try could see.
    Refused(Error),
    /// The products changed between read and transaction.
    Outdated,
}

/// What an order needs of a product.
#[derive(Deserialize)]
struct Priced {
    id: ProductId,
    name: String,
    price: u64,
    currency: Currency,
    stock: Option<u64>,
}

/// What [`Orders::look`] found.
struct Seen {
    /// Whether the user exists.
    user: bool,
    products: HashMap<ProductId, Priced>,
    record: Option<IdempotencyRecord>,
}

/// An order before it has prices: checked, one item per product, sorted by product id.
struct Draft {
    id: OrderId,
    user_id: UserId,
    items: Vec<NewOrderItem>,
    expected_total: Option<u64>,
    idempotency_key: Option<IdempotencyKey>,
    request_hash: String,
    request_id: Option<RequestId>,
}

impl Draft {
    fn new(new: NewOrder) -> Result<Self> {
        let items = merge(&new.items)?;
        match items.len() {
            0 => Err(Error::EmptyOrder),
            count if count > MAX_ORDER_ITEMS => Err(Error::TooManyItems { count }),
            _ => Ok(Self {
                id: new.id,
                user_id: new.user_id,
                request_hash: request_hash(&items, new.expected_total),
                items,
                expected_total: new.expected_total,
                idempotency_key: new.idempotency_key,
                request_id: new.request_id,
            }),
        }
    }

    /// Returns the order at these products' prices, or why it cannot be placed.
    fn price(&self, products: &HashMap<ProductId, Priced>) -> Result<OrderWithItems> {
        let mut unknown = Vec::new();
        let mut shortages = Vec::new();
        let mut currencies = BTreeSet::new();
        let mut items = Vec::with_capacity(self.items.len());
        for &NewOrderItem { product_id, quantity } in &self.items {
            let Some(product) = products.get(&product_id) else {
                unknown.push(product_id);
                continue;
            };
            shortages.extend(shortage(product, quantity));
            currencies.insert(product.currency.code());
            items.push(OrderItem {
                order_id: self.id,
                product_id,
                name: product.name.clone(),
                quantity,
                price: product.price,
            });
        }
        if !unknown.is_empty() {
            return Err(Error::UnknownProducts(unknown));
        }
        if currencies.len() > 1 {
            return Err(Error::MixedCurrencies(currencies.into_iter().collect()));
        }
        if !shortages.is_empty() {
            return Err(Error::OutOfStock(shortages));
        }
        let currency = currencies.first().and_then(|code| Currency::from_code(code));
        let currency = currency.ok_or(Error::EmptyOrder)?;
        let total = total(&items);
        if total > MAX_TOTAL {
            return Err(Error::TotalTooLarge { total });
        }
        if self.expected_total.is_some_and(|expected| expected != total) {
            return Err(Error::TotalChanged(CurrentTotal { total, currency, items }));
        }
        let order = Order {
            id: self.id,
            user_id: self.user_id,
            status: OrderStatus::Pending,
            item_count: items.len(),
            total,
            currency,
            version: 1,
            created_at: self.id.created_at(),
            updated_at: self.id.created_at(),
            request_id: self.request_id.clone(),
        };
        Ok(OrderWithItems { order, items })
    }
}

/// Merges the items to one per product, sorted by product id.
fn merge(items: &[NewOrderItem]) -> Result<Vec<NewOrderItem>> {
    let mut merged: BTreeMap<ProductId, u64> = BTreeMap::new();
    for item in items {
        *merged.entry(item.product_id).or_default() += u64::from(item.quantity);
    }
    merged
        .into_iter()
        .map(|(product_id, quantity)| match u32::try_from(quantity) {
            Ok(quantity @ 1..=MAX_QUANTITY) => Ok(NewOrderItem { product_id, quantity }),
            _ => Err(Error::InvalidQuantity { product_id, quantity }),
        })
        .collect()
}

fn shortage(product: &Priced, requested: u32) -> Option<Shortage> {
    let available = product.stock.filter(|stock| *stock < u64::from(requested))?;
    Some(Shortage { product_id: product.id, requested, available })
}
