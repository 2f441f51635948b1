//! The data of a shop with a given number of orders. Each user, product and order is generated from
//! the seed and its number alone, so that none has to be kept.

use std::fmt::Debug;

use storefront_core::{
    Category, Currency, Email, NewUser, Order, OrderId, OrderItem, OrderStatus, OrderWithItems,
    PasswordHash, Product, ProductId, ProductWithStock, RequestId, Role, Timestamp, User, UserId,
};
use uuid::Uuid;

/// The number of orders or products on a page.
pub(crate) const PAGE: u32 = 25;

/// The largest customer, who is the first user, has at least this many pages of orders.
const PAGES: u32 = 3;

/// The fewest orders of a shop. Every second one is then the largest customer's.
pub(crate) const FEWEST_ORDERS: u32 = 2 * PAGES * PAGE;

/// The pieces of each product: more than all orders together take.
pub(crate) const PLENTY: u64 = 1_000_000_000;

const CATEGORIES: [&str; 10] = [
    "coffee",
    "tea",
    "equipment",
    "books",
    "chocolate",
    "cups",
    "filters",
    "gifts",
    "spices",
    "syrups",
];
const KINDS: [&str; 8] = [
    "Single origin",
    "House blend",
    "Reserve",
    "Classic",
    "Organic",
    "Winter",
    "Small lot",
    "Daily",
];
const PACKS: [&str; 5] = ["100 g", "250 g", "500 g", "1 kg", "gift box"];

/// 2026-01-01, when the first order was placed. Users and products are older.
const FIRST_ORDER: u64 = 1_767_225_600_000;
const A_YEAR: u64 = 365 * 24 * 60 * 60 * 1_000;
/// From the first order to the last, in milliseconds.
const ORDER_PERIOD: u64 = 300 * 24 * 60 * 60 * 1_000;

/// The data of a shop. Its entities are numbered from 0, the oldest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data {
    seed: u64,
    pub(crate) orders: u32,
    pub(crate) users: u32,
    pub(crate) products: u32,
    /// Orders whose number is a multiple of this are the largest customer's.
    every: u32,
}

impl Data {
    /// One user has a tenth of the orders; the others have about ten each, most of them fewer.
    /// There is one product per 50 orders.
    pub(crate) fn new(orders: u32, seed: u64) -> Self {
        let categories = u32::try_from(CATEGORIES.len()).unwrap_or(1);
        Self {
            seed,
            orders,
            users: (orders / 10).max(50),
            // At least two pages of each category.
            products: (orders / 50).max(2 * PAGE * categories),
            every: (orders / (PAGES * PAGE)).clamp(2, 10),
        }
    }

    /// How many orders the largest customer has.
    pub(crate) fn orders_of_one(&self) -> u32 {
        self.orders.div_ceil(self.every)
    }

    /// The number of the largest customer's n-th order among all orders.
    pub(crate) fn order_of_one(&self, n: u32) -> u32 {
        n * self.every
    }

    pub(crate) fn user_id(&self, n: u32) -> UserId {
        let age = A_YEAR - A_YEAR * u64::from(n) / u64::from(self.users);
        id(FIRST_ORDER - age, &mut self.random(Kind::User, n))
    }

    pub(crate) fn email(&self, n: u32) -> Email {
        valid(format!("customer.{n:07}@shop-{:04x}.example", self.seed & 0xffff).parse())
    }

    pub(crate) fn user(&self, n: u32) -> User {
        let (id, mut random) = (self.user_id(n), self.random(Kind::UserDetails, n));
        let new = NewUser {
            email: self.email(n),
            name: valid(format!("Customer {n:07}").parse()),
            password_hash: password_hash(&mut random),
            role: Role::User,
            locale: None,
        };
        User::new(id, new)
    }

    pub(crate) fn product_id(&self, n: u32) -> ProductId {
        let age = A_YEAR - A_YEAR * u64::from(n) / u64::from(self.products);
        id(FIRST_ORDER - age, &mut self.random(Kind::Product, n))
    }

    pub(crate) fn product(&self, n: u32) -> ProductWithStock {
        let (id, mut random) = (self.product_id(n), self.random(Kind::ProductDetails, n));
        let category = CATEGORIES[n as usize % CATEGORIES.len()];
        let product = Product {
            id,
            name: valid(product_name(n).parse()),
            description: Some(valid(
                format!("Number {n} in {category}: fresh, and in stock.").parse(),
            )),
            category: valid(category.parse()),
            price: random.u64(500..9_999),
            currency: Currency::EUR,
            selling: true,
            available: true,
            available_revision: 1,
            version: 1,
            created_at: id.created_at(),
            updated_at: id.created_at(),
        };
        ProductWithStock { product, stock: Some(PLENTY) }
    }

    pub(crate) fn category(n: u32) -> Category {
        valid(CATEGORIES[n as usize % CATEGORIES.len()].parse())
    }

    pub(crate) fn products_of_category(&self, category: u32) -> u32 {
        let categories = u32::try_from(CATEGORIES.len()).unwrap_or(1);
        (self.products - category % categories).div_ceil(categories)
    }

    /// The number of a category's n-th product among all products.
    pub(crate) fn product_of_category(category: u32, n: u32) -> u32 {
        let categories = u32::try_from(CATEGORIES.len()).unwrap_or(1);
        category % categories + n * categories
    }

    pub(crate) fn order_id(&self, n: u32) -> OrderId {
        let since = ORDER_PERIOD * u64::from(n) / u64::from(self.orders);
        id(FIRST_ORDER + since, &mut self.random(Kind::Order, n))
    }

    /// The number of the user who placed an order. Apart from the first user, those with lower
    /// numbers order more.
    pub(crate) fn buyer(&self, n: u32) -> u32 {
        if n.is_multiple_of(self.every) {
            0
        } else {
            1 + skewed(self.users - 1, &mut self.random(Kind::Buyer, n))
        }
    }

    /// Whether an order is still to be shipped. One in a hundred is, but at least some pages of them, and
    /// none of the largest customer's.
    fn is_open(&self, n: u32) -> bool {
        let step = (self.orders / (4 * PAGE)).clamp(2, 100);
        n % step == 1 && !n.is_multiple_of(self.every)
    }

    pub(crate) fn order(&self, n: u32) -> OrderWithItems {
        let (id, mut random) = (self.order_id(n), self.random(Kind::OrderDetails, n));
        let mut numbers: Vec<u32> =
            (0..random.u32(1..=3)).map(|_| skewed(self.products, &mut random)).collect();
        // In the order of the products, and each product once.
        numbers.sort_unstable();
        numbers.dedup();
        let items: Vec<_> = numbers
            .into_iter()
            .map(|number| {
                let Product { id: product_id, name, price, .. } = self.product(number).product;
                let quantity = random.u32(1..=3);
                OrderItem {
                    order_id: id,
                    product_id,
                    name,
                    quantity,
                    price,
                    taken: Some(quantity),
                    taken_from: Some(0),
                }
            })
            .collect();
        let closed = closed(&mut random);
        let (status, version) = if self.is_open(n) { (OrderStatus::Paid, 2) } else { closed };
        let updated_at = id.created_at().as_millis() + random.i64(0..3_600_000) * (version - 1);
        let total = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
        let user_id = self.user_id(self.buyer(n));
        let order = Order {
            status,
            payment: None,
            version: version.unsigned_abs(),
            updated_at: Timestamp::from_millis(updated_at).unwrap_or(id.created_at()),
            // With one, a page of 26 orders would have 12 KB, sometimes more and sometimes less.
            request_id: None,
            ..Order::new(id, user_id, items.len(), total, Currency::EUR)
        };
        let order = Order { payment: Some(order.payment()), ..order };
        OrderWithItems { order, items }
    }

    /// The random generator for one entity and one purpose.
    fn random(&self, kind: Kind, n: u32) -> fastrand::Rng {
        let mut random = fastrand::Rng::with_seed(self.seed ^ ((kind as u64) << 32 | u64::from(n)));
        // Reseeded, because generators with consecutive seeds start similarly.
        fastrand::Rng::with_seed(random.u64(..))
    }
}

/// What is drawn independently.
#[derive(Clone, Copy)]
enum Kind {
    User,
    UserDetails,
    Product,
    ProductDetails,
    Order,
    OrderDetails,
    Buyer,
}

/// Draws a number below `end`, half of the time from the first quarter.
fn skewed(end: u32, random: &mut fastrand::Rng) -> u32 {
    let share = random.f64();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is below `end`")]
    let number = (f64::from(end) * share * share) as u32;
    number
}

/// Draws a status and its version. Most orders are delivered.
/// The status of an order that nothing is to be done with, and its version.
fn closed(random: &mut fastrand::Rng) -> (OrderStatus, i64) {
    match random.u32(..100) {
        ..12 => (OrderStatus::Cancelled, 2),
        _ => (OrderStatus::Delivered, 4),
    }
}

fn product_name(n: u32) -> String {
    let at = n as usize;
    format!("{} {n}, {}", KINDS[at % KINDS.len()], PACKS[at / KINDS.len() % PACKS.len()])
}

/// Generates a hash with the format and length of argon2id's; nobody logs in with it.
pub(crate) fn password_hash(random: &mut fastrand::Rng) -> PasswordHash {
    let [salt, hash] = [22, 43].map(|length| text(length, random));
    PasswordHash::new(format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}"))
}

/// Generates a request id with the format of API Gateway's.
pub(crate) fn request_id(random: &mut fastrand::Rng) -> RequestId {
    valid(format!("{}=", text(15, random)).parse())
}

fn text(length: usize, random: &mut fastrand::Rng) -> String {
    (0..length).map(|_| random.alphanumeric()).collect()
}

fn id<T>(millis: u64, random: &mut fastrand::Rng) -> T
where
    T: TryFrom<Uuid, Error: Debug>,
{
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    valid(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().try_into())
}

/// Unwraps a generated value, which must be valid.
fn valid<T, E: Debug>(made: Result<T, E>) -> T {
    made.expect("generated values are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_shop_and_another_seed_a_different_one() {
        let [one, same, other] = [1, 1, 2].map(|seed| Data::new(1_000, seed));
        for n in 0..1_000 {
            assert_eq!(one.order(n), same.order(n));
            assert_ne!(one.order(n).order.id, other.order(n).order.id);
        }
    }

    #[test]
    fn one_user_has_a_tenth_of_the_orders_and_at_least_three_pages() {
        for (orders, of_one) in [(FEWEST_ORDERS, 75), (1_000, 100), (1_000_000, 100_000)] {
            let data = Data::new(orders, 1);
            assert_eq!(data.orders_of_one(), of_one, "{orders}");
            assert!(data.order_of_one(of_one - 1) < orders);
            assert_eq!(data.buyer(data.order_of_one(of_one - 1)), 0);
        }
    }

    #[test]
    fn orders_sort_by_number_and_have_one_to_three_different_products() {
        let data = Data::new(1_000, 1);
        let orders: Vec<_> = (0..1_000).map(|n| data.order(n)).collect();
        assert!(orders.is_sorted_by_key(|order| order.order.id));
        for OrderWithItems { order, items } in orders {
            assert!((1..=3).contains(&items.len()));
            assert!(items.is_sorted_by(|a, b| a.product_id < b.product_id));
            assert_eq!(order.item_count, items.len());
        }
    }

    #[test]
    fn every_product_is_in_its_category_once() {
        let data = Data::new(FEWEST_ORDERS, 1);
        let mut seen = vec![false; data.products as usize];
        for category in 0..10 {
            for n in 0..data.products_of_category(category) {
                let number = Data::product_of_category(category, n);
                assert_eq!(data.product(number).product.category, Data::category(category));
                assert!(!std::mem::replace(&mut seen[number as usize], true));
            }
        }
        assert!(seen.iter().all(|seen| *seen));
    }
}
