//! Showing, changing and deleting users, through events of API Gateway.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod administrators;
mod change;
mod delete;
mod export;
mod sessions;
mod show;

use serde_json::json;
use storefront_core::{NewUser, PasswordHash, Role, Table, UserId, Users};
use storefront_credentials::{GivenPassword, Password};
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{Api, Database, Persona, evidence, unreachable_table};
use storefront_users::ApiDoc;
use utoipa::OpenApi as _;

const PASSWORD: &str = "correct horse battery";

struct Shop {
    api: Api,
    table: Table,
    users: Users,
    _database: Option<Database>,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::start().await;
        let shop = Self::on(database.table());
        Self { _database: Some(database), ..shop }
    }

    /// Opens a shop whose requests fail when the plan says so.
    fn with_faults() -> (Self, Plan) {
        let plan = Plan::none();
        (Self::on(FaultyDynamoDb::start().table(&plan)), plan)
    }

    fn on(table: Table) -> Self {
        Self {
            api: Api::new(storefront_users::app(table.clone()), ApiDoc::openapi),
            users: Users::new(table.clone()),
            table,
            _database: None,
        }
    }

    async fn with(&self, name: &str, role: Role) -> Persona {
        let password: Password = PASSWORD.parse().unwrap();
        evidence::password(PASSWORD);
        self.with_hash(name, role, password.hash().await.unwrap()).await
    }

    async fn with_hash(&self, name: &str, role: Role, password_hash: PasswordHash) -> Persona {
        let email = format!("{name}@example.com");
        evidence::email(&email);
        evidence::password_hash(password_hash.as_str());
        let new = NewUser {
            email: email.parse().unwrap(),
            name: name.parse().unwrap(),
            password_hash,
            role,
            locale: None,
        };
        let user = self.users.register(UserId::new(), new).await.unwrap();
        Persona { user_id: user.id, role }
    }

    async fn anna(&self) -> Persona {
        self.with("anna", Role::User).await
    }

    async fn admin(&self) -> Persona {
        self.with("admin", Role::Admin).await
    }

    async fn password_of(&self, persona: Persona, password: &str) -> bool {
        let user = self.users.find(persona.user_id).await.unwrap().unwrap();
        let password: GivenPassword = password.parse().unwrap();
        password.verify(&user.password_hash).await.unwrap()
    }
}

fn path(persona: Persona) -> String {
    format!("/users/{}", persona.user_id)
}

#[tokio::test]
async fn only_an_admin_assigns_roles() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let role = path(anna) + "/role";
    for by in [anna, Persona::user()] {
        // Nobody else learns even what is wrong with the body.
        let answer = shop.api.put(&role).by(by).json(json!({ "role": "root" })).send().await;
        let _ = answer.problem(403, "forbidden");
    }
    let put = || shop.api.put(&role).by(admin);
    let answer = put().json(json!({ "role": "admin" })).send().await.expect(200);
    assert_eq!(answer.body["role"], "admin");
    assert_eq!(answer.header("etag"), Some("\"2\""));
    for body in [json!({ "role": "root" }), json!({ "role": "Admin" }), json!({ "role": null })] {
        let answer = put().json(body).send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/role"]);
    }
    let nobody = shop.api.put(path(Persona::user()) + "/role").by(admin);
    let answer = nobody.json(json!({ "role": "user" })).send().await;
    let _ = answer.problem(404, "user_not_found");
}

#[tokio::test]
async fn a_deleted_user_is_gone_and_their_email_is_free() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let confirmed = json!({ "currentPassword": PASSWORD });
    let delete = shop.api.delete(path(anna)).by(anna).json(confirmed.clone());
    assert!(delete.send().await.expect(204).body.is_null());
    let password = json!({ "password": "fresh secret", "currentPassword": PASSWORD });
    for request in [
        shop.api.get("/users/me"),
        shop.api.get(path(anna)),
        shop.api.delete("/users/me").json(confirmed.clone()),
        shop.api.post("/users/me/deletion").json(confirmed),
        shop.api.patch("/users/me").json(json!({ "name": "A." })),
        shop.api.patch("/users/me").json(password),
    ] {
        let answer = request.by(anna).send().await.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }
    let again = shop.anna().await;
    assert_ne!(again.user_id, anna.user_id);
}

#[tokio::test]
async fn an_admin_deletes_anyone() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let _ = shop.api.delete(path(anna)).by(admin).send().await.expect(204);
    let answer = shop.api.get(path(anna)).by(admin).send().await;
    let _ = answer.problem(404, "user_not_found");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_405() {
    let shop = Shop::open().await;
    let answer = shop.api.post("/users/me").send().await.problem(405, "method_not_allowed");
    let allowed = answer.header("allow").unwrap();
    for method in ["GET", "PATCH", "DELETE"] {
        assert!(allowed.contains(method), "{allowed}");
    }
}

#[tokio::test]
async fn an_unreachable_database_is_503() {
    let api = Api::new(storefront_users::app(unreachable_table()), ApiDoc::openapi);
    let answer = api.get("/users/me").by(Persona::user()).send().await;
    let answer = answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}
