use std::fmt;

use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use storefront_core::{ProductId, UserId};
use storefront_testing::Request;

use super::idempotency_keys::{KeyedRequest, key_reused};
use super::values::{idempotency_key, name, sent_category, stored_category};
use super::{Focus, Model, Operation};
use crate::engine::client::with_if_match;
use crate::engine::generate::{if_match, mostly, mostly_admin};
use crate::engine::operation::{Call, Client, EntityOperation};
use crate::engine::response::{Response, forbidden, invalid_body, version_mismatch};
use crate::engine::script::{IfMatch, Nth, is_stale};
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};

/// `p0` to `p2` exist from the start.
pub(crate) type ProductRef = Nth<'p'>;

#[derive(Clone)]
pub(crate) enum ProductOperation {
    Create { by: Nth<'u'>, fields: ProductFields, key: Option<u8> },
    Show { product: ProductRef },
    Change { by: Nth<'u'>, product: ProductRef, fields: ProductFields, if_match: IfMatch },
    Delete { by: Nth<'u'>, product: ProductRef, if_match: IfMatch },
    List { category: u8, limit: usize },
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
}

/// A product as the model has it.
#[derive(Clone, PartialEq)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) category: &'static str,
    pub(crate) price: u64,
    pub(crate) currency: &'static str,
    pub(crate) stock: Option<u64>,
    pub(crate) version: u64,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use ProductOperation::{Change, Create, Delete, List, Show};
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
    prop_oneof![2 => create, 2 => create_with_key, 8 => change, 2 => delete, 1 => show, 1 => list]
        .prop_map(Operation::Product)
}

/// Operations that read every product.
pub(crate) fn read_all() -> impl Iterator<Item = ProductOperation> {
    (0..2).map(|category| ProductOperation::List { category, limit: 3 })
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
    )
        .prop_map(|(name, category, price, currency, stock)| ProductFields {
            name,
            category,
            price,
            currency,
            stock,
        })
}

impl EntityOperation for ProductOperation {
    fn caller(&self, known: &Model) -> UserId {
        match *self {
            Self::Create { by, .. } | Self::Change { by, .. } | Self::Delete { by, .. } => {
                known.users.nth(by)
            }
            Self::Show { .. } | Self::List { .. } => known.users.nth(Nth(0)),
        }
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let &Client { known, caller, cursor, .. } = client;
        let products = &client.shop.products;
        match *self {
            Self::Create { fields, key, .. } => {
                let request = products.post("/products").json(fields.completed().body()).by(caller);
                match key {
                    Some(key) => request.header("idempotency-key", &idempotency_key(key)),
                    None => request,
                }
            }
            Self::Show { product } => {
                products.get(format!("/products/{}", known.products.nth(product)))
            }
            Self::Change { product, fields, if_match, .. } => {
                let id = known.products.nth(product);
                let request = products.patch(format!("/products/{id}")).json(fields.body());
                with_if_match(request.by(caller), if_match, known.product_version(id))
            }
            Self::Delete { product, if_match, .. } => {
                let id = known.products.nth(product);
                let request = products.delete(format!("/products/{id}")).by(caller);
                with_if_match(request, if_match, known.product_version(id))
            }
            Self::List { category, limit } => {
                let category = sent_category(category).replace(' ', "%20");
                products.get(format!("/products?category={category}&limit={limit}{cursor}"))
            }
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List { .. })
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let known = call.known();
        match *self {
            Self::Show { product } => model.show_product(known.products.nth(product)),
            Self::List { category, limit } => {
                model.list_products(category, limit, call.is_concurrent())
            }
            _ if !call.is_admin() => forbidden(),
            Self::Create { fields, key, .. } => {
                model.create_product(fields, key.map(|key| (call.caller, key)), call.actual)
            }
            Self::Change { product, fields, if_match, .. } => {
                let id = known.products.nth(product);
                model.change_product(id, fields, if_match.version(known.product_version(id)))
            }
            Self::Delete { product, if_match, .. } => {
                let id = known.products.nth(product);
                model.delete_product(id, if_match.version(known.product_version(id)))
            }
        }
    }

    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool {
        match self {
            Self::Show { .. } | Self::List { .. } => false,
            Self::Create { .. } | Self::Change { .. } | Self::Delete { .. } => {
                call.has_admin_token()
            }
        }
    }

    fn reread(&self, model: &Model, call: &Call<'_>) -> Option<Response> {
        match *self {
            Self::Change { product, .. } => {
                Some(model.show_product(call.known().products.nth(product)))
            }
            _ => None,
        }
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Show { product }
            | Self::Change { product, .. }
            | Self::Delete { product, .. } => {
                *product = focus.product;
            }
            Self::Create { key: Some(key), .. } => *key = focus.idempotency_key,
            Self::Create { key: None, .. } | Self::List { .. } => {}
        }
    }
}

impl Model {
    fn product_version(&self, id: ProductId) -> Option<u64> {
        self.products.get(id).map(|product| product.version)
    }

    fn create_product(
        &mut self,
        fields: ProductFields,
        key: Option<(UserId, u8)>,
        actual: &Response,
    ) -> Response {
        let mut product = Product {
            name: String::new(),
            category: "",
            price: 0,
            currency: "",
            stock: None,
            version: 0,
        };
        product.change(fields.completed());
        if let Some(first) = key.and_then(|key| self.idempotency_keys.get(&key)) {
            return match first {
                KeyedRequest::AddProduct { product: first, id } if *first == product => {
                    self.replayed_product(*id)
                }
                _ => key_reused(),
            };
        }
        let id = self.products.new_id(actual);
        if let Some(key) = key {
            let request = KeyedRequest::AddProduct { product: product.clone(), id };
            self.idempotency_keys.insert(key, request);
        }
        let response =
            Response::entity(201, product.body(id), 1).with_location(format!("/products/{id}"));
        self.products.create(id, product);
        response
    }

    fn replayed_product(&self, id: ProductId) -> Response {
        let shown = self.show_product(id);
        if shown.status != 200 {
            return shown;
        }
        Response { is_replayed: true, ..shown }.with_location(format!("/products/{id}"))
    }

    fn show_product(&self, id: ProductId) -> Response {
        match self.products.get(id) {
            Some(product) => Response::entity(200, product.body(id), product.version),
            None => product_not_found(),
        }
    }

    fn change_product(
        &mut self,
        id: ProductId,
        fields: ProductFields,
        expected: Option<u64>,
    ) -> Response {
        if fields.is_empty() {
            return invalid_body();
        }
        let Some(product) = self.products.get_mut(id) else { return product_not_found() };
        if is_stale(expected, product.version) {
            return version_mismatch();
        }
        product.change(fields);
        Response::entity(200, product.body(id), product.version)
    }

    fn delete_product(&mut self, id: ProductId, expected: Option<u64>) -> Response {
        let Some(product) = self.products.get(id) else { return product_not_found() };
        if is_stale(expected, product.version) {
            return version_mismatch();
        }
        self.products.remove(id);
        Response::without_version(204, Value::Null)
    }

    /// Oldest first.
    fn list_products(&self, category: u8, limit: usize, only_first: bool) -> Response {
        let category = stored_category(category);
        let of_category = self.products.iter().filter(|(_, product)| product.category == category);
        let items: Vec<_> = of_category.map(|(id, product)| product.body(id)).collect();
        Response::pages(&items, limit, only_first)
    }

    pub(super) fn add_product_items(&self, items: &mut TableItems) {
        for (id, product) in self.products.iter() {
            let (key, mut attributes) = expected_item(
                "Product",
                &format!("PRODUCT#{id}"),
                "METADATA",
                &[
                    ("GSI1PK", &format!("CATEGORY#{}", product.category)),
                    ("GSI1SK", &format!("PRODUCT#{id}")),
                    ("id", &id.to_string()),
                    ("name", &product.name),
                    ("category", product.category),
                    ("price", &product.price.to_string()),
                    ("currency", product.currency),
                    ("version", &product.version.to_string()),
                    ("createdAt", &id.created_at().to_string()),
                    ("updatedAt", ANY_VALUE),
                ],
            );
            if let Some(stock) = product.stock {
                attributes.insert("stock".to_owned(), stock.to_string());
            }
            items.insert(key, attributes);
        }
    }
}

impl Product {
    fn change(&mut self, fields: ProductFields) {
        if let Some(number) = fields.name {
            self.name = name(number);
        }
        if let Some(number) = fields.category {
            self.category = stored_category(number);
        }
        self.price = fields.price.unwrap_or(self.price);
        self.currency = fields.currency.unwrap_or(self.currency);
        self.stock = fields.stock.unwrap_or(self.stock);
        self.version += 1;
    }

    fn body(&self, id: ProductId) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "description": null,
            "category": self.category,
            "price": self.price,
            "currency": self.currency,
            "stock": self.stock,
            "version": self.version,
            "createdAt": id.created_at(),
        })
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
        Value::Object(body)
    }
}

fn product_not_found() -> Response {
    Response::problem(404, "product_not_found")
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
        }
    }
}

impl fmt::Debug for ProductFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.body())
    }
}
