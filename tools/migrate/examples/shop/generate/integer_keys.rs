//! The example with integer keys.

use storefront_core::OrderStatus;

use super::insert::{Inserts, Literal};
use super::shop::{CATEGORIES, Customer, Flaw, Order, Product};

pub(super) const SCHEMA: &str = include_str!("../../integer-keys/schema.sql");

/// Adds the categories, before all other rows.
pub(super) fn begin(inserts: &mut Inserts) {
    for (n, title) in (1..).zip(CATEGORIES) {
        inserts.add("categories", &[Literal::Number(n), Literal::text(title)]);
    }
}

pub(super) fn customer(customer: &Customer, inserts: &mut Inserts) {
    inserts.add(
        "customers",
        &[
            id(customer.n),
            Literal::text(&customer.email),
            Literal::text(customer.first_name),
            Literal::text(customer.last_name),
            Literal::text(&customer.password),
            Literal::Bool(customer.is_staff),
            Literal::time(customer.created_at),
            Literal::time(customer.updated_at),
        ],
    );
}

pub(super) fn product(product: &Product, inserts: &mut Inserts) {
    inserts.add(
        "products",
        &[
            id(product.n),
            id(product.category),
            Literal::text(&product.title),
            product.description.as_ref().map(Literal::text).into(),
            Literal::decimal(product.price),
            product.stock.into(),
            Literal::time(product.created_at),
            Literal::time(product.created_at),
        ],
    );
}

pub(super) fn order(order: &Order, inserts: &mut Inserts) {
    if order.flaw != Some(Flaw::OrderGone) {
        inserts.add(
            "orders",
            &[
                id(order.n),
                id(order.customer),
                Literal::text(state(order.status)),
                Literal::decimal(order.total()),
                Literal::time(order.created_at),
                Literal::time(order.updated_at),
            ],
        );
    }
    // An order has fewer than 100 lines, so their ids do not collide.
    for (position, line) in (i64::from(order.n) * 100..).zip(&order.lines) {
        inserts.add(
            "order_lines",
            &[
                Literal::Number(position),
                id(order.n),
                id(line.product),
                Literal::text(&line.title),
                line.quantity.into(),
                Literal::decimal(line.price),
            ],
        );
    }
}

/// Returns the id of a row; databases count from 1.
fn id(n: u32) -> Literal {
    Literal::Number(i64::from(n) + 1)
}

fn state(status: Option<OrderStatus>) -> &'static str {
    match status {
        Some(OrderStatus::Pending) => "N",
        Some(OrderStatus::Paid) => "P",
        Some(OrderStatus::Shipped) => "S",
        Some(OrderStatus::Delivered) => "D",
        Some(OrderStatus::Returned) => "R",
        Some(OrderStatus::Cancelled) => "X",
        None => "?",
    }
}
