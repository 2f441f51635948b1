//! A connection to one of the databases.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor as _, Statement as _};
use sqlx::{Database, Encode, SqlSafeStr as _, Type, TypeInfo as _};
use uuid::Uuid;

use super::dialect::Dialect;
use super::{Key, Value, mysql, postgres, sqlite};
use crate::Error;

/// The program's name in the database's list of connections.
const NAME: &str = "storefront-migrate";

/// A connection. Its statements are the mapping's, or made of them; values are bound.
#[derive(Debug)]
pub(crate) enum Connection {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// Keeps statements out of the log, because they may contain what a shop keeps private.
fn quiet<O: ConnectOptions>(options: O) -> O {
    options.disable_statement_logging()
}

impl Connection {
    /// Connects for reading only: everything is read as it is now, and nothing can be written.
    pub(crate) async fn read(url: &str) -> Result<Self, Error> {
        let mut connection = Self::open(url).await?;
        match &mut connection {
            // One statement after another on the connection itself, which sqlx's transaction would
            // borrow.
            Self::Postgres(postgres) => {
                postgres.execute(sqlx::raw_sql(postgres::BEGIN)).await.map(drop)
            }
            Self::MySql(mysql) => {
                let mut begun = Ok(());
                for statement in mysql::BEGIN {
                    if begun.is_ok() {
                        begun = mysql.execute(sqlx::raw_sql(statement)).await.map(drop);
                    }
                }
                begun
            }
            Self::Sqlite(sqlite) => sqlite.execute(sqlx::raw_sql(sqlite::BEGIN)).await.map(drop),
        }
        .map_err(Error::Connect)?;
        Ok(connection)
    }

    async fn open(url: &str) -> Result<Self, Error> {
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        let opened = match scheme {
            "postgres" | "postgresql" => {
                let options = url.parse::<PgConnectOptions>().map_err(Error::Connect)?;
                let options = options.application_name(NAME);
                quiet(options).connect().await.map(Self::Postgres)
            }
            "mysql" | "mariadb" => {
                let options = url.parse::<MySqlConnectOptions>().map_err(Error::Connect)?;
                quiet(options).connect().await.map(Self::MySql)
            }
            "sqlite" => {
                let options = url.parse::<SqliteConnectOptions>().map_err(Error::Connect)?;
                quiet(options.read_only(true)).connect().await.map(Self::Sqlite)
            }
            // Not the whole URL, which may contain a password.
            other => return Err(Error::UnknownSource(other.to_owned())),
        };
        opened.map_err(Error::Connect)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::MySql(_) => Dialect::MySql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Returns the names and the types of a SELECT's columns.
    pub(crate) async fn columns(&mut self, select: &str) -> sqlx::Result<Vec<(String, String)>> {
        fn named<C: sqlx::Column>(columns: &[C]) -> Vec<(String, String)> {
            let named = columns
                .iter()
                .map(|column| (column.name().to_owned(), column.type_info().name().to_owned()));
            named.collect()
        }
        let select = AssertSqlSafe(select.to_owned()).into_sql_str();
        Ok(match self {
            Self::Postgres(connection) => named(connection.prepare(select).await?.columns()),
            Self::MySql(connection) => named(connection.prepare(select).await?.columns()),
            Self::Sqlite(connection) => named(connection.prepare(select).await?.columns()),
        })
    }

    /// Returns the rows of a statement as a stream.
    pub(crate) fn rows<'c>(
        &'c mut self,
        statement: String,
        keys: &[Key],
    ) -> BoxStream<'c, sqlx::Result<Vec<Value>>> {
        let statement = AssertSqlSafe(statement);
        match self {
            Self::Postgres(connection) => keys
                .iter()
                .fold(sqlx::query(statement), bind)
                .fetch(connection)
                .map(|row| values(&row?, postgres::value))
                .boxed(),
            Self::MySql(connection) => keys
                .iter()
                .fold(sqlx::query(statement), bind)
                .fetch(connection)
                .map(|row| values(&row?, mysql::value))
                .boxed(),
            Self::Sqlite(connection) => keys
                .iter()
                .fold(sqlx::query(statement), bind)
                .fetch(connection)
                .map(|row| values(&row?, sqlite::value))
                .boxed(),
        }
    }

    pub(crate) async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Postgres(connection) => connection.close().await,
            Self::MySql(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        }
    }
}

/// Binds a key. Only `PostgreSQL` returns UUIDs, and gets them as such; the others never get one.
fn bind<'q, DB>(query: Query<'q, DB, DB::Arguments>, key: &Key) -> Query<'q, DB, DB::Arguments>
where
    DB: Database,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
    for<'t> Uuid: Encode<'t, DB> + Type<DB>,
    for<'t> Vec<u8>: Encode<'t, DB> + Type<DB>,
{
    match key {
        Key::Integer(value) => query.bind(*value),
        Key::Text(text) => query.bind(text.clone()),
        Key::Uuid(uuid) => query.bind(*uuid),
        Key::Bytes(bytes) => query.bind(bytes.clone()),
    }
}

fn values<R: sqlx::Row>(
    row: &R,
    value: impl Fn(&R, usize) -> sqlx::Result<Value>,
) -> sqlx::Result<Vec<Value>> {
    (0..row.len()).map(|at| value(row, at)).collect()
}
