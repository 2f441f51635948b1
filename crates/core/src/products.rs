//! Products, by id and by category.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Updated, number, string};
use crate::schema::{self, GSI1, GSI1PK, IndexKey, Item, ItemType, Key};
use crate::{
    Category, Currency, Error, Page, PageRequest, ProductId, Result, Table, Timestamp, Version,
    page, retry,
};

/// The highest price, in the currency's minor unit: an order of 48 items of 999 such products still
/// adds up in 64 bits.
pub const MAX_PRICE: u64 = 1_000_000_000_000;

/// A product, as the table holds it.
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
    /// `None` is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u64>,
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What makes a product.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewProduct {
    pub name: String,
    pub description: Option<String>,
    pub category: Category,
    /// In the currency's minor unit (cents).
    pub price: u64,
    pub currency: Currency,
    /// `None` is unlimited.
    pub stock: Option<u64>,
}

/// What to change of a product; `None` leaves it as it is.
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
    /// The products of this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Adds a product.
    pub async fn create(&self, id: ProductId, new: NewProduct) -> Result<Product> {
        let product = Product {
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
        };
        let item = product.to_item()?;
        let answer = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(product),
            Err(error) => match error.as_service_error() {
                // A try whose answer was lost has been here before: the SDK's retry met its own.
                Some(PutItemError::ConditionalCheckFailedException(failed))
                    if failed.item.as_ref() == Some(&item) =>
                {
                    Ok(product)
                }
                _ => Err(error.into()),
            },
        }
    }

    /// The product with this id.
    pub async fn find(&self, id: ProductId) -> Result<Option<Product>> {
        self.table.find(ItemType::Product, Key::product(id)).await
    }

    /// The products of a category, oldest first.
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
        // Rebuilt from the id and the caller's own category: a cursor cannot name another's.
        let after = request.after.map(|id| {
            let mut key = Item::from(Key::product(id));
            key.extend(Item::from(IndexKey::product(id, category)));
            key
        });
        page::read(query, ItemType::Product, request.limit, after, |product: &Product| product.id)
            .await
    }

    /// Changes a product, if it is at the expected version where one is given
    /// ([`Error::VersionMismatch`]).
    pub async fn update(
        &self,
        id: ProductId,
        changes: ProductChanges,
        expected: Option<Version>,
    ) -> Result<Product> {
        let change = change(id, changes).require_version(expected);
        match change.apply(&self.table, Key::product(id)).await? {
            Updated::To(item) => schema::entity(ItemType::Product, item),
            Updated::Refused(item) => Err(refusal(item)),
        }
    }

    /// Deletes a product. Orders keep the name and the price they were placed with.
    pub async fn delete(&self, id: ProductId, expected: Option<Version>) -> Result<()> {
        let delete = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .set_key(Some(Key::product(id).into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let delete = match expected {
            None => delete.condition_expression("attribute_exists(PK)"),
            Some(version) => delete
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        retry::on_contention(|| async {
            let Err(error) = delete.clone().send().await else {
                return Ok(());
            };
            match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    Err(refusal(failed.item.clone()))
                }
                _ => Err(error.into()),
            }
        })
        .await
    }
}

impl Product {
    fn to_item(&self) -> Result<Item> {
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

/// Why a conditional write of a product was refused, from the item it met.
fn refusal(found: Option<Item>) -> Error {
    let Some(item) = found else {
        return Error::ProductNotFound;
    };
    match schema::entity::<Product>(ItemType::Product, item) {
        Ok(product) => Error::VersionMismatch { current: product.version },
        Err(error) => error,
    }
}
