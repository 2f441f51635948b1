//! What the routes of all functions have in common, tested with made-up routes.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use axum::routing::{get, post};
use axum::{Json, Router};
use garde::Validate;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service as _};
use serde::Deserialize;
use serde_json::{Value, json};
use storefront_core::{OrderId, Page, ProductId};
use storefront_http::{
    Cursor, Id, JsonBody, Limit, Metrics, PageBody, Parsed, Problem, Query, Tagged, page_request,
    present, service,
};
use storefront_testing::{Api, CapturedLog, Persona};

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Basket {
    #[garde(length(min = 1), dive)]
    items: Vec<Item>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    gift_note: Option<Option<String>>,
}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Item {
    #[garde(dive)]
    product_id: Parsed<ProductId>,
    #[garde(range(min = 1, max = 999))]
    quantity: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor<ProductId>>,
}

async fn take(JsonBody(basket): JsonBody<Basket>) -> Result<Json<Value>, Problem> {
    let first = basket.items.into_iter().next().unwrap();
    Ok(Json(json!({
        "productId": first.product_id.get()?,
        "quantity": first.quantity,
        "giftNote": match basket.gift_note {
            None => "absent",
            Some(None) => "null",
            Some(Some(_)) => "text",
        },
    })))
}

async fn list(metrics: Metrics, Query(list): Query<List>) -> Json<PageBody<Value>> {
    let request = page_request(list.limit, list.cursor);
    let items = vec![json!({ "limit": request.limit, "after": request.after })];
    Json(PageBody::new(Page { items, unreadable: 0, next: Some(product()) }, &metrics, |item| item))
}

async fn panics() -> &'static str {
    panic!("the secret of {}", "the panic")
}

fn product() -> ProductId {
    "01930000-0000-7000-8000-000000000101".parse().unwrap()
}

fn api() -> Api {
    let routes = Router::new()
        .route("/panics", get(panics))
        .route("/baskets", post(take))
        .route("/things", get(list))
        .route("/things/{thingId}", get(async || Tagged::new(7, json!({}))))
        .route("/products/{productId}", get(async |Id(id): Id<ProductId>| Json(id)))
        .route("/orders/{orderId}", get(async |Id(id): Id<OrderId>| Json(id)));
    Api::made_up(service("baskets", routes))
}

#[tokio::test]
async fn a_path_that_the_gateway_matched_to_another_route_is_404() {
    let event = |route_key: &str| {
        json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": "/products/../things",
            "rawQueryString": "",
            "headers": {},
            "requestContext": {
                "http": { "method": "GET", "path": "/products/../things" },
                "requestId": "id",
                "routeKey": route_key,
                "stage": "$default",
            },
            "isBase64Encoded": false,
        })
    };
    let answer = api().send_event(&event("GET /products/{productId}")).await;
    let _ = answer.problem(404, "route_not_found");
    let _ = api().send_event(&event("GET /things")).await.expect(200);
    let _ = api().send_event(&event("$default")).await.expect(200);
}

#[tokio::test]
async fn a_query_is_utf_8_and_its_numbers_are_in_canonical_form() {
    for (query, parameter) in
        [("limit=%2B5", "limit"), ("limit=05", "limit"), ("cursor=%FF", "cursor")]
    {
        let answer = api().get(format!("/things?{query}")).send().await;
        let answer = answer.problem(400, "invalid_query");
        assert_eq!(answer.pointers(), [parameter], "{query}");
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_that_only_the_log_explains() {
    let log = CapturedLog::start();
    let answer = api().get("/panics").send().await.problem(500, "internal");
    assert!(!answer.body.to_string().contains("secret"));

    let served = log.lines("request served");
    assert_eq!(served.len(), 1);
    assert_eq!(served[0]["level"], "ERROR");
    assert_eq!(served[0]["cause"], "panicked: the secret of the panic");
    assert_eq!(served[0]["span"]["request_id"], "JKJaXmPLvHcESHA=");
    let _ = api().get("/things").send().await.expect(200);
}

#[tokio::test]
async fn a_request_is_logged_by_its_route_and_its_caller() {
    let log = CapturedLog::start();
    let anna = Persona::user();
    let _ = api().get("/things/some-id?email=anna@example.com").by(anna).send().await.expect(200);
    let _ = api().get("/nowhere").send().await.problem(404, "route_not_found");

    let served = log.lines("request served");
    assert_eq!(served[0]["level"], "INFO");
    assert_eq!(served[0]["route"], "/things/{thingId}");
    assert_eq!(served[0]["user_id"], anna.user_id.to_string());
    assert_eq!(served[0]["requests"], 0);
    assert!(served[0].get("cause").is_none());
    assert_eq!(served[1]["status"], 404);
    assert!(served[1].get("route").is_none());
    assert!(!log.text().contains("anna@"));
}

#[tokio::test]
async fn every_line_of_a_request_names_its_function_its_ids_and_its_trace() {
    let log = CapturedLog::start();
    let mut context = lambda_http::Context::default();
    context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
    context.xray_trace_id = Some(
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned(),
    );
    let event = json!({
        "version": "2.0",
        "rawPath": "/nowhere",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "http": { "method": "GET", "path": "/nowhere" }, "requestId": "JKJaXmPLvHcESHA=",
        },
        "isBase64Encoded": false,
    });
    let event: LambdaRequest = serde_json::from_value(event).unwrap();
    let routes = service("baskets", Router::new());
    let _ = Adapter::from(routes).call(LambdaEvent::new(event, context)).await.unwrap();

    assert_eq!(
        log.lines("request served")[0]["span"],
        json!({
            "name": "request",
            "function": "baskets",
            "request_id": "JKJaXmPLvHcESHA=",
            "lambda_request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        })
    );
}

#[tokio::test]
async fn without_the_gateways_request_id_lambdas_is_used() {
    let event = json!({
        "version": "2.0",
        "rawPath": "/nowhere",
        "rawQueryString": "",
        "headers": {},
        "requestContext": { "http": { "method": "GET", "path": "/nowhere" } },
        "isBase64Encoded": false,
    });
    let answer = api().send_event(&event).await;
    assert_eq!(answer.status, 404);
    // The test's own invocation has an empty id.
    assert_eq!(answer.header("x-request-id"), Some(""));
}

#[tokio::test]
async fn an_unsupported_method_is_405_and_names_the_supported_ones() {
    let answer = api().delete("/baskets").send().await.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_version_is_an_etag() {
    let answer = api().get("/things/x").send().await.expect(200);
    assert_eq!(answer.header("etag"), Some("\"7\""));
}

#[tokio::test]
async fn an_invalid_id_is_the_404_of_its_resource() {
    for id in ["x", "%00", "%ff", "6c84fb90-12c4-11e1-840d-7b25c5ee775a"] {
        let answer = api().get(format!("/products/{id}")).send().await;
        let _ = answer.problem(404, "product_not_found");
        let answer = api().get(format!("/orders/{id}")).send().await;
        let _ = answer.problem(404, "order_not_found");
    }
    let answer = api().get(format!("/products/{}", product())).send().await.expect(200);
    assert_eq!(answer.body, json!(product()));
}

#[tokio::test]
async fn errors_in_items_have_pointers() {
    let id = product();
    for (body, pointers) in [
        (json!({ "items": [] }), vec!["/items"]),
        (
            json!({ "items": [
                { "productId": id, "quantity": 0 },
                { "productId": "x", "quantity": 1000 },
            ]}),
            vec!["/items/0/quantity", "/items/1/productId", "/items/1/quantity"],
        ),
        (json!({ "items": [{ "productId": id, "quantity": 1.5 }] }), vec!["/items/0/quantity"]),
        (json!({ "items": [{ "productId": id, "quantity": -1 }] }), vec!["/items/0/quantity"]),
        (json!({ "items": [{ "productId": id, "quantity": "1" }] }), vec!["/items/0/quantity"]),
        (json!({ "items": [{ "productId": id }] }), vec!["/items/0/quantity"]),
        (
            json!({ "items": [{ "productId": id, "quantity": 1, "price": 1 }] }),
            vec!["/items/0/price"],
        ),
        (json!({ "items": {} }), vec!["/items"]),
    ] {
        let answer = api().post("/baskets").json(body.clone()).send().await;
        let answer = answer.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), pointers, "{body}");
    }
}

#[tokio::test]
async fn a_long_value_is_not_quoted_in_full() {
    let body = json!({ "items": "x".repeat(100_000) });
    let answer = api().post("/baskets").json(body).send().await.problem(422, "invalid_body");
    assert!(answer.body.to_string().len() < 700, "{}", answer.body);
}

#[tokio::test]
async fn null_and_absent_are_different() {
    let item = json!([{ "productId": product(), "quantity": 1 }]);
    for (body, expected) in [
        (json!({ "items": item }), "absent"),
        (json!({ "items": item, "giftNote": null }), "null"),
        (json!({ "items": item, "giftNote": "For Ada" }), "text"),
    ] {
        let answer = api().post("/baskets").json(body).send().await.expect(200);
        assert_eq!(answer.body["giftNote"], expected);
    }
}

#[tokio::test]
async fn a_page_has_25_items_by_default() {
    for (query, limit) in [("", 25), ("?limit=1", 1), ("?limit=100", 100)] {
        let answer = api().get(format!("/things{query}")).send().await.expect(200);
        assert_eq!(answer.body["items"][0], json!({ "limit": limit, "after": null }));
    }
    for limit in ["", "0", "101", "-1", "1.5", "ten", "4294967297", "%00", "1&limit=2"] {
        let answer = api().get(format!("/things?limit={limit}")).send().await;
        assert_eq!(answer.problem(400, "invalid_query").pointers(), ["limit"], "{limit}");
    }
    let answer = api().get("/things?offset=5").send().await.problem(400, "invalid_query");
    assert_eq!(answer.pointers(), ["offset"]);
}

#[tokio::test]
async fn a_cursor_leads_to_the_page_after_its_item() {
    let first = api().get("/things").send().await.expect(200);
    let cursor = first.body["nextCursor"].as_str().unwrap();
    assert_eq!(cursor.len(), 22);
    let next = api().get(format!("/things?cursor={cursor}")).send().await.expect(200);
    assert_eq!(next.body["items"][0]["after"], json!(product()));
}

#[tokio::test]
async fn an_invalid_cursor_is_400() {
    for cursor in [
        "",
        "x",
        "%00",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AZMAAAAAcACAAAAAAAABAQ==",
        "AZMAAAAAcACAAAAAAAABAQAA",
        "01930000-0000-7000-8000-000000000101",
        "UFJPRFVDVCMwMTkzMDAwMA",
    ] {
        let answer = api().get(format!("/things?cursor={cursor}")).send().await;
        assert_eq!(answer.problem(400, "invalid_cursor").pointers(), ["cursor"], "{cursor}");
    }
}
