//! Products, each together with its stock.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use storefront_core::schema::{Item, PK};
use tokio::time::sleep;

use super::{Refused, Table, UNCHANGED, kept, text};
use crate::entity::{AVAILABLE_REVISION, LOADED_QUANTITY, QUANTITY, SPREAD};
use crate::load::batch;
use crate::load::table::table_error;
use crate::{Error, size};

/// The product's position among the actions.
const PRODUCT: usize = 0;

/// A sale changes the quantity and nothing else. A stock that is back at what was loaded, because
/// all orders were cancelled, counts as unchanged.
const STOCK_UNCHANGED: &str = "attribute_not_exists(PK) OR (#spread = :one AND (#quantity = #loaded \
     OR (attribute_not_exists(#quantity) AND attribute_not_exists(#loaded))))";

/// What the table has of a product.
struct Seen {
    has_product: bool,
    /// Counts how often the shop has copied the stock's availability to the product.
    revision: Option<u64>,
    quantity: Option<AttributeValue>,
}

impl Table {
    /// Puts a product and its stock item if the shop has changed neither.
    ///
    /// The product says whether there is stock. The shop updates that after it has read the stock, on
    /// condition of a revision. A new quantity therefore counts the revision up: what the shop has
    /// read before is outdated. The same quantity keeps it, so a repeated catch-up changes nothing.
    pub(in crate::load) async fn put_product(
        &self,
        items: Vec<Item>,
    ) -> Result<Option<Refused>, Error> {
        let Ok([mut product, stock]) = <[Item; 2]>::try_from(items) else { return Ok(None) };
        let units = 2 * (size::put_units(&product) + size::put_units(&stock));
        let mut pauses = batch::pauses();
        loop {
            let seen = self.seen(&product).await?;
            let counted = u64::from(seen.quantity.as_ref() != stock.get(QUANTITY));
            let revision = (seen.revision.unwrap_or_default() + counted).max(1);
            product.insert(AVAILABLE_REVISION.to_owned(), number(revision));
            let actions = vec![
                self.put_at_revision(product.clone(), &seen)?,
                self.put_stock_unless_changed(stock.clone())?,
            ];
            let Some(failed) = self.write(actions, units).await? else { return Ok(None) };
            if failed.place != PRODUCT {
                return Ok(Some(kept_stock(&failed.item)));
            }
            if !is_unchanged(&failed.item, &product) {
                return Ok(Some(kept(&failed.item)));
            }
            // Only the revision is another.
            match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(Error::Conflict),
            }
        }
    }

    async fn seen(&self, product: &Item) -> Result<Seen, Error> {
        // The partition has the product and its first stock item, and nothing else.
        let answer = self
            .reads
            .query()
            .table_name(&self.name)
            .key_condition_expression("PK = :product")
            .set_expression_attribute_values(
                product.get(PK).map(|key| HashMap::from([(":product".to_owned(), key.clone())])),
            )
            .consistent_read(true)
            .send()
            .await
            .map_err(table_error("read"))?;
        let mut seen = Seen { has_product: false, revision: None, quantity: None };
        for mut item in answer.items.unwrap_or_default() {
            if item.contains_key("version") {
                seen.has_product = true;
                let revision = item.get(AVAILABLE_REVISION).and_then(|it| it.as_n().ok());
                seen.revision = revision.and_then(|revision| revision.parse().ok());
            } else {
                seen.quantity = item.remove(QUANTITY);
            }
        }
        Ok(seen)
    }

    fn put_at_revision(&self, product: Item, seen: &Seen) -> Result<TransactWriteItem, Error> {
        if !seen.has_product {
            return self.put_if(product, "attribute_not_exists(PK)", &[], HashMap::new());
        }
        let updated_at = AttributeValue::S(text(&product, "updatedAt"));
        let mut values = HashMap::from([(":first", number(1)), (":updatedAt", updated_at)]);
        let at_revision = match seen.revision {
            Some(revision) => {
                values.insert(":revision", number(revision));
                "availableRevision = :revision"
            }
            None => "attribute_not_exists(availableRevision)",
        };
        let condition = format!("{UNCHANGED} AND {at_revision}");
        self.put_if(product, &condition, &[], values)
    }

    fn put_stock_unless_changed(&self, stock: Item) -> Result<TransactWriteItem, Error> {
        let names = [("#spread", SPREAD), ("#quantity", QUANTITY), ("#loaded", LOADED_QUANTITY)];
        self.put_if(stock, STOCK_UNCHANGED, &names, HashMap::from([(":one", number(1))]))
    }
}

/// Whether [`UNCHANGED`] is true of what the table has.
fn is_unchanged(found: &Item, product: &Item) -> bool {
    found.get("version") == Some(&number(1))
        && text(found, "updatedAt") <= text(product, "updatedAt")
}

fn kept_stock(item: &Item) -> Refused {
    let shown = |name| match item.get(name) {
        Some(AttributeValue::N(number)) => number.clone(),
        _ => "not counted".to_owned(),
    };
    let (loaded, now, items) = (shown(LOADED_QUANTITY), shown(QUANTITY), shown(SPREAD));
    let now = if items == "1" { now } else { format!("{now} in the first of {items} items") };
    Refused::KeptStock { loaded, now }
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
