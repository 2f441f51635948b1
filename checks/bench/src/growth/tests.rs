use aws_sdk_dynamodb::types::Select;
use storefront_core::capacity::Consumed;
use storefront_core::{CreatedBetween, OrderAccess, PageRequest};

use super::data::PAGE;
use super::fill::Growth;
use super::pattern::{Pattern, Sample};
use super::report::Cost;
use super::*;

struct Tables {
    definition: TableDefinition,
    folder: tempfile::TempDir,
}

impl Tables {
    fn new() -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let definition = Template::read(template).unwrap().table().unwrap();
        Self { definition, folder: tempfile::tempdir().unwrap() }
    }

    /// Fills a shop, and serves its table in this process.
    async fn shop(&self, orders: u32) -> (Shop, Growth, Store) {
        let data = Data::new(orders, 1);
        let file = self.folder.path().join(format!("{orders}.sqlite"));
        let store = Store::open(file, &self.definition).await.unwrap();
        let growth = fill(&store, data, |_, _| {}).await.unwrap();
        (Shop::over(data, store.endpoint_url()), growth, store)
    }
}

/// Counts all items of the table.
async fn count(shop: &Shop) -> u32 {
    let pages = shop.client.scan().table_name("storefront").select(Select::Count);
    let mut pages = pages.into_paginator().send();
    let mut items = 0;
    while let Some(page) = pages.next().await {
        items += u32::try_from(page.unwrap().count).unwrap();
    }
    items
}

#[tokio::test]
async fn every_pattern_costs_the_same_in_a_small_and_a_larger_table_and_keeps_their_size() {
    let tables = Tables::new();
    let (small, small_growth, _small) = tables.shop(FEWEST_ORDERS).await;
    let (large, large_growth, _large) = tables.shop(1_000).await;
    let shops = [small, large];
    let args = GrowthArgs::parse_from(["growth", "--rounds", "3"]);
    let samples = measure::measure(&shops, args.rounds, args.seed).await.unwrap();

    for (shop, growth) in shops.iter().zip([&small_growth, &large_growth]) {
        assert_eq!(count(shop).await, growth.items);
    }
    let growths = [small_growth, large_growth];
    let sizes = shops.iter().zip(growths).map(|(shop, growth)| Size::of(shop.data, growth, 0));
    let report = Report::new(&args, sizes.collect(), &samples);
    assert_eq!(report.patterns.len(), Pattern::ALL.len());
    assert_eq!(report.differing, Vec::<String>::new());

    let (text, all) = (report.text(), Pattern::ALL.len());
    assert!(text.contains(&format!("{all} of {all} patterns take the same")), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["sizes"][1]["orders"], 1_000);
    assert_eq!(json["patterns"][0]["cost"]["most"]["readUnits"], 0.5);
}

#[tokio::test]
async fn the_repositories_can_read_a_filled_table() {
    let tables = Tables::new();
    let (shop, growth, _store) = tables.shop(FEWEST_ORDERS).await;
    expect_all_of(&shop).await;
    assert_eq!(count(&shop).await, growth.items);
}

/// Reads all data through the repositories, and compares it with what was generated.
async fn expect_all_of(shop: &Shop) {
    let data = shop.data;
    for n in 0..data.users {
        let user = data.user(n);
        assert_eq!(shop.users.find(user.id).await.unwrap().as_ref(), Some(&user));
        assert_eq!(shop.users.find_by_email(&user.email).await.unwrap().as_ref(), Some(&user));
        assert_eq!(shop.users.find_to_log_in(&user.email).await.unwrap(), Some(user));
    }
    for n in 0..data.orders {
        let order = data.order(n);
        for access in [OrderAccess::Any, OrderAccess::OwnedBy(order.order.user_id)] {
            let found = shop.orders.find(access, order.order.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&order));
        }
    }
    for category in 0..10 {
        let mut listed = 0;
        let mut request = PageRequest { limit: PAGE, after: None };
        loop {
            let page = shop.products.list(&Data::category(category), request).await.unwrap();
            for product in page.items {
                let number = Data::product_of_category(category, listed);
                let expected = data.product(number);
                let found = shop.products.find(product.id).await.unwrap();
                assert_eq!(product, expected.product);
                assert_eq!(found, Some(expected));
                listed += 1;
            }
            request.after = page.next;
            if request.after.is_none() {
                break;
            }
        }
        assert_eq!(listed, data.products_of_category(category));
    }
}

#[tokio::test]
async fn the_largest_customer_finds_their_orders_newest_first() {
    let (shop, _, _store) = Tables::new().shop(FEWEST_ORDERS).await;
    let data = shop.data;
    let mut orders = Vec::new();
    let mut request = PageRequest { limit: PAGE, after: None };
    loop {
        let page = shop.orders.list(data.user_id(0), CreatedBetween::default(), request).await;
        let page = page.unwrap();
        orders.extend(page.items);
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    let expected: Vec<_> =
        (0..data.orders_of_one()).rev().map(|n| data.order(data.order_of_one(n)).order).collect();
    assert_eq!(orders, expected);
}

#[test]
fn a_cost_that_is_higher_once_is_not_always_the_same() {
    let sample = |read_units| Sample {
        milliseconds: 1.0,
        consumed: Consumed { requests: 1, read_units, write_units: 0.0 },
    };
    assert!(Cost::of(&[sample(0.5), sample(0.5)]).is_always_the_same());
    let differing = Cost::of(&[sample(0.5), sample(1.0), sample(0.5)]);
    assert!(!differing.is_always_the_same());
    assert_eq!(differing.to_string(), "requests 1, read units 0.5 to 1, write units 0");
}
