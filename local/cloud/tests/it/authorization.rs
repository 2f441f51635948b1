//! Tests who may do what: every route of template.yaml with every kind of caller.
//!
//! Each cell is the status that the caller receives. With a `g`, it is API Gateway's own response,
//! and no function is invoked. Otherwise, 401 means that the token's user has been deleted, 403
//! that only staff or only administrators may do this, 404 that it belongs to another user, and 422 that the token
//! of a mail is one of a deleted user. A rejected request must change nothing.
//!
//! | caller | description |
//! |---|---|
//! | none | no Authorization header |
//! | aged, forged, algno, aud, iss, rs256, junk | the bearers of [`bad_tokens`] |
//! | own | the customer who owns the user and the order; on products any customer |
//! | other | another customer |
//! | staff | a member of staff |
//! | admin | an administrator |
//! | gone | the customer `own`, deleted since |
//! | down | an administrator, demoted to customer since |
//! | fired | an administrator, deleted since |
//! | up | a customer, promoted to administrator since |
//!
//! The last four use a token from before that, which the gateway has cached as valid: the
//! authorizer is not invoked again.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, TABLE_NAME, TOKEN_SECRET};
use storefront_core::{
    AccountMailKind, CreatedBetween, MailToken, MailTokens, NewOrder, NewOrderItem, NewProduct,
    NewUser, OrderAccess, OrderStatus, OrderWithItems, Orders, PageRequest, PasswordHash, Product,
    ProductId, ProductWithStock, Products, Role, Session, Sessions, StatusChange, Table, Timestamp,
    User, UserChanges, UserId, Users, aws,
};
use storefront_credentials::{SigningKey, refresh_token};
use storefront_template::Template;
use storefront_testing::{evidence, new_product};

use crate::client::{Answer, Client, in_memory, template};
use crate::tokens::{bad_tokens, claims, signed};

#[rustfmt::skip]
const MATRIX: &str = "
                                   | none aged forged algno  aud  iss rs256 junk | own other staff admin gone down fired  up
POST   /users                      |  201  201    201   201  201  201   201  201 | 201 201   201   201   201  201  201   201
POST   /sessions                   |  201  201    201   201  201  201   201  201 | 201 201   201   201   201  201  201   201
POST   /sessions/refresh           |  200  200    200   200  200  200   200  200 | 200 200   200   200   401  200  200   200
GET    /sessions                   | 401g 403g   403g  403g 403g 403g  403g 403g | 200 200   200   200   401  200  401   200
DELETE /sessions                   | 401g 403g   403g  403g 403g 403g  403g 403g | 204 204   204   204   401  204  401   204
DELETE /sessions/{sessionId}       | 401g 403g   403g  403g 403g 403g  403g 403g | 204 404   404   404   204  404  404   404
POST   /users/me/verification      | 401g 403g   403g  403g 403g 403g  403g 403g | 202 202   202   202   202  202  202   202
POST   /verifications              |  204  204    204   204  204  204   204  204 | 204 204   204   204   422  204  204   204
POST   /password-resets            |  202  202    202   202  202  202   202  202 | 202 202   202   202   202  202  202   202
POST   /password-resets/confirm    |  204  204    204   204  204  204   204  204 | 204 204   204   204   422  204  204   204
GET    /users                      | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   200   403  403  401   403
GET    /users/{userId}             | 401g 403g   403g  403g 403g 403g  403g 403g | 200 404   404   200   401  404  401   404
GET    /users/{userId} (me)        | 401g 403g   403g  403g 403g 403g  403g 403g | 200 200   200   200   401  200  401   200
PATCH  /users/{userId}             | 401g 403g   403g  403g 403g 403g  403g 403g | 200 404   404   200   401  404  401   404
PATCH  /users/{userId} (me)        | 401g 403g   403g  403g 403g 403g  403g 403g | 200 200   200   200   401  200  401   200
DELETE /users/{userId}             | 401g 403g   403g  403g 403g 403g  403g 403g | 204 404   404   204   401  404  401   404
DELETE /users/{userId} (me)        | 401g 403g   403g  403g 403g 403g  403g 403g | 204 204   204   409   401  204  401   409
PUT    /users/{userId}/role        | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   200   403  403  401   403
PUT    /users/{userId}/role (me)   | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   200   403  403  401   403
GET    /products                   |  200  200    200   200  200  200   200  200 | 200 200   200   200   200  200  200   200
GET    /products/{productId}       |  200  200    200   200  200  200   200  200 | 200 200   200   200   200  200  200   200
POST   /products                   | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   201   403  403  401   403
PATCH  /products/{productId}       | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   200   403  403  401   403
DELETE /products/{productId}       | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   403   204   403  403  401   403
POST   /products/{productId}/stock-changes | 401g 403g 403g 403g 403g 403g 403g 403g | 403 403   200   200   403  403  401   403
PUT    /products/{productId}/stock-spread  | 401g 403g 403g 403g 403g 403g 403g 403g | 403 403   403   200   403  403  401   403
POST   /orders                     | 401g 403g   403g  403g 403g 403g  403g 403g | 201 201   201   201   401  201  401   201
GET    /orders                     | 401g 403g   403g  403g 403g 403g  403g 403g | 200 200   200   200   200  200  200   200
GET    /orders (of own)            | 401g 403g   403g  403g 403g 403g  403g 403g | 200 403   200   200   200  403  401   403
GET    /orders/{orderId}           | 401g 403g   403g  403g 403g 403g  403g 403g | 200 404   200   200   200  404  401   404
PATCH  /orders/{orderId} (cancel)  | 401g 403g   403g  403g 403g 403g  403g 403g | 200 404   200   200   401  404  401   404
PATCH  /orders/{orderId} (pay)     | 401g 403g   403g  403g 403g 403g  403g 403g | 403 404   200   200   401  404  401   404
GET    /orders (to ship)           | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   200   200   403  403  401   403
GET    /orders (to pay back)       | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   200   200   403  403  401   403
POST   /users/me/deletion          | 401g 403g   403g  403g 403g 403g  403g 403g | 204 204   204   409   401  204  401   409
GET    /users/me/export            | 401g 403g   403g  403g 403g 403g  403g 403g | 200 200   200   200   401  200  401   200
POST   /orders/{orderId}/refunds   | 401g 403g   403g  403g 403g 403g  403g 403g | 403 403   200   200   403  403  401   403
";

/// The local cloud's own administrator, whose id the bad tokens use.
const SEEDED_ADMIN: &str = "01930000-0000-7000-8000-000000000001";

/// A line of the matrix.
struct Row {
    method: Method,
    path: &'static str,
    /// Distinguishes it from other lines of the same route.
    variant: &'static str,
    /// Each caller with the expected status.
    cells: Vec<(&'static str, &'static str)>,
}

impl Row {
    fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn matrix() -> Vec<Row> {
    let mut lines = MATRIX.lines().filter(|line| !line.is_empty()).map(|line| line.split('|'));
    let mut header = lines.next().unwrap();
    header.next();
    let callers: Vec<_> = header.flat_map(str::split_whitespace).collect();
    lines
        .map(|mut parts| {
            let (method, rest) = parts.next().unwrap().trim().split_once(' ').unwrap();
            let (path, variant) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let expected: Vec<_> = parts.flat_map(str::split_whitespace).collect();
            assert_eq!(expected.len(), callers.len(), "{method} {rest}");
            Row {
                method: method.parse().unwrap(),
                path,
                variant: variant.trim_matches(['(', ')']),
                cells: callers.iter().copied().zip(expected).collect(),
            }
        })
        .collect()
}

#[test]
fn the_matrix_has_exactly_the_routes_of_the_template() {
    let routes = Template::read(template()).unwrap().routes().unwrap();
    let of_template: BTreeSet<_> =
        routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let of_matrix: BTreeSet<_> = matrix().iter().map(Row::route).collect();
    let missing: Vec<_> = of_template.difference(&of_matrix).collect();
    assert!(missing.is_empty(), "add lines to the matrix for {missing:?}");
    let unknown: Vec<_> = of_matrix.difference(&of_template).collect();
    assert!(unknown.is_empty(), "the matrix has routes that template.yaml has not: {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_responds_to_every_caller_as_in_the_matrix() {
    let remembered = Template::read(template()).unwrap().authorizer().unwrap().unwrap();
    assert!(!remembered.time_to_live.is_zero(), "otherwise, the last four callers prove less");
    let cloud = LocalCloud::start(in_memory()).await.unwrap();
    let wrong = join_all(matrix().iter().map(|row| wrong_cells(&cloud, row))).await.concat();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    cloud.shutdown().await;
}

async fn wrong_cells(cloud: &LocalCloud, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut shop = Shop::of(cloud).await;
    let may_change = row.method != Method::GET;
    for &(caller, expected) in &row.cells {
        let mut client = shop.client(caller).await;
        if row.path.ends_with("/refunds") {
            client = client.with_key("a-refund");
            shop.pay().await;
        }
        let before = if may_change { Some(shop.state().await) } else { None };
        let (path, body) = shop.request(row);
        let answer = client.send(row.method.clone(), &path, body).await.unwrap();
        let found = cell(row, &answer);
        if found != expected {
            let (route, variant, body) = (row.route(), row.variant, &answer.body);
            wrong.push(format!(
                "{route} {variant} by {caller}: {found} instead of {expected}: {body}"
            ));
        }
        if let Some(before) = before.filter(|_| !answer.status.is_success())
            && before != shop.state().await
        {
            wrong.push(format!("{} by {caller} was rejected but changed something", row.route()));
        }
        // Rejected requests change nothing, so the next caller can use the same shop.
        if may_change && answer.status.is_success() || caller == "gone" {
            shop = Shop::of(cloud).await;
        }
    }
    wrong
}

/// Returns a response in the matrix's notation, or in full if the matrix has none for it.
fn cell(row: &Row, answer: &Answer) -> String {
    let status = answer.status.as_u16();
    let code = answer.body["code"].as_str();
    let challenge =
        answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap_or("?"));
    let not_found = match row.path.split('/').nth(1) {
        Some("users") => "user_not_found",
        Some("sessions") => "session_not_found",
        _ => "order_not_found",
    };
    match (status, code, challenge) {
        (200..=299, None, None)
        | (401, Some("unauthenticated" | "session_over"), Some("Bearer error=\"invalid_token\""))
        | (403, Some("forbidden"), None)
        | (409, Some("administrator_needed"), None)
        | (422, Some("mail_token_invalid"), None) => status.to_string(),
        (404, Some(code), None) if code == not_found => status.to_string(),
        (401, None, None) if answer.body == json!({ "message": "Unauthorized" }) => "401g".into(),
        (403, None, None) if answer.body == json!({ "message": "Forbidden" }) => "403g".into(),
        _ => format!("{status} {code:?} {challenge:?}"),
    }
}

/// A customer, their session, their order, and the product in it.
struct Shop {
    url: String,
    users: Users,
    sessions: Sessions,
    products: Products,
    orders: Orders,
    owner: User,
    session: Session,
    verification: MailToken,
    reset: MailToken,
    product: Product,
    order: OrderWithItems,
}

impl Shop {
    async fn of(cloud: &LocalCloud) -> Self {
        let client = aws::dynamodb(&aws::emulator_config(), Some(cloud.dynamodb_url().to_owned()));
        let table = Table::new(client, TABLE_NAME);
        let (users, products) = (Users::new(table.clone()), Products::new(table.clone()));
        let sessions = Sessions::new(table.clone());
        let (tokens, orders) = (MailTokens::new(table.clone()), Orders::new(table));
        let owner = register(&users, Role::User).await;
        let session = sessions.begin(&owner, None).await.unwrap();
        let to = users.recipient(owner.id).await.unwrap().unwrap();
        let token = async |mail| tokens.issue(mail, &to, Timestamp::now()).await.unwrap();
        let verification = token(AccountMailKind::Verification).await;
        let reset = token(AccountMailKind::PasswordReset).await;
        let id = ProductId::new();
        // Its own category, so that its products can be counted.
        let category = id.to_string().parse().unwrap();
        let new = NewProduct { category, ..new_product(1890, Some(10)) };
        let product = products.create(id, new).await.unwrap().product;
        let order =
            NewOrder::new(owner.id, vec![NewOrderItem { product_id: product.id, quantity: 2 }]);
        let order = orders.place(order).await.unwrap().value;
        let url = cloud.api_url().to_owned();
        Self {
            url,
            users,
            sessions,
            products,
            orders,
            owner,
            session,
            verification,
            reset,
            product,
            order,
        }
    }

    /// Takes the customer's money, if it has not done so yet.
    async fn pay(&self) {
        let paid = StatusChange::new(OrderStatus::Paid);
        self.orders.change_status(OrderAccess::Any, self.order.order.id, paid).await.unwrap();
    }

    /// Returns a client for the caller with this name.
    async fn client(&self, caller: &str) -> Client {
        let anonymous = Client::anonymous(&self.url);
        let admin = || register(&self.users, Role::Admin);
        let customer = || register(&self.users, Role::User);
        let user = match caller {
            "none" => return anonymous,
            "own" | "gone" => self.owner.clone(),
            "other" | "up" => customer().await,
            "staff" => register(&self.users, Role::Staff).await,
            "admin" | "down" | "fired" => admin().await,
            bad => {
                let token = bad_tokens(SEEDED_ADMIN.parse().unwrap()).remove(bad);
                return anonymous.with_token(&token.expect("a caller of the matrix"));
            }
        };
        let token = signed(TOKEN_SECRET, json!({ "alg": "HS256" }), claims(user.id, user.role));
        let client = anonymous.with_token(&token);
        // The gateway invokes the authorizer, and caches its decision.
        client.get("/users/me").await.expect(reqwest::StatusCode::OK);
        let becoming = |role| UserChanges { role: Some(role), ..UserChanges::default() };
        match caller {
            "gone" | "fired" => self.users.delete(user.id, None).await.unwrap(),
            "down" => drop(self.users.update(user.id, becoming(Role::User), None).await.unwrap()),
            "up" => drop(self.users.update(user.id, becoming(Role::Admin), None).await.unwrap()),
            _ => {}
        }
        client
    }

    /// Returns the path with its query, and the body, for a line of the matrix.
    fn request(&self, row: &Row) -> (String, Option<Value>) {
        let owner = self.owner.id.to_string();
        let (query, body) = match (&*row.route(), row.variant) {
            ("POST /users", "") => {
                let email = format!("{}@example.com", UserId::new());
                let new = json!({ "email": email, "password": "correct horse", "name": "Grace" });
                (String::new(), Some(new))
            }
            ("POST /sessions", "") => {
                let ada = json!({ "email": "ada@example.com", "password": "storefront-demo" });
                (String::new(), Some(ada))
            }
            ("POST /sessions/refresh", "") => {
                let key = SigningKey::new(TOKEN_SECRET).unwrap();
                let token = refresh_token::issue(&key, self.owner.id, &self.session).unwrap();
                (String::new(), Some(json!({ "refreshToken": token })))
            }
            ("POST /users/me/verification", "") => (String::new(), None),
            ("POST /verifications", "") => {
                (String::new(), Some(json!({ "token": self.verification.expose() })))
            }
            ("POST /password-resets", "") => {
                (String::new(), Some(json!({ "email": self.owner.email.as_str() })))
            }
            ("POST /password-resets/confirm", "") => {
                let new = json!({ "token": self.reset.expose(), "password": "correct horse" });
                (String::new(), Some(new))
            }
            ("GET /users", "") => (format!("?email={}", self.owner.email.as_str()), None),
            ("PATCH /users/{userId}", "" | "me") => {
                (String::new(), Some(json!({ "name": "Mallory" })))
            }
            ("DELETE /users/{userId}", "" | "me") | ("POST /users/me/deletion", "") => {
                (String::new(), Some(json!({ "currentPassword": PASSWORD })))
            }
            ("PUT /users/{userId}/role", "" | "me") => {
                (String::new(), Some(json!({ "role": "admin" })))
            }
            ("GET /products", "") => {
                (format!("?category={}", self.product.category.as_str()), None)
            }
            ("POST /products", "") => {
                let category = self.product.category.as_str();
                let new =
                    json!({ "name": "Mine", "category": category, "price": 1, "currency": "EUR" });
                (String::new(), Some(new))
            }
            ("PATCH /products/{productId}", "") => (String::new(), Some(json!({ "price": 1 }))),
            ("POST /products/{productId}/stock-changes", "") => {
                (String::new(), Some(json!({ "change": 5 })))
            }
            ("PUT /products/{productId}/stock-spread", "") => {
                (String::new(), Some(json!({ "items": 2 })))
            }
            ("POST /orders", "") => {
                let items = json!([{ "productId": self.product.id, "quantity": 1 }]);
                (String::new(), Some(json!({ "items": items })))
            }
            ("GET /orders", "of own") => (format!("?userId={owner}"), None),
            ("GET /orders", "to ship") => ("?status=paid".to_owned(), None),
            ("GET /orders", "to pay back") => ("?payment=refund_due".to_owned(), None),
            ("POST /orders/{orderId}/refunds", "") => (String::new(), Some(json!({ "amount": 1 }))),
            ("PATCH /orders/{orderId}", "cancel") => {
                (String::new(), Some(json!({ "status": "cancelled" })))
            }
            ("PATCH /orders/{orderId}", "pay") => {
                (String::new(), Some(json!({ "status": "paid" })))
            }
            (route, "" | "me") if !route.starts_with('P') => (String::new(), None),
            (route, variant) => panic!("no request is defined here for {route} ({variant})"),
        };
        let path = row
            .path
            .replace("{userId}", if row.variant == "me" { "me" } else { &owner })
            .replace("{sessionId}", &self.session.id.to_string())
            .replace("{productId}", &self.product.id.to_string())
            .replace("{orderId}", &self.order.order.id.to_string());
        (path + &query, body)
    }

    /// Returns everything that a request could have changed.
    async fn state(&self) -> State {
        let id = self.owner.id;
        let mut product = self.products.find(self.product.id).await.unwrap();
        let page = PageRequest { limit: 100, after: None };
        let mut products = self.products.list(&self.product.category, page).await.unwrap();
        // The stream's consumer counts it up in the background.
        for product in product.iter_mut().map(|found| &mut found.product).chain(&mut products.items)
        {
            product.available_revision = 0;
        }
        let page = PageRequest { limit: 100, after: None };
        let orders = self.orders.list(id, CreatedBetween::default(), page).await.unwrap();
        let order = self.orders.find(OrderAccess::Any, self.order.order.id).await.unwrap();
        let user = self.users.find(id).await.unwrap();
        // None once the user is deleted.
        let sessions = self.sessions.list(id, PageRequest { limit: 100, after: None }).await;
        let sessions = sessions.ok().map(|page| page.items);
        (user, sessions, product, products.items, orders.items.len(), order)
    }
}

/// What [`Shop::state`] compares.
type State = (
    Option<User>,
    Option<Vec<Session>>,
    Option<ProductWithStock>,
    Vec<Product>,
    usize,
    Option<OrderWithItems>,
);

/// What everybody here has, and its hash, which takes no time.
const PASSWORD: &str = "sesame7";
const HASH: &str = "$2y$04$abcdefghijklmnopqrstuuw3ibSUktrT3FMj6h0xq2asDu3JGiBV2";

async fn register(users: &Users, role: Role) -> User {
    let id = UserId::new();
    let email = format!("{id}@example.com");
    evidence::email(&email);
    evidence::password_hash(HASH);
    let new = NewUser {
        email: email.parse().unwrap(),
        name: role.to_string().parse().unwrap(),
        password_hash: PasswordHash::new(HASH.to_owned()),
        role,
        locale: None,
    };
    users.register(id, new).await.unwrap()
}
