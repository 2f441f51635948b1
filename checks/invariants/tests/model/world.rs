//! The real shop: the functions over a DynamoDB of the case's own.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::{LoginAttempts, NewUser, PasswordHash, Role, Table, UserId, Users, aws};
use storefront_credentials::Password;
use storefront_embedded::EmbeddedDynamoDb;
use storefront_invariants::Shop;
use storefront_template::{TableDefinition, Template};
use storefront_testing::evidence;

use crate::model::{Items, Model, NEW_NAME, SOME};
use crate::script::{Address, Fields, Nth, Operation, Step, password};
use crate::turns::TakingTurns;

const TABLE: &str = "storefront";

/// Attributes whose values the model does not know.
const UNKNOWN: [&str; 5] = ["updatedAt", "passwordHash", "requestHash", "expiresAt", "requestId"];

/// What all cases share.
pub(crate) struct Premises {
    table: TableDefinition,
    config: aws::SdkConfig,
    /// Of the first password. To hash is what costs most.
    password_hash: PasswordHash,
}

/// A shop that is open, as long as it is not dropped.
pub(crate) struct World {
    pub(crate) shop: Shop,
    client: Client,
    _dynamodb: EmbeddedDynamoDb,
}

impl Premises {
    pub(crate) async fn new() -> Self {
        evidence::start();
        evidence::password(&password(0));
        let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));
        let password: Password = password(0).parse().expect("long enough");
        Self {
            table: template.and_then(|template| template.table()).expect("it defines the table"),
            config: aws::emulator_config(),
            password_hash: password.hash().await.expect("a hash"),
        }
    }

    /// A shop with its administrator, `u0`, and two customers; and the same as a model.
    pub(crate) async fn open(&self, failed_log_ins: u32) -> (World, Model) {
        let dynamodb = EmbeddedDynamoDb::in_memory(&self.table, TABLE).await.expect("it starts");
        let client = aws::dynamodb(&self.config, Some(dynamodb.endpoint_url().to_owned()));
        let http_client = TakingTurns(client.config().http_client().expect("it was configured"));
        let in_turns = client.config().to_builder().http_client(http_client);
        // Who waits for a turn waits for the others, hashed passwords included.
        let in_turns = in_turns.timeout_config(TimeoutConfig::disabled());
        let table = Table::new(Client::from_conf(in_turns.build()), TABLE);

        let mut model = Model::default();
        let users = Users::new(table.clone());
        for (number, role) in [(0, Role::Admin), (1, Role::User), (2, Role::User)] {
            let email = Address::plain(number);
            evidence::email(&email.normalised());
            let new = NewUser {
                email: email.normalised().parse().expect("an email"),
                name: NEW_NAME.to_owned(),
                password_hash: self.password_hash.clone(),
                role,
            };
            let user = users.register(UserId::new(), new).await.expect("an empty shop");
            model.settle(user.id, email, role);
        }
        let attempts = LoginAttempts::new(table.clone());
        let anna = Address::plain(1);
        for _ in 0..failed_log_ins {
            let email = anna.normalised().parse().expect("an email");
            attempts.begin(&email).await.expect("one of the first ten");
        }
        model.fail_log_ins(anna, failed_log_ins);
        (World { shop: Shop::over(&table), client, _dynamodb: dynamodb }, model)
    }
}

impl World {
    /// All that lies in the table.
    pub(crate) async fn items(&self) -> Items {
        let scan = self.client.scan().table_name(TABLE).consistent_read(true);
        let pages = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = pages.expect("the embedded database answers").into_iter().map(|item| {
            let attributes = item.into_iter().map(|(name, value)| {
                let value = match value {
                    _ if UNKNOWN.contains(&&*name) => SOME.to_owned(),
                    AttributeValue::S(text) | AttributeValue::N(text) => text,
                    AttributeValue::Ss(set) => set.len().to_string(),
                    other => panic!("{name} is no text, number or set: {other:?}"),
                };
                (name, value)
            });
            let attributes: std::collections::BTreeMap<_, _> = attributes.collect();
            ((attributes["PK"].clone(), attributes["SK"].clone()), attributes)
        });
        items.collect()
    }
}

/// What has happened before a script begins. The administrator has put on the shelves `p0` of which
/// there are a few, `p1` of which there are always enough, and `p2` for another currency; and `u1`
/// has ordered something.
pub(crate) fn beginning() -> [Step; 2] {
    let product = |price, currency, stock| Operation::CreateProduct {
        by: Nth(0),
        fields: Fields {
            name: Some(0),
            category: Some(0),
            price: Some(price),
            currency: Some(currency),
            stock: Some(stock),
        },
    };
    let products = vec![
        product(1890, "EUR", Some(9)),
        product(250, "EUR", None),
        product(999, "USD", Some(3)),
    ];
    let items = vec![(Nth(0), 1), (Nth(1), 2)];
    [
        Step { operations: products, turns: Vec::new() },
        Step::alone(Operation::PlaceOrder { by: Nth(1), items, key: None }),
    ]
}
