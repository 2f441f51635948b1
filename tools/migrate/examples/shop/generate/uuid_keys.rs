//! The example with UUIDs.

use storefront_core::OrderStatus;
use uuid::Uuid;

use super::insert::{Inserts, Literal};
use super::shop::{CATEGORIES, CURRENCIES, Customer, Flaw, Kind, Order, Product, Shop, of};

pub(super) const SCHEMA: &str = include_str!("../../uuid-keys/schema.sql");

/// Adds the currencies, before all other rows.
pub(super) fn begin(inserts: &mut Inserts) {
    for (n, code) in (1..).zip(CURRENCIES) {
        inserts.add("currencies", &[Literal::Number(n), Literal::text(code)]);
    }
}

pub(super) fn customer(shop: &Shop, customer: &Customer, inserts: &mut Inserts) {
    let id = random_id(shop, Kind::CustomerId, customer.n);
    let name = format!("{} {}", customer.first_name, customer.last_name);
    inserts.add("accounts", &[Literal::text(id), Literal::Text(name), time(customer.created_at)]);
    inserts.add(
        "credentials",
        &[
            Literal::text(id),
            Literal::text(&customer.email),
            Literal::text(&customer.password),
            time(customer.updated_at),
        ],
    );
}

pub(super) fn product(shop: &Shop, product: &Product, inserts: &mut Inserts) {
    let id = random_id(shop, Kind::ProductId, product.n);
    inserts.add(
        "products",
        &[
            Literal::text(id),
            Literal::text(&product.title),
            product.description.as_ref().map(Literal::text).into(),
            Literal::text(CATEGORIES[product.category as usize]),
            time(product.created_at),
        ],
    );
    let currency = product.n % of(&CURRENCIES);
    // A former price, and the current one.
    for (price, until) in [(product.price + 100, Some(product.created_at)), (product.price, None)] {
        let last = if until.is_some() { 1 } else { 2 };
        inserts.add(
            "product_prices",
            &[
                Literal::text(Uuid::from_u128(id.as_u128() ^ last)),
                Literal::text(id),
                (currency + 1).into(),
                price.into(),
                time(product.created_at),
                until.map(time).into(),
            ],
        );
    }
}

pub(super) fn order(shop: &Shop, order: &Order, inserts: &mut Inserts) {
    let id = order_id(shop, order);
    if order.flaw != Some(Flaw::OrderGone) {
        let [paid, sent, arrived, cancelled] = times(order.status);
        let at = |is: bool| is.then(|| time(order.updated_at)).into();
        inserts.add(
            "purchases",
            &[
                Literal::text(id),
                Literal::text(random_id(shop, Kind::CustomerId, order.customer)),
                time(order.created_at),
                at(paid),
                at(sent),
                at(arrived),
                at(cancelled),
            ],
        );
    }
    for (position, line) in (1..).zip(&order.lines) {
        inserts.add(
            "purchase_positions",
            &[
                Literal::text(id),
                Literal::Number(position),
                Literal::text(random_id(shop, Kind::ProductId, line.product)),
                Literal::text(&line.title),
                line.quantity.into(),
                (line.currency + 1).into(),
                line.price.into(),
            ],
        );
    }
}

/// Returns an order's id. The newer half has ids of version 7, as if the application had been
/// changed.
fn order_id(shop: &Shop, order: &Order) -> Uuid {
    if order.n < shop.orders / 2 {
        return random_id(shop, Kind::OrderId, order.n);
    }
    let mut rest = [0; 10];
    shop.random(Kind::OrderId, order.n).fill(&mut rest);
    let millis = order.created_at.unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

fn random_id(shop: &Shop, kind: Kind, n: u32) -> Uuid {
    let bytes = shop.random(kind, n).u128(..).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn time(millis: i64) -> Literal {
    match Literal::time(millis) {
        Literal::Text(text) => Literal::Text(format!("{text}+00:00")),
        other => other,
    }
}

/// Returns whether the order was paid, was sent, has arrived and was cancelled.
fn times(status: Option<OrderStatus>) -> [bool; 4] {
    match status {
        Some(OrderStatus::Pending) | None => [false, false, false, false],
        Some(OrderStatus::Paid) => [true, false, false, false],
        Some(OrderStatus::Shipped) => [true, true, false, false],
        // That shop takes nothing back.
        Some(OrderStatus::Delivered | OrderStatus::Returned) => [true, true, true, false],
        Some(OrderStatus::Cancelled) => [true, false, false, true],
    }
}
