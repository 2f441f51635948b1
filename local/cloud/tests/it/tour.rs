//! The README's tour: register, log in, browse, order, ship, see the event.

use reqwest::StatusCode;
use serde_json::{Value, json};
use storefront_cloud::LocalCloud;

use crate::client::{Answer, Client, in_memory};

async fn cloud() -> LocalCloud {
    LocalCloud::start(in_memory()).await.unwrap()
}

#[tokio::test]
async fn an_order_is_placed_and_shipped_and_each_change_is_published_once() {
    let cloud = cloud().await;
    let url = cloud.api_url();
    let anyone = Client::anonymous(url);

    let grace =
        json!({ "email": "grace@example.com", "password": "a long password", "name": "Grace" });
    let registered = anyone.post("/users", grace).await.expect(StatusCode::CREATED);
    let user_id = registered.body["id"].as_str().unwrap();
    assert_eq!(registered.headers["location"], format!("/users/{user_id}"));

    let session = json!({ "email": "grace@example.com", "password": "a long password" });
    let session = anyone.post("/sessions", session).await.expect(StatusCode::CREATED);
    let grace = anyone.with_token(session.body["accessToken"].as_str().unwrap());
    let me = grace.get("/users/me").await.expect(StatusCode::OK);
    assert_eq!((&me.body["id"], &me.body["name"]), (&json!(user_id), &json!("Grace")));

    let coffee = anyone.get("/products?category=coffee").await.expect(StatusCode::OK);
    let coffees = coffee.body["items"].as_array().unwrap();
    assert!(coffees.len() >= 5);
    let product_id = &coffees[0]["id"];

    let items = json!({ "items": [{ "productId": product_id, "quantity": 2 }] });
    let placed = grace.post("/orders", items).await.expect(StatusCode::CREATED);
    let request_of = |answer: &Answer| answer.headers["x-request-id"].to_str().unwrap().to_owned();
    let mut requests = vec![request_of(&placed)];
    let order = placed.body;
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    assert_eq!((&order["status"], &order["total"]), (&json!("pending"), &json!(3780)));
    let page = grace.get("/orders").await.expect(StatusCode::OK);
    assert_eq!(page.body["items"][0]["id"], order["id"]);

    let admin = Client::logged_in(url, "admin@example.com").await;
    grace.patch(&path, json!({ "status": "paid" })).await.expect(StatusCode::FORBIDDEN);
    for status in ["paid", "shipped"] {
        let answer = admin.patch(&path, json!({ "status": status })).await.expect(StatusCode::OK);
        requests.push(request_of(&answer));
    }

    let of_this_order = |event: &Value| event["detail"]["orderId"] == order["id"];
    let events = admin.events(3, of_this_order).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            assert_eq!(event["source"], "storefront.orders");
            assert_eq!(event["detail"]["number"], order["number"]);
            (event["detail-type"].as_str().unwrap(), event["detail"]["status"].as_str().unwrap())
        })
        .collect();
    let changed = "OrderStatusChanged";
    assert_eq!(told, [("OrderPlaced", "pending"), (changed, "paid"), (changed, "shipped")]);
    let published: Vec<_> = events.iter().map(|event| &event["detail"]["requestId"]).collect();
    assert_eq!(published, requests.iter().collect::<Vec<_>>(), "the id that the client got");

    // By the time that the next change arrives, any duplicates would be there.
    admin.patch(&path, json!({ "status": "delivered" })).await.expect(StatusCode::OK);
    assert_eq!(admin.events(4, of_this_order).await.len(), 4, "each once");
    cloud.shutdown().await;
}

#[tokio::test]
async fn the_catalogue_has_twenty_products_in_four_categories() {
    let cloud = cloud().await;
    let anyone = Client::anonymous(cloud.api_url());
    let mut products = 0;
    for category in ["coffee", "tea", "equipment", "books"] {
        let page =
            anyone.get(&format!("/products?category={category}")).await.expect(StatusCode::OK);
        products += page.body["items"].as_array().unwrap().len();
    }
    assert_eq!(products, 20);

    let admin = Client::logged_in(cloud.api_url(), "admin@example.com").await;
    let order =
        admin.get("/orders/01930000-0000-7000-8000-000000000201").await.expect(StatusCode::OK);
    assert_eq!((&order.body["status"], &order.body["total"]), (&json!("pending"), &json!(1890)));
    cloud.shutdown().await;
}

#[tokio::test]
async fn the_gateway_rejects_missing_and_forged_tokens() {
    let cloud = cloud().await;
    let anyone = Client::anonymous(cloud.api_url());
    let answer = anyone.get("/orders").await.expect(StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body, json!({ "message": "Unauthorized" }));
    let answer = anyone.with_token("forged").get("/orders").await.expect(StatusCode::FORBIDDEN);
    assert_eq!(answer.body, json!({ "message": "Forbidden" }));
    cloud.shutdown().await;
}
