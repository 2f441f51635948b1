//! Generates scripts. They name few users, products and orders, often the same ones, so that
//! operations conflict.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use storefront_core::OrderRules;

use super::script::{By, IfMatch, NONEXISTENT, Nth, Script, Step};
use crate::entities::{
    Operation, any_operation, focus, mail_tokens, orders, products, sessions, users,
};

/// Scripts of one client.
pub(crate) fn sequential() -> impl Strategy<Value = Script> {
    let step = any_operation().prop_map(Step::alone);
    script(vec(step, 1..20))
}

/// Scripts of concurrent clients, mostly about users, their sessions, and the tokens of their mails.
pub(crate) fn concurrent_on_users() -> impl Strategy<Value = Script> {
    concurrent(prop_oneof![
        3 => users::operations(),
        2 => sessions::operations(),
        2 => mail_tokens::operations(),
        1 => any_operation(),
    ])
}

/// Scripts of concurrent clients, mostly about products and orders.
pub(crate) fn concurrent_on_orders() -> impl Strategy<Value = Script> {
    concurrent(prop_oneof![
        3 => orders::operations(),
        2 => products::operations(),
        1 => any_operation(),
    ])
}

fn concurrent(operation: impl Strategy<Value = Operation>) -> impl Strategy<Value = Script> {
    let step = (vec(operation, 1..=4), vec(0..4_u8, 0..24), option::weighted(0.7, focus()))
        .prop_map(|(mut operations, interleaving, focus)| {
            if let Some(focus) = focus {
                for operation in &mut operations {
                    operation.entity_mut().focus_on(&focus);
                }
            }
            Step { operations, interleaving }
        });
    script(vec(step, 1..9))
}

fn script(steps: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Script> {
    // Mostly none, and sometimes so many that the next ones lock the email.
    let failed_log_ins = prop_oneof![6 => Just(0), 1 => 8..=10_u32];
    let spread = prop_oneof![3 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(16)];
    let rules = (option::weighted(0.75, Just(60)), option::weighted(0.3, Just(3)))
        .prop_map(|(pending_minutes, max_open)| OrderRules { pending_minutes, max_open });
    (failed_log_ins, spread, rules, steps).prop_map(|(failed_log_ins, spread, rules, steps)| {
        Script { failed_log_ins, spread, rules, steps }
    })
}

/// The member of staff who exists from the start.
pub(crate) const STAFF: Nth<'u'> = Nth(3);

/// Mostly one of these three, which exist from the start.
pub(crate) fn mostly<const LETTER: char>(initial: [u8; 3]) -> impl Strategy<Value = Nth<LETTER>> {
    let [first, second, third] = initial.map(Just);
    prop_oneof![8 => first, 4 => second, 2 => third, 2 => 3..6_u8, 1 => Just(NONEXISTENT)]
        .prop_map(Nth)
}

/// Rarely the administrator: when that one is gone, little can be done.
pub(crate) fn user() -> impl Strategy<Value = Nth<'u'>> {
    mostly([1, 2, 0])
}

/// Mostly the administrator.
pub(crate) fn mostly_admin() -> impl Strategy<Value = Nth<'u'>> {
    prop_oneof![5 => Just(Nth(0)), 1 => user()]
}

pub(crate) fn by() -> impl Strategy<Value = By> {
    prop_oneof![
        2 => Just(By::Owner),
        2 => Just(By::User(Nth(0))),
        1 => Just(By::User(STAFF)),
        1 => user().prop_map(By::User),
    ]
}

/// Mostly somebody who works for the shop.
pub(crate) fn mostly_staff() -> impl Strategy<Value = Nth<'u'>> {
    prop_oneof![3 => Just(Nth(0)), 3 => Just(STAFF), 1 => user()]
}

pub(crate) fn if_match() -> impl Strategy<Value = IfMatch> {
    prop_oneof![
        6 => Just(IfMatch::None),
        1 => Just(IfMatch::Any),
        6 => Just(IfMatch::Current),
        1 => Just(IfMatch::Stale),
    ]
}
