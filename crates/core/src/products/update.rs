//! Changing a product. Its first stock item changes in the same transaction, and further ones follow.

use crate::change::{Change, boolean, number, string};
use crate::schema::{GSI1PK, IndexKey, Key};
use crate::stock;
use crate::transaction::{self, Outcome};
use crate::{
    Category, Currency, Description, Name, ProductId, ProductWithStock, Products, Result,
    Timestamp, Version, before_0_2, retry,
};

use super::refusal;

/// The changes to a product; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductChanges {
    pub name: Option<Name>,
    /// `Some(None)` removes it.
    pub description: Option<Option<Description>>,
    pub category: Option<Category>,
    /// In the currency's minor unit (cents).
    pub price: Option<u64>,
    pub currency: Option<Currency>,
    /// Whether it is for sale, whatever its stock.
    pub selling: Option<bool>,
    /// A stock-taking: the pieces that can be sold from now on, without those of orders that were
    /// placed before. `Some(None)` makes it unlimited.
    pub stock: Option<Option<u64>>,
}

/// The product's position among the actions. Its stock items follow.
const PRODUCT: usize = 0;

impl Products {
    /// Changes a product. If a version is expected, the product must be at that version
    /// ([`Error::VersionMismatch`]). Returns the product after the change, including what others
    /// may have changed since, such as its stock.
    pub async fn update(
        &self,
        id: ProductId,
        changes: ProductChanges,
        expected: Option<Version>,
    ) -> Result<ProductWithStock> {
        retry::while_outdated(|| self.try_to_update(id, &changes, expected)).await?;
        let changed = self.changed(id).await?;
        changed.1.repair(&self.table).await?;
        Ok(changed.into())
    }

    async fn try_to_update(
        &self,
        id: ProductId,
        changes: &ProductChanges,
        expected: Option<Version>,
    ) -> Result<Option<()>> {
        let product = changes.of_product(id).require_version(expected);
        let mut actions = vec![product.into_action(&self.table, Key::product(id))?];
        if let Some(quantity) = changes.stock {
            // All items at once, so that nothing is sold twice or lost in between.
            let first = self.first_stock_item(id).await?;
            let spread = first.spread();
            let mut shares = quantity.map(|pieces| stock::split(pieces, spread));
            for item in 0..spread {
                let mut change = changes.copied(Change::unseen());
                if item == 0 {
                    change = first.require_spread(change);
                }
                change = match &mut shares {
                    Some(shares) => change.set("quantity", number(shares.next().unwrap_or(0))),
                    None => change.remove("quantity"),
                };
                actions.push(change.into_action(&self.table, Key::stock(id, item))?);
            }
        } else if changes.are_copied() {
            let change = changes.copied(Change::unseen());
            actions.push(change.into_action(&self.table, Key::stock(id, 0))?);
        }
        let mut failed = match transaction::write(&self.table, actions).await? {
            Outcome::Written => return Ok(Some(())),
            Outcome::Cancelled(failed) => failed,
        };
        if let Some(found) = failed.remove(&PRODUCT) {
            return Err(refusal(found));
        }
        // The stock was spread meanwhile, or has no item yet.
        before_0_2::move_stock(&self.table, id).await?;
        Ok(None)
    }
}

impl ProductChanges {
    fn of_product(&self, id: ProductId) -> Change {
        let mut change = self.copied(Change::at(Timestamp::now()));
        if let Some(category) = &self.category {
            change = change
                .set("category", string(category.as_str()))
                .set(GSI1PK, string(IndexKey::product(id, category).pk));
        }
        match &self.description {
            Some(Some(description)) => change.set("description", string(description)),
            Some(None) => change.remove("description"),
            None => change,
        }
    }

    /// Adds what stock items have a copy of.
    fn copied(&self, change: Change) -> Change {
        change
            .set_some("name", self.name.as_ref().map(string))
            .set_some("price", self.price.map(number))
            .set_some("currency", self.currency.map(|currency| string(currency.code())))
            .set_some("selling", self.selling.map(boolean))
    }

    const fn are_copied(&self) -> bool {
        self.name.is_some()
            || self.price.is_some()
            || self.currency.is_some()
            || self.selling.is_some()
    }
}
