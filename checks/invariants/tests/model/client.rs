//! Asks the shop for what an operation says, and reads the answer.

use serde_json::{Map, Value, json};
use storefront_invariants::Shop;
use storefront_testing::{Answer, Persona, Request};

use crate::model::{Model, NEW_NAME, Seen};
use crate::script::{Address, Fields, IfMatch, Operation, UserFields, category, name, password};

/// The header of a script's idempotency key.
pub(crate) fn idempotency_key(number: u8) -> String {
    format!("key-{number}")
}

/// Sends an operation to the shop, by clients that know it as it was `before`. Of a list, `all`
/// pages are read, or the first.
pub(crate) async fn send(shop: &Shop, operation: &Operation, before: &Model, all: bool) -> Seen {
    let answer = request(shop, operation, before, "").send().await;
    let is_list =
        matches!(operation, Operation::ListProducts { .. } | Operation::ListOrders { .. });
    if !is_list || answer.status != 200 {
        return seen(&answer);
    }
    let mut pages = vec![without_times(&answer.body["items"])];
    let mut cursor = answer.body["nextCursor"].as_str().map(ToOwned::to_owned);
    while let Some(after) = cursor.take_if(|_| all) {
        let answer = request(shop, operation, before, &format!("&cursor={after}")).send().await;
        if answer.status != 200 {
            return seen(&answer);
        }
        pages.push(without_times(&answer.body["items"]));
        cursor = answer.body["nextCursor"].as_str().map(ToOwned::to_owned);
    }
    Seen { body: json!({ "pages": pages, "more": cursor.is_some() }), ..seen(&answer) }
}

fn request(shop: &Shop, operation: &Operation, before: &Model, cursor: &str) -> Request {
    let Shop { auth, users, products, orders } = shop;
    let caller = before.caller(operation);
    let caller = Persona { user_id: caller.id, role: caller.role };
    match *operation {
        Operation::Register { email, password: number } => auth.post("/users").json(json!({
            "email": email.written(), "password": password(number), "name": NEW_NAME,
        })),
        Operation::LogIn { email, password: number } => auth.post("/sessions").json(json!({
            "email": email.written(), "password": password(number),
        })),
        Operation::ShowUser { user, .. } => {
            users.get(format!("/users/{}", before.user(user))).by(caller)
        }
        Operation::FindUser { email, .. } => {
            let email = email.written().replace(' ', "%20");
            users.get(format!("/users?email={email}")).by(caller)
        }
        Operation::ChangeUser { user, fields, if_match, .. } => {
            let id = before.user(user);
            let request = users.patch(format!("/users/{id}")).json(user_body(fields)).by(caller);
            with(request, if_match, before.user_version(id))
        }
        Operation::AssignRole { user, admin, if_match, .. } => {
            let id = before.user(user);
            let role = if admin { "admin" } else { "user" };
            let request = users.put(format!("/users/{id}/role")).json(json!({ "role": role }));
            with(request.by(caller), if_match, before.user_version(id))
        }
        Operation::DeleteUser { user, if_match, .. } => {
            let id = before.user(user);
            let request = users.delete(format!("/users/{id}")).by(caller);
            with(request, if_match, before.user_version(id))
        }
        Operation::CreateProduct { fields, .. } => {
            products.post("/products").json(new_product(fields)).by(caller)
        }
        Operation::ShowProduct { product } => {
            products.get(format!("/products/{}", before.product(product)))
        }
        Operation::ChangeProduct { product, fields, if_match, .. } => {
            let id = before.product(product);
            let request = products.patch(format!("/products/{id}")).json(product_body(fields));
            with(request.by(caller), if_match, before.product_version(id))
        }
        Operation::DeleteProduct { product, if_match, .. } => {
            let id = before.product(product);
            let request = products.delete(format!("/products/{id}")).by(caller);
            with(request, if_match, before.product_version(id))
        }
        Operation::ListProducts { category: number, limit } => {
            let category = category(number).0.replace(' ', "%20");
            products.get(format!("/products?category={category}&limit={limit}{cursor}"))
        }
        Operation::PlaceOrder { ref items, key, .. } => {
            let items: Vec<_> = items
                .iter()
                .map(|&(product, quantity)| {
                    json!({ "productId": before.product(product), "quantity": quantity })
                })
                .collect();
            let request = orders.post("/orders").json(json!({ "items": items })).by(caller);
            match key {
                Some(key) => request.header("idempotency-key", &idempotency_key(key)),
                None => request,
            }
        }
        Operation::ListOrders { of, limit, from, to, .. } => {
            let mut path = format!("/orders?userId={}&limit={limit}{cursor}", before.user(of));
            for (parameter, order) in [("from", from), ("to", to)] {
                if let Some(time) = order.and_then(|order| before.ordered_at(order)) {
                    path = format!("{path}&{parameter}={time}");
                }
            }
            orders.get(path).by(caller)
        }
        Operation::ShowOrder { order, .. } => {
            orders.get(format!("/orders/{}", before.order(order))).by(caller)
        }
        Operation::ChangeOrder { order, to, if_match, .. } => {
            let id = before.order(order);
            let request = orders.patch(format!("/orders/{id}")).json(json!({ "status": to }));
            with(request.by(caller), if_match, before.order_version(id))
        }
    }
}

fn with(request: Request, if_match: IfMatch, current: Option<u64>) -> Request {
    match (if_match, if_match.version(current)) {
        (IfMatch::None, _) => request,
        (_, None) => request.header("if-match", "*"),
        (_, Some(version)) => request.header("if-match", &format!("\"{version}\"")),
    }
}

fn user_body(fields: UserFields) -> Value {
    let UserFields { name: new_name, email, password: new_password, current } = fields;
    let mut body = Map::new();
    body.extend(new_name.map(|number| ("name".to_owned(), json!(name(number)))));
    body.extend(email.map(|email: Address| ("email".to_owned(), json!(email.written()))));
    body.extend(new_password.map(|number| ("password".to_owned(), json!(password(number)))));
    body.extend(current.map(|number| ("currentPassword".to_owned(), json!(password(number)))));
    Value::Object(body)
}

/// The fields that are given.
fn product_body(fields: Fields) -> Value {
    let mut body = Map::new();
    body.extend(fields.name.map(|number| ("name".to_owned(), json!(name(number)))));
    body.extend(fields.category.map(|number| ("category".to_owned(), json!(category(number).0))));
    body.extend(fields.price.map(|price| ("price".to_owned(), json!(price))));
    body.extend(fields.currency.map(|currency| ("currency".to_owned(), json!(currency))));
    body.extend(fields.stock.map(|stock| ("stock".to_owned(), json!(stock))));
    Value::Object(body)
}

/// The fields that are given, and those that a product must have.
fn new_product(fields: Fields) -> Value {
    product_body(Fields {
        name: Some(fields.name.unwrap_or_default()),
        category: Some(fields.category.unwrap_or_default()),
        price: Some(fields.price.unwrap_or_default()),
        currency: Some(fields.currency.unwrap_or("EUR")),
        stock: fields.stock,
    })
}

fn seen(answer: &Answer) -> Seen {
    let version = answer.header("etag").map(|tag| {
        let version = tag.trim_matches('"').parse();
        version.unwrap_or_else(|_| panic!("the ETag is a version in quotes, not {tag}"))
    });
    Seen {
        status: answer.status,
        body: body(answer),
        version,
        location: answer.header("location").map(ToOwned::to_owned),
        replayed: answer.header("idempotency-replayed") == Some("true"),
    }
}

/// What of the body can be told beforehand.
fn body(answer: &Answer) -> Value {
    if answer.status >= 400 {
        let code = answer.body["code"].as_str().unwrap_or_default();
        let problem = answer.clone().problem(answer.status, code);
        let may_be_tried_again = [429, 503].contains(&answer.status);
        assert_eq!(problem.header("retry-after").is_some(), may_be_tried_again, "{problem:?}");
        let mut body = json!({ "code": code });
        if let Some(products) = answer.body.get("products") {
            body["products"] = products.clone();
        }
        return body;
    }
    if answer.body.get("accessToken").is_some_and(Value::is_string) {
        return json!({ "user": without_times(&answer.body["user"]) });
    }
    without_times(&answer.body)
}

/// Without the times of changes, which are there.
fn without_times(body: &Value) -> Value {
    match body {
        Value::Array(items) => items.iter().map(without_times).collect(),
        Value::Object(fields) => {
            let is_entity = fields.contains_key("version");
            assert_eq!(fields.contains_key("updatedAt"), is_entity, "{body}");
            let fields = fields.iter().filter(|(name, _)| *name != "updatedAt");
            fields.map(|(name, value)| (name.clone(), without_times(value))).collect()
        }
        other => other.clone(),
    }
}
