mod model;
mod table;

use std::fmt;

use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use storefront_core::{MAX_STOCK, UserId};
use storefront_testing::Request;

use super::values::{idempotency_key, name, sent_category};
use super::{Focus, Model, Operation};
use crate::engine::client::with_if_match_and_state;
use crate::engine::generate::{if_match, mostly, mostly_admin, mostly_staff};
use crate::engine::operation::{Call, Client, EntityOperation};
use crate::engine::response::{Response, forbidden};
use crate::engine::script::{IfMatch, Nth};
pub(crate) use model::Product;
pub(super) use table::with_joined_stock;

/// `p0` to `p2` exist from the start.
pub(crate) type ProductRef = Nth<'p'>;

#[derive(Clone)]
pub(crate) enum ProductOperation {
    Create { by: Nth<'u'>, fields: ProductFields, key: Option<u8> },
    Show { product: ProductRef },
    Change { by: Nth<'u'>, product: ProductRef, fields: ProductFields, if_match: IfMatch },
    Delete { by: Nth<'u'>, product: ProductRef, if_match: IfMatch },
    List { category: u8, limit: usize },
    ChangeStock { by: Nth<'u'>, product: ProductRef, change: i64, key: Option<u8> },
    Spread { by: Nth<'u'>, product: ProductRef, items: u8 },
}

/// The fields that a request has; names and categories by number.
#[derive(Clone, Copy, Default)]
pub(crate) struct ProductFields {
    pub(crate) name: Option<u8>,
    pub(crate) category: Option<u8>,
    pub(crate) price: Option<u64>,
    pub(crate) currency: Option<&'static str>,
    /// `Some(None)` is a stock that is not counted.
    pub(crate) stock: Option<Option<u64>>,
    /// Only changes have it.
    pub(crate) selling: Option<bool>,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use ProductOperation::{Change, ChangeStock, Create, Delete, List, Show, Spread};
    let create =
        (mostly_admin(), fields()).prop_map(|(by, fields)| Create { by, fields, key: None });
    // The same key mostly comes with the same fields.
    let few_fields = prop_oneof![3 => Just(ProductFields::default()), 1 => fields()];
    let create_with_key = (mostly_admin(), few_fields, 0..2_u8)
        .prop_map(|(by, fields, key)| Create { by, fields, key: Some(key) });
    let change = (mostly_admin(), product(), fields(), if_match())
        .prop_map(|(by, product, fields, if_match)| Change { by, product, fields, if_match });
    let delete = (mostly_admin(), product(), if_match())
        .prop_map(|(by, product, if_match)| Delete { by, product, if_match });
    let show = product().prop_map(|product| Show { product });
    let list = (0..4_u8, 1..4_usize).prop_map(|(category, limit)| List { category, limit });
    // The same key mostly comes with the same change.
    let change_and_key = prop_oneof![
        4 => (stock_change(), Just(None)),
        3 => (Just(2), (0..2_u8).prop_map(Some)),
        1 => (stock_change(), (0..2_u8).prop_map(Some)),
    ];
    let change_stock = (mostly_staff(), product(), change_and_key)
        .prop_map(|(by, product, (change, key))| ChangeStock { by, product, change, key });
    let items = prop_oneof![8 => 1..4_u8, 2 => Just(16), 1 => Just(0), 1 => Just(65)];
    let spread = (mostly_admin(), product(), items).prop_map(|(by, product, items)| Spread {
        by,
        product,
        items,
    });
    prop_oneof![
        2 => create,
        2 => create_with_key,
        8 => change,
        2 => delete,
        2 => show,
        1 => list,
        6 => change_stock,
        3 => spread,
    ]
    .prop_map(Operation::Product)
}

/// Operations that read every product.
pub(crate) fn read_all(model: &Model) -> impl Iterator<Item = ProductOperation> {
    let lists = (0..2).map(|category| ProductOperation::List { category, limit: 3 });
    lists.chain(model.products.all().map(|product| ProductOperation::Show { product }))
}

pub(crate) fn product() -> impl Strategy<Value = ProductRef> {
    mostly([0, 1, 2])
}

/// One or two fields, mostly.
fn fields() -> impl Strategy<Value = ProductFields> {
    let stock = prop_oneof![4 => (0..9_u64).prop_map(Some), 1 => Just(None)];
    (
        option::weighted(0.3, 1..4_u8),
        option::weighted(0.3, 0..4_u8),
        option::weighted(0.5, prop_oneof![Just(200_u64), Just(1890), Just(0)]),
        option::weighted(0.2, prop_oneof![Just("EUR"), Just("USD")]),
        option::weighted(0.4, stock),
        option::weighted(0.2, prop_oneof![Just(true), Just(false)]),
    )
        .prop_map(|(name, category, price, currency, stock, selling)| ProductFields {
            name,
            category,
            price,
            currency,
            stock,
            selling,
        })
}

/// Mostly a few pieces; none, and more than any stock has, are invalid.
fn stock_change() -> impl Strategy<Value = i64> {
    let most = MAX_STOCK.cast_signed();
    prop_oneof![6 => 1..6_i64, 6 => -6..0_i64, 1 => Just(0), 1 => Just(most), 1 => Just(-most)]
}

impl EntityOperation for ProductOperation {
    fn caller(&self, known: &Model) -> UserId {
        match *self {
            Self::Create { by, .. }
            | Self::Change { by, .. }
            | Self::Delete { by, .. }
            | Self::ChangeStock { by, .. }
            | Self::Spread { by, .. } => known.users.nth(by),
            Self::Show { .. } | Self::List { .. } => known.users.nth(Nth(0)),
        }
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let &Client { known, caller, cursor, .. } = client;
        let products = &client.shop.products;
        match *self {
            Self::Create { fields, key, .. } => {
                let request = products.post("/products").json(fields.completed().body());
                with_key(request.by(caller), key)
            }
            Self::Show { product } => {
                products.get(format!("/products/{}", known.products.nth(product)))
            }
            Self::Change { product, fields, if_match, .. } => {
                let id = known.products.nth(product);
                let request = products.patch(format!("/products/{id}")).json(fields.body());
                let (version, stock) = (known.product_version(id), known.product_stock(id));
                with_if_match_and_state(request.by(caller), if_match, version, stock)
            }
            Self::Delete { product, if_match, .. } => {
                let id = known.products.nth(product);
                let request = products.delete(format!("/products/{id}")).by(caller);
                let (version, stock) = (known.product_version(id), known.product_stock(id));
                with_if_match_and_state(request, if_match, version, stock)
            }
            Self::List { category, limit } => {
                let category = sent_category(category).replace(' ', "%20");
                products.get(format!("/products?category={category}&limit={limit}{cursor}"))
            }
            Self::ChangeStock { product, change, key, .. } => {
                let path = format!("/products/{}/stock-changes", known.products.nth(product));
                let request = products.post(path).json(json!({ "change": change }));
                with_key(request.by(caller), key)
            }
            Self::Spread { product, items, .. } => {
                let path = format!("/products/{}/stock-spread", known.products.nth(product));
                products.put(path).json(json!({ "items": items })).by(caller)
            }
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List { .. })
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let known = call.known();
        match *self {
            Self::Show { product } => model.show_product(known.products.nth(product), call),
            Self::List { category, limit } => {
                model.list_products(category, limit, call.is_concurrent())
            }
            Self::ChangeStock { product, change, key, .. } if call.is_staff() => {
                let key = key.map(|key| (call.caller, key));
                model.change_stock(known.products.nth(product), change, key, call)
            }
            Self::ChangeStock { .. } => forbidden(),
            _ if !call.is_admin() => forbidden(),
            Self::Create { fields, key, .. } => {
                model.create_product(fields, key.map(|key| (call.caller, key)), call)
            }
            Self::Change { product, fields, if_match, .. } => {
                let id = known.products.nth(product);
                let expected = if_match.version(known.product_version(id));
                model.change_product(id, fields, expected, call)
            }
            Self::Delete { product, if_match, .. } => {
                let id = known.products.nth(product);
                model.delete_product(id, if_match.version(known.product_version(id)))
            }
            Self::Spread { product, items, .. } => {
                model.spread_stock(known.products.nth(product), items)
            }
        }
    }

    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool {
        match self {
            Self::Show { .. } | Self::List { .. } => false,
            Self::Create { .. }
            | Self::Change { .. }
            | Self::Delete { .. }
            | Self::ChangeStock { .. }
            | Self::Spread { .. } => call.has_staff_token(),
        }
    }

    fn reread(&self, model: &Model, call: &Call<'_>) -> Option<Response> {
        match *self {
            Self::Change { product, .. } | Self::ChangeStock { product, .. } => {
                Some(model.show_product(call.known().products.nth(product), call))
            }
            _ => None,
        }
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Show { product }
            | Self::Change { product, .. }
            | Self::Delete { product, .. }
            | Self::ChangeStock { product, key: None, .. }
            | Self::Spread { product, .. } => *product = focus.product,
            Self::ChangeStock { product, key: Some(key), .. } => {
                *product = focus.product;
                *key = focus.idempotency_key;
            }
            Self::Create { key: Some(key), .. } => *key = focus.idempotency_key,
            Self::Create { key: None, .. } | Self::List { .. } => {}
        }
    }
}

impl ProductFields {
    fn is_empty(self) -> bool {
        self.body().as_object().is_some_and(Map::is_empty)
    }

    /// With the fields that a new product must have.
    fn completed(self) -> Self {
        Self {
            name: self.name.or(Some(0)),
            category: self.category.or(Some(0)),
            price: self.price.or(Some(0)),
            currency: self.currency.or(Some("EUR")),
            stock: self.stock,
            selling: None,
        }
    }

    fn body(self) -> Value {
        let mut body = Map::new();
        body.extend(self.name.map(|number| ("name".to_owned(), json!(name(number)))));
        body.extend(
            self.category.map(|number| ("category".to_owned(), json!(sent_category(number)))),
        );
        body.extend(self.price.map(|price| ("price".to_owned(), json!(price))));
        body.extend(self.currency.map(|currency| ("currency".to_owned(), json!(currency))));
        body.extend(self.stock.map(|stock| ("stock".to_owned(), json!(stock))));
        body.extend(self.selling.map(|selling| ("selling".to_owned(), json!(selling))));
        Value::Object(body)
    }
}

fn with_key(request: Request, key: Option<u8>) -> Request {
    match key {
        Some(key) => request.header("idempotency-key", &idempotency_key(key)),
        None => request,
    }
}

impl From<ProductOperation> for Operation {
    fn from(operation: ProductOperation) -> Self {
        Self::Product(operation)
    }
}

impl fmt::Debug for ProductOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { by, fields, key } => {
                write!(f, "create a product {fields:?}")?;
                if let Some(key) = key {
                    write!(f, " with key {key}")?;
                }
                write!(f, " by {by:?}")
            }
            Self::Show { product } => write!(f, "show {product:?}"),
            Self::Change { by, product, fields, if_match } => {
                write!(f, "change {product:?} {fields:?}{if_match:?} by {by:?}")
            }
            Self::Delete { by, product, if_match } => {
                write!(f, "delete {product:?}{if_match:?} by {by:?}")
            }
            Self::List { category, limit } => {
                write!(f, "list {:?} by {limit}", sent_category(*category))
            }
            Self::ChangeStock { by, product, change, key } => {
                write!(f, "change the stock of {product:?} by {change}")?;
                if let Some(key) = key {
                    write!(f, " with key {key}")?;
                }
                write!(f, " by {by:?}")
            }
            Self::Spread { by, product, items } => {
                write!(f, "spread {product:?} over {items} by {by:?}")
            }
        }
    }
}

impl fmt::Debug for ProductFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.body())
    }
}
