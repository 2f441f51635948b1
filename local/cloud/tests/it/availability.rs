//! Lists follow the stock, by way of the stream.

use reqwest::StatusCode;
use serde_json::{Value, json};
use storefront_cloud::LocalCloud;

use crate::client::{Client, in_memory};

#[tokio::test]
async fn a_list_shows_soon_that_a_product_is_sold_out_and_that_it_is_there_again() {
    let cloud = LocalCloud::start(in_memory()).await.unwrap();
    let admin = Client::logged_in(cloud.api_url(), "admin@example.com").await;
    let ada = Client::logged_in(cloud.api_url(), "ada@example.com").await;
    let one = json!({
        "name": "Signed copy", "category": "rarities", "price": 9900, "currency": "EUR", "stock": 1,
    });
    let product = admin.post("/products", one).await.expect(StatusCode::CREATED).body;
    let id = product["id"].as_str().unwrap();
    let lists = "/products?category=rarities";
    let says = |available: bool| {
        move |list: &Value| {
            let item = &list["items"][0];
            item["available"] == available && item["version"] == 1
        }
    };
    ada.get_until(lists, says(true)).await;

    let order = json!({ "items": [{ "productId": id, "quantity": 1 }] });
    let order = ada.post("/orders", order).await.expect(StatusCode::CREATED).body;
    ada.get_until(lists, says(false)).await;

    let path = format!("/products/{id}/stock-changes");
    admin.post(&path, json!({ "change": 1 })).await.expect(StatusCode::OK);
    ada.get_until(lists, says(true)).await;
    admin.post(&path, json!({ "change": -1 })).await.expect(StatusCode::OK);
    ada.get_until(lists, says(false)).await;

    // A cancelled order puts its piece back.
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    ada.patch(&path, json!({ "status": "cancelled" })).await.expect(StatusCode::OK);
    ada.get_until(lists, says(true)).await;
    cloud.shutdown().await;
}
