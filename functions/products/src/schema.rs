//! The bodies and query parameters of `/products`.

use garde::Validate;
use serde::{Deserialize, Serialize};
use storefront_core::text::lines_pattern;
use storefront_core::{
    Category, Currency, Description, MAX_PRICE, MAX_SPREAD, MAX_STOCK, Name, NewProduct,
    PriceCurrency, Product, ProductChanges, ProductId, ProductWithStock, Timestamp, Version,
};
use storefront_http::openapi::{
    CurrencySchema, CursorSchema, NameSchema, PriceCurrencySchema, PriceSchema, VersionSchema,
};
use storefront_http::{Cursor, Limit, Parsed, Problem, given, present, schemas};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

/// [`MAX_STOCK`], for a change.
const MAX_CHANGE: i64 = MAX_STOCK.cast_signed();

/// A product to add.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewProduct)]
pub(crate) struct NewProductBody {
    #[garde(dive)]
    #[schema(value_type = NameSchema)]
    name: Parsed<Name>,
    #[garde(dive)]
    #[schema(value_type = Option<DescriptionSchema>)]
    description: Option<Parsed<Description>>,
    #[garde(dive)]
    #[schema(value_type = Category)]
    category: Parsed<Category>,
    #[garde(range(max = MAX_PRICE))]
    #[schema(value_type = PriceSchema)]
    price: u64,
    #[garde(dive)]
    #[schema(value_type = PriceCurrencySchema)]
    currency: Parsed<PriceCurrency>,
    /// Unlimited if `null` or absent.
    #[garde(inner(range(max = MAX_STOCK)))]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, example = 100)]
    stock: Option<u64>,
    /// Whether it is for sale, whatever its stock. `true` if absent.
    #[serde(default = "yes")]
    #[garde(skip)]
    #[schema(default = true)]
    selling: bool,
}

/// Changes to a product. Absent fields stay as they are.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ProductChanges, min_properties = 1)]
pub(crate) struct ProductChangesBody {
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = NameSchema, required = false)]
    name: Option<Parsed<Name>>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Option<DescriptionSchema>)]
    description: Option<Option<Parsed<Description>>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Category, required = false)]
    category: Option<Parsed<Category>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(range(max = MAX_PRICE)))]
    #[schema(value_type = PriceSchema, required = false)]
    price: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = PriceCurrencySchema, required = false)]
    currency: Option<Parsed<PriceCurrency>>,
    /// Whether it is for sale, whatever its stock.
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = bool, required = false)]
    selling: Option<bool>,
    /// A stock-taking: the pieces that can be sold from now on, without those of orders that were
    /// placed before. Unlimited if `null`.
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(inner(range(max = MAX_STOCK))))]
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 1_000_000_000_000_u64)]
    stock: Option<Option<u64>>,
}

/// A change of a product's stock.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = StockChange)]
pub(crate) struct StockChangeBody {
    /// The number of pieces, negative to take them off; not 0.
    #[garde(range(min = -MAX_CHANGE, max = MAX_CHANGE), custom(not_zero))]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 50)]
    pub(crate) change: i64,
}

/// Over how many items a product's stock is spread.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = StockSpread)]
pub(crate) struct StockSpreadBody {
    /// 1 if it is not spread.
    #[garde(range(min = 1, max = u32::from(MAX_SPREAD)))]
    #[schema(minimum = 1, maximum = 64, example = 16)]
    pub(crate) items: u32,
}

/// Which products to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Required: no access pattern lists all products.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = Category, required = true, example = "coffee")]
    category: Option<Category>,
    /// The maximum number of products.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 25, required = false)]
    pub(crate) limit: Limit,
    /// The `nextCursor` of the previous page.
    #[param(value_type = CursorSchema, required = false)]
    pub(crate) cursor: Option<Cursor<ProductId>>,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub(crate) struct ProductBody {
    pub(crate) id: ProductId,
    #[schema(value_type = NameSchema)]
    name: Name,
    #[schema(value_type = Option<DescriptionSchema>, required = true)]
    description: Option<Description>,
    category: Category,
    #[schema(value_type = PriceSchema)]
    price: u64,
    #[schema(value_type = CurrencySchema)]
    currency: Currency,
    /// Whether it is for sale, whatever its stock.
    selling: bool,
    /// Whether it can be ordered. In a list, it follows the stock within moments.
    available: bool,
    /// Unlimited if `null`. Absent in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 64_000_000_000_000_u64)]
    stock: Option<Option<u64>>,
    /// Sales do not change it.
    #[schema(value_type = VersionSchema)]
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
}

schemas! {
    /// A product's description, which may be empty.
    DescriptionSchema as "Description" = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Empty or not blank; no control characters except tabs and line ends"))
        .max_length(Some(Description::MAX))
        .pattern(Some(lines_pattern()));
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
            name: body.name.get()?,
            description: body.description.map(Parsed::get).transpose()?,
            category: body.category.get()?,
            price: body.price,
            currency: body.currency.get()?.into(),
            stock: body.stock,
            selling: body.selling,
        })
    }
}

const fn yes() -> bool {
    true
}

impl StockSpreadBody {
    /// The number of items, which has been validated.
    pub(crate) fn items(&self) -> u8 {
        u8::try_from(self.items).unwrap_or(MAX_SPREAD)
    }
}

impl ProductChangesBody {
    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.category.is_none()
            && self.price.is_none()
            && self.currency.is_none()
            && self.selling.is_none()
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
            name: body.name.map(Parsed::get).transpose()?,
            description: body
                .description
                .map(|description| description.map(Parsed::get).transpose())
                .transpose()?,
            category: body.category.map(Parsed::get).transpose()?,
            price: body.price,
            currency: body.currency.map(Parsed::get).transpose()?.map(Currency::from),
            selling: body.selling,
            stock: body.stock,
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "garde passes a reference")]
fn not_zero(change: &i64, (): &()) -> garde::Result {
    if *change == 0 { Err(garde::Error::new("must not be 0")) } else { Ok(()) }
}

impl From<ProductWithStock> for ProductBody {
    fn from(product: ProductWithStock) -> Self {
        Self {
            available: product.is_available(),
            stock: Some(product.stock),
            ..Self::from(product.product)
        }
    }
}

/// Without its stock, for a list.
impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        Self {
            available: product.is_available(),
            id: product.id,
            name: product.name,
            description: product.description,
            category: product.category,
            price: product.price,
            currency: product.currency,
            selling: product.selling,
            stock: None,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}
