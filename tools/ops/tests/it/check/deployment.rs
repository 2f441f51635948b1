//! A deployed stack: the local cloud's API, and the AWS APIs that the local cloud does not have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, TABLE_NAME};
use storefront_template::Template;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{Answer, PATIENCE, cloud, command};

/// The stack's name.
pub(super) const STACK: &str = "shop";

/// The API's path on the deployment's server.
const API: &str = "/api";

/// A stack whose API fails on demand.
pub(super) struct Deployment {
    pub(super) cloud: LocalCloud,
    url: String,
    state: Arc<Mutex<Inner>>,
    /// Notified when a request waits for ever.
    pub(super) stuck: Arc<Notify>,
}

struct Inner {
    cloud_url: String,
    url: String,
    fine_grained: &'static str,
    failures: Vec<Failure>,
    /// Lines by log group.
    logs: HashMap<String, Vec<String>>,
    counts: bool,
    /// The sender of mails, and what SES says of the account.
    mail: (&'static str, Value),
    seen: Vec<Value>,
    stuck: Arc<Notify>,
}

/// What a route answers instead of the shop.
struct Failure {
    /// Method and path, or their beginning.
    route: &'static str,
    answer: FailedAnswer,
    /// How often.
    times: usize,
}

#[derive(Clone)]
pub(super) enum FailedAnswer {
    /// The problem of a 500, with this id of the request.
    Internal(&'static str),
    /// What API Gateway answers if the authorizer refuses the token.
    Forbidden,
    /// The request reaches the shop, but there is no answer.
    Never,
}

impl Deployment {
    pub(super) async fn start() -> Self {
        Self::of(cloud().await).await
    }

    /// The stack that this is.
    pub(super) async fn of(cloud: LocalCloud) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stuck = Arc::<Notify>::default();
        let state = Arc::new(Mutex::new(Inner {
            cloud_url: cloud.api_url().to_owned(),
            url: url.clone(),
            fine_grained: "true",
            failures: Vec::new(),
            logs: HashMap::new(),
            counts: true,
            mail: ("", Value::Null),
            seen: Vec::new(),
            stuck: Arc::clone(&stuck),
        }));
        let app = Router::new().fallback(serve).with_state(Arc::clone(&state));
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { cloud, url, state, stuck }
    }

    /// The endpoint of the AWS APIs.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Makes a route fail.
    pub(super) fn fail(&self, route: &'static str, answer: FailedAnswer, times: usize) {
        self.lock().failures.push(Failure { route, answer, times });
    }

    /// Adds a line to the log of a function.
    pub(super) fn log(&self, function: &str, line: &Value) {
        let group = format!("/aws/lambda/{STACK}/{function}");
        self.lock().logs.entry(group).or_default().push(line.to_string());
    }

    /// Deploys without the conditions on partitions.
    pub(super) fn without_conditions(&self) {
        self.lock().fine_grained = "false";
    }

    /// Deploys mail, in an account of SES with this state.
    pub(super) fn send_mail(&self, account: Value) {
        self.lock().mail = ("shop@example.com", account);
    }

    /// Makes CloudWatch count nothing.
    pub(super) fn count_nothing(&self) {
        self.lock().counts = false;
    }

    /// Runs the check to its end.
    pub(super) async fn check(&self, arguments: &[&str]) -> Answer {
        let output = timeout(PATIENCE, self.command(arguments).output()).await;
        self.answer(output.expect("it exits in time").unwrap())
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let endpoints = [
            ("AWS_ENDPOINT_URL", &*self.url),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.cloud.dynamodb_url()),
        ];
        command(&[&["check", "--stack", STACK], arguments].concat(), &endpoints)
    }

    /// Returns the output of the check, which must not contain a secret.
    pub(super) fn answer(&self, output: std::process::Output) -> Answer {
        let answer = Answer {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for field in ["password", "accessToken"] {
            for secret in self.seen(field) {
                let is_in = |text: &str| text.contains(&*secret);
                assert!(!is_in(&answer.stdout) && !is_in(&answer.stderr), "{field}: {answer:?}");
            }
        }
        answer
    }

    /// Returns what was sent or answered in this field.
    pub(super) fn seen(&self, field: &str) -> Vec<String> {
        let state = self.lock();
        let found = state.seen.iter().filter_map(|body| body[field].as_str());
        found.map(str::to_owned).collect()
    }

    /// Asserts that the user is gone, their orders are cancelled, and no product was added.
    pub(super) async fn expect_nothing_left(&self) {
        let items = self.items().await;
        let of_type = |kind: &str| -> Vec<&Value> {
            items.iter().filter(|item| item["_type"]["S"] == kind).collect()
        };
        let emails = self.seen("email");
        assert!(!emails.is_empty(), "a user was registered");
        for kind in ["User", "UniqueEmail"] {
            for item in of_type(kind) {
                assert!(!emails.iter().any(|email| item.to_string().contains(email)), "{item}");
            }
        }
        let demo = "01930000-0000-7000-8000-";
        for product in of_type("Product") {
            assert!(product["id"]["S"].as_str().unwrap().starts_with(demo), "{product}");
        }
        for order in of_type("Order") {
            let is_demo = order["id"]["S"].as_str().unwrap().starts_with(demo);
            assert!(is_demo || order["status"]["S"] == "cancelled", "{order}");
        }
    }

    /// Returns all items of the table.
    pub(super) async fn items(&self) -> Vec<Value> {
        let request = reqwest::Client::new()
            .post(self.cloud.dynamodb_url())
            .header("x-amz-target", "DynamoDB_20120810.Scan")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=k/20260101/eu-central-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .body(json!({ "TableName": TABLE_NAME, "ConsistentRead": true }).to_string());
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }
}

async fn serve(State(state): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let Some(path) = parts.uri.path().strip_prefix(API) else {
        return aws(&state, parts.uri.path(), &parts.headers, &body).await;
    };
    let route = format!("{} {path}", parts.method);
    let failure = take_failure(&mut state.lock().unwrap(), &route);
    match failure {
        Some(FailedAnswer::Internal(id)) => return internal(id),
        Some(FailedAnswer::Forbidden) => {
            let body = json!({ "message": "Forbidden" }).to_string();
            return (StatusCode::FORBIDDEN, [("apigw-requestid", "request-1")], body)
                .into_response();
        }
        Some(FailedAnswer::Never) | None => {}
    }
    let cloud = state.lock().unwrap().cloud_url.clone();
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut headers = parts.headers;
    headers.remove("host");
    let url = format!("{cloud}{path}{query}");
    let request = reqwest::Client::new().request(parts.method, url).headers(headers).body(body);
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    let answered: Value = serde_json::from_slice(&body).unwrap_or_default();
    state.lock().unwrap().seen.extend([sent, answered]);
    if matches!(failure, Some(FailedAnswer::Never)) {
        let stuck = Arc::clone(&state.lock().unwrap().stuck);
        stuck.notify_one();
        std::future::pending::<()>().await;
    }
    let mut response = (status, Body::from(body)).into_response();
    *response.headers_mut() = headers;
    response
}

fn take_failure(state: &mut Inner, route: &str) -> Option<FailedAnswer> {
    let mut failures = state.failures.iter_mut();
    let failure = failures.find(|failure| route.starts_with(failure.route) && failure.times > 0)?;
    failure.times -= 1;
    Some(failure.answer.clone())
}

fn internal(id: &str) -> Response {
    let problem = json!({
        "type": "urn:storefront:problem:internal", "title": "Internal error", "status": 500,
        "detail": "Something went wrong.", "code": "internal",
    });
    let headers = [("content-type", "application/problem+json"), ("x-request-id", id)];
    (StatusCode::INTERNAL_SERVER_ERROR, headers, problem.to_string()).into_response()
}

/// Answers as CloudFormation, CloudWatch, CloudWatch Logs and SES do.
async fn aws(state: &Mutex<Inner>, path: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let signature = headers["authorization"].to_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=operator/"), "{signature}");
    if path == "/v2/email/account" {
        assert!(signature.contains("/eu-central-1/ses/aws4_request"), "{signature}");
        return state.lock().unwrap().mail.1.to_string().into_response();
    }
    if let Some(target) = headers.get("x-amz-target") {
        assert_eq!(target, "Logs_20140328.FilterLogEvents");
        return filter_log_events(&state.lock().unwrap(), body).into_response();
    }
    let form: HashMap<String, String> = form(body);
    match &*form["Action"] {
        "DescribeStacks" if form["StackName"] != STACK => {
            let error = "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
                <Error><Type>Sender</Type><Code>ValidationError</Code>\
                <Message>Stack with id elsewhere does not exist</Message></Error>\
                <RequestId>1</RequestId></ErrorResponse>";
            (StatusCode::BAD_REQUEST, error).into_response()
        }
        "DescribeStacks" => describe_stacks(&state.lock().unwrap()).into_response(),
        "GetTemplate" => get_template().into_response(),
        "GetMetricStatistics" => get_metric_statistics(state, &form).await.into_response(),
        other => panic!("{other}"),
    }
}

fn form(body: &[u8]) -> HashMap<String, String> {
    let url = format!("http://localhost/?{}", std::str::from_utf8(body).unwrap());
    let url = reqwest::Url::parse(&url).unwrap();
    url.query_pairs().into_owned().collect()
}

fn describe_stacks(state: &Inner) -> String {
    let outputs = [("ApiUrl", format!("{}{API}", state.url)), ("TableName", TABLE_NAME.to_owned())];
    let outputs = outputs.map(|(key, value)| {
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    });
    format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <DescribeStacksResult><Stacks><member>\
         <StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/{STACK}/1</StackId>\
         <StackName>{STACK}</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>\
         <Parameters><member><ParameterKey>FineGrainedAccess</ParameterKey>\
         <ParameterValue>{}</ParameterValue></member>\
         <member><ParameterKey>MailFrom</ParameterKey>\
         <ParameterValue>{}</ParameterValue></member></Parameters>\
         <Outputs>{}</Outputs></member></Stacks></DescribeStacksResult>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>",
        state.fine_grained,
        state.mail.0,
        outputs.concat(),
    )
}

/// Returns this repository's template, with the functions' type after SAM's transformation.
fn get_template() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = Template::read(path).unwrap().written().to_string();
    let template = template.replace("AWS::Serverless::Function", "AWS::Lambda::Function");
    let escaped = template.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<GetTemplateResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <GetTemplateResult><TemplateBody>{escaped}</TemplateBody></GetTemplateResult>\
         </GetTemplateResponse>"
    )
}

/// Counts the events on the local cloud's bus.
async fn get_metric_statistics(state: &Mutex<Inner>, form: &HashMap<String, String>) -> String {
    assert_eq!(form["Namespace"], STACK);
    assert_eq!(form["MetricName"], "StatusChangesPublished");
    assert_eq!(form["Dimensions.member.1.Name"], "Status");
    assert!(form["StartTime"] < form["EndTime"], "{form:?}");
    let (counts, cloud) = {
        let state = state.lock().unwrap();
        (state.counts, state.cloud_url.clone())
    };
    let events = reqwest::get(format!("{cloud}/_local/events")).await.unwrap();
    let events: Value = events.json().await.unwrap();
    let status = &form["Dimensions.member.1.Value"];
    let of_status = |event: &&Value| event["detail"]["status"] == **status;
    let counted = events["events"].as_array().unwrap().iter().filter(of_status).count();
    let point = if counts && counted > 0 {
        format!(
            "<member><Timestamp>{}</Timestamp><Sum>{counted}.0</Sum><Unit>Count</Unit></member>",
            form["StartTime"]
        )
    } else {
        String::new()
    };
    format!(
        "<GetMetricStatisticsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">\
         <GetMetricStatisticsResult><Datapoints>{point}</Datapoints><Label>x</Label>\
         </GetMetricStatisticsResult></GetMetricStatisticsResponse>"
    )
}

/// The first page is empty, as it may be on AWS.
fn filter_log_events(state: &Inner, body: &[u8]) -> String {
    let request: Value = serde_json::from_slice(body).unwrap();
    if request["nextToken"].is_null() {
        return json!({ "events": [], "searchedLogStreams": [], "nextToken": "2" }).to_string();
    }
    let words = request["filterPattern"].as_str().unwrap().trim_matches('"');
    let lines = state.logs.get(request["logGroupName"].as_str().unwrap()).into_iter().flatten();
    let events: Vec<_> = lines
        .filter(|line| line.contains(words))
        .map(|line| json!({ "logStreamName": "1", "timestamp": 1, "message": line }))
        .collect();
    json!({ "events": events, "searchedLogStreams": [] }).to_string()
}
