//! `available` follows the stock, whatever comes between the reads and the write of a refresh.

use std::sync::Arc;
use std::time::Duration;

use storefront_core::{Error, ProductChanges, ProductId};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::shop::{Shop, category};

const TRANSACTION: &str = "TransactWriteItems";

/// Within the first ten, a refresh is wrong that has no condition, reads the revision after the
/// stock, or does not write what is already there.
const SEEDS: u64 = 20;

/// A shop, the same shop for somebody whose requests meet the faults of the plan, and the plan.
fn shops() -> (Shop, Shop, Plan) {
    let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
    let shop = |plan: &Plan| Shop::over(dynamodb.client(plan), dynamodb.table_name().to_owned());
    (shop(&Plan::none()), shop(&plan), plan)
}

/// Returns what lists say of the only product.
async fn is_available(shop: &Shop) -> bool {
    let list = shop.products.list(&category("coffee"), super::page(2, None)).await.unwrap();
    let [product] = &list.items[..] else { panic!("one product: {list:?}") };
    product.available
}

#[tokio::test]
async fn a_refresh_shows_in_lists_whether_there_is_stock() {
    let shop = Shop::open().await;
    let blend = shop.product(100, 5).await;
    let set = async |stock| {
        let changes = ProductChanges { stock: Some(stock), ..ProductChanges::default() };
        shop.products.update(blend.id, changes, None).await.unwrap();
        shop.products.refresh_availability(blend.id).await.unwrap();
        is_available(&shop).await
    };
    assert!(!set(Some(0)).await);
    assert!(set(Some(1)).await);
    assert!(!set(Some(0)).await);
    assert!(set(None).await, "not counted");
    assert!(!set(Some(0)).await);
    shop.products.spread_stock(blend.id, 4).await.unwrap();
    shop.products.change_stock(blend.id, 1, None).await.unwrap();
    shop.products.refresh_availability(blend.id).await.unwrap();
    assert!(is_available(&shop).await, "a piece in one of four stock items");
}

#[tokio::test]
async fn a_refresh_changes_nothing_else_of_a_product_and_does_not_bring_back_a_deleted_one() {
    let shop = Shop::open().await;
    let blend = shop.product(100, 5).await;
    shop.products.refresh_availability(blend.id).await.unwrap();
    let refreshed = shop.found(&blend).await;
    assert_eq!(refreshed.available_revision, 2);
    let mut expected = blend.clone();
    expected.available_revision = 2;
    assert_eq!(refreshed, expected);

    shop.products.delete(blend.id, None).await.unwrap();
    shop.products.refresh_availability(blend.id).await.unwrap();
    shop.products.refresh_availability(ProductId::new()).await.unwrap();
    assert_eq!(shop.scan().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_read_the_stock_before_a_sale_has_no_last_word() {
    let (shop, slow, plan) = shops();
    let anna = shop.anna().await;
    let blend = shop.product(100, 1).await;
    plan.next(TRANSACTION, 1, Fault::LateWrite);
    let meanwhile = async {
        // The clock moves only once the slow refresh waits for its write.
        sleep(Duration::from_millis(1)).await;
        assert_eq!(plan.remaining(), 0, "it has read that there is stock");
        shop.place(&anna, &[(&blend, 1)]).await.unwrap();
        shop.products.refresh_availability(blend.id).await.unwrap();
        assert!(!is_available(&shop).await);
    };
    let (refreshed, ()) = tokio::join!(slow.products.refresh_availability(blend.id), meanwhile);
    refreshed.unwrap();
    assert!(!is_available(&shop).await, "it has read again");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_confirms_what_is_there_also_outdates_others() {
    let (shop, slow, plan) = shops();
    let anna = shop.anna().await;
    let blend = shop.product(100, 1).await;
    shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    plan.next(TRANSACTION, 1, Fault::LateWrite);
    let meanwhile = async {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(plan.remaining(), 0, "it has read an empty stock, and not written it yet");
        shop.products.change_stock(blend.id, 1, None).await.unwrap();
        shop.products.refresh_availability(blend.id).await.unwrap();
    };
    let (refreshed, ()) = tokio::join!(slow.products.refresh_availability(blend.id), meanwhile);
    refreshed.unwrap();
    assert!(is_available(&shop).await);
}

#[tokio::test(start_paused = true)]
async fn after_any_interleaving_of_sales_deliveries_and_refreshes_lists_are_right() {
    let dynamodb = FaultyDynamoDb::start();
    let shop = |plan| Shop::over(dynamodb.client(&plan), dynamodb.table_name().to_owned());
    let (changing, mut ended) = (Arc::new(shop(Plan::none())), [0, 0]);
    let anna = Arc::new(changing.anna().await);
    for seed in 0..SEEDS {
        let blend = Arc::new(changing.product(100, 1).await);
        if seed % 4 == 0 {
            changing.products.spread_stock(blend.id, 2).await.unwrap();
        }
        // A refresh may stop anywhere, for moments or for seconds, and its write may come late.
        let refreshing = Arc::new(shop(Plan::seeded(seed, 40)));
        let mut random = fastrand::Rng::with_seed(seed);
        let mut changes = JoinSet::new();
        for _ in 0..5 {
            let (is_sale, start) = (random.u8(..3) < 2, Duration::from_millis(random.u64(..4000)));
            let (changing, anna, blend) = (changing.clone(), anna.clone(), blend.clone());
            let refreshing = refreshing.clone();
            changes.spawn(async move {
                sleep(start).await;
                let changed = if is_sale {
                    changing.place(&anna, &[(&blend, 1)]).await.map(drop)
                } else {
                    changing.products.change_stock(blend.id, 1, None).await.map(drop)
                };
                assert!(matches!(changed, Ok(()) | Err(Error::OutOfStock(_))), "{changed:?}");
                // Again and again, as the stream does.
                while let Err(error) = refreshing.products.refresh_availability(blend.id).await {
                    assert!(matches!(error, Error::Contention | Error::Unavailable(_)), "{error}");
                }
            });
        }
        changes.join_all().await;
        // The clock jumps to the last of the late writes.
        sleep(Duration::from_mins(1)).await;
        let is_in_stock = changing.stock(&blend).await != Some(0);
        assert_eq!(changing.found(&blend).await.available, is_in_stock, "seed {seed}");
        ended[usize::from(is_in_stock)] += 1;
    }
    assert!(ended.iter().all(|&times| times > SEEDS / 10), "both ends are common: {ended:?}");
}
