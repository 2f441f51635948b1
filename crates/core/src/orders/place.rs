//! Placing an order: one read of the products and the user, then one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use serde::Serialize;

use super::before_0_2;
use super::draft::{Draft, Priced, shortage};
use crate::change::{Change, number, string};
use crate::schema::{self, Item, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, FailedConditions, Outcome};
use crate::{
    Error, IdempotencyKey, OrderAccess, OrderId, OrderWithItems, Orders, ProductId, RequestId,
    Result, Timestamp, UserId, retry,
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
const LOOKED_AT: [&str; 9] = [
    "id",
    "name",
    "price",
    "currency",
    "stock",
    "resultId",
    "requestHash",
    "expiresAt",
    before_0_2::ORDER_ID,
];

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
        let Some(request) = draft.keyed.as_ref().filter(|_| by_products) else {
            return Err(refusal);
        };
        let record = self.table.get_item(request.record_key(), Consistency::Strong).await?;
        let earlier = record.map(|record| request.earlier_result(record, Timestamp::now()));
        match earlier.transpose()?.flatten() {
            Some(order_id) => self.replay(draft, order_id).await,
            None => Err(refusal),
        }
    }

    async fn try_to_place(&self, draft: &Draft, consistency: Consistency) -> Result<Attempt> {
        let now = Timestamp::now();
        let seen = self.look(draft, consistency).await?;
        if !seen.user {
            return Ok(Attempt::Refused(Error::CallerNotFound));
        }
        for record in seen.records {
            if let Some(order_id) = draft.earlier_order(record, now)? {
                return self.replay(draft, order_id).await.map(Attempt::Placed);
            }
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
        if let Some(request) = &draft.keyed {
            keys.push(request.record_key().into());
            keys.push(before_0_2::record_key(request).into());
        }
        let mut seen = Seen { user: false, products: HashMap::new(), records: Vec::new() };
        for item in self.table.batch_get(keys, &LOOKED_AT, consistency).await? {
            let is = |kind: ItemType| item.get(schema::TYPE) == Some(&string(kind.as_str()));
            if is(ItemType::User) {
                seen.user = true;
            } else if is(ItemType::Idempotency) {
                seen.records.push(item);
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
        if let Some(request) = &draft.keyed {
            actions.push(request.action(&self.table, draft.id, now)?);
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
        if let Some(Some(item)) = failed.remove(&record)
            && let Some(order_id) = draft.earlier_order(item, now)?
        {
            return self.replay(draft, order_id).await.map(Attempt::Placed);
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
    async fn replay(&self, draft: &Draft, order_id: OrderId) -> Result<Placed> {
        let access = OrderAccess::OwnedBy(draft.user_id);
        let order = self.find(access, order_id).await?.ok_or(Error::OrderNotFound)?;
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

/// What [`Orders::look`] found.
struct Seen {
    /// Whether the user exists.
    user: bool,
    products: HashMap<ProductId, Priced>,
    /// The idempotency records of the request's key.
    records: Vec<Item>,
}
