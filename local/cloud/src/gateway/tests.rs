//! Tests the gateway over real HTTP, with small test functions.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::LambdaEvent;
use reqwest::{Client, RequestBuilder};
use storefront_suite::Handler;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const TEMPLATE: &str = r#"
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: ["https://shop.example"]
        AllowMethods: [GET, PATCH]
        AllowHeaders: [Authorization, If-Match]
        ExposeHeaders: [ETag]
        MaxAge: 600
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token:
            FunctionArn: !GetAtt Doorman.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: { Headers: [Authorization], ReauthorizeEvery: 300 }
  Doorman: { Type: AWS::Serverless::Function }
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Open:
          Type: HttpApi
          Properties: { Method: any, Path: "/open/{id}", Auth: { Authorizer: NONE } }
        Exact:
          Type: HttpApi
          Properties: { Method: get, Path: /open/exact, Auth: { Authorizer: NONE } }
        Guarded:
          Type: HttpApi
          Properties: { Method: patch, Path: /guarded }
        Greedy:
          Type: HttpApi
          Properties: { Method: get, Path: "/files/{path+}", Auth: { Authorizer: NONE } }
  Broken:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Fail:
          Type: HttpApi
          Properties: { Method: get, Path: /broken, Auth: { Authorizer: NONE } }
"#;

struct Api {
    url: String,
    /// How often the authorizer was invoked.
    asked: Arc<AtomicUsize>,
}

impl Api {
    async fn start() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let functions = HashMap::from([
            ("Echo".to_owned(), Function::new(Handler::new(echo))),
            (
                "Broken".to_owned(),
                Function::new(Handler::new(async |_: LambdaEvent<Value>| Err::<Value, _>("no"))),
            ),
            ("Doorman".to_owned(), doorman(Arc::clone(&asked))),
        ]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let template = Template::parse("t.yaml", TEMPLATE).unwrap();
        let router = router(&template, &functions, address).unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url: format!("http://{address}"), asked }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        Client::new().request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// Sends a request, and returns the event that the echo function received.
    async fn event(&self, method: &str, path: &str) -> Value {
        sent(self.request(method, path)).await
    }
}

async fn sent(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Returns the event that it receives.
async fn echo(event: LambdaEvent<Value>) -> Result<Value, Infallible> {
    Ok(json!({
        "statusCode": 200,
        "headers": { "content-type": "application/json", "access-control-allow-origin": "*" },
        "cookies": ["a=1", "b=2"],
        "body": event.payload.to_string(),
    }))
}

/// Admits `Bearer anna`, and fails for `Bearer fall`.
fn doorman(asked: Arc<AtomicUsize>) -> Function {
    Function::new(Handler::new(move |event: LambdaEvent<Value>| {
        asked.fetch_add(1, Ordering::Relaxed);
        async move {
            let event = event.payload;
            assert_eq!((&event["version"], &event["type"]), (&json!("2.0"), &json!("REQUEST")));
            match event["identitySource"][0].as_str() {
                Some("Bearer anna") => Ok(json!({
                    "isAuthorized": true,
                    "context": { "userId": "anna", "route": event["routeKey"] },
                })),
                Some("Bearer fall") => Err("fell over"),
                _ => Ok(json!({ "isAuthorized": false })),
            }
        }
    }))
}

#[tokio::test]
async fn a_request_becomes_a_payload_2_0_event() {
    let api = Api::start().await;
    let request = api
        .request("GET", "/open/a%20b?tag=x&tag=y%2Cz&empty=&q=caf%C3%A9")
        .header("X-Many", "1")
        .header("x-many", "2")
        .header("cookie", "c=1; d=2")
        .header("user-agent", "test/1");
    let event = sent(request).await;

    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "ANY /open/{id}");
    assert_eq!(event["rawPath"], "/open/a b");
    assert_eq!(event["rawQueryString"], "tag=x&tag=y%2Cz&empty=&q=caf%C3%A9");
    assert_eq!(event["queryStringParameters"], json!({ "tag": "x,y,z", "empty": "", "q": "café" }));
    assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert_eq!(event["headers"]["x-many"], "1,2");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!((event.get("body"), &event["isBase64Encoded"]), (None, &json!(false)));

    let context = &event["requestContext"];
    assert_eq!(
        context["http"],
        json!({
            "method": "GET",
            "path": "/open/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "test/1",
        })
    );
    assert_eq!((&context["stage"], context.get("authorizer")), (&json!("$default"), None));
    assert!(context["timeEpoch"].is_i64() && context["time"].is_string());
}

#[tokio::test]
async fn empty_members_are_left_out() {
    let api = Api::start().await;
    let event = api.event("GET", "/open/exact").await;
    assert_eq!(event["routeKey"], "GET /open/exact", "the exact route wins");
    for name in ["cookies", "queryStringParameters", "pathParameters", "body"] {
        assert_eq!(event.get(name), None, "{name}");
    }
    assert_eq!(event["rawQueryString"], "");
}

#[tokio::test]
async fn text_is_passed_unchanged_and_anything_else_in_base64() {
    let api = Api::start().await;
    let post = |content_type: &str, body: &'static [u8]| {
        sent(api.request("POST", "/open/1").header("content-type", content_type).body(body))
    };
    let json_event = post("application/json; charset=utf-8", b"{\"a\":1}").await;
    assert_eq!(
        (&json_event["body"], &json_event["isBase64Encoded"]),
        (&json!("{\"a\":1}"), &json!(false))
    );
    for (content_type, body) in
        [("application/octet-stream", &b"abc"[..]), ("application/json", &b"\xff"[..])]
    {
        let event = post(content_type, body).await;
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!(STANDARD.encode(body)), &json!(true))
        );
    }
}

#[tokio::test]
async fn the_response_has_cookies_and_the_gateways_request_id() {
    let api = Api::start().await;
    let response = api.request("GET", "/open/1").send().await.unwrap();
    let id = response.headers()["apigw-requestid"].to_str().unwrap().to_owned();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().cloned().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let event: Value = response.json().await.unwrap();
    assert_eq!(event["requestContext"]["requestId"], json!(id));
}

#[tokio::test]
async fn a_greedy_parameter_takes_the_rest_of_the_path() {
    let api = Api::start().await;
    let event = api.event("GET", "/files/a/b.txt").await;
    assert_eq!(event["pathParameters"], json!({ "path": "a/b.txt" }));
}

#[tokio::test]
async fn a_route_that_is_not_in_the_template_does_not_exist() {
    let api = Api::start().await;
    for (method, path) in
        [("GET", "/"), ("GET", "/guarded"), ("PATCH", "/guarded/"), ("GET", "/open")]
    {
        let response = api.request(method, path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{method} {path}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": "Not Found" }));
    }
}

#[tokio::test]
async fn a_request_without_identity_is_rejected_without_invoking_the_authorizer() {
    let api = Api::start().await;
    let response = api.request("PATCH", "/guarded").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": "Unauthorized" }));
    assert_eq!(api.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_authorizers_decision_is_cached_per_token() {
    let api = Api::start().await;
    for _ in 0..3 {
        let request = api.request("PATCH", "/guarded").header("authorization", "Bearer anna");
        let event = sent(request).await;
        assert_eq!(
            event["requestContext"]["authorizer"],
            json!({ "lambda": { "userId": "anna", "route": "PATCH /guarded" } })
        );
        let request = api.request("PATCH", "/guarded").header("authorization", "Bearer mallory");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "message": "Forbidden" }));
    }
    assert_eq!(api.asked.load(Ordering::Relaxed), 2, "once for each token");
}

#[tokio::test]
async fn a_failing_function_is_an_internal_server_error() {
    let api = Api::start().await;
    let fails = [
        api.request("GET", "/broken"),
        api.request("PATCH", "/guarded").header("authorization", "Bearer fall"),
    ];
    for request in fails {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.json::<Value>().await.unwrap(),
            json!({ "message": "Internal Server Error" })
        );
    }
}

#[tokio::test]
async fn a_body_over_10_mb_is_rejected() {
    let api = Api::start().await;
    let request = api.request("POST", "/open/1").body(vec![b' '; PAYLOAD_LIMIT + 1]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({ "message": "Request Entity Too Large" })
    );
}

#[tokio::test]
async fn a_body_that_is_malformed_or_announced_as_too_large_is_rejected_without_the_rest_of_it() {
    let api = Api::start().await;
    let address = api.url.strip_prefix("http://").unwrap();
    for (rest, status) in [
        ("transfer-encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"),
        ("content-length: 100000000000\r\n\r\n{", "413 Payload Too Large"),
    ] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!("POST /open/1 HTTP/1.1\r\nhost: {address}\r\n{rest}");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 64];
        let length = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn the_template_defines_which_origins_may_call() {
    let api = Api::start().await;
    let preflight = |origin: &str| {
        api.request("OPTIONS", "/guarded")
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .send()
    };
    let response = preflight("https://shop.example").await.unwrap();
    assert!(response.status().is_success());
    assert_eq!(response.headers()["access-control-allow-origin"], "https://shop.example");
    assert_eq!(response.headers()["access-control-allow-methods"], "GET,PATCH");
    assert_eq!(response.headers()["access-control-max-age"], "600");
    let response = preflight("https://elsewhere.example").await.unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);

    let request = api.request("GET", "/open/1").header("origin", "https://shop.example");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["access-control-expose-headers"], "etag");
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "https://shop.example",
        "the gateway's setting takes precedence over the function's"
    );
}
