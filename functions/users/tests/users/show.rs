//! Showing and finding users.

use serde_json::json;
use storefront_core::Role;
use storefront_testing::Persona;

use crate::{Shop, path};

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
                "emailVerified": false,
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
async fn another_user_is_not_found_by_a_user_but_by_an_admin() {
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
async fn a_demotion_takes_effect_immediately_whatever_the_token_says() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let demote = json!({ "role": "user" });
    let other = shop.with("other", Role::Admin).await;
    let answer = shop.api.put(path(admin) + "/role").by(other).json(demote.clone()).send().await;
    assert_eq!(answer.expect(200).body["role"], "user");
    let answer = shop.api.put(path(anna) + "/role").by(admin).json(demote).send().await;
    let _ = answer.problem(403, "forbidden");
    let _ = shop.api.get(path(anna)).by(admin).send().await.problem(404, "user_not_found");
    let _ = shop.api.get("/users/me").by(admin).send().await.expect(200);
}

#[tokio::test]
async fn a_promotion_takes_effect_at_the_next_log_in() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let promote = json!({ "role": "admin" });
    let _ = shop.api.put(path(anna) + "/role").by(admin).json(promote).send().await.expect(200);
    let find = || shop.api.get("/users?email=anna@example.com");
    let _ = find().by(anna).send().await.problem(403, "forbidden");
    let _ = find().by(Persona { role: Role::Admin, ..anna }).send().await.expect(200);
}

#[tokio::test]
async fn an_invalid_id_is_not_found() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    for id in ["nonsense", "ME", "%00", "%ff", "..%2fme", "9b2f6f0e-5f0a-4c3f-9d7e-0a4a3c1d2e3f"] {
        let answer = shop.api.get(format!("/users/{id}")).by(admin).send().await;
        let _ = answer.problem(404, "user_not_found");
    }
}

#[tokio::test]
async fn a_request_without_a_caller_is_401() {
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
async fn an_admin_finds_a_user_by_email() {
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
async fn an_invalid_query_is_400_and_names_the_parameter() {
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
