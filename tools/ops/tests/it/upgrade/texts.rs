//! What the upgrade does with texts: 0.1 took each as it was typed.

use serde_json::{Value, json};
use storefront_core::{Email, PageRequest, UserChanges, UserId, Users};

use super::shop::{Shop, text};

const TYPED_DOMAIN: &str = "01930000-0000-7000-8000-0000000000a1";
const TYPED_NAME: &str = "01930000-0000-7000-8000-0000000000a2";
const TWICE: [&str; 2] =
    ["01930000-0000-7000-8000-0000000000a3", "01930000-0000-7000-8000-0000000000a4"];
const PRODUCTS: [(&str, &str); 2] = [
    ("01930000-0000-7000-8000-0000000000b1", "cafe\u{301}"),
    ("01930000-0000-7000-8000-0000000000b2", "straße"),
];

/// Puts a user and the guard of the email, as 0.1 wrote them.
async fn put_user(shop: &Shop, id: &str, email: &str, name: &str) {
    let (at, partition) = ("2024-11-06T05:43:40.288Z", format!("EMAIL#{email}"));
    shop.put(json!({
        "PK": { "S": format!("USER#{id}") }, "SK": { "S": "METADATA" }, "_type": { "S": "User" },
        "GSI1PK": { "S": partition }, "GSI1SK": { "S": format!("USER#{id}") },
        "id": { "S": id }, "email": { "S": email }, "name": { "S": name }, "role": { "S": "user" },
        "passwordHash": { "S": "$argon2id$nobody's" }, "version": { "N": "3" },
        "createdAt": { "S": at }, "updatedAt": { "S": at },
    }))
    .await;
    shop.put(json!({
        "PK": { "S": partition }, "SK": { "S": "METADATA" }, "_type": { "S": "UniqueEmail" },
        "userId": { "S": id },
    }))
    .await;
}

async fn put_product(shop: &Shop, id: &str, category: &str) {
    let at = "2024-11-06T05:43:40.288Z";
    shop.put(json!({
        "PK": { "S": format!("PRODUCT#{id}") }, "SK": { "S": "METADATA" },
        "_type": { "S": "Product" }, "GSI1PK": { "S": format!("CATEGORY#{category}") },
        "GSI1SK": { "S": format!("PRODUCT#{id}") }, "id": { "S": id },
        "name": { "S": "Cre\u{300}me\nbrûlée" }, "description": { "S": "Cre\u{300}me:\nsweet" },
        "category": { "S": category }, "price": { "N": "890" }, "currency": { "S": "EUR" },
        "stock": { "N": "5" }, "version": { "N": "3" },
        "createdAt": { "S": at }, "updatedAt": { "S": at },
    }))
    .await;
}

/// Opens a shop of 0.1 in which people have typed what 0.2 writes differently.
async fn shop() -> Shop {
    let shop = Shop::of_0_1().await;
    put_user(&shop, TYPED_DOMAIN, "kunde@müller.example", "Renée").await;
    put_user(&shop, TYPED_NAME, "ada@example.org", "Rene\u{301}e\r\nBcc: victim@example.com").await;
    put_user(&shop, TWICE[0], "zweimal@müller.example", "Zwei").await;
    put_user(&shop, TWICE[1], "zweimal@xn--mller-kva.example", "Mal").await;
    for (id, category) in PRODUCTS {
        put_product(&shop, id, category).await;
    }
    shop
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn id(text: &str) -> UserId {
    text.parse().unwrap()
}

#[tokio::test]
async fn texts_get_their_normal_form_and_collisions_are_listed_and_left() {
    let shop = shop().await;
    let before = shop.items().await;
    let dry_run = shop.upgrade(&["--dry-run"]).await;
    let found = "\nto normalise: 1 emails, 3 names, 2 descriptions and 2 categories\n";
    assert!(dry_run.stdout.contains(found), "{dry_run:?}");
    assert_eq!(shop.items().await, before);

    let collision = format!("  USER#{} METADATA: another user has its email", TWICE[0]);
    for said in [&dry_run, &shop.upgrade(&[]).await] {
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.stdout.contains(&collision), "{said:?}");
        assert!(said.stdout.contains("\ncannot be upgraded: 1\n"), "{said:?}");
    }

    let users = Users::new(shop.table());
    for typed in ["kunde@müller.example", "KUNDE@xn--mller-kva.example"] {
        for found in [
            users.find_to_log_in(&email(typed)).await.unwrap().unwrap(),
            users.find_by_email(&email(typed)).await.unwrap().unwrap(),
        ] {
            assert_eq!((found.id, found.version), (id(TYPED_DOMAIN), 3), "{typed}");
        }
    }
    let named = users.find(id(TYPED_NAME)).await.unwrap().unwrap();
    assert_eq!(named.name.as_str(), "Renée Bcc: victim@example.com");
    let after = shop.items().await;
    let guard = |email: &str| (format!("EMAIL#{email}"), "METADATA".to_owned());
    assert!(!after.contains_key(&guard("kunde@müller.example")));
    assert_eq!(text(&after[&guard("kunde@xn--mller-kva.example")], "userId"), TYPED_DOMAIN);
    for (twice, stored) in
        TWICE.iter().zip(["zweimal@müller.example", "zweimal@xn--mller-kva.example"])
    {
        let key = (format!("USER#{twice}"), "METADATA".to_owned());
        assert_eq!(after[&key], before[&key], "nothing is merged");
        assert_eq!(after[&guard(stored)], before[&guard(stored)]);
    }

    for (product, category) in PRODUCTS {
        let page = PageRequest { limit: 10, after: None };
        let listed = shop.products().list(&category.to_uppercase().parse().unwrap(), page).await;
        let [listed] = &listed.unwrap().items[..] else { panic!("not one product") };
        assert_eq!(listed.id.to_string(), product);
        let found = shop.products().find(listed.id).await.unwrap().unwrap();
        assert_eq!((found.product.version, found.stock), (3, Some(5)));
        assert_eq!(found.product.name.as_str(), "Crème brûlée");
        assert_eq!(found.product.description.unwrap().as_str(), "Crème:\nsweet");
        let stock = &after[&(format!("PRODUCT#{product}"), "METADATA#STOCK".to_owned())];
        assert_eq!(text(stock, "name"), "Crème brûlée");
    }
}

#[tokio::test]
async fn one_of_two_users_with_one_mailbox_gets_another_email_and_the_rest_follows() {
    let shop = shop().await;
    assert_eq!(shop.upgrade(&[]).await.code, Some(1));
    // As an administrator does, with PATCH /users/{userId}.
    let users = Users::new(shop.table());
    let changes = UserChanges { email: Some(email("mal@example.com")), ..UserChanges::default() };
    users.update(id(TWICE[1]), changes, None).await.unwrap();

    let again = shop.upgrade(&[]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let found = "\nnormalised: 1 emails, 0 names, 0 descriptions and 0 categories\n";
    assert!(again.stdout.contains(found), "{again:?}");
    let found = users.find_to_log_in(&email("zweimal@müller.example")).await.unwrap().unwrap();
    assert_eq!(found.id, id(TWICE[0]));
    let found = users.find_to_log_in(&email("mal@example.com")).await.unwrap().unwrap();
    assert_eq!(found.id, id(TWICE[1]));

    let last = shop.upgrade(&[]).await;
    assert!(last.stdout.contains("\nnormalised: 0 emails, 0 names"), "{last:?}");
    assert!(!last.stdout.contains("Run this again"), "{last:?}");
}

#[tokio::test]
async fn a_user_whose_email_is_left_can_change_it_and_be_deleted() {
    let shop = shop().await;
    assert_eq!(shop.upgrade(&[]).await.code, Some(1));
    let users = Users::new(shop.table());
    let left = id(TWICE[0]);
    let changes = UserChanges { email: Some(email("zwei@example.com")), ..UserChanges::default() };
    users.update(left, changes, None).await.unwrap();
    users.delete(left, None).await.unwrap();
    let stays = |item: &Value| item.to_string().contains(TWICE[0]);
    assert!(!shop.items().await.values().any(stays), "its guards are gone, too");
}
