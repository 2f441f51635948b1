use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use storefront_core::{NewUser, OrderId, PasswordHash, ProductId, Role, Table, UserId, Users};
use storefront_credentials::Password;
use storefront_invariants::{Deed, Ledger, PASSWORD, Shop, Snapshot};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Persona, evidence};

use crate::client::Client;

/// Whose log-ins go on through everything.
pub(crate) const STEADY: &str = "steady@example.com";

/// How a schedule went.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) injected: BTreeMap<Fault, u32>,
    pub(crate) statuses: BTreeMap<i64, usize>,
    pub(crate) history: String,
}

/// What the clients of a schedule share.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) admin: Persona,
    pub(crate) customers: Vec<Persona>,
    pub(crate) products: Mutex<Vec<ProductId>>,
    /// Of these the stock is changed by hand.
    pub(crate) kept_by_hand: Vec<ProductId>,
    pub(crate) orders: Mutex<Vec<(OrderId, Persona)>>,
    /// What is wrong with the answers beside what the ledger sees.
    pub(crate) complaints: Mutex<Vec<String>>,
}

/// Runs the schedule of this seed, under a clock that leaps whenever all wait.
pub(crate) fn run(seed: u64) -> Report {
    // The jitter of the retries.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(Box::pin(run_in_time(seed)))
}

async fn run_in_time(seed: u64) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let dynamodb = FaultyDynamoDb::start();
    let world = Arc::new(World::open(&dynamodb.table(&Plan::none())).await);
    let odds = [2, 8, 15, 30, 60][random.usize(..5)];
    let clients = (0..random.usize(3..=5)).map(|_| {
        let plan = Plan::seeded(random.u64(..), odds);
        let shop = Shop::over(&dynamodb.table(&plan));
        let client = Client::new(shop, Arc::clone(&world), random.fork());
        client.run(8)
    });
    join_all(clients).await;
    // What was applied late has been by now.
    tokio::time::sleep(Duration::from_mins(1)).await;

    Report::of(seed, &dynamodb, &world, &Snapshot::of(dynamodb.items()))
}

impl Report {
    /// What is found when all is over.
    pub(crate) fn of(
        seed: u64,
        dynamodb: &FaultyDynamoDb,
        world: &World,
        snapshot: &Snapshot,
    ) -> Self {
        let mut violations = snapshot.violations();
        violations.extend(world.ledger.violations(snapshot));
        violations.append(&mut world.complaints.lock().unwrap());
        Self {
            seed,
            violations,
            injected: dynamodb.injected(),
            statuses: world.ledger.statuses(),
            history: world.ledger.history(),
        }
    }
}

impl World {
    pub(crate) async fn open(table: &Table) -> Self {
        let users = Users::new(table.clone());
        let register = async |email: &str, role: Role| {
            evidence::email(email);
            let new = NewUser {
                email: email.parse().unwrap(),
                name: "Anna".to_owned(),
                password_hash: password_hash().await,
                role,
            };
            let user = users.register(UserId::new(), new).await.unwrap();
            Persona { user_id: user.id, role }
        };
        let admin = register("keeper@example.com", Role::Admin).await;
        register(STEADY, Role::User).await;
        let mut world = Self {
            ledger: Ledger::default(),
            admin,
            customers: vec![
                register("customer-1@example.com", Role::User).await,
                register("customer-2@example.com", Role::User).await,
                register("customer-3@example.com", Role::User).await,
            ],
            products: Mutex::default(),
            kept_by_hand: Vec::new(),
            orders: Mutex::default(),
            complaints: Mutex::default(),
        };
        let shop = Shop::over(table);
        for stock in [Some(4), Some(30), Some(200), None] {
            let id = world.add_product(&shop, stock).await;
            if stock == Some(200) {
                world.kept_by_hand.push(id);
            }
        }
        world
    }

    async fn add_product(&self, shop: &Shop, stock: Option<u64>) -> ProductId {
        let body = json!({
            "name": "Blend", "category": "coffee", "price": 100, "currency": "EUR", "stock": stock,
        });
        let answer = shop.products.post("/products").json(body).by(self.admin).send().await;
        let answer = answer.expect(201);
        self.ledger.note(Deed::CreateProduct { stock }, &answer);
        let id = answer.body["id"].as_str().unwrap().parse().unwrap();
        self.products.lock().unwrap().push(id);
        id
    }
}

/// Of [`PASSWORD`]; made once, because it takes its time.
async fn password_hash() -> PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return hash.clone();
    }
    let password: Password = PASSWORD.parse().unwrap();
    let hash = password.hash().await.unwrap();
    HASH.get_or_init(|| hash).clone()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violations = self.violations.join("\n  ");
        write!(f, "STOREFRONT_FAULT_SEED={}\n  {violations}", self.seed)
    }
}
