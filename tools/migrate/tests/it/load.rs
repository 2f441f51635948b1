//! Runs loads with the binary, into tables of the embedded DynamoDB.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::generate::Example;
use serde_json::Value;
use storefront_core::schema::Item;
use storefront_migrate::Kind;
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan, Proxy};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::MissedTickBehavior;

use crate::source::{Source, mapping_of, sorted_out};

/// The number of broken rows per thousand.
const BROKEN: u32 = 60;

/// A source, a table, and the folder of a load between two runs.
pub(crate) struct Move {
    pub(crate) source: Source,
    pub(crate) example: Example,
    pub(crate) dynamodb: FaultyDynamoDb,
    pub(crate) plan: Plan,
    pub(crate) proxy: Proxy,
    pub(crate) folder: TempDir,
}

impl Move {
    pub(crate) async fn of(example: Example, orders: u32, broken: u32) -> Self {
        let source = Source::sqlite();
        source.generate(example, orders, broken).await;
        let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
        let proxy = Proxy::start(&dynamodb, &plan).await;
        Self { source, example, dynamodb, plan, proxy, folder: tempfile::tempdir().unwrap() }
    }

    /// Returns another move of the same source.
    pub(crate) async fn again(self) -> Self {
        let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
        let proxy = Proxy::start(&dynamodb, &plan).await;
        Self { dynamodb, plan, proxy, folder: tempfile::tempdir().unwrap(), ..self }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn command(&self, more: &[&str]) -> Command {
        self.command_by(&self.mapping(), more)
    }

    /// Returns the path of the example's mapping.
    pub(crate) fn mapping(&self) -> PathBuf {
        let mapping = match self.example {
            Example::IntegerKeys => "integer-keys",
            Example::UuidKeys => "uuid-keys",
        };
        let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
        examples.join(mapping).join("migration.toml")
    }

    /// Returns a command with this mapping.
    pub(crate) fn command_by(&self, mapping: &Path, more: &[&str]) -> Command {
        let mut command = self.program("load", mapping);
        command.arg("--state").arg(self.state()).args(more);
        command
    }

    /// Returns a command that runs the binary with this source and this table.
    pub(crate) fn program(&self, command: &str, mapping: &Path) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_storefront-migrate"));
        program
            .arg(command)
            .arg("--mapping")
            .arg(mapping)
            .current_dir(self.folder.path())
            .env_clear()
            .env("DATABASE_URL", &self.source.url)
            .env("AWS_ENDPOINT_URL_DYNAMODB", self.proxy.endpoint_url())
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        program
    }

    fn load_command<'a>(&'a self, max_wcu: &'a str, more: &[&'a str]) -> Command {
        let table = ["--table", self.dynamodb.table_name(), "--max-wcu", max_wcu];
        self.command(&[&table, more].concat())
    }

    /// Loads, and returns the output.
    pub(crate) async fn load(&self, more: &[&str]) -> Said {
        Said::of(self.load_command("1000000", more).output().await.unwrap())
    }

    /// Kills a load once this many items are in the table and its state is the awaited one.
    async fn kill_at(&self, items: usize, is_awaited: impl Fn(&Value) -> bool) {
        let is_reached = || {
            let state = fs::read(self.state().join("state.json")).unwrap_or_default();
            let state = serde_json::from_slice(&state).unwrap_or_default();
            self.dynamodb.items().len() >= items && is_awaited(&state)
        };
        let mut child = self.load_command("3000", &[]).spawn().unwrap();
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !is_reached() {
            assert!(child.try_wait().unwrap().is_none(), "the load ended by itself");
            looks.tick().await;
        }
        // SIGKILL.
        child.kill().await.unwrap();
    }

    pub(crate) fn items(&self) -> BTreeMap<String, Item> {
        by_key(self.dynamodb.items())
    }

    /// Returns what should be in the table, and the number of rejects. These include valid users
    /// whose email an older user has.
    pub(crate) async fn expected(&self) -> (BTreeMap<String, Item>, usize) {
        let mut reader = self.source.reader(mapping_of(self.example)).await;
        let mut items = Vec::new();
        let mut rejected = 0;
        let mut emails = BTreeSet::new();
        for kind in Kind::ALL {
            let (units, rejects) = sorted_out(&mut reader, kind).await;
            rejected += rejects.len();
            for unit in units {
                // The generator's customers with lower numbers are older.
                match &unit {
                    storefront_migrate::Unit::User(user)
                        if !emails.insert(user.value.email.as_str().to_owned()) =>
                    {
                        rejected += 1;
                    }
                    _ => items.extend(unit.to_items().unwrap()),
                }
            }
        }
        (by_key(items), rejected)
    }

    pub(crate) fn rejects(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.state().join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.source.execute(sql).await;
    }
}

/// The output of a run, and its exit code.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
    pub(crate) error: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), text: text(output.stdout), error: text(output.stderr) }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.text, self.error);
        self
    }
}

fn by_key(items: Vec<Item>) -> BTreeMap<String, Item> {
    let count = items.len();
    let by_key: BTreeMap<_, _> = items
        .into_iter()
        .map(|item| {
            let text = |name: &str| item[name].as_s().unwrap();
            (format!("{} {}", text("PK"), text("SK")), item)
        })
        .collect();
    assert_eq!(by_key.len(), count, "a key is there twice");
    by_key
}

#[tokio::test]
async fn valid_rows_are_loaded_and_all_others_are_in_the_file_of_rejects() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let shop = Move::of(example, 600, BROKEN).await;
        let said = shop.load(&[]).await.expect(3);
        let (expected, rejected) = shop.expected().await;
        assert!(shop.items() == expected, "{}", said.text);

        let rejects = shop.rejects("rejects.jsonl");
        assert_eq!(rejects.len(), rejected);
        assert!(said.text.contains(&format!("rejected: {rejected}, see ")), "{}", said.text);
        assert!(said.text.contains(&format!("{} items", expected.len())), "{}", said.text);
        for reject in &rejects {
            for part in ["entity", "key", "reason", "row"] {
                assert!(reject.get(part).is_some(), "{reject}");
            }
        }
        let mode = fs::metadata(shop.state().join("rejects.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mode = fs::metadata(shop.state()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(!shop.state().join("claims.sqlite").exists(), "the file is no longer needed");

        // Everything is done, and another run changes nothing.
        shop.load(&[]).await.expect(3);
        assert!(shop.items() == expected);
        assert_eq!(shop.rejects("rejects.jsonl"), rejects);
    }
}

#[tokio::test]
async fn of_users_with_one_email_the_oldest_is_loaded_and_the_rejects_name_them() {
    let shop = Move::of(Example::IntegerKeys, 10, 0).await;
    // 20 is now older than 3; 5 and 6 are equally old.
    shop.execute(
        "UPDATE customers SET email = ' Anna@Example.com ', created_at = '2020-01-01 00:00:00' WHERE id = 20;
         UPDATE customers SET email = 'anna@example.com' WHERE id = 3;
         UPDATE customers SET email = 'ben@example.com', created_at = '2021-01-01 00:00:00' WHERE id = 6;
         UPDATE customers SET email = 'BEN@example.com', created_at = '2021-01-01 00:00:00' WHERE id = 5",
    )
    .await;
    let said = shop.load(&[]).await.expect(3);
    assert!(said.text.contains("users: 2 shared email"), "{}", said.text);
    let rejects = shop.rejects("rejects.jsonl");
    let found: Vec<_> = rejects.iter().map(|it| (&it["key"], &it["reason"])).collect();
    assert_eq!(found.len(), 2);
    for (place, key, winner) in [(0, "3", "20"), (1, "6", "5")] {
        assert_eq!(found[place].0, key);
        let reason = found[place].1.as_str().unwrap();
        assert!(reason.contains(&format!("that of the user {winner},")), "{reason}");
    }
    // The guard is the winner's.
    let items = shop.items();
    for (email, legacy_id) in [("anna", "20"), ("ben", "5")] {
        let guard = &items[&format!("EMAIL#{email}@example.com METADATA")];
        assert_eq!(guard["legacyId"].as_s().unwrap(), legacy_id);
        let user = &items[&format!("USER#{} METADATA", guard["userId"].as_s().unwrap())];
        assert_eq!(user["legacyId"].as_s().unwrap(), legacy_id);
    }
}

#[tokio::test]
async fn of_users_with_one_id_the_oldest_is_loaded() {
    let shop = Move::of(Example::UuidKeys, 10, 0).await;
    // One UUIDv7, written in two ways: two texts for the database, one id for the shop.
    let id = "019c18a5-1d00-7000-8000-000000000001";
    for (key, email, time) in [
        (id.to_owned(), "a@example.com", "2026-02-01 10:00:00"),
        (id.to_uppercase(), "b@example.com", "2026-01-01 10:00:00"),
    ] {
        shop.execute(&format!(
            "INSERT INTO accounts VALUES ('{key}', 'Anna', '{time}');
             INSERT INTO credentials VALUES ('{key}', '{email}', \
             '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', '{time}')"
        ))
        .await;
    }
    let said = shop.load(&[]).await.expect(3);
    assert!(said.text.contains("users: 1 shared id"), "{}", said.text);
    let items = shop.items();
    assert_eq!(items[&format!("USER#{id} METADATA")]["email"].as_s().unwrap(), "b@example.com");
    assert!(!items.contains_key("EMAIL#a@example.com METADATA"), "the loser has an email");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_load_continues_to_the_same_result() {
    let shop = Move::of(Example::IntegerKeys, 1_200, BROKEN).await;
    let (expected, rejected) = shop.expected().await;
    // Among the users, among the orders, and once more when the state says that it is among them.
    shop.kill_at(100, |_| true).await;
    shop.kill_at(1_200, |_| true).await;
    shop.kill_at(2_200, |state| !state["progress"]["after"].is_null()).await;

    let said = shop.load(&[]).await.expect(3);
    assert!(shop.items() == expected, "{}", said.text);
    // Each is there once, although some were found twice.
    let rejects = shop.rejects("rejects.jsonl");
    assert_eq!(rejects.len(), rejected);
    assert!(said.text.contains(&format!("rejected: {rejected}, see ")), "{}", said.text);
    assert!(said.text.contains(&format!("{} items", expected.len())), "{}", said.text);

    // And they are the same as those of a load that was not killed.
    let once = shop.again().await;
    once.load(&[]).await.expect(3);
    assert_eq!(once.rejects("rejects.jsonl"), rejects);
}

#[tokio::test]
async fn failed_requests_leave_no_trace_in_the_table() {
    let shop = Move::of(Example::IntegerKeys, 300, 0).await;
    let faults = [
        Fault::Unprocessed,
        Fault::ThroughputExceeded,
        Fault::Throttled,
        Fault::ServerError,
        Fault::AppliedServerError,
        Fault::Reset,
        Fault::AppliedReset,
        Fault::TruncatedBody,
        Fault::Unprocessed,
    ];
    // Only a few, because each pause is twice as long as the one before.
    for fault in faults {
        shop.plan.next("BatchWriteItem", 1, fault);
    }
    shop.load(&[]).await.expect(0);
    assert_eq!(shop.plan.remaining(), 0, "some faults did not happen");
    for fault in faults {
        assert!(shop.dynamodb.injected()[&fault] >= 1);
    }
    assert!(shop.items() == shop.expected().await.0);
}

#[tokio::test]
async fn a_permanent_failure_ends_the_load_and_the_next_run_continues() {
    let shop = Move::of(Example::IntegerKeys, 300, 0).await;
    let refusal = serde_json::json!({
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "message": "not authorized to perform: dynamodb:BatchWriteItem",
    });
    shop.plan.answer_next("BatchWriteItem", 1, refusal);
    let said = shop.load(&[]).await.expect(1);
    assert!(said.error.contains("error: cannot write the table"), "{}", said.error);
    assert!(said.error.contains("dynamodb:BatchWriteItem"), "{}", said.error);
    shop.load(&[]).await.expect(0);
    assert!(shop.items() == shop.expected().await.0);
}

#[tokio::test]
async fn a_table_that_somebody_else_filled_is_left_alone() {
    let shop = Move::of(Example::IntegerKeys, 50, 0).await;
    shop.load(&[]).await.expect(0);
    let before = shop.items();
    fs::remove_dir_all(shop.state()).unwrap();
    let said = shop.load(&[]).await.expect(1);
    assert!(said.error.contains("is not empty, and no load with this state folder filled it"));
    assert!(shop.items() == before);
}

#[tokio::test]
async fn a_state_folder_belongs_to_one_load_unless_it_starts_over() {
    let shop = Move::of(Example::IntegerKeys, 50, 0).await;
    shop.load(&[]).await.expect(0);
    let other = shop.folder.path().join("other.toml");
    let mapping = fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/integer-keys/migration.toml"),
    );
    fs::write(&other, mapping.unwrap().replace("N = \"pending\"", "N = \"paid\"")).unwrap();
    let load = async |more: &[&str]| {
        let table = ["--table", shop.dynamodb.table_name(), "--max-wcu", "1000000"];
        let mut command = shop.command_by(&other, &[&table, more].concat());
        Said::of(command.output().await.unwrap())
    };
    let said = load(&[]).await.expect(1);
    assert!(said.error.contains("the mapping has changed"), "{}", said.error);
    assert!(said.error.contains("--start-over"), "{}", said.error);
    load(&["--start-over"]).await.expect(0);
    let statuses: BTreeSet<_> = shop
        .items()
        .into_values()
        .filter_map(|item| item.get("status").map(|status| status.as_s().unwrap().clone()))
        .collect();
    assert!(!statuses.contains("pending") && statuses.contains("paid"), "{statuses:?}");
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_refused() {
    let shop = Move::of(Example::IntegerKeys, 10, 0).await;
    let said = shop.command(&["--table", "elsewhere", "--max-wcu", "10"]).output().await.unwrap();
    let said = Said::of(said).expect(1);
    assert!(said.error.contains("cannot describe the table"), "{}", said.error);
}
