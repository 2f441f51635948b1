//! GET /users/me/export.

use serde_json::{Value, json};
use storefront_core::{Address, NewOrder, NewOrderItem, Orders, ProductId, Products};
use storefront_testing::{Persona, new_product};

use crate::Shop;

#[tokio::test]
async fn a_person_gets_all_that_the_shop_holds_of_them() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let placed = place_three(&shop, anna).await;
    let export = async |by: Persona, query: &str| {
        let get = shop.api.get(format!("/users/me/export{query}"));
        get.by(by).send().await.expect(200).body
    };
    let first = export(anna, "?limit=2").await;
    assert_eq!(first["user"]["id"], json!(anna.user_id));
    assert!(first["user"]["email"].is_string() && !first.to_string().contains("argon2"));
    let cursor = first["orders"]["nextCursor"].as_str().unwrap();
    let rest = export(anna, &format!("?limit=2&cursor={cursor}")).await;
    assert!(rest["orders"]["nextCursor"].is_null());
    let [first, rest] = [&first, &rest].map(|part| part["orders"]["items"].as_array().unwrap());
    assert_eq!((first.len(), rest.len()), (2, 1));
    for (order, id) in first.iter().chain(rest).zip(placed) {
        assert_eq!(order["id"], id, "newest first");
        assert_eq!(order["items"][0]["name"], "Espresso blend");
        assert_eq!(order["shippingAddress"], address());
    }

    let others = export(admin, "").await;
    assert_eq!(others["user"]["id"], json!(admin.user_id));
    assert_eq!(others["orders"], json!({ "items": [] }), "a person sees nothing of others");
}

fn address() -> Value {
    json!({ "name": "Anna", "line1": "Marktplatz 1", "city": "Wien", "country": "AT" })
}

/// Places three orders; returns their ids, newest first.
async fn place_three(shop: &Shop, persona: Persona) -> Vec<Value> {
    let new = new_product(1890, Some(3));
    let products = Products::new(shop.table.clone());
    let product = products.create(ProductId::new(), new).await.unwrap().product;
    let orders = Orders::new(shop.table.clone());
    let mut placed = Vec::new();
    for _ in 0..3 {
        let items = vec![NewOrderItem { product_id: product.id, quantity: 1 }];
        let shipping_address: Address = serde_json::from_value(address()).unwrap();
        let new = NewOrder {
            shipping_address: Some(shipping_address),
            ..NewOrder::new(persona.user_id, items)
        };
        placed.insert(0, json!(orders.place(new).await.unwrap().value.order.id));
    }
    placed
}
