//! Showing, changing and deleting users, through events of API Gateway.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use futures_util::future::join_all;
use serde_json::json;
use storefront_core::{NewUser, Role, Table, UserId, Users};
use storefront_credentials::Password;
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Answer, Api, Database, Persona, evidence, unreachable_table};

const PASSWORD: &str = "correct horse battery";

struct Shop {
    api: Api,
    users: Users,
    _database: Option<Database>,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::start().await;
        let shop = Self::on(database.table());
        Self { _database: Some(database), ..shop }
    }

    /// One whose requests go wrong when the plan is told so.
    fn with_faults() -> (Self, Plan) {
        let plan = Plan::none();
        (Self::on(FaultyDynamoDb::start().table(&plan)), plan)
    }

    fn on(table: Table) -> Self {
        Self {
            api: Api::new(storefront_users::app(table.clone())),
            users: Users::new(table),
            _database: None,
        }
    }

    async fn with(&self, name: &str, role: Role) -> Persona {
        let password: Password = PASSWORD.parse().unwrap();
        let email = format!("{name}@example.com");
        evidence::email(&email);
        evidence::password(PASSWORD);
        let new = NewUser {
            email: email.parse().unwrap(),
            name: name.to_owned(),
            password_hash: password.hash().await.unwrap(),
            role,
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
        let password: Password = password.parse().unwrap();
        password.verify(&user.password_hash).await.unwrap()
    }
}

fn path(persona: Persona) -> String {
    format!("/users/{}", persona.user_id)
}

#[tokio::test]
async fn a_user_sees_themselves_by_id_and_as_me() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for path in [path(anna), "/users/me".to_owned()] {
        let answer = shop.api.get(path).by(anna).send().await.expect(200);
        assert_eq!(answer.header("etag"), Some("\"1\""));
        let created_at = &answer.body["createdAt"];
        assert_eq!(
            answer.body,
            json!({
                "id": anna.user_id.to_string(),
                "email": "anna@example.com",
                "name": "anna",
                "role": "user",
                "version": 1,
                "createdAt": created_at,
                "updatedAt": created_at,
            })
        );
    }
}

#[tokio::test]
async fn another_user_does_not_exist_for_a_user_and_does_for_an_admin() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let ben = Persona::user();
    let change = json!({ "name": "Mallory" });
    for path in [path(anna), path(Persona::user()), "/users/nonsense".to_owned()] {
        let answer = shop.api.get(&path).by(ben).send().await;
        let _ = answer.problem(404, "user_not_found");
        let answer = shop.api.patch(&path).by(ben).json(change.clone()).send().await;
        let _ = answer.problem(404, "user_not_found");
        let answer = shop.api.delete(&path).by(ben).send().await;
        let _ = answer.problem(404, "user_not_found");
    }
    let answer = shop.api.get(path(anna)).by(admin).send().await.expect(200);
    assert_eq!(answer.body["name"], "anna");
}

#[tokio::test]
async fn a_role_that_was_taken_away_does_not_count_whatever_the_token_says() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let demote = json!({ "role": "user" });
    let answer = shop.api.put("/users/me/role").by(admin).json(demote.clone()).send().await;
    assert_eq!(answer.expect(200).body["role"], "user");
    let answer = shop.api.put(path(anna) + "/role").by(admin).json(demote).send().await;
    let _ = answer.problem(403, "forbidden");
    let _ = shop.api.get(path(anna)).by(admin).send().await.problem(404, "user_not_found");
    let _ = shop.api.get("/users/me").by(admin).send().await.expect(200);
}

#[tokio::test]
async fn a_role_that_was_given_counts_from_the_next_log_in_on() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let promote = json!({ "role": "admin" });
    let _ = shop.api.put(path(anna) + "/role").by(admin).json(promote).send().await.expect(200);
    let find = || shop.api.get("/users?email=anna@example.com");
    let _ = find().by(anna).send().await.problem(403, "forbidden");
    let _ = find().by(Persona { role: Role::Admin, ..anna }).send().await.expect(200);
}

#[tokio::test]
async fn what_is_no_id_is_not_found() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    for id in ["nonsense", "ME", "%00", "%ff", "..%2fme", "9b2f6f0e-5f0a-4c3f-9d7e-0a4a3c1d2e3f"] {
        let answer = shop.api.get(format!("/users/{id}")).by(admin).send().await;
        let _ = answer.problem(404, "user_not_found");
    }
}

#[tokio::test]
async fn without_a_caller_nothing_is_answered() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let requests = [
        shop.api.get("/users/me"),
        shop.api.get("/users?email=anna@example.com"),
        shop.api.patch(path(anna)).json(json!({ "name": "Mallory" })),
        shop.api.put(path(anna) + "/role").json(json!({ "role": "admin" })),
        shop.api.delete(path(anna)),
        shop.api.get(path(anna)).authorized(json!({})),
        shop.api.get(path(anna)).authorized(json!({ "userId": anna.user_id.to_string() })),
        shop.api.get(path(anna)).authorized(json!({ "userId": "anna", "role": "user" })),
        shop.api
            .get(path(anna))
            .authorized(json!({ "userId": anna.user_id.to_string(), "role": "root" })),
    ];
    for request in requests {
        let answer = request.send().await.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn an_admin_finds_a_user_by_email_or_nobody() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    for query in ["anna@example.com", "ANNA%40Example.com", "%20anna@example.com+"] {
        let answer = shop.api.get(format!("/users?email={query}")).by(admin).send().await;
        let answer = answer.expect(200);
        assert_eq!(answer.body["items"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(answer.body["items"][0]["id"], anna.user_id.to_string());
    }
    let answer = shop.api.get("/users?email=nobody@example.com").by(admin).send().await;
    assert_eq!(answer.expect(200).body, json!({ "items": [] }));

    let answer = shop.api.get("/users?email=anna@example.com").by(anna).send().await;
    let _ = answer.problem(403, "forbidden");
}

#[tokio::test]
async fn a_wrong_query_is_400_and_names_the_parameter() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    for (query, parameter) in [
        ("", "email"),
        ("?email=", "email"),
        ("?email=anna.example", "email"),
        ("?email=%00anna@example.com", "email"),
        ("?email=a@example.com&email=b@example.com", "email"),
        ("?email=a@example.com&limit=5", "limit"),
        ("?mail=a@example.com", "mail"),
    ] {
        let answer = shop.api.get(format!("/users{query}")).by(admin).send().await;
        let answer = answer.problem(400, "invalid_query");
        assert_eq!(answer.pointers(), [parameter], "{query}");
    }
}

#[tokio::test]
async fn a_user_changes_their_name() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let change = json!({ "name": "Anna Ångström" });
    let answer = shop.api.patch("/users/me").by(anna).json(change).send().await.expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.body["name"], "Anna Ångström");
    assert_eq!(answer.body["version"], 2);
    assert_eq!(answer.body["email"], "anna@example.com");
}

#[tokio::test]
async fn a_new_email_or_password_of_ones_own_needs_the_current_password() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for change in [json!({ "email": "new@example.com" }), json!({ "password": "new password" })] {
        let patch = || shop.api.patch(path(anna)).by(anna);
        let answer = patch().json(change.clone()).send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/currentPassword"]);

        let mut wrong = change.clone();
        wrong["currentPassword"] = "wrong password".into();
        let answer = patch().json(wrong).send().await.problem(403, "wrong_password");
        assert_eq!(answer.pointers(), ["/currentPassword"]);

        let mut right = change;
        right["currentPassword"] = PASSWORD.into();
        let _ = patch().json(right).send().await.expect(200);
    }
    let answer = shop.api.get("/users/me").by(anna).send().await.expect(200);
    assert_eq!(answer.body["email"], "new@example.com");
    assert_eq!(answer.body["version"], 3);
    assert!(shop.password_of(anna, "new password").await);
}

#[tokio::test]
async fn an_admin_needs_the_current_password_for_themselves_only() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let change = json!({ "email": "new@example.com", "password": "new password" });
    let answer = shop.api.patch(path(anna)).by(admin).json(change.clone()).send().await;
    assert_eq!(answer.expect(200).body["email"], "new@example.com");
    assert!(shop.password_of(anna, "new password").await);

    let answer = shop.api.patch("/users/me").by(admin).json(change).send().await;
    let _ = answer.problem(422, "invalid_body");
}

#[tokio::test(start_paused = true)]
async fn the_right_password_is_taken_although_the_failures_cannot_be_forgotten() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    plan.next("DeleteItem", 4, Fault::Reset);
    let change = json!({ "password": "new password", "currentPassword": PASSWORD });
    let _ = shop.api.patch(path(anna)).json(change).by(anna).send().await.expect(200);
    assert_eq!(plan.remaining(), 0);
    assert!(shop.password_of(anna, "new password").await);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_more_often_than_at_log_in() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let guess = async |password: &str| {
        let change = json!({ "password": "new password", "currentPassword": password });
        shop.api.patch("/users/me").by(anna).json(change).send().await
    };
    for _ in 0..10 {
        let _ = guess("wrong password").await.problem(403, "wrong_password");
    }
    let answer = guess(PASSWORD).await.problem(429, "too_many_logins");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn an_email_of_another_is_taken_and_one_given_up_is_free() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let rename = async |persona: Persona, email: &str| {
        let change = json!({ "email": email });
        shop.api.patch(path(persona)).by(admin).json(change).send().await
    };
    let ben = shop.with("ben", Role::User).await;
    let _ = rename(ben, "anna@example.com").await.problem(409, "email_taken");
    let _ = rename(anna, "elsewhere@example.com").await.expect(200);
    let _ = rename(ben, "anna@example.com").await.expect(200);
}

#[tokio::test]
async fn a_patch_says_something_and_nothing_wrong() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for (change, pointers) in [
        (json!({}), vec![""]),
        (json!({ "currentPassword": PASSWORD }), vec![""]),
        (json!({ "name": null }), vec!["/name"]),
        (json!({ "name": "" }), vec!["/name"]),
        (json!({ "role": "admin" }), vec!["/role"]),
        (json!({ "version": 7 }), vec!["/version"]),
        (
            json!({ "email": "anna.example", "currentPassword": "2short!" }),
            vec!["/email", "/currentPassword"],
        ),
    ] {
        let answer = shop.api.patch("/users/me").by(anna).json(change.clone()).send().await;
        let answer = answer.problem(422, "invalid_body");
        let mut found = answer.pointers();
        found.sort_unstable_by_key(|pointer| pointers.iter().position(|wanted| wanted == pointer));
        assert_eq!(found, pointers, "{change}");
    }
}

#[tokio::test]
async fn if_match_lets_through_only_the_version_it_names() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let attempts = |tag: &'static str| {
        let confirmed = json!({ "password": "new password", "currentPassword": PASSWORD });
        [
            shop.api.patch("/users/me").by(anna).json(json!({ "name": "A" })),
            shop.api.patch("/users/me").by(anna).json(confirmed),
            shop.api.put(path(anna) + "/role").by(admin).json(json!({ "role": "admin" })),
            shop.api.delete("/users/me").by(anna),
        ]
        .map(|request| request.header("if-match", tag))
    };
    for tag in ["\"2\"", "\"0\"", "\"01\"", "\"+1\"", "W/\"1\"", "\"abc\"", "\"\""] {
        for request in attempts(tag) {
            let _ = request.send().await.problem(412, "version_mismatch");
        }
    }
    for tag in ["1", "", "\"1", "\"1\", \"2\"", "W/1", "**"] {
        for request in attempts(tag) {
            let answer = request.send().await.problem(400, "invalid_header");
            assert_eq!(answer.pointers(), ["If-Match"]);
        }
    }
    let patch = shop.api.patch("/users/me").by(anna);
    let answer = patch.header("if-match", "\"1\"").json(json!({ "name": "A" })).send().await;
    assert_eq!(answer.expect(200).header("etag"), Some("\"2\""));
    let put = shop.api.put(path(anna) + "/role").by(admin).header("if-match", "\"2\"");
    let _ = put.json(json!({ "role": "admin" })).send().await.expect(200);
    let patch = shop.api.patch("/users/me").by(anna).header("if-match", "*");
    let _ = patch.json(json!({ "name": "B" })).send().await.expect(200);
    let delete = shop.api.delete("/users/me").by(anna).header("if-match", "\"4\"");
    let _ = delete.send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_8_changes_of_one_version_one_wins() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let patch = shop.api.patch("/users/me").by(anna).header("if-match", "\"1\"");
            tokio::spawn(patch.json(json!({ "name": format!("Anna {number}") })).send())
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        let _ = answer.problem(412, "version_mismatch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_confirmed_before_another_change_changes_nothing() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let change =
                json!({ "password": format!("password {number}"), "currentPassword": PASSWORD });
            tokio::spawn(shop.api.patch("/users/me").by(anna).json(change).send())
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<usize> = (0..8).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(shop.password_of(anna, &format!("password {}", winners[0])).await);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        if answer.status == 503 {
            let answer = answer.problem(503, "contention");
            assert_eq!(answer.header("retry-after"), Some("1"));
        } else {
            let _ = answer.problem(403, "wrong_password");
        }
    }
}

#[tokio::test]
async fn only_an_admin_gives_roles() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let role = path(anna) + "/role";
    for by in [anna, Persona::user()] {
        // Not even what is wrong with the body does anybody else learn.
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
    let answer = shop.api.delete(path(anna)).by(anna).send().await.expect(204);
    assert!(answer.body.is_null());
    let password = json!({ "password": "new password", "currentPassword": PASSWORD });
    for request in [
        shop.api.get("/users/me"),
        shop.api.get(path(anna)),
        shop.api.delete("/users/me"),
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
async fn a_method_that_a_path_does_not_take_is_405() {
    let shop = Shop::open().await;
    let answer = shop.api.post("/users/me").send().await.problem(405, "method_not_allowed");
    let allowed = answer.header("allow").unwrap();
    for method in ["GET", "PATCH", "DELETE"] {
        assert!(allowed.contains(method), "{allowed}");
    }
}

#[tokio::test]
async fn a_database_out_of_reach_is_503() {
    let api = Api::new(storefront_users::app(unreachable_table()));
    let answer = api.get("/users/me").by(Persona::user()).send().await;
    let answer = answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}
