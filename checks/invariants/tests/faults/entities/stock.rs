//! How many pieces of each product there must be: a ledger of what clients were told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use storefront_core::schema::{self, Item, Key};
use storefront_core::{Currency, Product, ProductId};

use super::products::ProductOperation;
use super::{EntityId, Operation, Snapshot};
use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::history::{Exchange, Outcome};
use crate::engine::snapshot::{entity, expect_keys};

/// What clients change with each idempotency key, mostly: the product's place in the scenario, and
/// the number of pieces.
const KEYED_CHANGES: [(usize, i64); 4] = [(0, 3), (1, -2), (1, 5), (4, -1)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StockItem {
    product_id: ProductId,
    name: String,
    price: u64,
    currency: Currency,
    selling: bool,
    quantity: Option<u64>,
    spread: Option<usize>,
}

/// A change of a stock, and its answer.
struct StockChange<'a> {
    id: ProductId,
    change: i64,
    key: Option<&'a str>,
    exchange: &'a Exchange,
}

impl Client {
    /// If the outcome of a change with a key is unknown, tries again with the same one.
    pub(super) async fn change_stock(&mut self) {
        let random = &mut self.random;
        let mut change = if random.bool() { random.i64(1..6) } else { random.i64(-4..0) };
        let (id, key) = if random.u8(..3) == 0 {
            (self.product(), None)
        } else {
            let number = random.usize(..KEYED_CHANGES.len());
            let (place, usual) = KEYED_CHANGES[number];
            if random.u8(..6) > 0 {
                change = usual;
            }
            (self.scenario.products.lock().unwrap()[place], Some(format!("stock-{number}")))
        };
        for _ in 0..3 {
            let path = format!("/products/{id}/stock-changes");
            let body = json!({ "change": change });
            let mut request = self.shop.products.post(path).json(body).by(self.scenario.admin);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            let operation = ProductOperation::ChangeStock { id, change, key: key.clone() };
            let answer = self.send(operation, request).await;
            if answer.status != 503 || key.is_none() {
                break;
            }
        }
    }

    pub(super) async fn spread_stock(&mut self) {
        let id = self.product();
        let items: u8 = [1, 2, 3, 16][self.random.usize(..4)];
        let request = self.shop.products.put(format!("/products/{id}/stock-spread"));
        let request = request.json(json!({ "items": items })).by(self.scenario.admin);
        self.send(ProductOperation::Spread { id, items }, request).await;
    }
}

impl Snapshot {
    pub(super) fn add_stock_item(&mut self, item: &Item) -> Result<(), String> {
        let stock_item: StockItem = entity(item)?;
        let number = schema::number_of_stock_item(item).ok_or("has no number")?;
        let id = stock_item.product_id;
        expect_keys(item, Key::stock(id, number), None)?;
        self.stock_items.entry(id).or_default().insert(number, stock_item);
        Ok(())
    }

    /// Each product has the stock items that its first one says, which has what the product has. A
    /// deleted product has none.
    pub(super) fn check_stock(&self, violations: &mut Vec<String>) {
        for id in self.stock_items.keys().filter(|id| !self.products.contains_key(id)) {
            violations.push(format!("product {id} has stock items, but does not exist"));
        }
        for (id, product) in &self.products {
            let items = self.stock_items.get(id);
            let Some((first, items)) = items.and_then(|items| Some((items.get(&0)?, items))) else {
                violations.push(format!("product {id} has no first stock item"));
                continue;
            };
            if first.copy() != copied(product) {
                violations.push(format!("product {id} is {product:?}, but its stock is {first:?}"));
            }
            let is_complete = items.keys().map(|number| usize::from(*number)).eq(0..items.len());
            if !is_complete || first.spread != Some(items.len()) {
                let numbers: Vec<_> = items.keys().collect();
                let spread = first.spread;
                violations.push(format!("product {id}, spread {spread:?}, has items {numbers:?}"));
            }
            let is_counted = |item: &StockItem| item.quantity.is_some();
            if items.values().any(|item| is_counted(item) != is_counted(first)) {
                violations.push(format!("product {id} is counted in part: {items:?}"));
            }
        }
    }

    /// All pieces of a product; `None` if they are not counted.
    fn stock(&self, id: ProductId) -> Option<i64> {
        let quantities = self.stock_items.get(&id)?.values().map(|item| item.quantity);
        quantities.sum::<Option<u64>>().map(u64::cast_signed)
    }
}

impl Checker<'_> {
    pub(super) fn check_stock(&self, violations: &mut Vec<String>) {
        for (id, first) in self.added_products() {
            let sets = self.sets_of(id);
            if sets.is_empty() {
                self.check_taken(id, first, violations);
                self.check_shortages(id, first, violations);
            }
            if self.after.products.contains_key(&id) {
                self.check_pieces(id, first, &sets, violations);
                self.check_copies(id, violations);
                self.check_spread(id, violations);
            }
        }
        self.check_keys_of_stock_changes(violations);
    }

    /// No piece is lost, and none appears: the stock is what it was when it was last set, and the
    /// changes since, less what live orders took. If it is set more than once, or while it is sold,
    /// nobody can tell which orders are included.
    fn check_pieces(
        &self,
        id: ProductId,
        first: Option<u64>,
        sets: &[(Outcome, Option<u64>)],
        violations: &mut Vec<String>,
    ) {
        let possible = match (first, sets) {
            (first, []) => vec![first],
            (None, [(Outcome::Acknowledged, set @ Some(_))]) => vec![*set],
            (None, [(Outcome::Unknown, set @ Some(_))]) => vec![None, *set],
            _ => return,
        };
        let live = self.sales_of(id).filter(|(_, is_live)| *is_live);
        let taken: i64 = live.map(|(item, _)| i64::from(item.taken.unwrap_or_default())).sum();
        let sums = self.possible_changes(id);
        let stock = self.after.stock(id);
        let is_right = possible.iter().any(|set| match (set, stock) {
            (Some(set), Some(stock)) => sums.contains(&(stock + taken - set.cast_signed())),
            (None, None) => sums.contains(&0),
            _ => false,
        });
        if !is_right {
            violations.push(format!(
                "product {id} has stock {stock:?}, but had {possible:?}, was changed by one of \
                 {sums:?}, and {taken} were taken"
            ));
        }
    }

    /// What all changes of a product's stock may add up to. The table knows the outcome of those with
    /// a key.
    fn possible_changes(&self, id: ProductId) -> BTreeSet<i64> {
        let mut sums = BTreeSet::from([0]);
        for StockChange { change, exchange, .. } in
            self.stock_changes().filter(|change| change.id == id && change.key.is_none())
        {
            let changed = sums.iter().map(|sum| sum + change).collect();
            match exchange.outcome() {
                Outcome::Acknowledged => sums = changed,
                Outcome::Unknown => sums.extend(changed),
                Outcome::Rejected => {}
            }
        }
        for (key, changed) in &self.after.keys_of_stock_changes {
            if *changed != id {
                continue;
            }
            let with_outcome = |outcome| {
                let of_key = self.stock_changes().filter(move |change| {
                    (change.key, change.id) == (Some(key), id)
                        && change.exchange.outcome() == outcome
                });
                of_key.map(|change| change.change).collect::<BTreeSet<i64>>()
            };
            let acknowledged = with_outcome(Outcome::Acknowledged);
            let changes =
                if acknowledged.is_empty() { with_outcome(Outcome::Unknown) } else { acknowledged };
            let add = |sum: i64| changes.iter().map(move |change| sum + change);
            sums = sums.iter().copied().flat_map(add).collect();
        }
        sums
    }

    /// A key changes one stock, once, and leaves a record.
    fn check_keys_of_stock_changes(&self, violations: &mut Vec<String>) {
        let mut answers: BTreeMap<&str, Vec<StockChange<'_>>> = BTreeMap::new();
        for change in self.stock_changes() {
            if let (Some(key), Outcome::Acknowledged) = (change.key, change.exchange.outcome()) {
                answers.entry(key).or_default().push(change);
            }
        }
        for (key, answers) in answers {
            let is_replayed = |change: &&StockChange<'_>| {
                change.exchange.answer.header("idempotency-replayed") == Some("true")
            };
            let made = answers.len() - answers.iter().filter(is_replayed).count();
            let changes: BTreeSet<_> =
                answers.iter().map(|change| (change.id, change.change)).collect();
            let recorded = self.after.keys_of_stock_changes.get(key);
            if made > 1 || changes.len() > 1 || recorded != changes.first().map(|(id, _)| id) {
                violations.push(format!(
                    "key {key} made {made} of the changes {changes:?}; recorded is {recorded:?}"
                ));
            }
        }
        for (key, id) in &self.after.keys_of_stock_changes {
            let mut changes = self.stock_changes();
            let was_asked_for = changes
                .any(|change| (change.key, change.id) == (Some(key), *id) && change.may_be_made());
            if !was_asked_for {
                violations.push(format!("key {key} changed product {id}, and was refused"));
            }
        }
    }

    /// Orders took what they have from a product that was always counted, and nothing from one that
    /// never was.
    fn check_taken(&self, id: ProductId, first: Option<u64>, violations: &mut Vec<String>) {
        for (item, _) in self.sales_of(id) {
            let expected = first.map_or(0, |_| item.quantity);
            if item.taken != Some(expected) {
                let (order, taken) = (item.order_id, item.taken);
                violations.push(format!("order {order} took {taken:?} of {id}, not {expected}"));
            }
        }
    }

    /// Nothing is refused as long as all stock items together have enough. Checked against the least
    /// and the most that there may ever have been.
    fn check_shortages(&self, id: ProductId, first: Option<u64>, violations: &mut Vec<String>) {
        let changes = || {
            let made = self.stock_changes().filter(StockChange::may_be_made);
            made.filter(|change| change.id == id).map(|change| change.change)
        };
        let bounds = first.map(|first| {
            let least: i64 =
                first.cast_signed() + changes().filter(|change| *change < 0).sum::<i64>();
            let most: i64 =
                first.cast_signed() + changes().filter(|change| *change > 0).sum::<i64>();
            (least - self.most_sold(id).cast_signed(), most)
        });
        for exchange in self.exchanges {
            let body = &exchange.answer.body;
            let products = body["products"].as_array().filter(|_| body["code"] == "out_of_stock");
            let named = |product: &&serde_json::Value| product["productId"] == json!(id);
            let Some(product) = products.and_then(|all| all.iter().find(named)) else { continue };
            let (requested, available) = (&product["requested"], &product["available"]);
            let is_right = bounds.is_some_and(|(least, most)| {
                let (requested, available) = (requested.as_i64(), available.as_i64());
                requested > Some(least)
                    && available < requested
                    && available >= Some(least)
                    && available <= Some(most)
            });
            if !is_right {
                violations.push(format!(
                    "{:?} was refused, because {available} of {requested} are left of {id}, of which \
                     there always were {bounds:?}",
                    exchange.operation
                ));
            }
        }
    }

    /// Further stock items have what the first has, unless the product was changed: then they may lag
    /// behind.
    fn check_copies(&self, id: ProductId, violations: &mut Vec<String>) {
        let was_changed = self.exchanges.iter().any(|exchange| {
            matches!(
                exchange.operation,
                Operation::Product(ProductOperation::Change { id: changed, stock: None, .. })
                    if changed == id
            ) && exchange.outcome() != Outcome::Rejected
        });
        let items = self.after.stock_items.get(&id).into_iter().flat_map(BTreeMap::values);
        let copies: Vec<_> = items.map(StockItem::copy).collect();
        if !was_changed && copies.iter().any(|copy| *copy != copies[0]) {
            let entity = EntityId::Product(id);
            violations.push(format!("{entity} was never changed, but its stock has {copies:?}"));
        }
    }

    /// A product has as many stock items as a client asked for.
    fn check_spread(&self, id: ProductId, violations: &mut Vec<String>) {
        let (mut possible, mut first) = (BTreeSet::new(), Some(1));
        for exchange in self.exchanges {
            let Operation::Product(ProductOperation::Spread { id: spread, items }) =
                exchange.operation
            else {
                continue;
            };
            let outcome = exchange.outcome();
            if spread == id && outcome != Outcome::Rejected {
                possible.insert(items);
                first.take_if(|_| outcome == Outcome::Acknowledged);
            }
        }
        possible.extend(first);
        let items = self.after.stock_items.get(&id).map_or(0, BTreeMap::len);
        if !possible.iter().any(|spread| usize::from(*spread) == items) {
            violations.push(format!("product {id} has {items} stock items, not {possible:?}"));
        }
    }

    /// The stocks that were set, or may have been: a product that is not found may have been deleted
    /// after that, before it was read again for the answer.
    fn sets_of(&self, id: ProductId) -> Vec<(Outcome, Option<u64>)> {
        let sets = self.exchanges.iter().filter_map(|exchange| match exchange.operation {
            Operation::Product(ProductOperation::Change {
                id: set, stock: Some(stock), ..
            }) if set == id => match exchange.answer.status {
                404 => Some((Outcome::Unknown, stock)),
                _ => Some((exchange.outcome(), stock)),
            },
            _ => None,
        });
        sets.filter(|(outcome, _)| *outcome != Outcome::Rejected).collect()
    }

    fn stock_changes(&self) -> impl Iterator<Item = StockChange<'_>> {
        self.exchanges.iter().filter_map(|exchange| match &exchange.operation {
            Operation::Product(ProductOperation::ChangeStock { id, change, key }) => {
                Some(StockChange { id: *id, change: *change, key: key.as_deref(), exchange })
            }
            _ => None,
        })
    }
}

impl StockChange<'_> {
    /// A product that is not found may have been deleted after the change, before it was read again for
    /// the answer.
    fn may_be_made(&self) -> bool {
        self.exchange.outcome() != Outcome::Rejected || self.exchange.answer.status == 404
    }
}

impl StockItem {
    /// What it has of its product.
    fn copy(&self) -> (&str, u64, Currency, bool) {
        (self.name.as_str(), self.price, self.currency, self.selling)
    }
}

fn copied(product: &Product) -> (&str, u64, Currency, bool) {
    (product.name.as_str(), product.price, product.currency, product.selling)
}
