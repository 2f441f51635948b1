//! Generates operations on orders.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use storefront_core::{OrderStatus, Payment};

use super::{Amount, ExpectedTotal, ExpiryOperation, Of, OrderOperation, OrderRef};
use crate::engine::generate::{by, if_match, mostly, mostly_staff, user};
use crate::engine::script::Nth;
use crate::entities::Operation;
use crate::entities::products::{ProductRef, product};

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        7 => placements().prop_map(Operation::Order),
        9 => changes().prop_map(Operation::Order),
        3 => refunds().prop_map(Operation::Order),
        3 => reads().prop_map(Operation::Order),
        2 => user().prop_map(|of| ExpiryOperation::LetExpire { of }.into()),
        2 => Just(ExpiryOperation::Run.into()),
    ]
}

fn placements() -> impl Strategy<Value = OrderOperation> {
    let place = (user(), vec((ordered_product(), quantity()), 1..=3), expected_total(), address())
        .prop_map(|(by, items, expects, address)| OrderOperation::Place {
            by,
            items,
            expects,
            address,
            key: None,
        });
    // The same key mostly comes with the same items.
    let items = |key: u8| {
        prop_oneof![
            3 => Just(vec![(Nth(0), 1), (Nth(key), 1)]),
            1 => vec((ordered_product(), quantity()), 1..=2),
        ]
    };
    let place_with_key = (user(), key())
        .prop_flat_map(move |(by, key)| {
            (Just(by), items(key), expected_total(), address(), Just(Some(key)))
        })
        .prop_map(|(by, items, expects, address, key)| OrderOperation::Place {
            by,
            items,
            expects,
            address,
            key,
        });
    prop_oneof![4 => place, 3 => place_with_key]
}

fn changes() -> impl Strategy<Value = OrderOperation> {
    let status_and_tracking = prop_oneof![
        1 => Just((OrderStatus::Pending, None)),
        4 => Just((OrderStatus::Paid, None)),
        4 => (Just(OrderStatus::Shipped), option::of(0..2_u8)),
        2 => Just((OrderStatus::Delivered, None)),
        3 => Just((OrderStatus::Returned, None)),
        5 => Just((OrderStatus::Cancelled, None)),
        1 => (Just(OrderStatus::Paid), Just(Some(0))),
    ];
    (by(), order(), status_and_tracking, if_match()).prop_map(
        |(by, order, (to, tracking), if_match)| OrderOperation::ChangeStatus {
            by,
            order,
            to,
            tracking,
            if_match,
        },
    )
}

/// The same key mostly comes with the same amount.
fn refunds() -> impl Strategy<Value = OrderOperation> {
    let amount = prop_oneof![
        5 => Just(Amount::Of(100)),
        4 => Just(Amount::Rest),
        1 => Just(Amount::Of(1_000_000)),
        1 => Just(Amount::Of(0)),
    ];
    (mostly_staff(), order(), amount, key())
        .prop_map(|(by, order, amount, key)| OrderOperation::Refund { by, order, amount, key })
}

fn reads() -> impl Strategy<Value = OrderOperation> {
    let show = (by(), order()).prop_map(|(by, order)| OrderOperation::Show { by, order });
    let range = || (1..4_usize, option::of(order()), option::of(order()));
    let list = (by(), user(), range())
        .prop_map(|(by, of, (limit, from, to))| OrderOperation::List { by, of, limit, from, to });
    let of = prop_oneof![
        6 => prop_oneof![
            Just(Of::Status(OrderStatus::Pending)),
            Just(Of::Status(OrderStatus::Paid)),
            Just(Of::Status(OrderStatus::Shipped)),
            Just(Of::Payment(Payment::RefundDue)),
        ],
        1 => prop_oneof![
            Just(Of::Status(OrderStatus::Delivered)),
            Just(Of::Status(OrderStatus::Cancelled)),
            Just(Of::Payment(Payment::Refunded)),
        ],
    ];
    let range = (1..4_usize, option::weighted(0.2, order()), option::weighted(0.2, order()));
    let list_of_all_users = (mostly_staff(), of, range).prop_map(|(by, of, (limit, from, to))| {
        OrderOperation::ListOfAllUsers { by, of, limit, from, to }
    });
    prop_oneof![1 => show, 1 => list, 2 => list_of_all_users]
}

fn order() -> impl Strategy<Value = OrderRef> {
    mostly([0, 1, 2])
}

fn key() -> impl Strategy<Value = u8> {
    0..2_u8
}

/// Mostly of the same currency; and what is free often alone.
fn ordered_product() -> impl Strategy<Value = ProductRef> {
    prop_oneof![8 => Just(Nth(0)), 6 => Just(Nth(1)), 3 => product(), 2 => Just(Nth(3))]
}

/// Twice the largest is more than an order may have of a product.
fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![10 => 1..4_u32, 1 => Just(600)]
}

fn address() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.2, 0..2_u8)
}

fn expected_total() -> impl Strategy<Value = ExpectedTotal> {
    prop_oneof![
        4 => Just(ExpectedTotal::NotSaid),
        3 => Just(ExpectedTotal::Current),
        1 => Just(ExpectedTotal::Stale),
    ]
}
