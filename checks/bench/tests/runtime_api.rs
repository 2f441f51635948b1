//! The Runtime API is one that Lambda's own client for Rust can live with.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use storefront_bench::runtime_api::{Failure, RuntimeApi};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How many events the function takes at once.
const AT_ONCE: usize = 8;

/// Ends the function with its test.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts [`function`] in a process of its own: the client reads its environment, which a process
/// has only one of.
fn start(api: &RuntimeApi) -> Function {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "function"])
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .env("AWS_LAMBDA_MAX_CONCURRENCY", AT_ONCE.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "double")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Function(child.unwrap())
}

/// Doubles numbers, waits for other events, tells its context where it is asked for it, and takes
/// nothing else.
#[tokio::test]
#[ignore = "it is the function of the other tests, which start it"]
async fn function() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let arrived = Arc::new(watch::Sender::new(0_u64));
    let answer = async move |event: LambdaEvent<Value>, arrived: Arc<watch::Sender<u64>>| {
        arrived.send_modify(|count| *count += 1);
        match event.payload {
            Value::Number(number) => Ok(json!(number.as_u64().unwrap_or_default() * 2)),
            Value::Object(object) => {
                let until = object["until"].as_u64().unwrap_or_default();
                let count = *arrived.subscribe().wait_for(|count| *count >= until).await?;
                Ok(json!({ "name": object["name"], "arrived": count }))
            }
            Value::String(text) if text == "context" => Ok(json!({
                "requestId": event.context.request_id,
                "function": event.context.invoked_function_arn,
                "isTraced": event.context.xray_trace_id.is_some(),
                "hasTime": event.context.deadline() > std::time::SystemTime::now(),
            })),
            _ => Err(Error::from("not a number")),
        }
    };
    let service = service_fn(move |event| answer(event, Arc::clone(&arrived)));
    lambda_runtime::run_concurrent(service).await.unwrap();
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

/// Of each answer: its event's place, the event's name, and how many events had arrived.
async fn serve(
    api: &mut RuntimeApi,
    events: Vec<String>,
    at_once: usize,
) -> Vec<(usize, u64, usize)> {
    let mut serving = api.serve(events, at_once);
    let mut answers = Vec::new();
    while let Some((place, answer)) = serving.next().await.unwrap() {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let arrived = usize::try_from(body["arrived"].as_u64().unwrap()).unwrap();
        answers.push((place, body["name"].as_u64().unwrap(), arrived));
    }
    answers
}

#[tokio::test]
async fn eight_events_are_in_flight_at_once_and_each_answer_is_matched_to_its_event() {
    let mut api = RuntimeApi::start().await.unwrap();
    let _function = start(&api);
    api.ready().await.unwrap();
    // The last of the first eight is answered as soon as all of them have arrived, the one before it when
    // a ninth has, and so on. The others wait for all.
    let until = |place: usize| if place < AT_ONCE { 2 * AT_ONCE - 1 - place } else { 2 * AT_ONCE };
    let event = |place| json!({ "name": 100 + place, "until": until(place) }).to_string();

    let answers = serve(&mut api, (0..2 * AT_ONCE).map(event).collect(), AT_ONCE).await;

    let mut places: Vec<_> = answers.iter().map(|(place, _, _)| *place).collect();
    let (first, rest) = places.split_at_mut(AT_ONCE);
    assert_eq!(first, [7, 6, 5, 4, 3, 2, 1, 0]);
    rest.sort_unstable();
    assert_eq!(rest, [8, 9, 10, 11, 12, 13, 14, 15]);
    for (place, name, _) in answers {
        assert_eq!(usize::try_from(name).unwrap(), 100 + place);
    }
}

#[tokio::test]
async fn no_more_events_are_in_flight_than_were_allowed() {
    let mut api = RuntimeApi::start().await.unwrap();
    let _function = start(&api);
    // All who could take one.
    for _ in 0..AT_ONCE {
        api.ready().await.unwrap();
    }
    let events = (0..30).map(|name| json!({ "name": name, "until": 0 }).to_string()).collect();

    let answers = serve(&mut api, events, 3).await;

    assert_eq!(answers.len(), 30);
    for (answered, (_, _, arrived)) in answers.into_iter().enumerate() {
        assert!(arrived <= answered + 3, "{arrived} had arrived with {answered} answered");
    }
}

#[tokio::test]
async fn an_error_is_told_and_the_next_event_is_answered() {
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
async fn nobody_is_invoked_who_has_not_asked_for_an_event() {
    let mut api = RuntimeApi::start().await.unwrap();
    assert!(matches!(api.invoke("1").await, Err(Failure::NotReady)));
}
