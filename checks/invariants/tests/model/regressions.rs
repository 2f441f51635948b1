//! Scripts that once failed, shrunk, and races that were suspected and tried.

use crate::check_one;
use crate::engine::script::{By, IfMatch, Nth, Script, Step};
use crate::entities::Operation;
use crate::entities::orders::{ExpectedTotal, OrderOperation};
use crate::entities::products::{ProductFields, ProductOperation};
use crate::entities::users::{UserFields, UserOperation};
use crate::entities::values::Address;

const ADMIN: By = By::User(Nth(0));

/// Runs the operations concurrently, with their requests to DynamoDB in this order.
fn check_concurrent(interleaving: &[u8], operations: Vec<Operation>) {
    let step = Step { operations, interleaving: interleaving.to_vec() };
    check_one(Script { failed_log_ins: 0, steps: vec![step] });
}

fn order_of_the_first_product() -> Operation {
    OrderOperation::Place {
        by: Nth(1),
        items: vec![(Nth(0), 1)],
        expects: ExpectedTotal::NotSaid,
        key: None,
    }
    .into()
}

fn change_of_the_first_product(fields: ProductFields, if_match: IfMatch) -> Operation {
    ProductOperation::Change { by: Nth(0), product: Nth(0), fields, if_match }.into()
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
    let deleted = UserOperation::Delete { by: By::Owner, user: Nth(1), if_match: IfMatch::Current };
    for interleaving in [&[1][..], &[1, 1]] {
        check_concurrent(interleaving, vec![renamed.clone().into(), deleted.clone().into()]);
    }
}
