//! Checks that the shop shows what the source has: reads some units through the shop's own
//! repositories.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use storefront_core::{
    CreatedBetween, OrderAccess, OrderWithItems, Orders, PageRequest, Product, ProductId,
    ProductWithStock, Products, Table, Timestamp, User, Users, Version,
};
use uuid::Uuid;

use super::difference::{Difference, What};
use super::item::{ItemKey, type_of};
use crate::{Error, Kind, Unit};

/// How many units are read at once.
const AT_ONCE: usize = 8;

/// A number of units of each kind, all chosen with the same probability.
#[derive(Debug)]
pub(super) struct Samples {
    size: usize,
    seen: HashMap<Kind, usize>,
    /// By place.
    units: BTreeMap<(Kind, usize), Unit>,
}

/// A unit's place among the samples, if nothing is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(Kind, usize);

impl Samples {
    pub(super) fn new(size: usize) -> Self {
        Self { size, seen: HashMap::new(), units: BTreeMap::new() }
    }

    /// Decides at random whether another unit of a kind becomes a sample, possibly in place of an
    /// earlier one.
    pub(super) fn pick(&mut self, kind: Kind) -> Option<Place> {
        let seen = self.seen.entry(kind).or_default();
        *seen += 1;
        let place = if *seen <= self.size { *seen - 1 } else { fastrand::usize(..*seen) };
        (place < self.size).then_some(Place(kind, place))
    }

    pub(super) fn keep(&mut self, Place(kind, place): Place, unit: Unit) {
        self.units.insert((kind, place), unit);
    }

    /// Returns the number of samples of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.units.keys().filter(|(of, _)| *of == kind).count()
    }

    /// Reads the samples in every way in which the shop does. Returns the ways that give something
    /// else. With `is_strict`, nobody uses the shop meanwhile.
    pub(super) async fn read(
        &self,
        table: Table,
        is_strict: bool,
    ) -> Result<Vec<Difference>, Error> {
        let shop = &Shop {
            is_strict,
            users: Users::new(table.clone()),
            products: Products::new(table.clone()),
            orders: Orders::new(table),
        };
        let mut differences = Vec::new();
        let mut read = stream::iter(self.units.values())
            .map(|unit| async move { Ok((unit, shop.others(unit).await?)) })
            .buffer_unordered(AT_ONCE);
        while let Some((unit, others)) = read.try_next().await.map_err(Error::Sample)? {
            if others.is_empty() {
                continue;
            }
            let items = unit.to_items().map_err(Error::Item)?;
            let (kind, legacy_id) = (unit.kind(), unit.legacy_id());
            let Some(own) = items.first() else { continue };
            differences.extend(others.into_iter().map(|by| Difference {
                entity: Some(kind),
                legacy_id: Some(legacy_id.to_owned()),
                item_type: type_of(own).to_owned(),
                key: ItemKey::of(own),
                user_id: None,
                what: What::Shown { by },
            }));
        }
        Ok(differences)
    }
}

struct Shop {
    is_strict: bool,
    users: Users,
    products: Products,
    orders: Orders,
}

impl Shop {
    /// Returns the ways of reading a unit that give something else.
    async fn others(&self, unit: &Unit) -> storefront_core::Result<Vec<&'static str>> {
        let mut others = Vec::new();
        match unit {
            Unit::User(user) => {
                let user = &user.value;
                let mut check = |by, found: Option<User>| {
                    if !is_same(found.as_ref(), user, |user| user.version) {
                        others.push(by);
                    }
                };
                check("the user by id", self.users.find(user.id).await?);
                check("the user by email", self.users.find_by_email(&user.email).await?);
                check("the log-in by email", self.users.find_to_log_in(&user.email).await?);
            }
            Unit::Product(product) => {
                let ProductWithStock { product, stock } = &product.value;
                let mut check = |by, found: Option<Product>| {
                    if !is_same_product(found, product) {
                        others.push(by);
                    }
                };
                let found = self.products.find(product.id).await?;
                let is_stock_same = found.as_ref().is_none_or(|found| {
                    // A sale changes no version.
                    let is_sold = !self.is_strict && found.stock.is_some() && stock.is_some();
                    is_sold || found.stock == *stock || found.product.version > product.version
                });
                check("the product by id", found.map(|found| found.product));
                check("the list of its category", self.next_of_category(product).await?);
                if !is_stock_same {
                    others.push("the product's stock by id");
                }
            }
            Unit::Order(order) => {
                let order = &order.value;
                let (id, user_id) = (order.order.id, order.order.user_id);
                let mut check = |by, found: Option<OrderWithItems>| {
                    if !is_same(found.as_ref(), order, |order| order.order.version) {
                        others.push(by);
                    }
                };
                let owned = OrderAccess::OwnedBy(user_id);
                check("the user's own order", self.orders.find(owned, id).await?);
                check("the order by id", self.orders.find(OrderAccess::Any, id).await?);
                if !self.is_listed(order).await? {
                    others.push("the list of its user's orders");
                }
            }
        }
        Ok(others)
    }

    /// Returns what the category's list has in the product's place.
    async fn next_of_category(
        &self,
        product: &Product,
    ) -> storefront_core::Result<Option<Product>> {
        // The list is ordered by id, so the product follows the preceding id, even if no product
        // has that id.
        let before = Uuid::from(product.id).as_u128().checked_sub(1).map(Uuid::from_u128);
        let after = before.and_then(|before| ProductId::try_from(before).ok());
        let page = self.products.list(&product.category, PageRequest { limit: 1, after }).await?;
        Ok(page.items.into_iter().next())
    }

    /// Whether the order is in the list of its user's orders of that millisecond.
    async fn is_listed(&self, order: &OrderWithItems) -> storefront_core::Result<bool> {
        let order = &order.order;
        let to = Timestamp::from_millis(order.created_at.as_millis() + 1);
        let created = CreatedBetween { from: Some(order.created_at), to };
        let mut request = PageRequest { limit: 100, after: None };
        loop {
            let page = self.orders.list(order.user_id, created, request).await?;
            if let Some(found) = page.items.iter().find(|found| found.id == order.id) {
                return Ok(is_same(Some(found), order, |order| order.version));
            }
            if page.next.is_none() {
                return Ok(false);
            }
            request.after = page.next;
        }
    }
}

/// [`is_same`] for a product, whose availability follows its stock.
fn is_same_product(found: Option<Product>, expected: &Product) -> bool {
    let Product { available, available_revision, .. } = *expected;
    let found = found.map(|found| Product { available, available_revision, ..found });
    is_same(found.as_ref(), expected, |product| product.version)
}

/// Whether it is as it should be, or the shop has just changed it.
fn is_same<T: PartialEq>(found: Option<&T>, expected: &T, version: fn(&T) -> Version) -> bool {
    found.is_some_and(|found| found == expected || version(found) > version(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_units_are_all_samples_and_of_many_some_at_random() {
        let mut samples = Samples::new(3);
        let places: Vec<_> =
            (0..3).filter_map(|_| samples.pick(Kind::User)).map(|it| it.1).collect();
        assert_eq!(places, [0, 1, 2]);
        let later = (0..1_000).filter_map(|_| samples.pick(Kind::User)).count();
        // About 17 are expected.
        assert!((1..100).contains(&later), "{later}");
        assert!(samples.pick(Kind::Order).is_some(), "each kind is counted separately");
        assert!(Samples::new(0).pick(Kind::User).is_none());
    }
}
