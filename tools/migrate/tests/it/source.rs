//! Databases as sources.

use std::env;
use std::num::NonZeroUsize;
use std::path::Path;

use futures_util::TryStreamExt as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};
use storefront_migrate::{Key, Kind, Mapping, Read, Reader, Reject, Unit};
use tempfile::TempDir;

use crate::generate::{self, Example, Shop, Written};

/// A test's own database. The servers must allow creating schemas.
pub(crate) struct Source {
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

/// The variable with the URL of a server to test with, if there is one.
const POSTGRES: &str = "STOREFRONT_TEST_POSTGRES_URL";
/// The same for MySQL or MariaDB. The user must be allowed to create databases.
const MYSQL: &str = "STOREFRONT_TEST_MYSQL_URL";

impl Source {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.db");
        std::fs::File::create(&file).unwrap();
        Self { url: format!("sqlite:{}", file.display()), _folder: Some(folder) }
    }

    /// Runs statements. They contain emails and hashes, so none is logged.
    pub(crate) async fn execute(&self, statements: &str) {
        match self.url.split_once(':').unwrap().0 {
            "sqlite" => execute::<SqliteConnectOptions>(&self.url, statements).await,
            "mysql" | "mariadb" => execute::<MySqlConnectOptions>(&self.url, statements).await,
            _ => execute::<PgConnectOptions>(&self.url, statements).await,
        }
    }

    /// Creates a schema, without what an earlier test has left in it; `None` without a server.
    pub(crate) async fn postgres(schema: &str) -> Option<Self> {
        let server = server(POSTGRES)?;
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let anew = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(anew))).await.unwrap();
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}");
        Some(Self { url, _folder: None })
    }

    /// Creates a database, without what an earlier test has left in it; `None` without a server.
    pub(crate) async fn mysql(database: &str) -> Option<Self> {
        let server = server(MYSQL)?;
        let mut connection = sqlx::MySqlConnection::connect(&server).await.unwrap();
        for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            let statement = format!("{statement} {database}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
        }
        let url = format!("{}/{database}", server.trim_end_matches('/'));
        Some(Self { url, _folder: None })
    }

    /// Fills the database with the example's data.
    pub(crate) async fn generate(&self, example: Example, orders: u32, broken: u32) -> Written {
        let mut statements = Vec::new();
        let shop = Shop::new(orders, 1, broken);
        let written = generate::write(example, &shop, &mut statements).unwrap();
        self.execute(&String::from_utf8(statements).unwrap()).await;
        written
    }

    pub(crate) async fn reader(&self, mapping: Mapping) -> Reader {
        Reader::open(mapping, &self.url).await.unwrap()
    }
}

async fn execute<O>(url: &str, statements: &str)
where
    O: ConnectOptions<Connection: Sized>,
    for<'c> &'c mut O::Connection: Executor<'c>,
{
    let options: O = url.parse().unwrap();
    let mut connection = options.disable_statement_logging().connect().await.unwrap();
    let statements = AssertSqlSafe(statements.to_owned());
    connection.execute(sqlx::raw_sql(statements)).await.unwrap();
    connection.close().await.unwrap();
}

fn server(variable: &str) -> Option<String> {
    let url = env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        eprintln!("NOT TESTED: {variable} is not set");
    }
    url
}

/// Returns the example's mapping, as it is in the repository.
pub(crate) fn mapping_of(example: Example) -> Mapping {
    let folder = match example {
        Example::IntegerKeys => "integer-keys",
        Example::UuidKeys => "uuid-keys",
    };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    Mapping::read(&examples.join(folder).join("migration.toml")).unwrap()
}

pub(crate) fn paged(reader: Reader, rows: usize) -> Reader {
    reader.with_page(NonZeroUsize::new(rows).unwrap())
}

/// Reads everything of a kind.
pub(crate) async fn reads(reader: &mut Reader, kind: Kind, after: Option<Key>) -> Vec<Read> {
    reader.units(kind, after).try_collect().await.unwrap()
}

/// Reads everything of a kind, and returns the units and the rejects.
pub(crate) async fn sorted_out(reader: &mut Reader, kind: Kind) -> (Vec<Unit>, Vec<Reject>) {
    let mut units = Vec::new();
    let mut rejects = Vec::new();
    for read in reads(reader, kind, None).await {
        match read.unit {
            Ok(unit) => units.push(unit),
            Err(reject) => rejects.push(*reject),
        }
    }
    (units, rejects)
}
