//! The access patterns of docs/access-patterns.md: how each is run, and what it costs.

mod orders;
mod products;
mod users;

use std::time::Instant;

use storefront_core::IdempotencyKey;
use storefront_core::capacity::{self, Consumed};

use super::shop::Shop;
use crate::Error;

/// Defines [`Pattern`], with a variant per row in the document's order, grouped by the module that
/// runs them.
macro_rules! patterns {
    ($($module:ident { $($pattern:ident = $name:literal,)* })*) => {
        /// One row of the document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Pattern {
            $($($pattern,)*)*
        }

        impl Pattern {
            /// In the document's order.
            pub(crate) const ALL: &[Self] = &[$($(Self::$pattern,)*)*];

            /// The name in reports.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $($(Self::$pattern => $name,)*)*
                }
            }

            /// Runs the pattern once, with random entities. What it needs is created before, and
            /// what it leaves is removed afterwards, without being measured, so that the table
            /// keeps its size.
            pub(crate) async fn run(
                self,
                shop: &Shop,
                random: &mut fastrand::Rng,
            ) -> Result<Sample, Error> {
                match self {
                    $($(Self::$pattern)|* => Box::pin($module::run(self, shop, random)).await,)*
                }
            }
        }
    };
}

patterns! {
    users {
        UserById = "user by id",
        UserOfNobody = "user by id, nobody's",
        RoleOfUser = "a user's role",
        UserByEmail = "user by email",
        UserByEmailOfNobody = "user by email, nobody's",
        UserToLogIn = "who logs in, by email",
        UserToConfirm = "who confirms, by id",
        RegisterUser = "register a user",
        RenameUser = "change a user's name",
        ChangeEmail = "change a user's email",
        DeleteUser = "delete a user",
        CountLogIn = "count a log-in",
        ForgetLogIns = "forget the failures",
    }
    products {
        ProductById = "product by id, with its stock",
        ProductOfNobody = "product by id, nobody's",
        SpreadProduct = "product by id, spread over 4 stock items",
        FirstProducts = "products of a category, first page",
        MiddleProducts = "products of a category, middle page",
        LastProducts = "products of a category, last page",
        AddProduct = "add a product",
        AddProductWithKey = "add a product, with a key",
        DeleteProduct = "delete a product",
        DescribeProduct = "change a product's description",
        PriceProduct = "change a product's price",
        SetStock = "set a product's stock",
        ChangeStock = "change a product's stock",
        ChangeStockWithKey = "change a product's stock, with a key",
        SpreadStock = "spread a product's stock over 3 more items",
        RefreshAvailability = "refresh a product's availability",
    }
    orders {
        FirstOrders = "orders of the largest customer, first page",
        MiddleOrders = "orders of the largest customer, middle page",
        LastOrders = "orders of the largest customer, last page",
        OrdersOfTime = "orders of the largest customer, of a time",
        OrdersToShip = "orders of all users to ship, first page",
        OwnOrder = "own order with items",
        AnyOrder = "any order by id, with items",
        Place = "place an order of 1 item",
        PlaceThree = "place an order of 3 items",
        PlaceWithKey = "place an order of 1 item, with a key",
        PlaceCapped = "place an order of 1 item, of the largest customer, with a cap",
        PlaceAgain = "place an order again, with its key",
        ChangeStatus = "change an order's status",
        Cancel = "cancel an order of 1 item",
        CancelOwn = "cancel an order of 1 item, as its owner",
    }
}

/// The cost of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) milliseconds: f64,
    pub(crate) consumed: Consumed,
}

impl Pattern {
    /// Fails if the answer does not match the table.
    fn expect(self, is_right: bool) -> Result<(), Error> {
        if is_right { Ok(()) } else { Err(Error::WrongAnswer(self.name())) }
    }
}

fn new_key(random: &mut fastrand::Rng) -> Result<IdempotencyKey, Error> {
    format!("{:032x}", random.u128(..)).parse().map_err(Error::shop)
}

/// Runs the work, and returns its result and cost. The work is boxed, because some futures of the
/// repositories have many kilobytes, and all patterns together overflowed the stack.
fn measure<T>(
    work: impl Future<Output = storefront_core::Result<T>>,
) -> impl Future<Output = Result<(T, Sample), Error>> {
    let work = Box::pin(work);
    async {
        let start = Instant::now();
        let (done, consumed) = capacity::measure(work).await;
        let milliseconds = start.elapsed().as_secs_f64() * 1_000.0;
        Ok((done?, Sample { milliseconds, consumed }))
    }
}
