//! The Runtime API works with Lambda's own client for Rust.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use storefront_bench::runtime_api::{Failure, RuntimeApi};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The process of a function, which ends with its test.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts [`function`] in a separate process: the client reads environment variables, which all
/// tests of one process would share.
fn start(api: &RuntimeApi) -> Function {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "function"])
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "double")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Function(child.unwrap())
}

/// Doubles numbers, returns its context on request, and fails for any other event.
#[tokio::test]
#[ignore = "it is the function that the other tests start"]
async fn function() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let answer = async |event: LambdaEvent<Value>| match event.payload {
        Value::Number(number) => Ok(json!(number.as_u64().unwrap_or_default() * 2)),
        Value::String(text) if text == "context" => Ok(json!({
            "requestId": event.context.request_id,
            "function": event.context.invoked_function_arn,
            "isTraced": event.context.xray_trace_id.is_some(),
            "hasTime": event.context.deadline() > std::time::SystemTime::now(),
        })),
        _ => Err(Error::from("not a number")),
    };
    lambda_runtime::run(service_fn(answer)).await.unwrap();
}

#[tokio::test]
async fn a_function_answers_one_event_after_the_other() {
    let mut api = RuntimeApi::start().await.unwrap();
    let _function = start(&api);
    for number in [1, 21, 300] {
        api.ready().await.unwrap();
        let answer = api.invoke(number.to_string()).await.unwrap();
        assert_eq!(answer.body, (number * 2).to_string());
        assert!(answer.duration > Duration::ZERO);
    }
}

#[tokio::test]
async fn the_context_of_each_invocation_is_its_own() {
    let mut api = RuntimeApi::start().await.unwrap();
    let _function = start(&api);
    let mut request_ids = Vec::new();
    for _ in 0..2 {
        api.ready().await.unwrap();
        let answer = api.invoke("\"context\"").await.unwrap();
        let context: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(context["function"].as_str().unwrap().starts_with("arn:aws:lambda:"), "{context}");
        assert_eq!((&context["isTraced"], &context["hasTime"]), (&json!(true), &json!(true)));
        request_ids.push(context["requestId"].clone());
    }
    assert_ne!(request_ids[0], request_ids[1]);
}

#[tokio::test]
async fn an_error_is_reported_and_the_next_event_is_answered() {
    let mut api = RuntimeApi::start().await.unwrap();
    let _function = start(&api);
    api.ready().await.unwrap();
    match api.invoke("\"seven\"").await {
        Err(Failure::Error(error)) => assert!(error.contains("not a number"), "{error}"),
        other => panic!("{other:?}"),
    }
    api.ready().await.unwrap();
    assert_eq!(api.invoke("7").await.unwrap().body, "14");
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let mut api = RuntimeApi::start().await.unwrap();
    let mut function = TcpStream::connect(api.address()).await.unwrap();
    let body = r#"{"errorMessage":"no table"}"#;
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    function.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    function.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    match api.ready().await {
        Err(Failure::Init(error)) => assert!(error.contains("no table"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_function_that_has_not_asked_for_an_event_is_not_invoked() {
    let mut api = RuntimeApi::start().await.unwrap();
    assert!(matches!(api.invoke("1").await, Err(Failure::NotReady)));
}
