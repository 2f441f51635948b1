//! Products, by id and by category.

use aws_sdk_dynamodb::types::{Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use serde::{Deserialize, Serialize};

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{Change, number, string};
use crate::idempotency::KeyedRequest;
use crate::schema::{self, GSI1, GSI1PK, IndexKey, Item, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome, Written};
use crate::{
    Category, Currency, EntityId, Error, IdempotencyKey, Page, PageRequest, ProductId, Result,
    Table, Timestamp, UserId, Version, page,
};

/// The highest price, in the currency's minor unit: the total of 48 order items of 999 pieces each
/// still fits in 64 bits.
pub const MAX_PRICE: u64 = 1_000_000_000_000;

/// A product, as stored in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Product {
    pub id: ProductId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub category: Category,
    /// In the currency's minor unit (cents).
    pub price: u64,
    pub currency: Currency,
    /// `None` means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u64>,
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The data of a new product.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewProduct {
    pub name: String,
    pub description: Option<String>,
    pub category: Category,
    /// In the currency's minor unit (cents).
    pub price: u64,
    pub currency: Currency,
    /// `None` means unlimited.
    pub stock: Option<u64>,
}

/// A product that was added.
#[derive(Clone, Debug)]
pub struct Added {
    /// The product in its current state.
    pub product: Product,
    /// Whether the same idempotency key had added it before, and so nothing was written.
    pub replayed: bool,
}

/// The changes to a product; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductChanges {
    pub name: Option<String>,
    /// `Some(None)` removes it.
    pub description: Option<Option<String>>,
    pub category: Option<Category>,
    /// In the currency's minor unit (cents).
    pub price: Option<u64>,
    pub currency: Option<Currency>,
    /// `Some(None)` makes it unlimited.
    pub stock: Option<Option<u64>>,
}

/// The products of the shop.
#[derive(Clone, Debug)]
pub struct Products {
    table: Table,
}

impl Products {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("product by id", "1 GetItem").reads(0.5),
        pattern("product by id", "+ 1 GetItem, strongly consistent")
            .case("that does not exist")
            .reads(1.5),
        pattern("products of a category, a page of n", "1 Query on GSI1").reads_per_4_kb(0.5),
        pattern("add, delete a product", "1 TransactWriteItems").writes(3.0),
        pattern("add, delete a product", "the record is part of it")
            .case("with an idempotency key")
            .writes(5.0),
        pattern("change a product", "1 TransactWriteItems + 1 GetItem, strongly consistent")
            .reads(1.0)
            .writes(3.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Adds a product.
    pub async fn create(&self, id: ProductId, new: NewProduct) -> Result<Product> {
        let product = Product::new(id, new);
        match transaction::write_one(&self.table, self.table.put_new(product.to_item()?)?).await? {
            Written::Done => Ok(product),
            Written::Refused(_) => Err(Error::Item(format!("product {id} already exists"))),
        }
    }

    /// Adds a product, unless this user has added it before with the same key. Rejects a key that
    /// the user has sent with another request ([`Error::IdempotencyKeyReused`]).
    pub async fn create_once(
        &self,
        id: ProductId,
        new: NewProduct,
        user_id: UserId,
        key: IdempotencyKey,
    ) -> Result<Added> {
        /// The record's position among the actions.
        const RECORD: usize = 1;
        let now = Timestamp::now();
        let request = KeyedRequest::new(user_id, key, "add a product", &new)?;
        let product = Product::new(id, new);
        let actions =
            vec![self.table.put_new(product.to_item()?)?, request.action(&self.table, id, now)?];
        let Outcome::Cancelled(mut failed) = transaction::write(&self.table, actions).await? else {
            return Ok(Added { product, replayed: false });
        };
        let record = failed.remove(&RECORD).flatten();
        let earlier = record.map(|record| request.earlier_result(record, now)).transpose()?;
        let Some(id) = earlier.flatten() else {
            return Err(Error::Item(format!("product {id} already exists")));
        };
        let product = self.find(id).await?.ok_or(Error::ProductNotFound)?;
        Ok(Added { product, replayed: true })
    }

    /// Finds a product by id.
    pub async fn find(&self, id: ProductId) -> Result<Option<Product>> {
        self.table.find(ItemType::Product, Key::product(id)).await
    }

    /// Lists the products of a category, oldest first.
    pub async fn list(
        &self,
        category: &Category,
        request: PageRequest<ProductId>,
    ) -> Result<Page<Product, ProductId>> {
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(GSI1)
            .key_condition_expression("GSI1PK = :category")
            .expression_attribute_values(":category", string(schema::category_partition(category)));
        // Rebuilt from the id and the requested category, so a cursor cannot lead into another one.
        let after = request.after.map(|id| {
            let mut key = Item::from(Key::product(id));
            key.extend(Item::from(IndexKey::product(id, category)));
            key
        });
        page::read(query, ItemType::Product, request.limit, after, schema::product_of).await
    }

    /// Changes a product. If a version is expected, the product must be at that version
    /// ([`Error::VersionMismatch`]). Returns the product after the change, including what others
    /// may have changed since, such as its stock.
    pub async fn update(
        &self,
        id: ProductId,
        changes: ProductChanges,
        expected: Option<Version>,
    ) -> Result<Product> {
        let change = change(id, changes).require_version(expected);
        let key = Key::product(id);
        let action = change.into_action(&self.table, key.clone())?;
        match transaction::write_one(&self.table, action).await? {
            Written::Done => {
                let product = self.table.get(ItemType::Product, key, Consistency::Strong).await?;
                product.ok_or(Error::ProductNotFound)
            }
            Written::Refused(item) => Err(refusal(item)),
        }
    }

    /// Deletes a product. Orders keep the name and the price they were placed with.
    pub async fn delete(&self, id: ProductId, expected: Option<Version>) -> Result<()> {
        let delete = Delete::builder()
            .table_name(&self.table.name)
            .set_key(Some(Key::product(id).into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let delete = match expected {
            None => delete.condition_expression("attribute_exists(PK)"),
            Some(version) => delete
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let action = TransactWriteItem::builder().delete(delete.build()?).build();
        match transaction::write_one(&self.table, action).await? {
            Written::Done => Ok(()),
            Written::Refused(item) => Err(refusal(item)),
        }
    }
}

impl EntityId for ProductId {
    fn not_found() -> Error {
        Error::ProductNotFound
    }
}

impl Product {
    fn new(id: ProductId, new: NewProduct) -> Self {
        Self {
            id,
            name: new.name,
            description: new.description,
            category: new.category,
            price: new.price,
            currency: new.currency,
            stock: new.stock,
            version: 1,
            created_at: id.created_at(),
            updated_at: id.created_at(),
        }
    }

    /// Returns the product's item in the table, for programs that fill a table in bulk.
    /// [`Products::create`] writes this item.
    pub fn to_item(&self) -> Result<Item> {
        let index_key = IndexKey::product(self.id, &self.category);
        schema::item(ItemType::Product, Key::product(self.id), Some(index_key), self)
    }
}

fn change(id: ProductId, changes: ProductChanges) -> Change {
    let mut change = Change::at(Timestamp::now())
        .set_some("name", changes.name.map(string))
        .set_some("price", changes.price.map(number))
        .set_some("currency", changes.currency.map(|currency| string(currency.code())));
    if let Some(category) = changes.category {
        change = change
            .set("category", string(category.as_str()))
            .set(GSI1PK, string(IndexKey::product(id, &category).pk));
    }
    change = match changes.description {
        Some(Some(description)) => change.set("description", string(description)),
        Some(None) => change.remove("description"),
        None => change,
    };
    match changes.stock {
        Some(Some(stock)) => change.set("stock", number(stock)),
        Some(None) => change.remove("stock"),
        None => change,
    }
}

/// Returns why a conditional write of a product was rejected, given the item that it found.
fn refusal(found: Option<Item>) -> Error {
    let Some(item) = found else {
        return Error::ProductNotFound;
    };
    match schema::entity::<Product>(ItemType::Product, item) {
        Ok(product) => Error::VersionMismatch { current: product.version },
        Err(error) => error,
    }
}
