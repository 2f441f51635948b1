//! Products whose stock is spread over several items.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use storefront_core::schema::{ItemType, Key};
use storefront_core::{Error, OrderAccess, OrderStatus, ProductChanges, UserId};
use storefront_testing::faults::Fault;

use crate::contention::cancelled;
use crate::shop::{Shop, becoming};

const TRANSACTION: &str = "TransactWriteItems";

/// An order of one product conflicts with another order of it: its last action is the take.
fn conflict() -> serde_json::Value {
    cancelled(&["None", "None", "TransactionConflict"])
}

#[tokio::test(start_paused = true)]
async fn an_order_of_a_spread_product_goes_to_another_item_at_a_conflict_without_a_pause() {
    let (shop, plan) = Shop::with_faults();
    let (anna, blend) = (shop.anna().await, shop.product(100, 64).await);
    shop.products.spread_stock(blend.id, 16).await.unwrap();
    plan.answer_next(TRANSACTION, 3, conflict());
    let before = tokio::time::Instant::now();
    shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    assert_eq!(plan.remaining(), 0, "three tries met a conflict");
    assert!(before.elapsed() < Duration::from_millis(20), "only pauses take time");
    assert_eq!(shop.stock(&blend).await, Some(63));
}

#[tokio::test(start_paused = true)]
async fn conflicts_without_end_are_given_up_and_nothing_is_written() {
    const NO_END: u32 = 1000;
    let (shop, plan) = Shop::with_faults();
    let (anna, blend) = (shop.anna().await, shop.product(100, 64).await);
    shop.products.spread_stock(blend.id, 16).await.unwrap();
    plan.answer_next(TRANSACTION, NO_END, conflict());
    let placed = shop.place(&anna, &[(&blend, 1)]).await;
    assert!(matches!(placed, Err(Error::Contention)), "{placed:?}");
    // Seven rounds, as for any product, each of one try and three hops.
    assert_eq!(NO_END - plan.stop(), 28);
    let changed = async {
        plan.next(TRANSACTION, NO_END, Fault::Conflict);
        shop.products.change_stock(blend.id, 5, None).await
    };
    assert!(matches!(changed.await, Err(Error::Contention)));
    assert_ne!(plan.stop(), 0);
    assert_eq!((shop.stock(&blend).await, shop.count(ItemType::Order).await), (Some(64), 0));
}

#[tokio::test(start_paused = true)]
async fn the_last_pieces_are_sold_and_not_one_more_however_often_orders_conflict() {
    for items in [1, 4, 16] {
        let (shop, plan) = Shop::with_faults();
        let (anna, blend) = (shop.anna().await, shop.product(100, 30).await);
        shop.products.spread_stock(blend.id, items).await.unwrap();
        let mut rng = Rng::with_seed(items.into());
        let mut sold = 0;
        while sold < 30 {
            plan.next(TRANSACTION, rng.u32(0..6), Fault::Conflict);
            let quantity = rng.u32(1..=3).min(30 - sold);
            match shop.place(&anna, &[(&blend, quantity)]).await {
                Ok(_) => sold += quantity,
                Err(Error::Contention) => {}
                Err(error) => panic!("{error}: {sold} of 30 are sold"),
            }
            let _ = plan.stop();
        }
        assert_eq!(shop.stock(&blend).await, Some(0));
        let more = shop.place(&anna, &[(&blend, 1)]).await;
        assert!(matches!(more, Err(Error::OutOfStock(_))), "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stock_change_counts_once_while_orders_are_placed_and_cancelled() {
    for items in [1, 8] {
        let shop = Arc::new(Shop::open().await);
        let anna = Arc::new(shop.anna().await);
        let blend = Arc::new(shop.product(100, 50).await);
        shop.products.spread_stock(blend.id, items).await.unwrap();
        let admin = UserId::new();
        let mut tasks = Vec::new();
        for task in 0..5_u64 {
            let (shop, anna, blend) = (Arc::clone(&shop), Arc::clone(&anna), Arc::clone(&blend));
            tasks.push(tokio::spawn(async move {
                let mut rng = Rng::with_seed(task);
                let (mut placed, mut received) = (0_i64, 0_i64);
                for round in 0..10 {
                    let quantity = rng.u32(1..=4);
                    match shop.place(&anna, &[(&blend, quantity)]).await {
                        Ok(order) if rng.bool() => {
                            let to = becoming(OrderStatus::Cancelled);
                            shop.orders
                                .change_status(OrderAccess::Any, order.id, to)
                                .await
                                .unwrap();
                        }
                        Ok(_) => placed += i64::from(quantity),
                        Err(Error::OutOfStock(_) | Error::Contention) => {}
                        Err(error) => panic!("{error}"),
                    }
                    let change = rng.i64(-2..=5);
                    if change == 0 {
                        continue;
                    }
                    let key = || Some((admin, format!("{task}-{round}").parse().unwrap()));
                    let change_stock =
                        async || shop.products.change_stock(blend.id, change, key()).await;
                    match change_stock().await {
                        Ok(changed) => {
                            assert!(!changed.replayed);
                            assert!(change_stock().await.unwrap().replayed);
                            received += change;
                        }
                        Err(Error::OutOfStock(_) | Error::Contention) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                received - placed
            }));
        }
        let mut expected = 50;
        for task in tasks {
            expected += task.await.unwrap();
        }
        assert_eq!(shop.stock(&blend).await, Some(expected.try_into().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_piece_is_lost_while_a_product_that_sells_is_spread_and_gathered() {
    let shop = Arc::new(Shop::open().await);
    let anna = Arc::new(shop.anna().await);
    let blend = Arc::new(shop.product(100, 200).await);
    let sellers: Vec<_> = (0..6)
        .map(|_| {
            let (shop, anna, blend) = (Arc::clone(&shop), Arc::clone(&anna), Arc::clone(&blend));
            tokio::spawn(async move {
                let mut sold = 0;
                for _ in 0..40 {
                    match shop.place(&anna, &[(&blend, 1)]).await {
                        Ok(_) => sold += 1,
                        Err(Error::OutOfStock(_) | Error::Contention) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                sold
            })
        })
        .collect();
    for items in [4, 64, 2, 16, 1, 8, 3] {
        match shop.products.spread_stock(blend.id, items).await {
            Ok(()) | Err(Error::Contention) => {}
            Err(error) => panic!("{error}"),
        }
        let price = ProductChanges { price: Some(items.into()), ..ProductChanges::default() };
        shop.products.update(blend.id, price, None).await.unwrap();
    }
    let mut left = 200;
    for seller in sellers {
        left -= seller.await.unwrap();
    }
    assert_eq!(shop.stock(&blend).await, Some(left));
}

#[tokio::test(start_paused = true)]
async fn goods_received_by_a_product_that_sells_fast_go_into_one_item_and_from_there_to_the_others()
{
    let (shop, plan) = Shop::with_faults();
    let blend = shop.product(100, 0).await;
    shop.products.spread_stock(blend.id, 4).await.unwrap();
    plan.next(TRANSACTION, 2, Fault::Conflict);
    let changed = shop.products.change_stock(blend.id, 10, None).await.unwrap();
    assert_eq!((changed.value.stock, plan.remaining()), (Some(10), 0));
    let mut held = Vec::new();
    for number in 0..4 {
        let item = shop.raw(Key::stock(blend.id, number)).await.unwrap();
        held.push(item["quantity"].as_n().unwrap().clone());
    }
    assert_eq!(held, ["3", "3", "2", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_stock_change_whose_answer_was_lost_counts_once() {
    for fault in [Fault::AppliedServerError, Fault::AppliedReset, Fault::TruncatedBody] {
        let (shop, plan) = Shop::with_faults();
        let blend = shop.product(100, 10).await;
        plan.next(TRANSACTION, 1, fault);
        shop.products.change_stock(blend.id, 5, None).await.unwrap();
        assert_eq!((shop.stock(&blend).await, plan.remaining()), (Some(15), 0));
    }
}

#[tokio::test]
async fn a_stock_taking_sets_all_items_of_a_spread_product() {
    let shop = Shop::open().await;
    let blend = shop.product(100, 30).await;
    shop.products.spread_stock(blend.id, 7).await.unwrap();
    for stock in [Some(10), None, Some(3), Some(0), Some(1000)] {
        let changes = ProductChanges { stock: Some(stock), ..ProductChanges::default() };
        let changed = shop.products.update(blend.id, changes, None).await.unwrap();
        assert_eq!(changed.stock, stock);
        assert_eq!(shop.stock(&blend).await, stock);
    }
}
