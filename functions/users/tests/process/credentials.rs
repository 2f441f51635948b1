//! Where a function finds its role's credentials.

use axum::routing::get;
use axum::{Json, Router};
use http::HeaderMap;
use serde_json::json;
use storefront_core::UserId;
use tokio::net::TcpListener;

use crate::dynamodb::DynamoDb;
use crate::{show_me, start};

const TOKEN: &str = "token of this environment";

/// Starts the service that is in an environment that outlives its credentials.
async fn container_provider() -> String {
    let credentials = async |headers: HeaderMap| {
        assert_eq!(headers["authorization"], TOKEN);
        Json(json!({
            "AccessKeyId": "FROMCONTAINER", "SecretAccessKey": "secret", "Token": "session",
            "Expiration": "2100-01-01T00:00:00Z",
        }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let app = Router::new().route("/credentials", get(credentials));
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn credentials_come_from_the_environment_or_from_the_service_that_it_names() {
    let anna = UserId::new();
    let provider = container_provider().await;
    for (variables, access_key) in [
        ([("AWS_ACCESS_KEY_ID", "FROMVARIABLE"), ("AWS_SESSION_TOKEN", "session")], "FROMVARIABLE"),
        (
            [("AWS_ACCESS_KEY_ID", ""), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &provider)],
            "FROMCONTAINER",
        ),
    ] {
        let dynamodb = DynamoDb::new(&[anna], 1);
        let url = dynamodb.serve().await;
        let variables = [
            &[("AWS_ENDPOINT_URL_DYNAMODB", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)],
            &variables[..],
        ]
        .concat();
        let mut function = start(&variables).await;
        function.invoke("request-1", &show_me(anna, "gateway-1"));
        assert_eq!(function.answer().await.1["statusCode"], 200);
        assert_eq!(dynamodb.access_keys(), [access_key, access_key], "in advance, and for Anna");
        function.end().await;
    }
}

#[tokio::test]
async fn a_function_without_a_region_says_so_and_exits() {
    let (succeeded, lines) = start(&[("AWS_REGION", "")]).await.ended().await;
    assert!(!succeeded);
    assert!(lines[0]["cause"].as_str().unwrap().contains("AWS_REGION"), "{lines:?}");
}
