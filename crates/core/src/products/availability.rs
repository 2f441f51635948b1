//! Whether a product is available: a copy of what its stock says, for lists.

use serde::Deserialize;

use crate::change::{Change, boolean, number};
use crate::schema::{ItemType, Key};
use crate::stock;
use crate::table::Consistency;
use crate::transaction::{self, Written};
use crate::{ProductId, Products, Result, retry};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Revision {
    #[serde(default)]
    available_revision: Option<u64>,
}

impl Products {
    /// Makes a product's `available` say what its stock says now. Does nothing if the product has
    /// been deleted.
    ///
    /// It reads the revision, then the stock, and writes on condition of that revision, which it
    /// always counts up. So of several at once, the last to write has read the stock after the one
    /// before it wrote: under any interleaving, the last word is right.
    pub async fn refresh_availability(&self, id: ProductId) -> Result<()> {
        retry::while_outdated(|| async {
            let key = Key::product(id);
            let seen = self
                .table
                .get_attributes::<Revision>(ItemType::Product, key.clone(), &["availableRevision"])
                .await?;
            let Some(Revision { available_revision }) = seen else { return Ok(Some(())) };
            let stock = stock::read(&self.table, id, Consistency::Strong).await?;
            let Some(stock) = stock else {
                // It is being deleted or spread.
                return Ok(None);
            };
            let revision = available_revision.unwrap_or_default();
            let change = Change::unseen()
                .set("available", boolean(stock.total() != Some(0)))
                .set("availableRevision", number(revision + 1))
                .require_seen("availableRevision", available_revision.map(number));
            let written =
                transaction::write_one(&self.table, change.into_action(&self.table, key)?).await?;
            Ok(matches!(written, Written::Done).then_some(()))
        })
        .await
    }
}
