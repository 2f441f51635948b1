//! Makes scripts. The few users, products and orders that they name are often the same ones, so
//! that operations get in each other's way.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use storefront_core::OrderStatus;

use crate::script::{
    Address, By, Fields, IfMatch, NOBODY, Nth, Operation, Script, Spelling, Step, UserFields,
};

/// Scripts of one client.
pub(crate) fn one_at_a_time() -> impl Strategy<Value = Script> {
    let step = operation().prop_map(Step::alone);
    script(vec(step, 1..20))
}

/// Scripts of several clients, mostly about users.
pub(crate) fn users_at_once() -> impl Strategy<Value = Script> {
    at_once(prop_oneof![3 => users(), 1 => operation()])
}

/// Scripts of several clients, mostly about products and orders.
pub(crate) fn orders_at_once() -> impl Strategy<Value = Script> {
    at_once(prop_oneof![3 => orders(), 2 => products(), 1 => operation()])
}

fn at_once(operation: impl Strategy<Value = Operation>) -> impl Strategy<Value = Script> {
    let step = (vec(operation, 1..=4), vec(0..4_u8, 0..16), option::weighted(0.7, focus()))
        .prop_map(|(mut operations, turns, focus)| {
            if let Some(focus) = focus {
                for operation in &mut operations {
                    focus.turn(operation);
                }
            }
            Step { operations, turns }
        });
    script(vec(step, 1..9))
}

fn script(steps: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Script> {
    // Mostly none, and sometimes so many that the next ones lock the email.
    let failed_log_ins = prop_oneof![6 => Just(0), 1 => 8..=10_u32];
    (failed_log_ins, steps).prop_map(|(failed_log_ins, steps)| Script { failed_log_ins, steps })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => orders(),
        4 => products(),
        4 => users(),
    ]
}

fn orders() -> impl Strategy<Value = Operation> {
    let place = (user(), vec((ordered(), quantity()), 1..=3))
        .prop_map(|(by, items)| Operation::PlaceOrder { by, items, key: None });
    // With a key, what is ordered is mostly the same again.
    let items = |key: u8| {
        prop_oneof![
            3 => Just(vec![(Nth(0), 1), (Nth(key), 1)]),
            1 => vec((ordered(), quantity()), 1..=2),
        ]
    };
    let place_with_key = (user(), 0..2_u8)
        .prop_flat_map(move |(by, key)| (Just(by), items(key), Just(Some(key))))
        .prop_map(|(by, items, key)| Operation::PlaceOrder { by, items, key });
    let change = (by(), order(), status(), if_match())
        .prop_map(|(by, order, to, if_match)| Operation::ChangeOrder { by, order, to, if_match });
    let show = (by(), order()).prop_map(|(by, order)| Operation::ShowOrder { by, order });
    let list = (by(), user(), 1..4_usize, option::of(order()), option::of(order()))
        .prop_map(|(by, of, limit, from, to)| Operation::ListOrders { by, of, limit, from, to });
    prop_oneof![4 => place, 3 => place_with_key, 6 => change, 1 => show, 1 => list]
}

fn products() -> impl Strategy<Value = Operation> {
    let create =
        (keeper(), fields()).prop_map(|(by, fields)| Operation::CreateProduct { by, fields });
    let change =
        (keeper(), product(), fields(), if_match()).prop_map(|(by, product, fields, if_match)| {
            Operation::ChangeProduct { by, product, fields, if_match }
        });
    let delete = (keeper(), product(), if_match())
        .prop_map(|(by, product, if_match)| Operation::DeleteProduct { by, product, if_match });
    let show = product().prop_map(|product| Operation::ShowProduct { product });
    let list = (0..4_u8, 1..4_usize)
        .prop_map(|(category, limit)| Operation::ListProducts { category, limit });
    prop_oneof![2 => create, 8 => change, 2 => delete, 1 => show, 1 => list]
}

fn users() -> impl Strategy<Value = Operation> {
    let register = (address(), password())
        .prop_map(|(email, password)| Operation::Register { email, password });
    let log_in =
        (address(), password()).prop_map(|(email, password)| Operation::LogIn { email, password });
    let show = (by(), user()).prop_map(|(by, user)| Operation::ShowUser { by, user });
    let find = (by(), address()).prop_map(|(by, email)| Operation::FindUser { by, email });
    let change =
        (by(), user(), user_fields(), if_match()).prop_map(|(by, user, fields, if_match)| {
            Operation::ChangeUser { by, user, fields, if_match }
        });
    let assign =
        (keeper(), user(), any::<bool>(), if_match()).prop_map(|(by, user, admin, if_match)| {
            Operation::AssignRole { by: By::User(by), user, admin, if_match }
        });
    let delete = (by(), user(), if_match())
        .prop_map(|(by, user, if_match)| Operation::DeleteUser { by, user, if_match });
    prop_oneof![2 => register, 2 => log_in, 1 => show, 1 => find, 6 => change, 2 => assign, 2 => delete]
}

/// Mostly the first of these, which are all that there are at first.
fn of<const LETTER: char>(often: [u8; 3]) -> impl Strategy<Value = Nth<LETTER>> {
    let [first, second, third] = often.map(Just);
    prop_oneof![8 => first, 4 => second, 2 => third, 2 => 3..6_u8, 1 => Just(NOBODY)].prop_map(Nth)
}

/// What all of a step's operations are about.
#[derive(Clone, Debug)]
struct Focus {
    user: Nth<'u'>,
    product: Nth<'p'>,
    order: Nth<'o'>,
    email: u8,
    key: u8,
}

fn focus() -> impl Strategy<Value = Focus> {
    (1..3_u8, 0..3_u8, 0..3_u8, 0..5_u8, 0..2_u8).prop_map(|(user, product, order, email, key)| {
        Focus { user: Nth(user), product: Nth(product), order: Nth(order), email, key }
    })
}

impl Focus {
    /// Makes an operation be about it.
    fn turn(&self, operation: &mut Operation) {
        match operation {
            Operation::Register { email, .. }
            | Operation::LogIn { email, .. }
            | Operation::FindUser { email, .. } => email.number = self.email,
            Operation::ChangeUser { user, fields, .. } => {
                *user = self.user;
                if let Some(email) = &mut fields.email {
                    email.number = self.email;
                }
            }
            Operation::ShowUser { user, .. }
            | Operation::AssignRole { user, .. }
            | Operation::DeleteUser { user, .. }
            | Operation::ListOrders { of: user, .. } => *user = self.user,
            Operation::ShowProduct { product }
            | Operation::ChangeProduct { product, .. }
            | Operation::DeleteProduct { product, .. } => *product = self.product,
            Operation::PlaceOrder { by, items, key } => {
                if let Some((product, _)) = items.first_mut() {
                    *product = self.product;
                }
                if let Some(key) = key {
                    *by = self.user;
                    *key = self.key;
                }
            }
            Operation::ShowOrder { order, .. } | Operation::ChangeOrder { order, .. } => {
                *order = self.order;
            }
            Operation::CreateProduct { .. } | Operation::ListProducts { .. } => {}
        }
    }
}

/// Rarely the administrator: without one there is little to be done.
fn user() -> impl Strategy<Value = Nth<'u'>> {
    of([1, 2, 0])
}

fn product() -> impl Strategy<Value = Nth<'p'>> {
    of([0, 1, 2])
}

fn order() -> impl Strategy<Value = Nth<'o'>> {
    of([0, 1, 2])
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![2 => Just(By::Oneself), 2 => Just(By::User(Nth(0))), 1 => user().prop_map(By::User)]
}

/// Mostly of the same currency.
fn ordered() -> impl Strategy<Value = Nth<'p'>> {
    prop_oneof![8 => Just(Nth(0)), 6 => Just(Nth(1)), 3 => product()]
}

/// Mostly the administrator.
fn keeper() -> impl Strategy<Value = Nth<'u'>> {
    prop_oneof![5 => Just(Nth(0)), 1 => user()]
}

fn address() -> impl Strategy<Value = Address> {
    let spelling = prop_oneof![
        3 => Just(Spelling::Plain),
        1 => Just(Spelling::Capitals),
        1 => Just(Spelling::Spaces),
    ];
    (0..5_u8, spelling).prop_map(|(number, spelling)| Address { number, spelling })
}

/// Mostly the one that everybody has at first.
fn password() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0_u8), 1 => Just(1)]
}

fn if_match() -> impl Strategy<Value = IfMatch> {
    prop_oneof![
        6 => Just(IfMatch::None),
        1 => Just(IfMatch::Any),
        6 => Just(IfMatch::Current),
        1 => Just(IfMatch::Stale),
    ]
}

/// Twice the largest is more than an order may have of a product.
fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![10 => 1..4_u32, 1 => Just(600)]
}

fn status() -> impl Strategy<Value = OrderStatus> {
    prop_oneof![
        1 => Just(OrderStatus::Pending),
        3 => Just(OrderStatus::Paid),
        2 => Just(OrderStatus::Shipped),
        1 => Just(OrderStatus::Delivered),
        4 => Just(OrderStatus::Cancelled),
    ]
}

fn user_fields() -> impl Strategy<Value = UserFields> {
    let rarely = |number| option::weighted(0.2, number);
    (
        option::of(1..4_u8),
        option::of(address()),
        rarely(password()),
        option::weighted(0.9, password()),
    )
        .prop_map(|(name, email, password, current)| UserFields {
            name,
            email,
            password,
            current,
        })
}

/// One or two fields, mostly.
fn fields() -> impl Strategy<Value = Fields> {
    let stock = prop_oneof![4 => (0..9_u64).prop_map(Some), 1 => Just(None)];
    (
        option::weighted(0.3, 1..4_u8),
        option::weighted(0.3, 0..4_u8),
        option::weighted(0.5, prop_oneof![Just(200_u64), Just(1890), Just(0)]),
        option::weighted(0.2, prop_oneof![Just("EUR"), Just("USD")]),
        option::weighted(0.4, stock),
    )
        .prop_map(|(name, category, price, currency, stock)| Fields {
            name,
            category,
            price,
            currency,
            stock,
        })
}
