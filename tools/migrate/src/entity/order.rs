use std::collections::{BTreeMap, BTreeSet, HashMap};

use storefront_core::{
    Currency, MAX_ORDER_ITEMS, MAX_QUANTITY, MAX_TOTAL, Order, OrderId, OrderItem, OrderWithItems,
    ProductId, Timestamp,
};
use uuid::Uuid;

use super::fields::{Fields, Result, created_at_of};
use super::reject::{Reason, Reject};
use super::unit::{Migrated, Remark};
use super::{Entity, id};
use crate::mapping::Mapping;
use crate::source::{Key, Row, Value};

/// How far apart the time in an order's id and its `createdAt` may be: the application generates
/// the id, and often the database sets `createdAt`. The id's time is used.
const SAME_TIME: i64 = 60_000;

/// The rows of an order and its items.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) row: Row,
    /// Not all of them if there are far too many.
    pub(crate) items: Vec<Row>,
    /// The number of all items.
    pub(crate) item_count: usize,
}

/// The `createdAt` of the users and products that some orders refer to, by the text of the key.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) users: HashMap<String, Value>,
    pub(crate) products: HashMap<String, Value>,
}

impl Draft {
    /// Returns the key of the order's user, if the row has one.
    pub(crate) fn user(&self) -> Option<Key> {
        Fields::of(&self.row).key("userId").ok()
    }

    /// Sorts the items, because the database may return them in a different order each time.
    pub(crate) fn sort(&mut self) {
        self.items.sort_by_cached_key(|item| Fields::of(item).key("productId").ok());
    }

    /// Returns the keys of the order's products.
    pub(crate) fn products(&self) -> impl Iterator<Item = Key> {
        self.items.iter().filter_map(|item| Fields::of(item).key("productId").ok())
    }
}

/// Reads an order and its items.
pub(crate) fn order(
    draft: &Draft,
    known: &Known,
    mapping: &Mapping,
) -> Result<Migrated<OrderWithItems>> {
    let fields = Fields::of(&draft.row);
    let legacy_id = fields.key("id")?.to_string();
    let user_id = {
        let key = fields.key("userId")?.to_string();
        let created_at = known.users.get(&key).ok_or_else(|| Reason::Orphan {
            column: fields.column("userId"),
            key: key.clone(),
            of: Entity::User,
        })?;
        id_of(Entity::User, &key, created_at, fields, "userId")?
    };
    let status = fields.mapped("orders", "status", &mapping.orders.status)?;
    let status = status.ok_or_else(|| Reason::Missing { column: fields.column("status") })?;
    let id = order_id(fields, &legacy_id)?;
    let updated_at = fields.updated_at(id.created_at())?;
    if draft.item_count == 0 {
        return Err(Reason::NoItems);
    }
    let currency = currency(draft, mapping)?;

    let mut remarks = Vec::new();
    let items = items(draft, id, currency, known, mapping, &mut remarks)?;
    let total: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
    if total > MAX_TOTAL {
        return Err(Reason::OutOfRange {
            column: fields.column("total"),
            found: total.to_string(),
            range: format!("0 to {MAX_TOTAL} of the currency's minor unit"),
        });
    }
    let unit = mapping.order_items.price;
    if let Some(charged) = fields.price("total", unit, currency)?.filter(|it| *it != total) {
        return Err(Reason::OtherTotal { total: charged, items: total });
    }
    let order = Order {
        status,
        // What the status says: that of a cancelled order is not known, and counts as unpaid.
        payment: None,
        updated_at,
        ..Order::new(id, user_id, items.len(), total, currency)
    };
    let order = Order { payment: Some(order.payment()), ..order };
    Ok(Migrated { legacy_id, value: OrderWithItems { order, items }, remarks })
}

/// Rejects an order item whose order is missing.
pub(crate) fn orphan(row: Row) -> Reject {
    let fields = Fields::of(&row);
    let reason = match fields.key("orderId") {
        Ok(key) => Reason::Orphan {
            column: fields.column("orderId"),
            key: key.to_string(),
            of: Entity::Order,
        },
        Err(reason) => reason,
    };
    let key = fields.value("orderId").map(Value::to_text);
    Reject { entity: Entity::OrderItem, key, reason, row, more: Vec::new() }
}

/// Returns the order's id, whose time is the order's `createdAt`.
fn order_id(fields: Fields<'_>, legacy_id: &str) -> Result<OrderId> {
    let created_at = fields.created_at()?;
    let id: OrderId = id::id(Entity::Order, legacy_id, created_at)
        .ok_or_else(|| Reason::Missing { column: fields.column("createdAt") })?;
    if (id.created_at().as_millis() - created_at.as_millis()).abs() > SAME_TIME {
        return Err(Reason::OtherTime {
            id: id.created_at().to_string(),
            column: fields.column("createdAt"),
            found: created_at.to_string(),
        });
    }
    Ok(id)
}

/// Returns the single currency of the order and its items, whichever of them have one.
fn currency(draft: &Draft, mapping: &Mapping) -> Result<Currency> {
    let of_order = Fields::of(&draft.row).currency("orders", &mapping.orders.currency)?;
    let of_items = draft
        .items
        .iter()
        .map(|item| Fields::of(item).currency("order_items", &mapping.order_items.currency));
    let of_items = of_items.collect::<Result<Vec<_>>>()?;
    let codes: BTreeSet<_> =
        of_items.into_iter().chain([of_order]).flatten().map(|currency| currency.code()).collect();
    if codes.len() > 1 {
        return Err(Reason::MixedCurrencies(codes.into_iter().map(str::to_owned).collect()));
    }
    let said = codes.first().and_then(|code| Currency::from_code(code));
    let missing = || Reason::Missing { column: Fields::of(&draft.row).column("currency") };
    said.or(mapping.defaults.currency.map(Currency::from)).ok_or_else(missing)
}

/// Reads the items, sorted by product and with each product once.
fn items(
    draft: &Draft,
    order_id: OrderId,
    currency: Currency,
    known: &Known,
    mapping: &Mapping,
    remarks: &mut Vec<Remark>,
) -> Result<Vec<OrderItem>> {
    let mut items: BTreeMap<ProductId, OrderItem> = BTreeMap::new();
    for row in &draft.items {
        let fields = Fields::of(row);
        let product = fields.key("productId")?.to_string();
        let product_id = product_id(&product, known, fields, remarks)?;
        let name = fields.name(remarks)?;
        let quantity = quantity(fields)?;
        let price = fields.price("price", mapping.order_items.price, currency)?;
        let price = price.ok_or_else(|| Reason::Missing { column: fields.column("price") })?;
        let Some(item) = items.get_mut(&product_id) else {
            // What the old shop took is unknown, so a cancellation puts back all its pieces if the
            // product's stock is counted.
            let (taken, taken_from) = (None, None);
            let item = OrderItem { order_id, product_id, name, quantity, price, taken, taken_from };
            items.insert(product_id, item);
            continue;
        };
        // The shop does the same with an order that names a product twice.
        if (item.price, &item.name) != (price, &name) {
            return Err(Reason::RepeatedProduct { product });
        }
        item.quantity += quantity;
        if item.quantity > MAX_QUANTITY {
            return Err(Reason::OutOfRange {
                column: fields.column("quantity"),
                found: format!("{} of product {product}", item.quantity),
                range: format!("1 to {MAX_QUANTITY}"),
            });
        }
        remarks.push(Remark::MergedItems { product });
    }
    // Rows that are not in the draft may or may not repeat products.
    if items.len() > MAX_ORDER_ITEMS || draft.item_count > draft.items.len() {
        return Err(Reason::TooManyItems(draft.item_count));
    }
    Ok(items.into_values().collect())
}

fn quantity(fields: Fields<'_>) -> Result<u32> {
    let quantity = fields.whole("quantity", 1..=u64::from(MAX_QUANTITY))?;
    let quantity = quantity.and_then(|quantity| u32::try_from(quantity).ok());
    quantity.ok_or_else(|| Reason::Missing { column: fields.column("quantity") })
}

/// Returns the id of an item's product. Orders keep their items even if the product has been
/// deleted since. Its id is then derived with the earliest time that an id can have.
fn product_id(
    key: &str,
    known: &Known,
    fields: Fields<'_>,
    remarks: &mut Vec<Remark>,
) -> Result<ProductId> {
    if let Some(created_at) = known.products.get(key) {
        return id_of(Entity::Product, key, created_at, fields, "productId");
    }
    let id = id::id(Entity::Product, key, Timestamp::UNIX_EPOCH);
    let id = id.ok_or_else(|| Reason::Missing { column: fields.column("productId") })?;
    remarks.push(Remark::ProductGone { product: key.to_owned() });
    Ok(id)
}

/// Returns the id of the user or product that a row refers to, the same one that its own row
/// yields.
fn id_of<T: TryFrom<Uuid>>(
    of: Entity,
    key: &str,
    created_at: &Value,
    fields: Fields<'_>,
    attribute: &str,
) -> Result<T> {
    let id = match created_at_of(created_at) {
        Some(created_at) => id::id(of, key, created_at),
        None => id::own(key),
    };
    let column = fields.column(attribute);
    id.ok_or_else(|| Reason::Undated { column, key: key.to_owned(), of })
}
