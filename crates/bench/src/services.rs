//! What the functions ask: DynamoDB, Secrets Manager and EventBridge, behind TLS.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use storefront_core::{NewOrder, NewOrderItem, OrderId, Orders, ProductId, Table, UserId, aws};
use storefront_embedded::EmbeddedDynamoDb;
use storefront_local::{TABLE_NAME, TOKEN_SECRET, seed};
use storefront_template::{Function, Template};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::Error;
use crate::tls::{HOST, Terminator};

/// The seed's customer, and a product that never runs out.
const CUSTOMER: &str = "01930000-0000-7000-8000-000000000002";
const ENDLESS_PRODUCT: &str = "01930000-0000-7000-8000-000000000120";

/// More than a page of them.
const ORDERS: usize = 40;

pub(crate) struct Services {
    // Served until it is dropped.
    _database: EmbeddedDynamoDb,
    folder: TempDir,
    endpoints: BTreeMap<String, String>,
}

impl Services {
    /// With a table that has something in it.
    pub(crate) async fn start(template: &Template) -> Result<Self, Error> {
        let terminator = Terminator::new().map_err(Error::Services)?;
        let folder = tempfile::tempdir().map_err(Error::io("cannot make a folder"))?;
        let root = folder.path().join("root.pem");
        fs::write(&root, terminator.root()).map_err(Error::file(&root))?;

        let database = EmbeddedDynamoDb::in_memory(&template.table()?, TABLE_NAME).await;
        let database = database.map_err(Error::services)?;
        fill(&database).await.map_err(Error::Services)?;
        let dynamodb = database.endpoint_url().trim_start_matches("http://");
        let dynamodb = dynamodb.parse().map_err(Error::services)?;
        let others = serve_others().await.map_err(Error::services)?;
        let mut endpoints = BTreeMap::new();
        for (service, server) in
            [("DYNAMODB", dynamodb), ("SECRETS_MANAGER", others), ("EVENTBRIDGE", others)]
        {
            let port = terminator.before(server).await.map_err(Error::services)?;
            endpoints
                .insert(format!("AWS_ENDPOINT_URL_{service}"), format!("https://{HOST}:{port}"));
        }
        Ok(Self { _database: database, folder, endpoints })
    }

    /// A folder for what a run needs; it goes with the services.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The variables that a process gets, as Lambda would set them, and the function's own.
    pub(crate) fn variables(
        &self,
        function: Option<&Function>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut variables = lambda(function.map_or("floor", |function| &function.binary));
        variables.insert("TABLE_NAME".to_owned(), TABLE_NAME.to_owned());
        for (name, value) in function.map(|function| &function.environment).into_iter().flatten() {
            variables.insert(name.clone(), resolved(function, name, value)?);
        }
        variables.extend(self.endpoints.clone());
        let root = self.root();
        // By these names the AWS CLI, OpenSSL and Node.js look for roots to trust.
        for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            variables.insert(name.to_owned(), root.display().to_string());
        }
        Ok(variables)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

/// What the template says, or what a deployment would put in its place.
fn resolved(function: Option<&Function>, name: &str, value: &Value) -> Result<String, Error> {
    match (name, value) {
        (_, Value::String(text)) => Ok(text.clone()),
        ("TABLE_NAME" | "EVENT_BUS_NAME" | "METRICS_NAMESPACE", _) => Ok(TABLE_NAME.to_owned()),
        ("RUST_LOG", _) => Ok("INFO".to_owned()),
        ("TOKEN_SECRET_ARN", _) => {
            Ok("arn:aws:secretsmanager:eu-central-1:123456789012:secret:token".to_owned())
        }
        _ => Err(Error::UnknownVariable {
            function: function.map(|function| function.binary.clone()).unwrap_or_default(),
            name: name.to_owned(),
        }),
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
fn lambda(function: &str) -> BTreeMap<String, String> {
    let stream = "2026/11/22/[$LATEST]8f1e0d2c3b4a59687f6e5d4c3b2a1908";
    let group = format!("/aws/lambda/{function}");
    [
        ("_HANDLER", "bootstrap"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
        ("AWS_LAMBDA_FUNCTION_NAME", function),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

async fn fill(database: &EmbeddedDynamoDb) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let endpoint_url = Some(database.endpoint_url().to_owned());
    let table = Table::new(aws::dynamodb(&aws::emulator_config(), endpoint_url), TABLE_NAME);
    seed::fill(&table).await?;
    let user_id: UserId = CUSTOMER.parse()?;
    let product_id: ProductId = ENDLESS_PRODUCT.parse()?;
    let orders = Orders::new(table);
    for _ in 0..ORDERS {
        let order = NewOrder {
            id: OrderId::new(),
            user_id,
            items: vec![NewOrderItem { product_id, quantity: 1 }],
            idempotency_key: None,
            request_id: None,
        };
        orders.place(order).await?;
    }
    Ok(())
}

/// Secrets Manager with one secret, and an event bus that takes everything.
async fn serve_others() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().fallback(answer);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}

/// The SDK's content types are none that axum takes for JSON.
async fn answer(headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some("secretsmanager.GetSecretValue") => {
            // Put long ago, so that nobody asks for the version before it.
            Json(json!({ "SecretString": TOKEN_SECRET, "CreatedDate": 1_767_225_600.0 }))
                .into_response()
        }
        Some("AWSEvents.PutEvents") => {
            let entries = request["Entries"].as_array().map_or(0, Vec::len);
            let id = json!({ "EventId": "17793124-05d4-b198-2fde-7ededc63b103" });
            Json(json!({ "FailedEntryCount": 0, "Entries": vec![id; entries] })).into_response()
        }
        _ => {
            let error = json!({ "__type": "UnknownOperationException" });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}
