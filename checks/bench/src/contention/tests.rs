use proptest::prelude::*;

use super::sale::Outcome;
use super::*;

/// A sale of single pieces, of which there are plenty, with transactions of 10 ms.
fn rush(stock_items: u8, orders_per_second: f64) -> Sale {
    Sale {
        orders_per_second,
        orders: 20_000,
        pieces: 1..=1,
        transaction: Duration::from_millis(10),
        stock_items,
        stock: PLENTY,
    }
}

/// What the shop promises, in docs/scaling.md: the share of the orders that are placed, 0 to 1, and
/// how long 99 % of those take, in milliseconds.
fn expect_of(sale: &Sale, placed: f64, p99: f64) {
    for seed in 1..=3 {
        let outcome = sale.simulate(seed);
        let least = f64::from(sale.orders) * placed;
        assert!(f64::from(outcome.placed) >= least, "seed {seed}: {outcome:?}");
        assert!(outcome.milliseconds.p99 < p99, "seed {seed}: {outcome:?}");
    }
}

#[test]
fn orders_without_contention_are_placed_at_the_first_attempt() {
    for stock_items in [1, 64] {
        let outcome = Sale { orders: 1_000, ..rush(stock_items, 0.01) }.simulate(1);
        assert_eq!((outcome.placed, outcome.tries, outcome.reads), (1_000, 1.0, 0.0));
        // One read and one transaction.
        assert!((outcome.milliseconds.p99 - 15.0).abs() < 1e-6, "{outcome:?}");
    }
}

#[test]
fn one_stock_item_sells_50_pieces_a_second() {
    expect_of(&rush(1, 50.0), 0.98, 1_500.0);
}

#[test]
fn sixteen_stock_items_sell_1000_pieces_a_second() {
    expect_of(&rush(16, 1_000.0), 0.999, 250.0);
}

#[test]
fn sixty_four_stock_items_sell_4500_pieces_a_second() {
    expect_of(&rush(64, 4_500.0), 0.999, 450.0);
}

#[test]
fn an_order_gives_up_after_seven_tries_of_one_stock_item() {
    let outcome = rush(1, 5_000.0).simulate(1);
    assert!(outcome.gave_up > 18_000 && (6.5..=7.0).contains(&outcome.tries), "{outcome:?}");
}

#[test]
fn the_last_1000_pieces_are_sold_to_the_last() {
    for (stock_items, orders_per_second) in [(1, 50.0), (4, 200.0), (16, 1_000.0), (64, 4_500.0)] {
        for (seed, most) in [(1, 1), (2, 1), (3, 1), (4, 3), (5, 3), (6, 3)] {
            let rush = rush(stock_items, orders_per_second);
            let last = Sale { orders: 2_000, pieces: 1..=most, stock: 1_000, ..rush };
            let outcome = last.simulate(seed);
            assert_eq!((outcome.sold, outcome.left), (1_000, 0), "{last:?}: {outcome:?}");
            let answered = outcome.placed + outcome.refused + outcome.gave_up;
            assert_eq!(answered, last.orders);
            assert!(outcome.gave_up <= 20, "{last:?}: {outcome:?}");
        }
    }
}

#[test]
fn pieces_that_are_scattered_are_gathered() {
    let scattered = Sale { pieces: 3..=3, orders: 2_000, stock: 1_000, ..rush(64, 1_000.0) };
    let Outcome { sold, left, gave_up, .. } = scattered.simulate(1);
    assert_eq!((sold, left), (999, 1));
    assert!(gave_up <= 20, "{gave_up}");
}

#[test]
fn an_order_of_a_product_that_is_sold_out_tries_no_transaction() {
    for stock_items in [4, 16, 64] {
        let sold_out = Sale { orders: 1_000, stock: 0, ..rush(stock_items, 100.0) };
        let outcome = sold_out.simulate(1);
        assert_eq!((outcome.refused, outcome.left), (1_000, 0));
        // All items twice, after all but the first.
        assert_eq!((outcome.tries, outcome.reads), (0.0, 3.0 * f64::from(stock_items) - 1.0));
    }
}

#[test]
fn the_same_seed_gives_the_same_sale() {
    let sale = Sale { orders: 2_000, ..rush(16, 1_500.0) };
    assert_eq!(sale.simulate(1), sale.simulate(1));
    assert_ne!(sale.simulate(1), sale.simulate(2));
}

proptest! {
    #[test]
    fn pieces_are_neither_lost_nor_sold_twice_and_no_item_is_in_two_transactions_at_once(
        orders_per_second in 1.0..2_000.0_f64,
        stock_items in 1..8_u8,
        stock in 0..2_000_u64,
        most in 1..5_u32,
        seed: u64,
    ) {
        let rush = rush(stock_items, orders_per_second);
        let sale = Sale { orders: 500, pieces: 1..=most, stock, ..rush };
        let outcome = sale.simulate(seed);
        prop_assert_eq!(outcome.sold + outcome.left, stock);
        let bound = f64::from(stock_items) / sale.transaction.as_secs_f64();
        prop_assert!(outcome.placed_per_second <= bound * 1.000_001, "{:?}", outcome);
        prop_assert!(outcome.tries <= (7.0 + 5.0) * 4.0, "{:?}", outcome);
    }
}
