//! The services that the functions call: DynamoDB, Secrets Manager, EventBridge and SES, behind TLS.

mod event_bus;
mod others;
mod variables;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use storefront_cloud::{TABLE_NAME, seed};
use storefront_core::{NewOrder, NewOrderItem, Orders, ProductId, Table, UserId, aws};
use storefront_embedded::EmbeddedDynamoDb;
use storefront_template::{Function, Template};
use tempfile::TempDir;

use crate::Error;
use crate::tls::{HOST, Terminator};
pub(crate) use event_bus::{EventBus, Received};

/// The seed's customer, and a product that never runs out.
const CUSTOMER: &str = "01930000-0000-7000-8000-000000000002";
const ENDLESS_PRODUCT: &str = "01930000-0000-7000-8000-000000000120";

/// More than one page.
const ORDERS: usize = 40;

pub(crate) struct Services {
    // Stops when dropped.
    _database: EmbeddedDynamoDb,
    folder: TempDir,
    endpoints: BTreeMap<String, String>,
    /// The bus on which the functions publish.
    pub(crate) bus: EventBus,
}

impl Services {
    /// Starts the services, with the seed and some orders in the table.
    pub(crate) async fn start(template: &Template) -> Result<Self, Error> {
        let terminator = Terminator::new().map_err(Error::Services)?;
        let folder = tempfile::tempdir().map_err(Error::io("cannot create a folder"))?;
        let root = folder.path().join("root.pem");
        fs::write(&root, terminator.root()).map_err(Error::file(&root))?;

        let database = EmbeddedDynamoDb::in_memory(&template.table()?, TABLE_NAME).await;
        let database = database.map_err(Error::services)?;
        fill(&database).await.map_err(Error::Services)?;
        let dynamodb = database.endpoint_url().trim_start_matches("http://");
        let dynamodb = dynamodb.parse().map_err(Error::services)?;
        let bus = EventBus::default();
        let others = others::serve(bus.clone()).await.map_err(Error::services)?;
        let mut endpoints = BTreeMap::new();
        for (service, server) in [
            ("DYNAMODB", dynamodb),
            ("SECRETS_MANAGER", others),
            ("EVENTBRIDGE", others),
            ("SESV2", others),
            ("SQS", others),
        ] {
            let url = behind_tls(&terminator, server).await?;
            endpoints.insert(format!("AWS_ENDPOINT_URL_{service}"), url);
        }
        Ok(Self { _database: database, folder, endpoints, bus })
    }

    /// The folder for the files of a run; it is deleted with the services.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The environment variables of a process: those that Lambda sets, and the function's own.
    pub(crate) fn variables(
        &self,
        function: Option<&Function>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut variables =
            variables::lambda(function.map_or("floor", |function| &function.binary));
        variables.insert("TABLE_NAME".to_owned(), TABLE_NAME.to_owned());
        if let Some(function) = function {
            for (name, value) in &function.environment {
                variables.insert(name.clone(), variables::resolved(function, name, value)?);
            }
        }
        variables.extend(self.endpoints.clone());
        let root = self.root();
        // The AWS CLI, OpenSSL and Node.js look for trusted roots under these names.
        for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            variables.insert(name.to_owned(), root.display().to_string());
        }
        Ok(variables)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

async fn behind_tls(terminator: &Terminator, server: SocketAddr) -> Result<String, Error> {
    let port = terminator.before(server).await.map_err(Error::services)?;
    Ok(format!("https://{HOST}:{port}"))
}

async fn fill(database: &EmbeddedDynamoDb) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let endpoint_url = Some(database.endpoint_url().to_owned());
    let table = Table::new(aws::dynamodb(&aws::emulator_config(), endpoint_url), TABLE_NAME);
    seed::fill(&table).await?;
    let user_id: UserId = CUSTOMER.parse()?;
    let product_id: ProductId = ENDLESS_PRODUCT.parse()?;
    let orders = Orders::new(table);
    for _ in 0..ORDERS {
        let items = vec![NewOrderItem { product_id, quantity: 1 }];
        orders.place(NewOrder::new(user_id, items)).await?;
    }
    Ok(())
}
