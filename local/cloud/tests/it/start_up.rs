//! Tests the messages when the local cloud cannot start, and that it stops on request.

use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::json;
use storefront_cloud::{LocalCloud, Options};
use storefront_testing::CapturedLog;

use crate::client::{Client, in_memory, template};
use crate::process::{LocalCloudProcess, command, failure};

fn options() -> Options {
    Options { seed: false, ..in_memory() }
}

#[tokio::test]
async fn the_error_for_a_port_in_use_names_it_and_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flag, other) in [("--port", "--dynamodb-port"), ("--dynamodb-port", "--port")] {
        let message = failure(command(&["--in-memory", flag, &port, other, "0"])).await;
        assert_eq!(
            message,
            format!(
                "error: port {port} is taken by another program (perhaps another storefront); \
                 stop it, or choose another port with {flag}\n"
            )
        );
    }
}

#[tokio::test]
async fn a_missing_template_is_named() {
    let message = failure({
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_storefront"));
        command.args(["--in-memory", "--template", "no-such.yaml"]);
        command
    })
    .await;
    assert!(message.starts_with("error: cannot read the template no-such.yaml: "), "{message}");
}

#[tokio::test]
async fn a_parameter_of_the_template_can_be_set() {
    let origin = "https://shop.example";
    let parameters = vec![("CorsAllowOrigins".to_owned(), format!("{origin}, http://localhost"))];
    let cloud = LocalCloud::start(Options { parameters, ..options() }).await.unwrap();
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("{}/products", cloud.api_url()))
        .header("origin", origin)
        .header("access-control-request-method", "GET");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_parameter_that_the_template_does_not_have_or_allow_is_named() {
    for (parameter, said) in [
        ("CorsOrigins=x", "has no parameter CorsOrigins; it has AlarmEmail, "),
        ("LogLevel=TRACE", "the parameter LogLevel cannot be \"TRACE\": expected one of ERROR, "),
        // A function refuses what is no whole number, and the deployment would succeed.
        (
            "PendingOrderMinutes=1.5",
            "the parameter PendingOrderMinutes cannot be \"1.5\": expected a whole number from 0 to \
             527040",
        ),
        ("PendingOrderMinutes=1e3", "expected a whole number from 0 to 527040"),
        ("PendingOrderMinutes=527041", "expected a whole number from 0 to 527040"),
        ("PendingOrderMinutes=", "expected a whole number from 0 to 527040"),
        ("MaxOpenOrders=2.0", "expected a whole number from 0 to 1000"),
        ("MaxOpenOrders=1001", "expected a whole number from 0 to 1000"),
    ] {
        let message = failure(command(&["--in-memory", "--parameter", parameter])).await;
        assert!(message.contains(said), "{message}");
    }
}

#[tokio::test]
async fn a_parameter_that_changes_nothing_here_is_named() {
    let parameters = ["RestoredTable=other", "PendingOrderMinutes=527040", "LogRetentionDays=30"];
    let parameters = parameters.map(|text| text.split_once('=').unwrap());
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let log = CapturedLog::start();
    let cloud = LocalCloud::start(Options { parameters, ..options() }).await.unwrap();
    let said = log.text();
    assert!(said.contains("ignores the parameter RestoredTable: nothing that it runs"), "{said}");
    assert_eq!(said.matches("ignores the parameter").count(), 1, "{said}");
    cloud.shutdown().await;
}

#[tokio::test]
async fn the_error_for_an_invalid_template_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(template()).unwrap();
    std::fs::write(&path, text.replace("BatchSize: 100", "BatchSize: many")).unwrap();
    let error =
        LocalCloud::start(Options { template: path.clone(), ..options() }).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: Resources.AvailabilityFunction.Properties.Events.StockChanges.Properties\
             .BatchSize: expected a whole number, found \"many\"",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_trigger_that_does_not_run_here_is_named_and_the_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(template()).unwrap();
    let events = "Events:
        Uploads: { Type: S3, Properties: {} }
        Later:
          Type: ScheduleV2
          Properties: { ScheduleExpression: rate(1 day), StartDate: '2030-01-01T00:00:00Z' }
        StockChanges:";
    let with_triggers = text.replace("Events:\n        StockChanges:", events);
    assert_ne!(with_triggers, text);
    std::fs::write(&path, with_triggers).unwrap();
    let log = CapturedLog::start();
    let cloud = LocalCloud::start(Options { template: path, ..options() }).await.unwrap();
    let said = log.text();
    let expected = "does not run the template's trigger AvailabilityFunction.Uploads (S3)";
    assert!(said.contains(expected), "{said}");
    let expected =
        "ignores StartDate of the template's AvailabilityFunction.Later: it runs from now";
    assert!(said.contains(expected), "{said}");
    Client::anonymous(cloud.api_url())
        .get("/products?category=coffee")
        .await
        .expect(StatusCode::OK);
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_function_that_is_not_part_of_the_suite_is_named_and_the_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(template()).unwrap();
    std::fs::write(&path, text.replace("Binary: orders", "Binary: invoices")).unwrap();
    let log = CapturedLog::start();
    let cloud = LocalCloud::start(Options { template: path, ..options() }).await.unwrap();
    let said = log.text();
    assert!(said.contains("OrdersFunction is built from the binary invoices"), "{said}");
    let error = cloud.invoke("OrdersFunction", &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "the suite has no function invoices");
    Client::anonymous(cloud.api_url())
        .get("/products?category=coffee")
        .await
        .expect(StatusCode::OK);
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_data_folder_can_be_used_by_only_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let with_data = Options { data_dir: Some(path.clone()), ..options() };
    let first = LocalCloud::start(with_data.clone()).await.unwrap();

    let data_dir = path.to_str().unwrap();
    let second = command(&["--port", "0", "--dynamodb-port", "0", "--data-dir", data_dir]);
    assert_eq!(
        failure(second).await,
        format!(
            "error: the data folder {data_dir} is in use by another storefront; stop it, or give \
             this one a folder of its own with --data-dir\n"
        )
    );

    first.shutdown().await;
    LocalCloud::start(with_data).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn data_of_another_table_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let template_of_another = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(template()).unwrap();
    std::fs::write(&template_of_another, text.replace("GSI1SK", "GSI1Range")).unwrap();
    let other =
        Options { template: template_of_another, data_dir: Some(data_dir.clone()), ..options() };
    LocalCloud::start(other).await.unwrap().shutdown().await;

    let ours = Options { data_dir: Some(data_dir.clone()), ..options() };
    let error = LocalCloud::start(ours).await.err().unwrap().to_string();
    assert!(error.starts_with("the table storefront in the database differs"), "{error}");
    assert!(error.ends_with("or move this one away to start over"), "{error}");
    assert!(error.contains(data_dir.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_damaged_file_of_the_data_folder_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let with_data = Options { data_dir: Some(folder.path().to_owned()), ..options() };
    LocalCloud::start(with_data.clone()).await.unwrap().shutdown().await;
    let place = "delete the file: the consumer then begins at the oldest record of the stream, so \
                 what happened in the last 24 hours reaches it again";
    let messages = "delete it: the messages of all queues are lost, and the events that wait for a \
                    function";
    let table = "move it away to start over: all users, products and orders in it are lost";
    let no_database = "a text that is longer than the head of a database\n".repeat(20);
    for (name, content, what_to_do) in [
        ("stream-checkpoint.json", "{\"streamArn\": ", place),
        ("stream-checkpoint-AvailabilityFunction.json", "", place),
        ("queues.sqlite", &no_database, messages),
        ("dynamodb.sqlite", &no_database, table),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let error = LocalCloud::start(with_data.clone()).await.err().unwrap().to_string();
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        assert!(error.ends_with(what_to_do), "{error}");
        // As it says.
        std::fs::remove_file(&file).unwrap();
        LocalCloud::start(with_data.clone()).await.unwrap().shutdown().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_open_the_data_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("shops/first");
    let with_data = Options { data_dir: Some(data_dir.clone()), ..options() };
    LocalCloud::start(with_data).await.unwrap().shutdown().await;
    assert_eq!(std::fs::metadata(data_dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn it_prints_who_may_use_what_has_no_authentication() {
    let folder = tempfile::tempdir().unwrap();
    for (host, who) in [
        ("127.0.0.1", "programs on this machine may use DynamoDB and /_local."),
        ("0.0.0.0", "anybody on the network may use DynamoDB and /_local."),
    ] {
        let process = LocalCloudProcess::start_with(folder.path(), &["--host", host]).await;
        let access = format!("Without a password, {who} Pages of other sites are refused.");
        assert_eq!(process.access.as_deref(), Some(&*access));
        assert!(process.signal("-TERM").await.success());
    }
}

#[tokio::test]
async fn existing_demo_users_are_printed_whatever_the_flags() {
    let seeded = "admin@example.com, ada@example.com, alan@example.com (password storefront-demo)";
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["--empty"]] {
        let process = LocalCloudProcess::start_with(folder.path(), arguments).await;
        assert_eq!(process.users.as_deref(), Some(seeded), "{arguments:?}");
        assert!(process.signal("-TERM").await.success());
    }

    let folder = tempfile::tempdir().unwrap();
    let process = LocalCloudProcess::start_with(folder.path(), &["--empty"]).await;
    assert_eq!(process.users, None);
    let grace =
        json!({ "email": "grace@example.com", "password": "a long password", "name": "Grace" });
    let anyone = Client::anonymous(&process.api_url);
    anyone.post("/users", grace).await.expect(StatusCode::CREATED);
    assert!(process.signal("-TERM").await.success());
    let process = LocalCloudProcess::start(folder.path()).await;
    assert_eq!(process.users, None, "a table that began empty is not filled later");
}

#[tokio::test]
async fn ctrl_c_and_sigterm_stop_it_cleanly_and_the_data_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for signal in ["-INT", "-TERM"] {
        let process = LocalCloudProcess::start(folder.path()).await;
        // The client keeps its connection open, which must not block the shutdown.
        let ada = Client::logged_in(&process.api_url, "ada@example.com").await;
        let orders = ada.get("/orders").await.expect(StatusCode::OK);
        assert_eq!(orders.body["items"].as_array().unwrap().len(), 1, "filled once, not twice");
        assert!(process.signal(signal).await.success(), "{signal}");
    }
}
