//! An order before it is placed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::adjustments::adjustments;
use super::order::total;
use crate::before_0_2;
use crate::idempotency::KeyedRequest;
use crate::schema::Item;
use crate::stock::StockItem;
use crate::{
    Address, Currency, CurrentTotal, Error, MAX_ORDER_ITEMS, MAX_QUANTITY, MAX_TOTAL, NewOrder,
    NewOrderItem, Order, OrderId, OrderItem, OrderRules, OrderStatus, OrderWithItems, Payment,
    ProductId, RequestId, Result, Shortage, Timestamp, UserId,
};

/// An order before it has prices: checked, one item per product, sorted by product id.
pub(super) struct Draft {
    pub(super) id: OrderId,
    pub(super) user_id: UserId,
    pub(super) items: Vec<NewOrderItem>,
    shipping_address: Option<Address>,
    expected_total: Option<u64>,
    /// If the client sent an idempotency key.
    pub(super) keyed: Option<KeyedRequest>,
    request_id: Option<RequestId>,
}

impl Draft {
    pub(super) fn new(new: NewOrder) -> Result<Self> {
        let items = merge(&new.items)?;
        match items.len() {
            0 => return Err(Error::EmptyOrder),
            count if count > MAX_ORDER_ITEMS => return Err(Error::TooManyItems { count }),
            _ => {}
        }
        let keyed = new.idempotency_key.map(|key| {
            let content = (&items, new.expected_total, &new.shipping_address);
            KeyedRequest::new(new.user_id, key, "place an order", &content)
        });
        Ok(Self {
            id: new.id,
            user_id: new.user_id,
            shipping_address: new.shipping_address,
            expected_total: new.expected_total,
            keyed: keyed.transpose()?,
            items,
            request_id: new.request_id,
        })
    }

    /// Returns the order that the same request has placed before, given a record of its key.
    pub(super) fn earlier_order(&self, record: Item, now: Timestamp) -> Result<Option<OrderId>> {
        match &self.keyed {
            Some(_) if before_0_2::idempotency::is_record(&record) => {
                before_0_2::idempotency::earlier_order(&self.items, record, now)
            }
            Some(request) => request.earlier_result(record, now),
            None => Ok(None),
        }
    }

    /// Returns the order at the prices in these stock items, each the product's first, or why it
    /// cannot be placed.
    pub(super) fn price(
        &self,
        stock: &HashMap<ProductId, StockItem>,
        rules: OrderRules,
    ) -> Result<OrderWithItems> {
        let mut unknown = Vec::new();
        let mut not_for_sale = Vec::new();
        let mut shortages = Vec::new();
        let mut currencies = BTreeSet::new();
        let mut items = Vec::with_capacity(self.items.len());
        for &NewOrderItem { product_id, quantity } in &self.items {
            let Some(product) = stock.get(&product_id) else {
                unknown.push(product_id);
                continue;
            };
            if !product.selling {
                not_for_sale.push(product_id);
            }
            // The first item does not tell how much there is of a product that is spread.
            if product.spread() == 1 {
                shortages.extend(shortage(product, quantity));
            }
            currencies.insert(product.currency.code());
            items.push(OrderItem {
                order_id: self.id,
                product_id,
                name: product.name.clone(),
                quantity,
                price: product.price,
                taken: None,
                taken_from: None,
            });
        }
        if !unknown.is_empty() {
            return Err(Error::UnknownProducts(unknown));
        }
        if !not_for_sale.is_empty() {
            return Err(Error::NotForSale(not_for_sale));
        }
        if currencies.len() > 1 {
            return Err(Error::MixedCurrencies(currencies.into_iter().collect()));
        }
        if !shortages.is_empty() {
            return Err(Error::OutOfStock(shortages));
        }
        let currency = currencies.first().and_then(|code| Currency::from_code(code));
        let currency = currency.ok_or(Error::EmptyOrder)?;
        let adjustments = adjustments(&items, self.shipping_address.as_ref());
        let total = total(&items, &adjustments)?;
        if total > MAX_TOTAL {
            return Err(Error::TotalTooLarge { total });
        }
        if self.expected_total.is_some_and(|expected| expected != total) {
            return Err(Error::TotalChanged(CurrentTotal { total, currency, items, adjustments }));
        }
        let order = Order {
            adjustments,
            shipping_address: self.shipping_address.clone(),
            request_id: self.request_id.clone(),
            ..Order::new(self.id, self.user_id, items.len(), total, currency)
        };
        let order = if total == 0 {
            // There is nothing to wait for.
            Order { status: OrderStatus::Paid, payment: Some(Payment::Paid), ..order }
        } else {
            Order { pay_by: rules.pay_by(order.created_at), ..order }
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

/// Returns what this stock item lacks, if it has not enough.
pub(super) fn shortage(item: &StockItem, requested: u32) -> Option<Shortage> {
    let requested = u64::from(requested);
    let available = item.quantity.filter(|quantity| *quantity < requested)?;
    Some(Shortage { product_id: item.product_id, requested, available })
}
