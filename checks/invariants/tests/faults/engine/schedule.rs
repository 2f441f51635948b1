use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use storefront_core::{
    NewUser, OrderId, OrderRules, PasswordHash, ProductId, Role, Table, UserId, Users,
};
use storefront_http::ANSWER_WITHIN;
use storefront_invariants::Shop;
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Persona, evidence};

use super::checker::Checker;
use super::client::Client;
use super::history::History;
use crate::entities::Snapshot;
use crate::entities::mail_tokens::{IssuedToken, issue_tokens};
use crate::entities::orders::{ExpiryRun, LetExpire};
use crate::entities::passwords::BCRYPT_HASH;

/// A user that no client changes, so logging in as them must always work.
pub(crate) const UNCHANGED_EMAIL: &str = "steady@example.com";

/// API Gateway cuts a function off that takes a second longer than it means to; then its client gets
/// no problem details.
pub(crate) const LONGEST_ANSWER: Duration =
    ANSWER_WITHIN.checked_add(Duration::from_millis(500)).expect("seconds are far from overflow");

/// One in this many schedules uses passwords, because hashing them takes most of its time.
pub(crate) const PASSWORDS_EVERY: u64 = 8;

/// In one in this many schedules, orders expire. Such a schedule is not quite the same each time: the
/// last byte of an order's id, which is random, decides in which shard the expiry reads it.
pub(crate) const EXPIRY_EVERY: u64 = 2;

/// In one in this many schedules, orders may wait for their payment for ever.
const UNLIMITED_EVERY: u64 = 5;

/// The result of a schedule.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) injected: BTreeMap<Fault, u32>,
    pub(crate) statuses: BTreeMap<i64, usize>,
    pub(crate) history: String,
}

/// What the clients of a schedule share.
pub(crate) struct Scenario {
    /// The table before the first request.
    before: Snapshot,
    pub(crate) history: History,
    /// The shop's rules for new orders.
    pub(crate) rules: OrderRules,
    pub(crate) admin: Persona,
    pub(crate) staff: Persona,
    pub(crate) customers: Vec<Persona>,
    /// The first email of each customer.
    pub(crate) emails: Vec<String>,
    /// Whether clients log in and change passwords.
    pub(crate) uses_passwords: bool,
    /// Whether clients let orders expire.
    pub(crate) orders_expire: bool,
    /// Each customer's last acknowledged password, if it is not the first.
    pub(crate) passwords: Mutex<BTreeMap<UserId, String>>,
    /// The tokens of mails that clients use.
    pub(crate) mail_tokens: Vec<IssuedToken>,
    pub(crate) products: Mutex<Vec<ProductId>>,
    /// The products whose stock clients set.
    pub(crate) stock_is_set: Vec<ProductId>,
    /// The product that one client is to count, which is unlimited until then.
    pub(crate) to_be_counted: Mutex<Option<ProductId>>,
    pub(crate) orders: Mutex<Vec<(OrderId, Persona)>>,
    pub(crate) let_expire: Mutex<Vec<LetExpire>>,
    pub(crate) expiry_runs: Mutex<Vec<ExpiryRun>>,
    /// Violations that the history does not show.
    pub(crate) violations: Mutex<Vec<String>>,
}

/// Runs the schedule of this seed. The clock is simulated: it jumps whenever every task waits.
pub(crate) fn run(seed: u64) -> Report {
    // The retries take their jitter from it.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // Two passwords that are hashed at once would be ready in any order.
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(Box::pin(run_clients(seed)))
}

async fn run_clients(seed: u64) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let dynamodb = FaultyDynamoDb::start();
    let uses_passwords = seed.is_multiple_of(PASSWORDS_EVERY);
    let mut scenario = Scenario::prepare(&dynamodb, uses_passwords).await;
    scenario.orders_expire = seed.is_multiple_of(EXPIRY_EVERY);
    if seed.is_multiple_of(UNLIMITED_EVERY) {
        scenario.rules = OrderRules::default();
    }
    let scenario = Arc::new(scenario);
    let fault_percentage = [2, 8, 15, 30, 60][random.usize(..5)];
    let clients = (0..random.usize(3..=5)).map(|_| {
        let plan = Plan::seeded(random.u64(..), fault_percentage);
        let shop = scenario.shop_on(&dynamodb.table(&plan));
        let client = Client::new(shop, Arc::clone(&scenario), random.fork());
        client.with_longest_answer(LONGEST_ANSWER).run(8)
    });
    join_all(clients).await;
    Report::of(seed, &dynamodb, &scenario).await
}

impl Report {
    /// Checks everything, once no request is in progress any more.
    pub(crate) async fn of(seed: u64, dynamodb: &FaultyDynamoDb, scenario: &Scenario) -> Self {
        dynamodb.settled().await;
        scenario.try_all_passwords(dynamodb).await;
        scenario.expire_the_rest(dynamodb).await;
        let after = Snapshot::of(dynamodb.items());
        let mut violations = after.violations();
        let exchanges = scenario.history.exchanges();
        let checker = Checker::new(&exchanges, &scenario.before, &after);
        violations.extend(checker.violations());
        scenario.check_expiry(&checker, &mut violations);
        scenario.check_lists(dynamodb, &after).await;
        violations.append(&mut scenario.violations.lock().unwrap());
        Self {
            seed,
            violations,
            injected: dynamodb.injected(),
            statuses: scenario.history.statuses(),
            history: scenario.history.lines(),
        }
    }
}

impl Scenario {
    /// The functions on this table.
    pub(crate) fn shop_on(&self, table: &Table) -> Shop {
        Shop::with_rules(table, self.rules)
    }

    /// Fills the table with an administrator, staff, customers and products.
    pub(crate) async fn prepare(dynamodb: &FaultyDynamoDb, uses_passwords: bool) -> Self {
        let table = dynamodb.table(&Plan::none());
        let users = Users::new(table.clone());
        let register = async |email: &str, role: Role| {
            evidence::email(email);
            let new = NewUser {
                email: email.parse().unwrap(),
                name: "Ånna Großkopf".parse().unwrap(),
                password_hash: PasswordHash::new(BCRYPT_HASH.to_owned()),
                role,
                locale: None,
            };
            let user = users.register(UserId::new(), new).await.unwrap();
            Persona { user_id: user.id, role }
        };
        let admin = register("keeper@example.com", Role::Admin).await;
        let staff = register("packer@example.com", Role::Staff).await;
        register(UNCHANGED_EMAIL, Role::User).await;
        let emails: Vec<String> = (1..=3).map(|n| format!("customer-{n}@example.com")).collect();
        let mut customers = Vec::new();
        for email in &emails {
            customers.push(register(email, Role::User).await);
        }
        let mail_tokens = issue_tokens(&table, &customers).await;
        let mut scenario = Self {
            before: Snapshot::of(dynamodb.items()),
            history: History::default(),
            rules: OrderRules { pending_minutes: Some(60), max_open: None },
            admin,
            staff,
            customers,
            emails,
            uses_passwords,
            orders_expire: true,
            passwords: Mutex::default(),
            mail_tokens,
            products: Mutex::default(),
            stock_is_set: Vec::new(),
            to_be_counted: Mutex::default(),
            orders: Mutex::default(),
            let_expire: Mutex::default(),
            expiry_runs: Mutex::default(),
            violations: Mutex::default(),
        };
        let shop = Shop::over(&table);
        for (stock, spread) in [(Some(4), 1), (Some(30), 3), (Some(200), 16), (None, 1), (None, 2)]
        {
            let id = scenario.add_product(&shop, 100, stock, spread).await;
            if stock == Some(200) {
                scenario.stock_is_set.push(id);
            }
            if stock.is_none() {
                *scenario.to_be_counted.lock().unwrap() = Some(id);
            }
        }
        scenario.add_product(&shop, 0, Some(20), 1).await;
        scenario
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violations = self.violations.join("\n  ");
        write!(f, "STOREFRONT_FAULT_SEED={}\n  {violations}", self.seed)?;
        if self.seed.is_multiple_of(EXPIRY_EVERY) {
            // It may not happen again.
            write!(f, "\n{}", self.history)?;
        }
        Ok(())
    }
}
