//! Reports what a move would do: what would be in the table, what would be rejected, and what it
//! would cost.
//!
//! Reads the source once (its users twice), and writes only the report. Memory does not grow with
//! the number of rows: it has histograms and the largest few. The emails and the counts by user and
//! by product are in temporary files.

mod census;
mod cost;
mod distribution;
mod findings;
mod hot;
mod page;
mod patterns;
mod queries;
mod report;
mod sections;
mod tally;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::TryStreamExt as _;
use storefront_core::MAX_ORDER_ITEMS;
use storefront_core::schema::Item;
use uuid::Uuid;

use self::census::{Census, NEAR, Sums};
use self::cost::{Load, Month, Prices};
use self::distribution::Gather;
use self::findings::{Findings, SHOWN};
use self::queries::Queries;
use self::report::{ItemLimit, OrdersWithoutUser, Report, SizeLimit};
use self::tally::Tally;
use crate::load::claims::Claims;
use crate::{Error, Kind, Mapping, Reader, Unit, load};

/// The source to review, and where the report goes besides the terminal.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The mapping. The source's URL is `DATABASE_URL`, or the one in the mapping.
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,

    /// Writes an HTML page with plots to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Writes all figures as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// The statements that the source runs today: a CSV export of `pg_stat_statements` with its
    /// header, MySQL's general or slow log, or a file with a statement on each line.
    ///
    /// With the columns `stats_since` and `read_at`, or with a log that has times, the report
    /// includes the cost of a month's requests: `\copy (SELECT query, calls, total_exec_time, rows,
    /// (SELECT stats_reset FROM pg_stat_statements_info) AS stats_since, now() AS read_at FROM
    /// pg_stat_statements) TO 'queries.csv' CSV HEADER`.
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,

    /// The rate of the load in write units a second, for the table and its index together. A new
    /// on-demand table takes 4,000 immediately.
    #[arg(long, value_name = "WCU", default_value_t = 4_000,
          value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// A file with prices, instead of us-east-1's list prices: a copy of the repository's
    /// `tools/migrate/prices.toml` with other figures.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// Reviews a source, writes the files, and returns the report for the terminal.
pub(crate) async fn run(args: &ReviewArgs) -> Result<String, Error> {
    let prices = Prices::read(args.prices.as_deref())?;
    let mapping = Mapping::read(&args.mapping)?;
    let url = mapping.url()?;
    let mut reader = Reader::open(mapping, &url).await?;
    let mut report = review(&mut reader, source_of(&url), prices, args.rate).await?;
    if let Some(file) = &args.queries {
        let dialect = queries::dialect(&url);
        let (mapping, prices) = (reader.mapping(), &report.prices);
        let queries = Queries::read(file, mapping, &*dialect, &report.items, prices)?;
        report.queries = Some(queries);
    }
    reader.close().await?;
    if let Some(file) = &args.json {
        let json = serde_json::to_string_pretty(&report).map_err(std::io::Error::from);
        write(file, json.map(|json| json + "\n"))?;
    }
    if let Some(file) = &args.html {
        write(file, Ok(sections::page(&report)))?;
    }
    Ok(sections::text(&report))
}

fn write(path: &Path, text: std::io::Result<String>) -> Result<(), Error> {
    text.and_then(|text| fs::write(path, text))
        .map_err(|source| Error::WriteFile { path: path.to_owned(), source })
}

fn source_of(url: &str) -> &'static str {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("mysql" | "mariadb") => "MySQL",
        Some("sqlite") => "SQLite",
        _ => "PostgreSQL",
    }
}

/// Reads the whole source.
async fn review(
    reader: &mut Reader,
    source: &'static str,
    prices: Prices,
    rate: u32,
) -> Result<Report, Error> {
    let mut census = Census::new();
    let mut findings = Findings::default();
    let mut tally = Tally::new().await?;
    let folder = tempfile::tempdir().map_err(|source| Error::Scratch(source.into()))?;
    let mut claims = Claims::read(reader, &folder.path().join("claims.sqlite")).await?;
    for kind in Kind::ALL {
        let mut units = reader.units(kind, None);
        while let Some(read) = units.try_next().await? {
            let claims = (kind == Kind::User).then_some(&mut claims);
            match load::judged(read, claims).await? {
                Ok((unit, items)) => {
                    count(&unit, &items, &mut census, &mut tally);
                    findings.remark(&unit);
                    tally.write_full().await?;
                }
                Err(reject) => findings.reject(&reject),
            }
        }
    }
    tally.write().await?;

    let items = census.finish();
    let total = Sums::of(items.iter().map(|items| &items.sums));
    let [mut users, mut categories, mut products] = std::array::from_fn(|_| Gather::new());
    tally.orders_of_users(|user| users.add(user)).await?;
    tally.products_of_categories(|category| categories.add(category)).await?;
    tally.sold_of_products(|product| products.add(product)).await?;
    let [users, categories, products] = [users, categories, products].map(Gather::finish);
    let (orders, examples) = tally.orders_without_user(SHOWN).await?;

    let size_limit = SizeLimit {
        limit_bytes: crate::size::MAX_ITEM,
        near_bytes: NEAR,
        items_near: total.near_limit,
        max_bytes: items.iter().map(|items| items.max_bytes).max().unwrap_or(0),
        largest_reject_bytes: findings.largest_reject,
    };
    let item_limit = ItemLimit {
        limit: MAX_ORDER_ITEMS,
        orders_over: findings.too_many_items(),
        most_items: findings.most_items,
    };
    let email_collisions = findings.email_collisions();
    let (rejects, remarks) = findings.finish();
    Ok(Report {
        source,
        hot_spots: hot::hot_spots(&users, &categories, &products, &items),
        load: Load::of(&total, &prices, rate),
        month: Month::of(&total, &prices),
        prices,
        items,
        total,
        orders_per_user: users,
        products_per_category: categories,
        sold_per_product: products,
        size_limit,
        item_limit,
        email_collisions,
        orders_without_user: OrdersWithoutUser { orders, examples },
        rejects,
        remarks,
        queries: None,
    })
}

fn count(unit: &Unit, items: &[Item], census: &mut Census, tally: &mut Tally) {
    let sizes: Vec<_> = items.iter().map(|item| census.add(item, unit.legacy_id())).collect();
    // A unit's main item comes first.
    let bytes = sizes.first().copied().unwrap_or(0);
    let id = |id: Uuid| id.into_bytes();
    match unit {
        Unit::User(user) => {
            tally.user(id(user.value.id.into()), &user.legacy_id);
        }
        Unit::Product(product) => {
            let of = &product.value.product;
            let category = of.category.as_str();
            tally.product(id(of.id.into()), &product.legacy_id, category, bytes);
        }
        Unit::Order(order) => {
            tally.order(id(order.value.order.user_id.into()), &order.legacy_id, bytes);
            for item in &order.value.items {
                tally.sold(id(item.product_id.into()));
            }
        }
    }
}
