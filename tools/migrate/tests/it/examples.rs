//! Both examples, with all their broken rows, on every supported database.

use std::collections::{BTreeMap, BTreeSet};

use crate::generate::{Example, Flaw, Written};
use storefront_core::OrderWithItems;
use storefront_migrate::{Entity, Kind, Migrated, Read, Reader, Reject, Remark, Unit};

use crate::source::{Source, mapping_of, paged, reads, sorted_out};

const ORDERS: u32 = 1_500;
const BROKEN: u32 = 60;

#[tokio::test]
async fn the_example_with_integer_keys_is_read_from_sqlite() {
    read_all(&Source::sqlite(), Example::IntegerKeys).await;
}

#[tokio::test]
async fn the_example_with_uuids_is_read_from_sqlite() {
    read_all(&Source::sqlite(), Example::UuidKeys).await;
}

#[tokio::test]
async fn the_example_with_integer_keys_is_read_from_postgresql() {
    let Some(source) = Source::postgres("integer_keys").await else { return };
    read_all(&source, Example::IntegerKeys).await;
}

#[tokio::test]
async fn the_example_with_uuids_is_read_from_postgresql() {
    let Some(source) = Source::postgres("uuid_keys").await else { return };
    read_all(&source, Example::UuidKeys).await;
}

#[tokio::test]
async fn the_example_with_integer_keys_is_read_from_mysql() {
    let Some(source) = Source::mysql("integer_keys").await else { return };
    read_all(&source, Example::IntegerKeys).await;
}

#[tokio::test]
async fn all_databases_yield_the_same_items() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let sqlite = Source::sqlite();
        sqlite.generate(example, 300, BROKEN).await;
        let expected = items_of(&sqlite, example).await;
        let mut servers = vec![Source::postgres("compared").await];
        if example == Example::IntegerKeys {
            servers.push(Source::mysql("compared").await);
        }
        for server in servers.into_iter().flatten() {
            server.generate(example, 300, BROKEN).await;
            assert!(items_of(&server, example).await == expected, "{example:?}");
        }
    }
}

/// Types that only PostgreSQL has, or that it compares with no other type.
#[tokio::test]
async fn keys_of_any_postgresql_type_are_read_and_can_be_resumed_after() {
    let Some(source) = Source::postgres("any_keys").await else { return };
    source.generate(Example::IntegerKeys, 100, 0).await;
    for kind in ["int4", "numeric", "varchar(9)", "char(9)", "text"] {
        let mut mapping = mapping_of(Example::IntegerKeys);
        mapping.users.select = mapping.users.select.replace("    id,", &format!("id::{kind},"));
        mapping.orders.select = mapping
            .orders
            .select
            .replace("    id,", &format!("id::{kind},"))
            .replace("customer_id", &format!("customer_id::{kind}"));
        let items = mapping.order_items.select.replace("order_id", &format!("order_id::{kind}"));
        mapping.order_items.select = items;
        let mut reader = paged(source.reader(mapping).await, 7);
        for (units, count) in [(Kind::User, 20), (Kind::Order, 100)] {
            let (units, rejects) = sorted_out(&mut reader, units).await;
            assert_eq!((units.len(), rejects.len()), (count, 0), "{kind}");
        }
    }
    // Numbers and strings sort differently.
    let mut mapping = mapping_of(Example::IntegerKeys);
    mapping.orders.select = mapping.orders.select.replace("    id,", "id::text,");
    let said = Reader::open(mapping, &source.url).await.unwrap_err().to_string();
    assert!(
        said.contains("id of [orders] is TEXT, and order_id of [order_items] is INT8"),
        "{said}"
    );
}

/// Unsigned integers, strings, and UUIDs as bytes.
#[tokio::test]
async fn keys_of_any_mysql_type_are_read_and_can_be_resumed_after() {
    let Some(source) = Source::mysql("any_keys").await else { return };
    source.generate(Example::IntegerKeys, 100, 0).await;
    for (cast, first) in [
        ("CAST(# AS UNSIGNED)", "1"),
        ("CAST(# AS CHAR)", "1"),
        ("UNHEX(LPAD(HEX(#), 32, '0'))", "00000000-0000-0000-0000-000000000001"),
    ] {
        let cast = |column| cast.replace('#', column);
        let mut mapping = mapping_of(Example::IntegerKeys);
        let id = format!("{} AS id,", cast("id"));
        mapping.users.select = mapping.users.select.replace("    id,", &id);
        mapping.orders.select = mapping
            .orders
            .select
            .replace("    id,", &id)
            .replace("customer_id", &cast("customer_id"));
        let order_id = format!("{} AS order_id", cast("order_id"));
        mapping.order_items.select = mapping.order_items.select.replace("order_id", &order_id);
        let mut reader = paged(source.reader(mapping).await, 7);
        for (units, count) in [(Kind::User, 20), (Kind::Order, 100)] {
            let (units, rejects) = sorted_out(&mut reader, units).await;
            assert_eq!((units.len(), rejects.len()), (count, 0), "{first}");
            assert_eq!(units[0].legacy_id(), first);
        }
    }
}

async fn items_of(source: &Source, example: Example) -> BTreeSet<String> {
    let mut reader = source.reader(mapping_of(example)).await;
    let mut items = BTreeSet::new();
    for kind in Kind::ALL {
        for unit in sorted_out(&mut reader, kind).await.0 {
            for item in unit.to_items().unwrap() {
                items.insert(format!("{:?}", item.into_iter().collect::<BTreeMap<_, _>>()));
            }
        }
    }
    items
}

async fn read_all(source: &Source, example: Example) {
    let written = source.generate(example, ORDERS, BROKEN).await;
    let mut reader = source.reader(mapping_of(example)).await;
    expect_users(&mut reader, &written, example).await;
    expect_products(&mut reader, &written, example).await;
    expect_orders(&mut reader, &written).await;
    reader.close().await.unwrap();
    expect_the_same_by_any_page(source, example).await;
    expect_to_resume_anywhere(source, example).await;
    expect_to_find_by_key(source, example).await;
}

fn count(written: &Written, flaw: Flaw) -> usize {
    let count = written.flaws.get(&flaw).copied().unwrap_or_default();
    count.try_into().unwrap()
}

/// Counts the rejects of an entity by their kind.
fn by_kind(rejects: &[Reject], entity: Entity) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for reject in rejects.iter().filter(|reject| reject.entity == entity) {
        *counts.entry(reject.reason.kind()).or_default() += 1;
    }
    counts
}

/// Returns the counts that are not 0.
fn expected<const N: usize>(counts: [(&'static str, usize); N]) -> BTreeMap<&'static str, usize> {
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

async fn expect_users(reader: &mut Reader, written: &Written, example: Example) {
    let (users, rejects) = sorted_out(reader, Kind::User).await;
    let (invalid, unusable) =
        (count(written, Flaw::InvalidEmail), count(written, Flaw::OtherPassword));
    let locked = users.iter().filter(|user| user.remarks() == [Remark::Locked]).count();
    // One mapping locks them, the other rejects them.
    let (rejected, expected_locked) = match example {
        Example::IntegerKeys => (0, unusable),
        Example::UuidKeys => (unusable, 0),
    };
    assert_eq!(locked, expected_locked);
    assert_eq!(
        by_kind(&rejects, Entity::User),
        expected([("invalid value", invalid), ("unusable password", rejected)])
    );
    assert_eq!(users.len() + rejects.len(), usize::try_from(written.customers).unwrap());
}

async fn expect_products(reader: &mut Reader, written: &Written, example: Example) {
    let (products, rejects) = sorted_out(reader, Kind::Product).await;
    let stock = match example {
        Example::IntegerKeys => count(written, Flaw::NegativeStock),
        // This example has no stock.
        Example::UuidKeys => 0,
    };
    assert_eq!(
        by_kind(&rejects, Entity::Product),
        expected([("out of range", count(written, Flaw::NegativePrice) + stock)])
    );
    assert_eq!(products.len() + rejects.len(), usize::try_from(written.products).unwrap());
}

async fn expect_orders(reader: &mut Reader, written: &Written) {
    let (orders, rejects) = sorted_out(reader, Kind::Order).await;
    let count = |flaw| count(written, flaw);
    let of_orders = by_kind(&rejects, Entity::Order);
    assert_eq!(
        of_orders,
        expected([
            ("unknown value", count(Flaw::UnknownStatus)),
            ("orphan", count(Flaw::NoSuchCustomer)),
            ("no items", count(Flaw::NoLines)),
            ("too many items", count(Flaw::TooManyLines)),
            ("out of range", count(Flaw::NoQuantity)),
            ("other total", count(Flaw::OtherTotal)),
            ("mixed currencies", count(Flaw::MixedCurrencies)),
        ])
    );
    let rejected: usize = of_orders.values().sum();
    let existing = usize::try_from(written.orders).unwrap() - count(Flaw::OrderGone);
    assert_eq!(orders.len() + rejected, existing);

    // Lines without an order are rejected one by one.
    let lost: BTreeSet<_> = rejects
        .iter()
        .filter(|reject| reject.entity == Entity::OrderItem)
        .map(|reject| reject.key.clone().unwrap())
        .collect();
    assert_eq!(lost.len(), count(Flaw::OrderGone));

    let gone = orders.iter().filter(|order| {
        order.remarks().iter().any(|remark| matches!(remark, Remark::ProductGone { .. }))
    });
    assert_eq!(gone.count(), count(Flaw::ProductGone));
    for unit in &orders {
        expect_sound(unit);
    }
}

/// Checks what the repositories and the shop's invariants rely on.
fn expect_sound(unit: &Unit) {
    let Unit::Order(Migrated { value: OrderWithItems { order, items }, .. }) = unit else {
        panic!("{unit:?} is not an order")
    };
    assert_eq!(order.created_at, order.id.created_at());
    assert!(order.updated_at >= order.created_at);
    assert_eq!(order.item_count, items.len());
    let total: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
    assert_eq!(order.total, total);
    assert!(items.is_sorted_by(|a, b| a.product_id < b.product_id));
}

async fn expect_the_same_by_any_page(source: &Source, example: Example) {
    let mut by_one_page = source.reader(mapping_of(example)).await;
    let mut by_small_pages = paged(source.reader(mapping_of(example)).await, 7);
    for kind in Kind::ALL {
        let (units, rejects) = sorted_out(&mut by_one_page, kind).await;
        let (same_units, same_rejects) = sorted_out(&mut by_small_pages, kind).await;
        assert!(units == same_units, "{kind:?}");
        // Rejects that belong to no page come earlier or later.
        let lines = |rejects: Vec<Reject>| {
            let lines = rejects.iter().map(|reject| serde_json::to_string(reject).unwrap());
            let mut lines: Vec<_> = lines.collect();
            lines.sort();
            lines
        };
        assert!(lines(rejects) == lines(same_rejects), "{kind:?}");
    }
}

async fn expect_to_resume_anywhere(source: &Source, example: Example) {
    let mut reader = paged(source.reader(mapping_of(example)).await, 50);
    let lines = |reads: &[Read]| -> Vec<String> {
        let line = |read: &Read| match &read.unit {
            Ok(unit) => format!("{unit:?}"),
            Err(reject) => serde_json::to_string(reject).unwrap(),
        };
        reads.iter().map(line).collect()
    };
    for kind in Kind::ALL {
        let all = reads(&mut reader, kind, None).await;
        let stops: Vec<_> =
            (0..all.len()).filter(|stop| all[*stop].resume_after.is_some()).collect();
        assert!(!stops.is_empty(), "{kind:?} has pages");
        for stop in stops.iter().step_by(7).chain(stops.last()) {
            let rest = reads(&mut reader, kind, all[*stop].resume_after.clone()).await;
            // No unit or reject is repeated or missing.
            assert!(lines(&rest) == lines(&all[stop + 1..]), "{kind:?} after {stop}");
        }
    }
}

async fn expect_to_find_by_key(source: &Source, example: Example) {
    let mut reader = source.reader(mapping_of(example)).await;
    for kind in Kind::ALL {
        let all = reads(&mut reader, kind, None).await;
        let keys: Vec<_> = all.iter().filter_map(|read| read.key.clone()).collect();
        // More than one lookup can have, and not in order.
        let wanted: Vec<_> = keys.iter().rev().step_by(2).take(700).cloned().collect();
        let found = reader.find(kind, &wanted).await.unwrap();
        assert_eq!(found.len(), wanted.len());
        for read in found {
            let key = read.key.unwrap();
            assert!(wanted.contains(&key));
            let same = all.iter().find(|read| read.key.as_ref() == Some(&key)).unwrap();
            assert_eq!(read.unit.as_ref().ok(), same.unit.as_ref().ok(), "{kind:?} {key}");
        }
    }
    let nobody = reader.find(Kind::User, &[]).await.unwrap();
    assert!(nobody.is_empty());
}
