//! Scripts that once failed, shrunk, and races that were suspected and tried.

use storefront_core::{OrderRules, OrderStatus};

use crate::check_one;
use crate::engine::script::{By, IfMatch, Nth, Script, Step};
use crate::entities::Operation;
use crate::entities::mail_tokens::MailTokenOperation;
use crate::entities::orders::{Amount, ExpectedTotal, ExpiryOperation, OrderOperation};
use crate::entities::products::{ProductFields, ProductOperation};
use crate::entities::sessions::SessionOperation;
use crate::entities::users::{Deletion, UserFields, UserOperation};
use crate::entities::values::Address;

const ADMIN: By = By::User(Nth(0));

/// The most requests to DynamoDB that an operation of these scripts sends.
const REQUESTS: usize = 10;

/// Runs the operations concurrently, with their requests to DynamoDB in this order.
fn check_concurrent(interleaving: &[u8], operations: Vec<Operation>) {
    check_concurrent_on_spread(1, interleaving, operations);
}

/// Does the same, with the stock of `p0` spread over this many items.
fn check_concurrent_on_spread(spread: u8, interleaving: &[u8], operations: Vec<Operation>) {
    let step = Step { operations, interleaving: interleaving.to_vec() };
    let rules = OrderRules::default();
    check_one(Script { failed_log_ins: 0, spread, rules, steps: vec![step] });
}

/// Runs the second operation before each request of the first one, with the stock of `p0` spread over
/// two items: 8 pieces.
fn check_between_requests(first: &Operation, second: &Operation) {
    for sent in 0..REQUESTS {
        let interleaving = [vec![0; sent], vec![1; REQUESTS]].concat();
        check_concurrent_on_spread(2, &interleaving, vec![first.clone(), second.clone()]);
    }
}

/// Runs the steps, and then the second operation before each request of the first one.
fn check_after(steps: &[Operation], [first, second]: &[Operation; 2]) {
    for sent in 0..REQUESTS {
        let interleaving = [vec![0; sent], vec![1; REQUESTS]].concat();
        let operations = vec![first.clone(), second.clone()];
        let steps = steps.iter().cloned().map(Step::alone);
        let steps = steps.chain([Step { operations, interleaving }]).collect();
        check_one(Script { failed_log_ins: 0, spread: 1, rules: OrderRules::default(), steps });
    }
}

fn order_of_the_first_product() -> Operation {
    order(1)
}

fn order(pieces: u32) -> Operation {
    OrderOperation::Place {
        by: Nth(1),
        items: vec![(Nth(0), pieces)],
        expects: ExpectedTotal::NotSaid,
        address: None,
        key: None,
    }
    .into()
}

fn change_of_the_first_product(fields: ProductFields, if_match: IfMatch) -> Operation {
    ProductOperation::Change { by: Nth(0), product: Nth(0), fields, if_match }.into()
}

fn stock_change(change: i64) -> Operation {
    ProductOperation::ChangeStock { by: Nth(0), product: Nth(0), change, key: Some(0) }.into()
}

fn spread(items: u8) -> Operation {
    ProductOperation::Spread { by: Nth(0), product: Nth(0), items }.into()
}

fn cancellation_of_the_first_order() -> Operation {
    change_of_the_first_order(By::Owner, OrderStatus::Cancelled)
}

fn change_of_the_first_order(by: By, to: OrderStatus) -> Operation {
    let (order, if_match) = (Nth(0), IfMatch::None);
    OrderOperation::ChangeStatus { by, order, to, tracking: None, if_match }.into()
}

fn refund_of_the_first_order(amount: Amount, key: u8) -> Operation {
    OrderOperation::Refund { by: Nth(0), order: Nth(0), amount, key }.into()
}

fn expiry_of_the_first_customers_orders() -> [Operation; 2] {
    [ExpiryOperation::LetExpire { of: Nth(1) }.into(), ExpiryOperation::Run.into()]
}

fn new_email_of_the_first_customer(number: u8) -> Operation {
    let fields = UserFields { email: Some(Address::normalised(number)), ..UserFields::default() };
    UserOperation::Change { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None }.into()
}

#[test]
fn an_order_has_the_name_that_its_product_has_when_its_stock_is_taken() {
    let renamed = ProductFields { name: Some(1), ..ProductFields::default() };
    check_concurrent(
        &[1],
        vec![change_of_the_first_product(renamed, IfMatch::None), order_of_the_first_product()],
    );
}

#[test]
fn an_email_that_is_set_to_what_it_was_is_that_after_the_change() {
    check_concurrent(
        &[0, 1, 1, 0],
        vec![new_email_of_the_first_customer(1), new_email_of_the_first_customer(3)],
    );
}

#[test]
fn whoever_logs_in_has_the_email_that_they_logged_in_with() {
    for interleaving in [&[2, 2, 0, 0, 1, 1, 1, 1][..], &[2, 2, 0, 0, 1, 0], &[2, 2, 0, 0, 1, 1, 0]]
    {
        check_concurrent(
            interleaving,
            vec![
                new_email_of_the_first_customer(3),
                new_email_of_the_first_customer(4),
                UserOperation::LogIn { email: Address::normalised(3), password: 0 }.into(),
            ],
        );
    }
}

#[test]
fn of_two_who_make_the_same_change_of_one_version_one_is_refused() {
    let cheaper = ProductFields { price: Some(250), ..ProductFields::default() };
    check_concurrent(
        &[],
        vec![
            change_of_the_first_product(cheaper, IfMatch::Current),
            change_of_the_first_product(cheaper, IfMatch::Current),
        ],
    );
}

#[test]
fn a_change_that_an_old_password_confirmed_is_not_made_under_a_new_one() {
    let change = |fields, by| {
        UserOperation::Change { by, user: Nth(1), fields, if_match: IfMatch::None }.into()
    };
    let taken_back = UserFields { password: Some(1), ..UserFields::default() };
    let email = Some(Address::normalised(3));
    let confirmed = UserFields { email, current_password: Some(0), ..UserFields::default() };
    let operations = vec![change(taken_back, ADMIN), change(confirmed, By::Owner)];
    for interleaving in [&[1][..], &[1, 1], &[1, 1, 1], &[1, 1, 1, 1]] {
        check_concurrent(interleaving, operations.clone());
    }
}

#[test]
fn whoever_deletes_one_version_of_a_user_does_not_delete_the_next() {
    let fields = UserFields { name: Some(1), ..UserFields::default() };
    let renamed =
        UserOperation::Change { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None };
    let deleted = UserOperation::Delete {
        by: By::Owner,
        user: Nth(1),
        password: Some(0),
        how: Deletion::Delete,
        if_match: IfMatch::Current,
    };
    for interleaving in [&[1][..], &[1, 1]] {
        check_concurrent(interleaving, vec![renamed.clone().into(), deleted.clone().into()]);
    }
}

#[test]
fn pieces_that_are_being_moved_are_neither_lost_nor_missed() {
    check_between_requests(&stock_change(-8), &spread(3));
    check_between_requests(&order(8), &spread(3));
    check_between_requests(&spread(1), &order(8));
    check_between_requests(&cancellation_of_the_first_order(), &spread(1));
}

#[test]
fn a_stock_that_is_set_while_pieces_are_taken_is_what_it_was_set_to_or_less() {
    let change = |stock, selling| {
        let fields = ProductFields { stock: Some(stock), selling, ..ProductFields::default() };
        change_of_the_first_product(fields, IfMatch::None)
    };
    check_between_requests(&stock_change(-8), &change(None, None));
    check_between_requests(&order(8), &change(Some(7), None));
    check_between_requests(&order(8), &change(Some(0), Some(false)));
    check_between_requests(&spread(3), &change(Some(7), None));
    check_between_requests(&cancellation_of_the_first_order(), &change(None, None));
}

#[test]
fn of_two_who_send_the_same_change_with_one_key_one_is_answered_the_other() {
    check_between_requests(&stock_change(-8), &stock_change(-8));
    check_between_requests(&stock_change(2), &stock_change(3));
}

#[test]
fn an_order_is_not_short_of_pieces_that_were_spread_since_it_read_the_stock() {
    for sent in 0..REQUESTS {
        let interleaving = [vec![0; sent], vec![1; REQUESTS]].concat();
        check_concurrent_on_spread(1, &interleaving, vec![order(3), spread(4)]);
    }
}

#[test]
fn an_order_is_placed_however_many_stock_items_lag_behind_a_new_name() {
    let renamed = ProductFields { name: Some(1), ..ProductFields::default() };
    let renamed = change_of_the_first_product(renamed, IfMatch::None);
    check_concurrent_on_spread(16, &[1, 1], vec![order(2), renamed]);
}

#[test]
fn an_order_is_either_paid_or_expires() {
    let [overdue, expiry] = expiry_of_the_first_customers_orders();
    let paid = change_of_the_first_order(ADMIN, OrderStatus::Paid);
    check_after(&[overdue], &[expiry.clone(), paid]);
    check_after(&[], &[expiry.clone(), expiry]);
}

#[test]
fn an_order_is_either_cancelled_by_its_customer_or_expires() {
    let [overdue, expiry] = expiry_of_the_first_customers_orders();
    check_after(&[overdue], &[expiry, cancellation_of_the_first_order()]);
}

#[test]
fn an_order_that_is_paid_while_it_is_made_overdue_has_no_time_to_be_paid_by() {
    let [overdue, _] = expiry_of_the_first_customers_orders();
    check_after(&[], &[change_of_the_first_order(ADMIN, OrderStatus::Paid), overdue]);
}

#[test]
fn a_refund_that_is_sent_twice_at_once_is_booked_once() {
    let paid = change_of_the_first_order(ADMIN, OrderStatus::Paid);
    let part = refund_of_the_first_order(Amount::Of(100), 0);
    let rest = refund_of_the_first_order(Amount::Rest, 0);
    let other = refund_of_the_first_order(Amount::Rest, 1);
    check_after(std::slice::from_ref(&paid), &[part.clone(), part.clone()]);
    check_after(std::slice::from_ref(&paid), &[rest.clone(), rest]);
    check_after(&[paid], &[part, other]);
}

#[test]
fn a_refund_that_is_repeated_shows_the_order_that_it_was_booked_for() {
    let paid = change_of_the_first_order(ADMIN, OrderStatus::Paid);
    let refund = refund_of_the_first_order(Amount::Of(100), 0);
    for sent in 0..6 {
        let interleaving = [vec![0; sent], vec![1; REQUESTS], vec![1; REQUESTS]].concat();
        let operations = vec![refund.clone(), paid.clone(), refund.clone()];
        check_concurrent(&interleaving, operations);
    }
}

/// The one whose time was read first may come second.
#[test]
fn two_windows_that_refresh_a_session_at_once_both_go_on() {
    let refresh: Operation = SessionOperation::Refresh { session: Nth(0), ago: 0 }.into();
    check_between_requests(&refresh, &refresh);
}

#[test]
fn a_session_is_refreshed_or_ended_while_its_users_password_changes() {
    let refresh: Operation = SessionOperation::Refresh { session: Nth(0), ago: 0 }.into();
    let end: Operation = SessionOperation::End { by: By::Owner, session: Nth(0) }.into();
    let fields = UserFields { password: Some(1), ..UserFields::default() };
    let change = UserOperation::Change { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None };
    let change: Operation = change.into();
    for other in [&change, &end] {
        check_between_requests(&refresh, other);
        check_between_requests(other, &refresh);
    }
}

fn reset(token: u8, password: u8) -> Operation {
    MailTokenOperation::ResetPassword { token: Nth(token), password }.into()
}

fn verification(token: u8) -> Operation {
    MailTokenOperation::VerifyEmail { token: Nth(token) }.into()
}

#[test]
fn a_token_that_is_used_twice_at_once_works_once() {
    check_between_requests(&reset(0, 1), &reset(0, 0));
    check_between_requests(&verification(2), &verification(2));
}

#[test]
fn of_two_tokens_for_one_password_one_works_and_of_two_for_one_email_both_do() {
    check_between_requests(&reset(0, 1), &reset(4, 0));
    check_between_requests(&verification(2), &verification(6));
}

#[test]
fn a_token_works_only_for_the_email_and_the_password_that_its_user_still_has() {
    let fields = UserFields { password: Some(1), ..UserFields::default() };
    let new_password =
        UserOperation::Change { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None };
    let deletion = UserOperation::Delete {
        by: ADMIN,
        user: Nth(1),
        password: Some(0),
        how: Deletion::Delete,
        if_match: IfMatch::None,
    };
    let new_email = new_email_of_the_first_customer(3);
    for other in [new_password.into(), deletion.into(), new_email] {
        for use_of_token in [reset(0, 0), verification(2)] {
            check_between_requests(&use_of_token, &other);
            check_between_requests(&other, &use_of_token);
        }
    }
}

#[test]
fn a_session_is_begun_or_refreshed_while_its_users_password_is_reset() {
    let log_in = UserOperation::LogIn { email: Address::normalised(1), password: 0 };
    let refresh = SessionOperation::Refresh { session: Nth(0), ago: 0 };
    for other in [log_in.into(), refresh.into()] {
        check_between_requests(&other, &reset(0, 1));
        check_between_requests(&reset(0, 1), &other);
    }
}

/// `s1` was kept when the password was changed in it.
#[test]
fn a_new_password_by_mail_keeps_no_session() {
    let refresh: Operation = SessionOperation::Refresh { session: Nth(1), ago: 0 }.into();
    let steps = [refresh.clone(), reset(1, 1), refresh];
    let steps = steps.into_iter().map(Step::alone).collect();
    check_one(Script { failed_log_ins: 0, spread: 1, rules: OrderRules::default(), steps });
}

/// `t8` and `t9` are of registrations with the same email, `t10` is of one with another.
#[test]
fn of_all_who_want_an_email_at_once_one_gets_it() {
    let email = Address::normalised(3);
    let register: Operation = UserOperation::Register { email, password: 1 }.into();
    for other in [register, new_email_of_the_first_customer(3), verification(9), verification(8)] {
        check_between_requests(&verification(8), &other);
        check_between_requests(&other, &verification(8));
    }
}
