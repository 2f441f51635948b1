//! What a source knows about itself: the number of rows, its time, and which rows have changed
//! since.

use crate::generate::Example;
use storefront_core::Timestamp;
use storefront_migrate::{Entity, Kind, Unit};

use crate::source::{Source, mapping_of, reads};

#[tokio::test]
async fn changed_rows_are_found_in_sqlite() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        expect_changes(&Source::sqlite(), example).await;
    }
}

#[tokio::test]
async fn changed_rows_are_found_in_postgresql() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let Some(source) = Source::postgres("changed").await else { return };
        expect_changes(&source, example).await;
    }
}

#[tokio::test]
async fn changed_rows_are_found_in_mysql() {
    let Some(source) = Source::mysql("changed").await else { return };
    expect_changes(&source, Example::IntegerKeys).await;
}

async fn expect_changes(source: &Source, example: Example) {
    source.generate(example, 300, 0).await;
    let before = Timestamp::now();
    let mut reader = source.reader(mapping_of(example)).await;
    // The time is by the server's clock, which may differ, and in whole seconds.
    let seconds = reader.opened_at().as_seconds() - before.as_seconds();
    assert!(seconds.abs() < 60, "{seconds}");
    for kind in Kind::ALL {
        let all = reads(&mut reader, kind, None).await;
        assert_eq!(reader.count(kind).await.unwrap(), all.len() as u64);
        let updated_at = |unit: &Unit| match unit {
            Unit::User(user) => user.value.updated_at,
            Unit::Product(product) => product.value.product.updated_at,
            Unit::Order(order) => order.value.order.updated_at,
        };
        let since = updated_at(all[all.len() / 2].unit.as_ref().unwrap());
        let expected: Vec<_> = all
            .iter()
            .filter(|read| updated_at(read.unit.as_ref().unwrap()) >= since)
            .map(|read| read.key.clone().unwrap())
            .collect();
        // In several pages.
        let mut found = Vec::new();
        loop {
            let page = reader.changed(kind.entity(), since, found.last(), 7).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "{kind:?}");
    }
    let nothing = reader.changed(Entity::OrderItem, Timestamp::UNIX_EPOCH, None, 7).await.unwrap();
    assert!(nothing.is_empty(), "order items have no updatedAt");
}
