//! Data for trying a migration: a shop in the schema of one of the examples.
//!
//! The same seed generates the same shop. Each customer, product and order depends only on the seed
//! and its number, so none has to be kept, however many there are. Some rows are broken on purpose,
//! as in any database that has been in use for years.

mod insert;
mod integer_keys;
mod shop;
mod uuid_keys;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use clap::ValueEnum;

use self::insert::Inserts;
pub(crate) use self::shop::{Flaw, Shop};

/// An example in `tools/migrate/examples`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// Integer keys, `snake_case`, money with two decimals, one currency.
    IntegerKeys,
    /// UUIDs, several currencies, prices in their own table. Not for MySQL, which has no type for
    /// UUIDs.
    UuidKeys,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) customers: u64,
    pub(crate) products: u64,
    pub(crate) orders: u64,
    pub(crate) order_lines: u64,
    /// The rules that were broken on purpose, and how often.
    pub(crate) flaws: BTreeMap<Flaw, u64>,
}

/// Writes statements that create and fill the tables.
pub(crate) fn write(example: Example, shop: &Shop, output: &mut impl Write) -> io::Result<Written> {
    let schema = match example {
        Example::IntegerKeys => integer_keys::SCHEMA,
        Example::UuidKeys => uuid_keys::SCHEMA,
    };
    writeln!(output, "{schema}\nBEGIN;")?;
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
        inserts.write_full(output)?;
    }
    for n in 0..shop.products {
        let product = shop.product(n);
        count(product.flaw);
        match example {
            Example::IntegerKeys => integer_keys::product(&product, &mut inserts),
            Example::UuidKeys => uuid_keys::product(shop, &product, &mut inserts),
        }
        inserts.write_full(output)?;
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
        inserts.write_full(output)?;
    }
    inserts.write_all(output)?;
    writeln!(output, "COMMIT;")?;
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
