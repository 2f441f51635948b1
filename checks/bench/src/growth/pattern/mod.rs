//! The access patterns of docs/access-patterns.md: how each is asked for, and what it takes.

mod orders;
mod products;
mod users;

use std::time::Instant;

use storefront_core::capacity::{self, Consumed};

use super::shop::Shop;
use crate::Error;

/// One row of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    UserById,
    UserOfNobody,
    RoleOfUser,
    UserByEmail,
    UserByEmailOfNobody,
    UserToLogIn,
    UserToConfirm,
    RegisterUser,
    RenameUser,
    ChangeEmail,
    DeleteUser,
    CountLogIn,
    ForgetLogIns,
    ProductById,
    FirstProducts,
    MiddleProducts,
    LastProducts,
    AddProduct,
    ChangeProduct,
    DeleteProduct,
    FirstOrders,
    MiddleOrders,
    LastOrders,
    OrdersOfTime,
    OwnOrder,
    AnyOrder,
    Place,
    PlaceThree,
    PlaceWithKey,
    PlaceAgain,
    ChangeStatus,
    Cancel,
    CancelOwn,
}

/// What is shown beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    UserReads,
    UserWrites,
    Products,
    ProductPages,
    OrderPages,
    OrderReads,
    Placing,
    Changing,
}

/// What it took once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) milliseconds: f64,
    pub(crate) consumed: Consumed,
}

impl Pattern {
    /// In the document's order.
    pub(crate) const ALL: [Self; 33] = [
        Self::UserById,
        Self::UserOfNobody,
        Self::RoleOfUser,
        Self::UserByEmail,
        Self::UserByEmailOfNobody,
        Self::UserToLogIn,
        Self::UserToConfirm,
        Self::RegisterUser,
        Self::RenameUser,
        Self::ChangeEmail,
        Self::DeleteUser,
        Self::CountLogIn,
        Self::ForgetLogIns,
        Self::ProductById,
        Self::FirstProducts,
        Self::MiddleProducts,
        Self::LastProducts,
        Self::AddProduct,
        Self::ChangeProduct,
        Self::DeleteProduct,
        Self::FirstOrders,
        Self::MiddleOrders,
        Self::LastOrders,
        Self::OrdersOfTime,
        Self::OwnOrder,
        Self::AnyOrder,
        Self::Place,
        Self::PlaceThree,
        Self::PlaceWithKey,
        Self::PlaceAgain,
        Self::ChangeStatus,
        Self::Cancel,
        Self::CancelOwn,
    ];

    /// What it does.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::UserById => "user by id",
            Self::UserOfNobody => "user by id, nobody's",
            Self::RoleOfUser => "a user's role",
            Self::UserByEmail => "user by email",
            Self::UserByEmailOfNobody => "user by email, nobody's",
            Self::UserToLogIn => "who logs in, by email",
            Self::UserToConfirm => "who confirms, by id",
            Self::RegisterUser => "register a user",
            Self::RenameUser => "change a user's name",
            Self::ChangeEmail => "change a user's email",
            Self::DeleteUser => "delete a user",
            Self::CountLogIn => "count a log-in",
            Self::ForgetLogIns => "forget the failures",
            Self::ProductById => "product by id",
            Self::FirstProducts => "products of a category, first page",
            Self::MiddleProducts => "products of a category, middle page",
            Self::LastProducts => "products of a category, last page",
            Self::AddProduct => "add a product",
            Self::ChangeProduct => "change a product",
            Self::DeleteProduct => "delete a product",
            Self::FirstOrders => "orders of the largest customer, first page",
            Self::MiddleOrders => "orders of the largest customer, middle page",
            Self::LastOrders => "orders of the largest customer, last page",
            Self::OrdersOfTime => "orders of the largest customer, of a time",
            Self::OwnOrder => "own order with items",
            Self::AnyOrder => "any order by id, with items",
            Self::Place => "place an order of 1 item",
            Self::PlaceThree => "place an order of 3 items",
            Self::PlaceWithKey => "place an order of 1 item, with a key",
            Self::PlaceAgain => "place an order again, with its key",
            Self::ChangeStatus => "change an order's status",
            Self::Cancel => "cancel an order of 1 item",
            Self::CancelOwn => "cancel an order of 1 item, as its owner",
        }
    }

    pub(crate) const fn group(self) -> Group {
        match self {
            Self::UserById
            | Self::UserOfNobody
            | Self::RoleOfUser
            | Self::UserByEmail
            | Self::UserByEmailOfNobody
            | Self::UserToLogIn
            | Self::UserToConfirm => Group::UserReads,
            Self::RegisterUser
            | Self::RenameUser
            | Self::ChangeEmail
            | Self::DeleteUser
            | Self::CountLogIn
            | Self::ForgetLogIns => Group::UserWrites,
            Self::ProductById | Self::AddProduct | Self::ChangeProduct | Self::DeleteProduct => {
                Group::Products
            }
            Self::FirstProducts | Self::MiddleProducts | Self::LastProducts => Group::ProductPages,
            Self::FirstOrders | Self::MiddleOrders | Self::LastOrders | Self::OrdersOfTime => {
                Group::OrderPages
            }
            Self::OwnOrder | Self::AnyOrder => Group::OrderReads,
            Self::Place | Self::PlaceThree | Self::PlaceWithKey | Self::PlaceAgain => {
                Group::Placing
            }
            Self::ChangeStatus | Self::Cancel | Self::CancelOwn => Group::Changing,
        }
    }

    /// Does it once, with entities that are drawn. Whatever it has to find first, or leaves, is made
    /// and removed around it and not measured: the table stays as large as it is.
    pub(crate) async fn ask(
        self,
        shop: &Shop,
        random: &mut fastrand::Rng,
    ) -> Result<Sample, Error> {
        match self.group() {
            Group::UserReads | Group::UserWrites => users::ask(self, shop, random).await,
            Group::Products | Group::ProductPages => products::ask(self, shop, random).await,
            _ => orders::ask(self, shop, random).await,
        }
    }

    /// Unless it found what is there.
    fn expect(self, is_right: bool) -> Result<(), Error> {
        if is_right { Ok(()) } else { Err(Error::WrongAnswer(self.name())) }
    }
}

impl Group {
    /// In the document's order.
    pub(crate) const ALL: [Self; 8] = [
        Self::UserReads,
        Self::UserWrites,
        Self::Products,
        Self::ProductPages,
        Self::OrderPages,
        Self::OrderReads,
        Self::Placing,
        Self::Changing,
    ];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::UserReads => "Users, read",
            Self::UserWrites => "Users, written",
            Self::Products => "Products",
            Self::ProductPages => "Pages of a category",
            Self::OrderPages => "Pages of the largest customer's orders",
            Self::OrderReads => "Orders, read",
            Self::Placing => "Orders, placed",
            Self::Changing => "Orders, changed",
        }
    }
}

/// Does it, and says what it took.
async fn measure<T>(
    work: impl Future<Output = storefront_core::Result<T>>,
) -> Result<(T, Sample), Error> {
    let start = Instant::now();
    let (done, consumed) = capacity::measure(work).await;
    let milliseconds = start.elapsed().as_secs_f64() * 1_000.0;
    Ok((done?, Sample { milliseconds, consumed }))
}
