use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use storefront_core::{NewUser, OrderId, PasswordHash, ProductId, Role, UserId, Users};
use storefront_http::ANSWER_WITHIN;
use storefront_invariants::{Deed, Ledger, PASSWORD, Shop, Snapshot};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use storefront_testing::{Persona, evidence};

use crate::client::Client;

/// Whose log-ins go on through everything.
pub(crate) const STEADY: &str = "steady@example.com";

/// A bcrypt hash of [`PASSWORD`], which those who are there from the start bring: their first log-in
/// renews it, in the midst of all else.
const FROM_ANOTHER_SHOP: &str = "$2a$04$Zmu/A0LfHkALJdrsCoPDBOxFKGtBD5YiZ56i.Ro41j8RH5PcjYQqq";

/// What customers change their passwords to.
pub(crate) const PASSWORDS: [&str; 3] = [PASSWORD, "zwölf Boxkämpfer", "a third passphrase"];

/// A function that takes a second longer than it means to is cut off, and then its client gets no
/// problem at all.
pub(crate) const LONGEST_ANSWER: Duration =
    ANSWER_WITHIN.checked_add(Duration::from_millis(500)).expect("seconds are far from overflow");

/// One of so many schedules is also about passwords, whose hashing takes most of its time.
pub(crate) const WITH_PASSWORDS: u64 = 8;

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
    /// The first email of each customer.
    pub(crate) emails: Vec<String>,
    /// Whether clients log in and change passwords.
    pub(crate) has_passwords: bool,
    /// The last that was acknowledged of each customer, where it is not the first.
    pub(crate) passwords: Mutex<BTreeMap<UserId, String>>,
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
        // Two hashes at once would be ready in any order.
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(Box::pin(run_in_time(seed)))
}

async fn run_in_time(seed: u64) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let dynamodb = FaultyDynamoDb::start();
    let has_passwords = seed.is_multiple_of(WITH_PASSWORDS);
    let world = Arc::new(World::open(&dynamodb, has_passwords).await);
    let odds = [2, 8, 15, 30, 60][random.usize(..5)];
    let clients = (0..random.usize(3..=5)).map(|_| {
        let plan = Plan::seeded(random.u64(..), odds);
        let shop = Shop::over(&dynamodb.table(&plan));
        let client = Client::new(shop, Arc::clone(&world), random.fork());
        client.with_longest_answer(LONGEST_ANSWER).run(8)
    });
    join_all(clients).await;
    Report::of(seed, &dynamodb, &world).await
}

impl Report {
    /// What is found when no request is under way any more.
    pub(crate) async fn of(seed: u64, dynamodb: &FaultyDynamoDb, world: &World) -> Self {
        dynamodb.settled().await;
        world.try_passwords(dynamodb).await;
        let snapshot = Snapshot::of(dynamodb.items());
        let mut violations = snapshot.violations();
        violations.extend(world.ledger.violations(&snapshot));
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
    pub(crate) async fn open(dynamodb: &FaultyDynamoDb, has_passwords: bool) -> Self {
        let table = dynamodb.table(&Plan::none());
        let users = Users::new(table.clone());
        let register = async |email: &str, role: Role| {
            evidence::email(email);
            let new = NewUser {
                email: email.parse().unwrap(),
                name: "Ånna Großkopf".to_owned(),
                password_hash: PasswordHash::new(FROM_ANOTHER_SHOP.to_owned()),
                role,
            };
            let user = users.register(UserId::new(), new).await.unwrap();
            Persona { user_id: user.id, role }
        };
        let admin = register("keeper@example.com", Role::Admin).await;
        register(STEADY, Role::User).await;
        let emails: Vec<String> = (1..=3).map(|n| format!("customer-{n}@example.com")).collect();
        let mut customers = Vec::new();
        for email in &emails {
            customers.push(register(email, Role::User).await);
        }
        let mut world = Self {
            ledger: Ledger::since(Snapshot::of(dynamodb.items())),
            admin,
            customers,
            emails,
            has_passwords,
            passwords: Mutex::default(),
            products: Mutex::default(),
            kept_by_hand: Vec::new(),
            orders: Mutex::default(),
            complaints: Mutex::default(),
        };
        let shop = Shop::over(&table);
        for stock in [Some(4), Some(30), Some(200), None] {
            let id = world.add_product(&shop, stock).await;
            if stock == Some(200) {
                world.kept_by_hand.push(id);
            }
        }
        world
    }

    /// What the customer should be able to log in with.
    pub(crate) fn password_of(&self, id: UserId) -> String {
        let passwords = self.passwords.lock().unwrap();
        passwords.get(&id).map_or(PASSWORD, String::as_str).to_owned()
    }

    /// Has all whose password was to be changed log in, without faults: for the ledger to see which
    /// password it is now.
    async fn try_passwords(&self, dynamodb: &FaultyDynamoDb) {
        let shop = Shop::over(&dynamodb.table(&Plan::none()));
        let users = Snapshot::of(dynamodb.items()).users;
        for id in self.ledger.who_changed_passwords() {
            let Some(user) = users.get(&id) else { continue };
            for password in PASSWORDS {
                let email = user.email.as_str().to_owned();
                let asked = self.ledger.now();
                let answer = shop.log_in(&email, password).await;
                let deed = Deed::LogIn { email, password: password.to_owned() };
                self.ledger.note(deed, asked, &answer);
            }
        }
    }

    async fn add_product(&self, shop: &Shop, stock: Option<u64>) -> ProductId {
        let body = json!({
            "name": "Blend №1", "category": "coffee", "price": 100, "currency": "EUR", "stock": stock,
        });
        let asked = self.ledger.now();
        let answer = shop.products.post("/products").json(body).by(self.admin).send().await;
        let answer = answer.expect(201);
        self.ledger.note(Deed::CreateProduct { stock }, asked, &answer);
        let id = answer.body["id"].as_str().unwrap().parse().unwrap();
        self.products.lock().unwrap().push(id);
        id
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violations = self.violations.join("\n  ");
        write!(f, "STOREFRONT_FAULT_SEED={}\n  {violations}", self.seed)
    }
}
