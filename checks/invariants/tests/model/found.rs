//! What random scripts have found, shrunk, or what was suspected and then tried.

use crate::check_one;
use crate::script::{Address, By, Fields, IfMatch, Nth, Operation, Script, Step, UserFields};

const ADMIN: By = By::User(Nth(0));

/// The operations of one step at once, their requests in these turns.
fn at_once(turns: &[u8], operations: Vec<Operation>) {
    let step = Step { operations, turns: turns.to_vec() };
    check_one(Script { failed_log_ins: 0, steps: vec![step] });
}

fn order_of_the_first_product() -> Operation {
    Operation::PlaceOrder { by: Nth(1), items: vec![(Nth(0), 1)], key: None }
}

fn change_of_the_first_product(fields: Fields, if_match: IfMatch) -> Operation {
    Operation::ChangeProduct { by: Nth(0), product: Nth(0), fields, if_match }
}

fn new_email_of_the_first_customer(number: u8) -> Operation {
    let fields = UserFields { email: Some(Address::plain(number)), ..UserFields::default() };
    Operation::ChangeUser { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None }
}

#[test]
fn an_order_has_the_name_that_its_product_has_when_its_stock_is_taken() {
    let renamed = Fields { name: Some(1), ..Fields::default() };
    at_once(
        &[1],
        vec![change_of_the_first_product(renamed, IfMatch::None), order_of_the_first_product()],
    );
}

#[test]
fn an_email_that_is_set_to_what_it_was_is_that_after_the_change() {
    at_once(
        &[0, 1, 1, 0],
        vec![new_email_of_the_first_customer(1), new_email_of_the_first_customer(3)],
    );
}

#[test]
fn whoever_logs_in_has_the_email_that_they_logged_in_with() {
    for turns in [&[2, 2, 0, 0, 1, 1, 1, 1][..], &[2, 2, 0, 0, 1, 0], &[2, 2, 0, 0, 1, 1, 0]] {
        at_once(
            turns,
            vec![
                new_email_of_the_first_customer(3),
                new_email_of_the_first_customer(4),
                Operation::LogIn { email: Address::plain(3), password: 0 },
            ],
        );
    }
}

#[test]
fn of_two_who_make_the_same_change_of_one_version_one_is_refused() {
    let cheaper = Fields { price: Some(250), ..Fields::default() };
    at_once(
        &[],
        vec![
            change_of_the_first_product(cheaper, IfMatch::Current),
            change_of_the_first_product(cheaper, IfMatch::Current),
        ],
    );
}

#[test]
fn a_change_that_an_old_password_confirmed_is_not_made_under_a_new_one() {
    let set =
        |fields, by| Operation::ChangeUser { by, user: Nth(1), fields, if_match: IfMatch::None };
    let taken_back = UserFields { password: Some(1), ..UserFields::default() };
    let email = Some(Address::plain(3));
    let confirmed = UserFields { email, current: Some(0), ..UserFields::default() };
    let operations = vec![set(taken_back, ADMIN), set(confirmed, By::Oneself)];
    for turns in [&[1][..], &[1, 1], &[1, 1, 1], &[1, 1, 1, 1]] {
        at_once(turns, operations.clone());
    }
}

#[test]
fn whoever_deletes_one_version_of_a_user_does_not_delete_the_next() {
    let fields = UserFields { name: Some(1), ..UserFields::default() };
    let renamed =
        Operation::ChangeUser { by: ADMIN, user: Nth(1), fields, if_match: IfMatch::None };
    let deleted =
        Operation::DeleteUser { by: By::Oneself, user: Nth(1), if_match: IfMatch::Current };
    for turns in [&[1][..], &[1, 1]] {
        at_once(turns, vec![renamed.clone(), deleted.clone()]);
    }
}
