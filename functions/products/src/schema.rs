//! What goes in and out as JSON.

use garde::Validate;
use serde::{Deserialize, Serialize};
use storefront_core::{
    Category, Currency, MAX_PRICE, NewProduct, Product, ProductChanges, ProductId, Timestamp,
    Version,
};
use storefront_http::{Cursor, Limit, Parsed, Problem, plain_text, present};
use utoipa::{IntoParams, ToSchema};

/// The most pieces in stock: no shelf is larger, and sums stay far from any limit.
const MAX_STOCK: u64 = 1_000_000_000_000;

/// In characters: some 20 KB, so that a page of 100 is two answers of DynamoDB's at most.
const MAX_DESCRIPTION: usize = 5000;

/// What makes a product.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewProduct)]
pub(crate) struct NewProductBody {
    #[garde(length(chars, min = 1, max = 200), custom(plain_text))]
    #[schema(min_length = 1, max_length = 200, example = "Espresso blend, 1 kg")]
    name: String,
    #[garde(inner(length(chars, max = MAX_DESCRIPTION), custom(plain_text)))]
    #[schema(max_length = 5000, example = "Dark chocolate and hazelnut.")]
    description: Option<String>,
    /// Trimmed and lower-cased.
    #[garde(dive)]
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "coffee")]
    category: Parsed<Category>,
    /// In the currency's minor unit (cents).
    #[garde(range(max = MAX_PRICE))]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, example = 1890)]
    price: u64,
    /// ISO 4217.
    #[garde(dive)]
    #[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: Parsed<Currency>,
    /// `null` or absent is unlimited.
    #[garde(inner(range(max = MAX_STOCK)))]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, example = 100)]
    stock: Option<u64>,
}

/// What to change of a product; what is absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ProductChanges, min_properties = 1)]
pub(crate) struct ProductChangesBody {
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(length(chars, min = 1, max = 200), custom(plain_text)))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(inner(length(chars, max = MAX_DESCRIPTION), custom(plain_text))))]
    #[schema(value_type = Option<String>, max_length = 5000)]
    description: Option<Option<String>>,
    /// Trimmed and lower-cased.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, nullable = false)]
    category: Option<Parsed<Category>>,
    /// In the currency's minor unit (cents).
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(range(max = MAX_PRICE)))]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, nullable = false)]
    price: Option<u64>,
    /// ISO 4217.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{3}$", nullable = false)]
    currency: Option<Parsed<Currency>>,
    /// `null` is unlimited.
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(inner(range(max = MAX_STOCK))))]
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 1_000_000_000_000_u64)]
    stock: Option<Option<u64>>,
}

/// Which products to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Required: no access pattern lists all products.
    #[param(
        value_type = String,
        required = true,
        nullable = false,
        min_length = 1,
        max_length = 64,
        example = "coffee"
    )]
    category: Option<Category>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 25, required = false)]
    pub(crate) limit: Limit,
    /// The `nextCursor` of the page before.
    #[param(value_type = Option<String>, nullable = false)]
    pub(crate) cursor: Option<Cursor<ProductId>>,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub(crate) struct ProductBody {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: ProductId,
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(required = true, max_length = 5000)]
    description: Option<String>,
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    category: Category,
    /// In the currency's minor unit (cents).
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    price: u64,
    /// ISO 4217.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// `null` is unlimited.
    #[schema(required = true, minimum = 0)]
    stock: Option<u64>,
    /// Counts the changes, from 1. It is the `ETag`.
    #[schema(minimum = 1)]
    version: Version,
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    #[schema(value_type = String, format = "date-time")]
    updated_at: Timestamp,
}

impl ListQuery {
    pub(crate) fn category(&self) -> Result<&Category, Problem> {
        self.category.as_ref().ok_or_else(|| {
            let why = "is required: no access pattern lists the products of all categories";
            Problem::invalid_query("category", why)
        })
    }
}

impl TryFrom<NewProductBody> for NewProduct {
    type Error = Problem;

    fn try_from(body: NewProductBody) -> Result<Self, Problem> {
        Ok(Self {
            name: body.name,
            description: body.description,
            category: body.category.get()?,
            price: body.price,
            currency: body.currency.get()?,
            stock: body.stock,
        })
    }
}

impl ProductChangesBody {
    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.category.is_none()
            && self.price.is_none()
            && self.currency.is_none()
            && self.stock.is_none()
    }
}

impl TryFrom<ProductChangesBody> for ProductChanges {
    type Error = Problem;

    fn try_from(body: ProductChangesBody) -> Result<Self, Problem> {
        if body.is_empty() {
            return Err(Problem::invalid_field("", "needs at least one field to change"));
        }
        Ok(Self {
            name: body.name,
            description: body.description,
            category: body.category.map(Parsed::get).transpose()?,
            price: body.price,
            currency: body.currency.map(Parsed::get).transpose()?,
            stock: body.stock,
        })
    }
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            category: product.category,
            price: product.price,
            currency: product.currency,
            stock: product.stock,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}
