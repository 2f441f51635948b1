//! Data to try a migration with: a shop in the schema of one of the examples.
//!
//! The same seed makes the same shop. Each customer, product and order is made from the seed and its
//! number alone, so that none has to be kept, however many there are. Some rows are broken on
//! purpose, as they are wherever people have worked for years.

mod insert;
mod integer_keys;
mod shop;
mod uuid_keys;

use std::collections::BTreeMap;
use std::env;
use std::fmt;

use clap::{Parser, ValueEnum};

use self::insert::Inserts;
pub use self::shop::Flaw;
use self::shop::Shop;
use crate::Error;
use crate::source::Connection;

/// What to generate, and where.
#[derive(Clone, Debug, Parser)]
pub struct GenerateArgs {
    /// Whose schema.
    pub example: Example,

    /// The database, which must not have these tables yet. `DATABASE_URL`, if it is not given here.
    /// A file of SQLite (`sqlite:FILE`) is made.
    #[arg(long)]
    pub url: Option<String>,

    /// How many orders; there is a customer for each ten, and a product for each fifty.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub orders: u32,

    /// The same seed is the same shop.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Of a thousand customers, products and orders, how many break a rule.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub broken: u32,
}

/// An example of the repository's: `tools/migrate/examples`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Example {
    /// Integer keys, `snake_case`, money with two decimals, one currency.
    IntegerKeys,
    /// UUIDs, several currencies, prices in a table of their own. Not for MySQL, which has no type
    /// for them.
    UuidKeys,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Written {
    pub customers: u64,
    pub products: u64,
    pub orders: u64,
    pub order_lines: u64,
    /// What was broken on purpose, and how often.
    pub flaws: BTreeMap<Flaw, u64>,
}

/// Makes the tables, and fills them.
pub async fn run(args: &GenerateArgs) -> Result<Written, Error> {
    let variable = || env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let url = args.url.clone().or_else(variable).ok_or(Error::NoSource)?;
    let mut connection = Connection::write(&url).await?;
    let shop = Shop::new(args.orders, args.seed, args.broken);
    let written = fill(&mut connection, args.example, &shop).await.map_err(Error::Generate)?;
    connection.close().await.map_err(Error::Generate)?;
    Ok(written)
}

async fn fill(connection: &mut Connection, example: Example, shop: &Shop) -> sqlx::Result<Written> {
    let schema = match example {
        Example::IntegerKeys => integer_keys::SCHEMA,
        Example::UuidKeys => uuid_keys::SCHEMA,
    };
    connection.execute(schema.to_owned()).await?;
    connection.execute("BEGIN".to_owned()).await?;
    let mut inserts = Inserts::new();
    match example {
        Example::IntegerKeys => integer_keys::begin(&mut inserts),
        Example::UuidKeys => uuid_keys::begin(&mut inserts),
    }
    let mut written = Written::default();
    let mut count = |flaw: Option<Flaw>| {
        if let Some(flaw) = flaw {
            *written.flaws.entry(flaw).or_default() += 1;
        }
    };
    for n in 0..shop.customers {
        let customer = shop.customer(n);
        count(customer.flaw);
        match example {
            Example::IntegerKeys => integer_keys::customer(&customer, &mut inserts),
            Example::UuidKeys => uuid_keys::customer(shop, &customer, &mut inserts),
        }
        inserts.write_full(connection).await?;
    }
    for n in 0..shop.products {
        let product = shop.product(n);
        count(product.flaw);
        match example {
            Example::IntegerKeys => integer_keys::product(&product, &mut inserts),
            Example::UuidKeys => uuid_keys::product(shop, &product, &mut inserts),
        }
        inserts.write_full(connection).await?;
    }
    let mut order_lines = 0;
    for n in 0..shop.orders {
        let order = shop.order(n, example == Example::UuidKeys);
        count(order.flaw);
        order_lines += order.lines.len() as u64;
        match example {
            Example::IntegerKeys => integer_keys::order(&order, &mut inserts),
            Example::UuidKeys => uuid_keys::order(shop, &order, &mut inserts),
        }
        inserts.write_full(connection).await?;
    }
    inserts.write_all(connection).await?;
    connection.execute("COMMIT".to_owned()).await?;
    let (customers, products, orders) =
        (shop.customers.into(), shop.products.into(), shop.orders.into());
    Ok(Written { customers, products, orders, order_lines, ..written })
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} customers, {} products, {} orders with {} lines",
            self.customers, self.products, self.orders, self.order_lines
        )?;
        if !self.flaws.is_empty() {
            f.write_str("; broken on purpose:")?;
        }
        for (flaw, count) in &self.flaws {
            write!(f, "\n  {count} {flaw}")?;
        }
        Ok(())
    }
}
