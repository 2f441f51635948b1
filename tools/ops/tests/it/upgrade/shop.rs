//! A table of version 0.1, in an embedded `DynamoDB`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use storefront_core::schema::GSI2;
use storefront_core::{Orders, Products, Table, aws};
use storefront_embedded::EmbeddedDynamoDb;
use tempfile::TempDir;
use tokio::process::Command;

use super::real::Real;
use crate::{Answer, command, storefront_ops};

/// 137 items in `DynamoDB` JSON, one a line, as functions of 0.1 wrote them.
const TABLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/table-0.1.jsonl"));

/// Emulators require a signature, and do not check it.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 \
    Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none";

pub(super) const PRODUCTS: usize = 21;

/// By `PK` and `SK`.
pub(super) type Items = BTreeMap<(String, String), Value>;

pub(super) struct Shop {
    embedded: EmbeddedDynamoDb,
    pub(super) dynamodb: DynamoDb,
    folder: TempDir,
}

/// Sends requests as they are, because no code of today writes what 0.1 wrote.
#[derive(Clone)]
pub(super) struct DynamoDb {
    url: String,
    pub(super) table: String,
    http: reqwest::Client,
    /// The function of 0.1 itself, if there is its program.
    pub(super) real: Option<Real>,
}

impl Shop {
    pub(super) async fn of_0_1() -> Self {
        let embedded = storefront_embedded::test_table().await;
        let (url, table) = (embedded.endpoint_url().to_owned(), embedded.table_name().to_owned());
        let real = Real::start(&url, &table).await;
        let dynamodb = DynamoDb { url, table, http: reqwest::Client::new(), real };
        let shop = Self { embedded, dynamodb, folder: tempfile::tempdir().unwrap() };
        shop.fill().await;
        shop
    }

    /// Opens a shop whose table has no second index, like one of 0.1.
    pub(super) async fn without_worklist_index() -> Self {
        let mut shop = Self::of_0_1().await;
        "restored".clone_into(&mut shop.dynamodb.table);
        let mut create = storefront_embedded::test_definition().create_table("restored");
        for list in ["AttributeDefinitions", "GlobalSecondaryIndexes"] {
            let list = create[list].as_array_mut().unwrap();
            list.retain(|entry| !entry.to_string().contains(GSI2));
        }
        shop.dynamodb.request("CreateTable", create).await.unwrap();
        shop.fill().await;
        shop
    }

    async fn fill(&self) {
        for line in TABLE.lines() {
            let item: Value = serde_json::from_str(line).unwrap();
            self.put(item["Item"].clone()).await;
        }
    }

    pub(super) async fn put(&self, item: Value) {
        let put = json!({ "TableName": self.dynamodb.table, "Item": item });
        self.dynamodb.request("PutItem", put).await.unwrap();
    }

    pub(super) fn table(&self) -> Table {
        let url = Some(self.embedded.endpoint_url().to_owned());
        Table::new(aws::dynamodb(&aws::patient_emulator_config(), url), &self.dynamodb.table)
    }

    pub(super) fn orders(&self) -> Orders {
        Orders::new(self.table())
    }

    pub(super) fn products(&self) -> Products {
        Products::new(self.table())
    }

    pub(super) fn state_file(&self) -> String {
        self.folder.path().join("state.json").to_str().unwrap().to_owned()
    }

    /// Reads the state file; `None` if it does not exist yet.
    pub(super) fn state(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.state_file()).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Runs the command to its end.
    pub(super) async fn upgrade(&self, options: &[&str]) -> Answer {
        let state = self.state_file();
        storefront_ops(&self.arguments(&state, options), &[self.endpoint()]).await
    }

    /// Returns the command, to be started and killed.
    pub(super) fn upgrade_command(&self, options: &[&str]) -> Command {
        let state = self.state_file();
        command(&self.arguments(&state, options), &[self.endpoint()])
    }

    fn arguments<'a>(&'a self, state: &'a str, options: &[&'a str]) -> Vec<&'a str> {
        [&["upgrade", "--table", &self.dynamodb.table, "--state", state], options].concat()
    }

    fn endpoint(&self) -> (&str, &str) {
        ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb.url)
    }

    pub(super) async fn items(&self) -> Items {
        let mut items = Items::new();
        let mut scan = json!({ "TableName": self.dynamodb.table, "ConsistentRead": true });
        loop {
            let mut page = self.dynamodb.request("Scan", scan.clone()).await.unwrap();
            for item in page["Items"].as_array_mut().unwrap().drain(..) {
                items.insert((text(&item, "PK"), text(&item, "SK")), item);
            }
            match page.get("LastEvaluatedKey").filter(|key| !key.is_null()) {
                Some(key) => scan["ExclusiveStartKey"] = key.clone(),
                None => return items,
            }
        }
    }
}

impl DynamoDb {
    /// Returns the answer, or the error that `DynamoDB` answers with.
    pub(super) async fn request(&self, operation: &str, body: Value) -> Result<Value, Value> {
        let response = self
            .http
            .post(&self.url)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", SIGNATURE)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let is_success = response.status().is_success();
        let answer = response.json().await.unwrap();
        if is_success { Ok(answer) } else { Err(answer) }
    }
}

pub(super) fn text(item: &Value, attribute: &str) -> String {
    item[attribute]["S"].as_str().unwrap().to_owned()
}

/// Returns a number of an item, if it has that attribute.
pub(super) fn number(item: &Value, attribute: &str) -> Option<u64> {
    item.get(attribute).map(|value| value["N"].as_str().unwrap().parse().unwrap())
}

pub(super) fn of_type<'a>(items: &'a Items, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    items.values().filter(move |item| item["_type"]["S"] == kind)
}

/// Returns how many pieces of each product the shop has or has sold; `None` if it is not counted.
/// Neither an order nor a cancellation changes that, nor an upgrade.
pub(super) fn pieces(items: &Items) -> BTreeMap<String, Option<u64>> {
    let mut pieces: BTreeMap<_, _> = of_type(items, "Product")
        .map(|product| (text(product, "id"), number(product, "stock")))
        .collect();
    for stock in of_type(items, "Stock") {
        let of_product = pieces.get_mut(&text(stock, "productId")).unwrap();
        *of_product = number(stock, "quantity").map(|held| held + of_product.unwrap_or_default());
    }
    let statuses: HashMap<_, _> =
        of_type(items, "Order").map(|order| (text(order, "id"), text(order, "status"))).collect();
    for item in of_type(items, "OrderItem") {
        if statuses[&text(item, "orderId")] != "cancelled"
            && let Some(Some(pieces)) = pieces.get_mut(&text(item, "productId"))
        {
            *pieces += number(item, "quantity").unwrap();
        }
    }
    pieces
}
