//! Products, by id and by category, and their stock.

mod availability;
mod delete;
mod spread;
mod stock_change;
mod update;

use serde::{Deserialize, Serialize};

use crate::access_patterns::{AccessPattern, pattern};
use crate::before_0_2;
use crate::change::string;
use crate::idempotency::{self, KeyedRequest, Once};
use crate::schema::{self, GSI1, IndexKey, Item, ItemType, Key, SK};
use crate::stock::{self, Stock, StockItem};
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{
    Category, Currency, Description, EntityId, Error, IdempotencyKey, Name, Page, PageRequest,
    ProductId, Result, Table, Timestamp, UserId, Version, page, retry,
};

pub use update::ProductChanges;

/// The highest price, in the currency's minor unit: the total of 48 order items of 999 pieces each
/// still fits in 64 bits.
pub const MAX_PRICE: u64 = 1_000_000_000_000;

/// A product without its stock, as stored in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Product {
    pub id: ProductId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub category: Category,
    /// In the currency's minor unit (cents).
    pub price: u64,
    pub currency: Currency,
    /// Whether it is for sale, whatever its stock.
    #[serde(default = "yes")]
    pub selling: bool,
    /// Whether there is stock, or it is not counted. It follows the stock within moments.
    #[serde(default = "yes")]
    pub available: bool,
    /// Counts the updates of `available`, starting at 1.
    #[serde(default)]
    pub available_revision: u64,
    /// Counts the changes by administrators. Sales do not change it.
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A product and its exact stock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductWithStock {
    pub product: Product,
    /// `None` means unlimited.
    pub stock: Option<u64>,
}

/// The data of a new product.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewProduct {
    pub name: Name,
    pub description: Option<Description>,
    pub category: Category,
    /// In the currency's minor unit (cents).
    pub price: u64,
    pub currency: Currency,
    /// `None` means unlimited.
    pub stock: Option<u64>,
    /// Whether it is for sale, whatever its stock.
    pub selling: bool,
}

/// What there is of a product.
enum Found {
    Nothing,
    /// Not all of its stock items: they are being changed, or it is a product of version 0.1.
    Incomplete,
    Product(Box<(Product, Stock)>),
}

/// The products of the shop.
#[derive(Clone, Debug)]
pub struct Products {
    table: Table,
}

impl Products {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("product by id, with its stock", "1 Query").reads(0.5),
        pattern("product by id, with its stock", "+ 1 Query, strongly consistent")
            .case("that does not exist")
            .reads(1.5),
        pattern("product by id, with its stock", "+ 1 BatchGetItem of the other n stock items")
            .case("spread over n + 1 items")
            .reads(0.5)
            .reads_per_item(0.5),
        pattern("products of a category, a page of n", "1 Query on GSI1").reads_per_4_kb(0.5),
        pattern("add a product", "1 TransactWriteItems, with its stock item").writes(5.0),
        pattern("add a product", "the record is part of it")
            .case("with an idempotency key")
            .writes(7.0),
        pattern("delete a product", "1 GetItem of its stock item + 1 TransactWriteItems")
            .reads(1.0)
            .writes(5.0),
        pattern("change a product's description or category", "1 TransactWriteItems + 1 Query")
            .reads(1.0)
            .writes(3.0),
        pattern(
            "change a product's name, price, currency or selling",
            "1 TransactWriteItems, with its stock item + 1 Query",
        )
        .reads(1.0)
        .writes(5.0),
        pattern("set a product's stock", "the same, after 1 GetItem of the stock item")
            .reads(2.0)
            .writes(5.0),
        pattern("change a product's stock", "1 GetItem + 1 TransactWriteItems + 1 Query")
            .reads(2.0)
            .writes(2.0),
        pattern("change a product's stock", "the record is part of it")
            .case("with an idempotency key")
            .reads(2.0)
            .writes(4.0),
        pattern("spread a product's stock over n more items", "1 GetItem + 1 TransactWriteItems")
            .reads(1.0)
            .writes(2.0)
            .writes_per_item(2.0),
        pattern("refresh a product's availability", "2 GetItem + 1 TransactWriteItems")
            .reads(2.0)
            .writes(3.0),
        pattern("refresh a product's availability", "+ 1 BatchGetItem of the other n stock items")
            .case("spread over n + 1 items")
            .reads(2.0)
            .reads_per_item(1.0)
            .writes(3.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Adds a product and its stock.
    pub async fn create(&self, id: ProductId, new: NewProduct) -> Result<ProductWithStock> {
        Ok(self.add(id, new, None).await?.value)
    }

    /// Adds a product, unless this user has added it before with the same key. Rejects a key that
    /// the user has sent with another request ([`Error::IdempotencyKeyReused`]).
    pub async fn create_once(
        &self,
        id: ProductId,
        new: NewProduct,
        user_id: UserId,
        key: IdempotencyKey,
    ) -> Result<Once<ProductWithStock>> {
        let request = KeyedRequest::new(user_id, key, "add a product", &new)?;
        self.add(id, new, Some(request)).await
    }

    async fn add(
        &self,
        id: ProductId,
        new: NewProduct,
        keyed: Option<KeyedRequest>,
    ) -> Result<Once<ProductWithStock>> {
        let now = Timestamp::now();
        let product = ProductWithStock::new(id, new);
        let [mut item, stock] = product.items()?;
        before_0_2::refuse_to_sell(&mut item);
        let mut actions = vec![self.table.put_new(item)?, self.table.put_new(stock)?];
        let record = actions.len();
        if let Some(request) = &keyed {
            actions.push(request.action(&self.table, id, now)?);
        }
        let Outcome::Cancelled(mut failed) = transaction::write(&self.table, actions).await? else {
            return Ok(Once { value: product, replayed: false });
        };
        match idempotency::earlier(keyed.as_ref(), failed.remove(&record), now)? {
            Some(id) => self.replay(id).await,
            None => Err(Error::Item(format!("product {id} already exists"))),
        }
    }

    /// Returns a product as it is after a change.
    async fn changed(&self, id: ProductId) -> Result<(Product, Stock)> {
        match self.find_now(id).await {
            // The change was made, so this must not say that nothing was.
            Err(Error::Contention) => Err(Error::Unavailable("a changed product moved on".into())),
            found => found?.ok_or(Error::ProductNotFound),
        }
    }

    /// Returns item 0 of a product's stock, with strong consistency.
    async fn first_stock_item(&self, id: ProductId) -> Result<StockItem> {
        let key = Key::stock(id, 0);
        loop {
            let first = self.table.get(ItemType::Stock, key.clone(), Consistency::Strong).await?;
            if let Some(first) = first {
                return Ok(first);
            }
            if !before_0_2::move_stock(&self.table, id).await? {
                return Err(Error::ProductNotFound);
            }
        }
    }

    /// Returns a product that an earlier request with the same key has added or changed.
    async fn replay(&self, id: ProductId) -> Result<Once<ProductWithStock>> {
        let value = self.find(id).await?.ok_or(Error::ProductNotFound)?;
        Ok(Once { value, replayed: true })
    }

    /// Finds a product by id, with its stock.
    pub async fn find(&self, id: ProductId) -> Result<Option<ProductWithStock>> {
        match self.read(id, Consistency::Eventual).await? {
            Found::Product(found) => Ok(Some(ProductWithStock::from(*found))),
            Found::Nothing | Found::Incomplete => {
                Ok(self.find_now(id).await?.map(ProductWithStock::from))
            }
        }
    }

    /// Finds a product with strong consistency.
    async fn find_now(&self, id: ProductId) -> Result<Option<(Product, Stock)>> {
        retry::while_outdated(|| async {
            Ok(match self.read(id, Consistency::Strong).await? {
                Found::Product(found) => Some(Some(*found)),
                Found::Nothing => Some(None),
                Found::Incomplete => {
                    before_0_2::move_stock(&self.table, id).await?;
                    None
                }
            })
        })
        .await
    }

    /// Reads a product and its first stock item in one request, and further ones in a second.
    async fn read(&self, id: ProductId, consistency: Consistency) -> Result<Found> {
        let query = self.table.client.query().table_name(&self.table.name);
        let answer = query
            .key_condition_expression("PK = :product AND begins_with(SK, :metadata)")
            .expression_attribute_values(":product", string(schema::product_partition(id)))
            .expression_attribute_values(":metadata", string(schema::METADATA))
            .consistent_read(consistency == Consistency::Strong)
            .send()
            .await?;
        let (mut product, mut first) = (None, None);
        for item in answer.items.unwrap_or_default() {
            match item.get(SK).and_then(|key| key.as_s().ok()).map(String::as_str) {
                Some(schema::METADATA) => product = Some(item),
                Some(schema::STOCK) => first = Some(item),
                _ => {}
            }
        }
        let Some(product) = product else { return Ok(Found::Nothing) };
        let Some(first) = first else { return Ok(Found::Incomplete) };
        let product = schema::entity(ItemType::Product, product)?;
        let first = schema::entity(ItemType::Stock, first)?;
        Ok(match stock::read_others(&self.table, first, consistency).await? {
            Some(stock) => Found::Product(Box::new((product, stock))),
            None => Found::Incomplete,
        })
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
}

impl EntityId for ProductId {
    fn not_found() -> Error {
        Error::ProductNotFound
    }
}

impl ProductWithStock {
    fn new(id: ProductId, new: NewProduct) -> Self {
        let product = Product {
            id,
            name: new.name,
            description: new.description,
            category: new.category,
            price: new.price,
            currency: new.currency,
            selling: new.selling,
            available: new.stock != Some(0),
            available_revision: 1,
            version: 1,
            created_at: id.created_at(),
            updated_at: id.created_at(),
        };
        Self { product, stock: new.stock }
    }

    /// Whether it can be ordered.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.product.selling && self.stock != Some(0)
    }

    /// Returns the product's items in the table: the product, and then its stock item. For programs
    /// that fill a table in bulk. [`Products::create`] writes these items.
    pub fn to_items(&self) -> Result<Vec<Item>> {
        Ok(self.items()?.into())
    }

    fn items(&self) -> Result<[Item; 2]> {
        let Self { product, stock } = self;
        let index_key = IndexKey::product(product.id, &product.category);
        let key = Key::product(product.id);
        Ok([
            schema::item(ItemType::Product, key, Some(index_key), product)?,
            StockItem::of(product, *stock).to_item(0)?,
        ])
    }
}

impl From<(Product, Stock)> for ProductWithStock {
    fn from((product, stock): (Product, Stock)) -> Self {
        Self { product, stock: stock.total() }
    }
}

impl Product {
    /// Whether it can be ordered, as far as is known without reading its stock.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        self.selling && self.available
    }
}

const fn yes() -> bool {
    true
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
