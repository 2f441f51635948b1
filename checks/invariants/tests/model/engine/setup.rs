//! The shop under test: the functions over a DynamoDB of the script's own.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use storefront_core::{
    AccountMailKind, LoginAttempt, LoginAttempts, MailTokens, NewUser, PasswordHash, Registrations,
    Role, Sessions, Source, Table, Timestamp, User, UserChanges, UserId, Users, aws,
};
use storefront_credentials::{Password, refresh_token};
use storefront_embedded::EmbeddedDynamoDb;
use storefront_invariants::Shop;
use storefront_template::{TableDefinition, Template};
use storefront_testing::{SOURCE, evidence};

use super::interleaving::Interleaved;
use super::script::{Nth, Script, Step};
use super::table::{TableItems, table_item};
use crate::entities::Model;
use crate::entities::mail_tokens;
use crate::entities::orders::{ExpectedTotal, OrderOperation};
use crate::entities::products::{ProductFields, ProductOperation};
use crate::entities::users::NEW_NAME;
use crate::entities::values::{Address, password};

const TABLE: &str = "storefront";

/// What all scripts share.
pub(crate) struct Setup {
    table: TableDefinition,
    config: aws::SdkConfig,
    /// Of password 0. Hashing is what costs most.
    password_hash: PasswordHash,
}

/// A shop that runs until it is dropped.
pub(crate) struct RunningShop {
    pub(crate) functions: Shop,
    client: Client,
    _dynamodb: EmbeddedDynamoDb,
}

impl Setup {
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

    /// Starts a shop with its administrator, `u0`, two customers, and a member of staff, `u3`; and makes
    /// a model of it.
    pub(crate) async fn open(&self, script: &Script) -> (RunningShop, Model) {
        let dynamodb = EmbeddedDynamoDb::in_memory(&self.table, TABLE).await.expect("it starts");
        let client = aws::dynamodb(&self.config, Some(dynamodb.endpoint_url().to_owned()));
        let http_client = Interleaved(client.config().http_client().expect("it was configured"));
        let interleaved = client.config().to_builder().http_client(http_client);
        // A request that waits for its turn waits for the others' work, hashing included.
        let interleaved = interleaved.timeout_config(TimeoutConfig::disabled());
        let table = Table::new(Client::from_conf(interleaved.build()), TABLE);

        let mut model = Model { rules: script.rules, ..Model::default() };
        let users = Users::new(table.clone());
        let mut registered = Vec::new();
        let roles = [(0, Role::Admin), (1, Role::User), (2, Role::User), (5, Role::Staff)];
        for (number, role) in roles {
            let new = self.new_user(number, role);
            let user = users.register(UserId::new(), new).await.expect("an empty shop");
            model.add_user(user.id, Address::normalised(number), 0, role);
            registered.push(user);
        }
        self.begin_sessions(&table, &registered, &mut model).await;
        issue_mail_tokens(&table, &registered, &mut model).await;
        self.keep_registrations(&table, &mut model).await;
        let attempts = LoginAttempts::new(table.clone());
        let customer = Address::normalised(1).stored();
        for _ in 0..script.failed_log_ins {
            let email = customer.parse().expect("an email");
            let attempt = LoginAttempt::new(email, None, SOURCE.parse().ok().and_then(Source::of));
            attempts.begin(&attempt).await.expect("below the limit");
        }
        model.login_failures.start_with(customer, script.failed_log_ins);
        let functions = Shop::with_rules(&table, script.rules);
        (RunningShop { functions, client, _dynamodb: dynamodb }, model)
    }

    async fn keep_registrations(&self, table: &Table, model: &mut Model) {
        let registrations = Registrations::new(table.clone());
        let mail_tokens = MailTokens::new(table.clone());
        for number in mail_tokens::REGISTRATIONS {
            let id = UserId::new();
            registrations.keep(id, self.new_user(number, Role::User)).await.expect("an empty shop");
            let to = registrations.recipient(id).await.expect("an answer").expect("it is there");
            let mail = AccountMailKind::Registration;
            let token = mail_tokens.issue(mail, &to, Timestamp::now()).await.expect("a token");
            evidence::mail_token(token.expose());
            model.add_mail_token(mail, &to, &token);
        }
    }

    fn new_user(&self, number: u8, role: Role) -> NewUser {
        let email = Address::normalised(number).stored();
        evidence::email(&email);
        NewUser {
            email: email.parse().expect("an email"),
            name: NEW_NAME.parse().expect("a name"),
            password_hash: self.password_hash.clone(),
            role,
            locale: None,
        }
    }

    /// Begins two sessions of `u1` and one of `u2`. The latter has been kept when `u2` changed the password: to
    /// the same one, so that all have one password.
    async fn begin_sessions(&self, table: &Table, registered: &[User], model: &mut Model) {
        let (sessions, key) = (Sessions::new(table.clone()), storefront_invariants::signing_key());
        for user in [&registered[1], &registered[2], &registered[1]] {
            let session = sessions.begin(user, None).await.expect("an empty shop");
            let token = refresh_token::issue(&key, user.id, &session).expect("a token");
            model.add_session(session.id, user.id, token);
        }
        let (user, session) = (&registered[2], model.sessions.nth(Nth(1)));
        let changes = UserChanges {
            password_hash: Some(self.password_hash.clone()),
            keeps: sessions.to_keep(user, session).await.expect("a session"),
            ..UserChanges::default()
        };
        Users::new(table.clone()).update(user.id, changes, None).await.expect("a user");
        model.keep_session(user.id, session);
    }
}

async fn issue_mail_tokens(table: &Table, registered: &[User], model: &mut Model) {
    let (users, mail_tokens) = (Users::new(table.clone()), MailTokens::new(table.clone()));
    for (mail, user) in mail_tokens::INITIAL {
        let to = users.recipient(registered[user].id).await.expect("an answer").expect("a user");
        let token = mail_tokens.issue(mail, &to, Timestamp::now()).await.expect("a token");
        evidence::mail_token(token.expose());
        model.add_mail_token(mail, &to, &token);
    }
}

impl RunningShop {
    /// The whole table.
    pub(crate) async fn items(&self) -> TableItems {
        let scan = self.client.scan().table_name(TABLE).consistent_read(true);
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.expect("the embedded database answers").into_iter().map(table_item).collect()
    }
}

/// What happens before each script. The administrator creates `p0`, of which there are a few, `p1`,
/// of which there are always enough, `p2` in another currency, and `p3`, which is free; and spreads the
/// stock of `p0`. Then `u1` places the order `o0`.
pub(crate) fn initial_steps(spread: u8) -> [Step; 3] {
    let product = |price, currency, stock| {
        let fields = ProductFields {
            name: Some(0),
            category: Some(0),
            price: Some(price),
            currency: Some(currency),
            stock: Some(stock),
            selling: None,
        };
        ProductOperation::Create { by: Nth(0), fields, key: None }.into()
    };
    let operations = vec![
        product(1890, "EUR", Some(9)),
        product(250, "EUR", None),
        product(999, "USD", Some(3)),
        product(0, "EUR", Some(5)),
    ];
    let items = vec![(Nth(0), 1), (Nth(1), 2)];
    [
        Step { operations, interleaving: Vec::new() },
        Step::alone(ProductOperation::Spread { by: Nth(0), product: Nth(0), items: spread }),
        Step::alone(OrderOperation::Place {
            by: Nth(1),
            items,
            expects: ExpectedTotal::NotSaid,
            address: None,
            key: None,
        }),
    ]
}
