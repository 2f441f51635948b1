//! Whatever administrators do to each other, the shop keeps one.

use futures_util::future::join_all;
use serde_json::json;
use storefront_core::Role;
use storefront_testing::{Answer, Persona, Request};

use crate::{Shop, path};

fn demote(shop: &Shop, administrator: Persona, by: Persona) -> Request {
    shop.api.put(path(administrator) + "/role").by(by).json(json!({ "role": "user" }))
}

#[tokio::test]
async fn administrators_cannot_demote_themselves_but_each_other() {
    let shop = Shop::open().await;
    let (admin, other) = (shop.admin().await, shop.with("other", Role::Admin).await);
    for role in ["user", "staff"] {
        for path in ["/users/me".to_owned(), path(admin)] {
            let request = shop.api.put(path + "/role").by(admin).json(json!({ "role": role }));
            let _ = request.send().await.problem(409, "administrator_needed");
        }
    }
    let same = shop.api.put("/users/me/role").by(admin).json(json!({ "role": "admin" }));
    assert_eq!(same.send().await.expect(200).body["role"], "admin");
    assert_eq!(demote(&shop, admin, other).send().await.expect(200).body["role"], "user");
    let _ = demote(&shop, other, admin).send().await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_version_that_the_client_names_is_honoured_when_a_role_is_taken_away() {
    let shop = Shop::open().await;
    let (admin, other) = (shop.admin().await, shop.with("other", Role::Admin).await);
    let stale = demote(&shop, other, admin).header("if-match", "\"7\"");
    let _ = stale.send().await.problem(412, "version_mismatch");
    let current = demote(&shop, other, admin).header("if-match", "\"1\"");
    assert_eq!(current.send().await.expect(200).header("etag"), Some("\"2\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_demote_or_delete_each_other_one_stays() {
    for round in 0..12 {
        let shop = Shop::open().await;
        let (admin, other) = (shop.admin().await, shop.with("other", Role::Admin).await);
        let remove = |target: Persona, by: Persona, deletes: bool| {
            if deletes { shop.api.delete(path(target)).by(by) } else { demote(&shop, target, by) }
        };
        let requests = [remove(admin, other, round % 2 == 0), remove(other, admin, round % 3 == 0)];
        let sent = requests.map(|request| tokio::spawn(request.send()));
        let answers: Vec<Answer> =
            join_all(sent).await.into_iter().map(|answer| answer.unwrap()).collect();
        let statuses: Vec<i64> = answers.iter().map(|answer| answer.status).collect();
        let mut left = 0;
        for persona in [admin, other] {
            let role = shop.users.role_of(persona.user_id).await.unwrap();
            left += u32::from(role == Some(Role::Admin));
        }
        assert_eq!(left, 1, "{statuses:?}");
        let refused = statuses.iter().filter(|status| [401, 403, 404, 503].contains(status));
        assert_eq!(refused.count(), 1, "{statuses:?}");
    }
}
