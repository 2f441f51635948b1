//! Counts by user and by product, in a file because there can be any number of them.
//!
//! It is a temporary `SQLite` file with some 100 bytes for each user and each product. Counts are
//! gathered in memory first, so that a user with many orders is not written for each of them.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, QueryBuilder, Row as _, Sqlite};
use tempfile::TempDir;

use crate::Error;

const SCHEMA: &str = "
CREATE TABLE users (
    id BLOB PRIMARY KEY, legacy TEXT,
    orders INTEGER NOT NULL, bytes INTEGER NOT NULL, example TEXT
) WITHOUT ROWID;
CREATE TABLE products (
    id BLOB PRIMARY KEY, legacy TEXT, category TEXT,
    bytes INTEGER NOT NULL, sold INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA cache_size = -65536;
";

/// How many users, and how many products, are gathered before they are written.
const GATHERED: usize = 50_000;

/// How many rows one statement writes.
const ROWS: usize = 1_000;

/// An id's bytes.
pub(super) type Id = [u8; 16];

/// Counts by user, by product and by category.
pub(super) struct Tally {
    connection: SqliteConnection,
    users: HashMap<Id, User>,
    products: HashMap<Id, Product>,
    /// The file's folder, which is deleted with this.
    _folder: TempDir,
}

#[derive(Default)]
struct User {
    legacy: Option<String>,
    orders: i64,
    bytes: i64,
    /// The key of one of their orders.
    example: Option<String>,
}

#[derive(Default)]
struct Product {
    legacy: Option<String>,
    category: Option<String>,
    bytes: i64,
    /// The number of its order items.
    sold: i64,
}

/// The elements that belong to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    pub(super) key: String,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) async fn new() -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|source| Error::Scratch(source.into()))?;
        let connection = SqliteConnectOptions::new()
            .filename(folder.path().join("tally.db"))
            .create_if_missing(true)
            // The file is useless after a crash.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .connect()
            .await;
        let mut connection = connection.map_err(Error::Scratch)?;
        connection.execute(sqlx::raw_sql(SCHEMA)).await.map_err(Error::Scratch)?;
        Ok(Self { connection, users: HashMap::new(), products: HashMap::new(), _folder: folder })
    }

    pub(super) fn user(&mut self, id: Id, legacy: &str) {
        self.users.entry(id).or_default().legacy = Some(legacy.to_owned());
    }

    pub(super) fn product(&mut self, id: Id, legacy: &str, category: &str, bytes: u64) {
        let product = self.products.entry(id).or_default();
        product.legacy = Some(legacy.to_owned());
        product.category = Some(category.to_owned());
        product.bytes += bytes.cast_signed();
    }

    /// Counts an order of the user.
    pub(super) fn order(&mut self, user: Id, legacy: &str, bytes: u64) {
        let user = self.users.entry(user).or_default();
        user.orders += 1;
        user.bytes += bytes.cast_signed();
        user.example.get_or_insert_with(|| legacy.to_owned());
    }

    /// Counts an order item of the product.
    pub(super) fn sold(&mut self, product: Id) {
        self.products.entry(product).or_default().sold += 1;
    }

    /// Writes the gathered counts if there are many, to keep memory small.
    pub(super) async fn write_full(&mut self) -> Result<(), Error> {
        if self.users.len() >= GATHERED || self.products.len() >= GATHERED {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes the gathered counts in the order of the ids, because neighbours share a page of the
    /// file.
    pub(super) async fn write(&mut self) -> Result<(), Error> {
        let mut users: Vec<_> = self.users.drain().collect();
        users.sort_unstable_by_key(|(id, _)| *id);
        let mut products: Vec<_> = self.products.drain().collect();
        products.sort_unstable_by_key(|(id, _)| *id);
        let written = async {
            let mut transaction = self.connection.begin().await?;
            for rows in users.chunks(ROWS) {
                let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO users ");
                insert.push_values(rows, |mut row, (id, user)| {
                    row.push_bind(&id[..])
                        .push_bind(&user.legacy)
                        .push_bind(user.orders)
                        .push_bind(user.bytes)
                        .push_bind(&user.example);
                });
                insert.push(
                    " ON CONFLICT DO UPDATE SET \
                     legacy = coalesce(legacy, excluded.legacy), \
                     orders = orders + excluded.orders, bytes = bytes + excluded.bytes, \
                     example = coalesce(example, excluded.example)",
                );
                insert.build().execute(&mut *transaction).await?;
            }
            for rows in products.chunks(ROWS) {
                let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO products ");
                insert.push_values(rows, |mut row, (id, product)| {
                    row.push_bind(&id[..])
                        .push_bind(&product.legacy)
                        .push_bind(&product.category)
                        .push_bind(product.bytes)
                        .push_bind(product.sold);
                });
                insert.push(
                    " ON CONFLICT DO UPDATE SET \
                     legacy = coalesce(legacy, excluded.legacy), \
                     category = coalesce(category, excluded.category), \
                     bytes = bytes + excluded.bytes, sold = sold + excluded.sold",
                );
                insert.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await
        };
        written.await.map_err(Error::Scratch)
    }

    /// Passes on each user's key and orders, one user at a time.
    pub(super) async fn orders_of_users(
        &mut self,
        seen: impl FnMut(Collection),
    ) -> Result<(), Error> {
        self.collections("SELECT legacy, orders, bytes FROM users WHERE legacy IS NOT NULL", seen)
            .await
    }

    /// Passes on each category and its products.
    pub(super) async fn products_of_categories(
        &mut self,
        seen: impl FnMut(Collection),
    ) -> Result<(), Error> {
        self.collections(
            "SELECT category, count(*), sum(bytes) FROM products WHERE category IS NOT NULL \
             GROUP BY category",
            seen,
        )
        .await
    }

    /// Passes on each product's key and order items.
    pub(super) async fn sold_of_products(
        &mut self,
        seen: impl FnMut(Collection),
    ) -> Result<(), Error> {
        self.collections("SELECT legacy, sold, 0 FROM products WHERE legacy IS NOT NULL", seen)
            .await
    }

    async fn collections(
        &mut self,
        statement: &'static str,
        mut seen: impl FnMut(Collection),
    ) -> Result<(), Error> {
        let mut rows = sqlx::query(statement).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.map_err(Error::Scratch)? {
            let count = |at| row.get::<i64, _>(at).cast_unsigned();
            seen(Collection { key: row.get(0), count: count(1), bytes: count(2) });
        }
        Ok(())
    }

    /// Returns the number of orders whose users are not loaded, and the keys of one order each of
    /// the first of these users.
    pub(super) async fn orders_without_user(
        &mut self,
        shown: usize,
    ) -> Result<(u64, Vec<String>), Error> {
        let mut orders = 0;
        let mut examples = Vec::new();
        let statement = "SELECT orders, example FROM users WHERE legacy IS NULL ORDER BY id";
        let mut rows = sqlx::query(statement).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.map_err(Error::Scratch)? {
            orders += row.get::<i64, _>(0).cast_unsigned();
            if examples.len() < shown {
                examples.push(row.get(1));
            }
        }
        Ok((orders, examples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u16) -> Id {
        u128::from(n).to_be_bytes()
    }

    #[tokio::test]
    async fn counts_that_are_written_in_parts_add_up() {
        let mut tally = Tally::new().await.unwrap();
        tally.user(id(1), "anna");
        tally.product(id(7), "espresso", "coffee", 300);
        tally.write().await.unwrap();
        for order in ["first", "second"] {
            tally.order(id(1), order, 400);
            tally.order(id(2), order, 400);
            tally.sold(id(7));
            tally.write().await.unwrap();
        }
        let mut users = Vec::new();
        tally.orders_of_users(|user| users.push(user)).await.unwrap();
        assert_eq!(users, [Collection { key: "anna".to_owned(), count: 2, bytes: 800 }]);
        let mut sold = Vec::new();
        tally.sold_of_products(|product| sold.push(product)).await.unwrap();
        assert_eq!(sold, [Collection { key: "espresso".to_owned(), count: 2, bytes: 0 }]);
        let without = tally.orders_without_user(5).await.unwrap();
        assert_eq!(without, (2, vec!["first".to_owned()]));
    }
}
