//! The contents of the shop, independent of a schema.

use std::fmt;

use storefront_core::OrderStatus;

pub(super) const CATEGORIES: [&str; 8] =
    ["Coffee", "Tea", "Equipment", "Books", "Chocolate", "Cups", "Filters", "Hot drinks"];
/// The currencies of orders, in the example with several.
pub(super) const CURRENCIES: [&str; 3] = ["EUR", "USD", "JPY"];
const FIRST: [&str; 10] =
    ["Anna", "Ben", "Clara", "David", "Ewa", "Farid", "Grace", "Hugo", "Ines", "Jörg"];
const LAST: [&str; 8] =
    ["Okafor", "Müller", "O'Brien", "Nowak", "Rossi", "Tanaka", "Silva", "Andersson"];
const KINDS: [&str; 6] = ["Single origin", "House blend", "Reserve", "Classic", "Winter", "Daily"];

/// The time of the first order, 2023-01-01. Customers and products are older.
const FIRST_ORDER: i64 = 1_672_531_200_000;
const A_DAY: i64 = 24 * 60 * 60 * 1_000;
const OLDER: i64 = 365 * A_DAY;
/// From the first order to the last.
const OF_ORDERS: i64 = 3 * 365 * A_DAY;

/// The number of lines of an order that has too many.
const TOO_MANY: u32 = 60;

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// Each row by itself is valid, but the email differs from another only in capitals.
    CollidingEmail,
    InvalidEmail,
    OtherPassword,
    NegativePrice,
    NegativeStock,
    UnknownStatus,
    NoSuchCustomer,
    NoLines,
    TooManyLines,
    NoQuantity,
    OtherTotal,
    MixedCurrencies,
    /// Only its lines still exist.
    OrderGone,
    /// This is not rejected, because orders keep their items.
    ProductGone,
}

/// A shop before it is written. Customers, products and orders are numbered from 0, the oldest
/// first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop {
    pub(super) orders: u32,
    pub(super) customers: u32,
    pub(super) products: u32,
    seed: u64,
    /// Of a thousand.
    broken: u32,
}

pub(super) struct Customer {
    pub(super) n: u32,
    pub(super) email: String,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) password: String,
    pub(super) is_staff: bool,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) flaw: Option<Flaw>,
}

pub(super) struct Product {
    pub(super) n: u32,
    pub(super) category: u32,
    pub(super) title: String,
    pub(super) description: Option<String>,
    /// In cents.
    pub(super) price: i64,
    pub(super) stock: Option<i64>,
    pub(super) created_at: i64,
    pub(super) flaw: Option<Flaw>,
}

pub(super) struct Order {
    pub(super) n: u32,
    /// At least the shop's number of customers if the customer does not exist.
    pub(super) customer: u32,
    /// `None` for an unknown status.
    pub(super) status: Option<OrderStatus>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) lines: Vec<Line>,
    pub(super) flaw: Option<Flaw>,
}

pub(super) struct Line {
    /// At least the shop's number of products if the product no longer exists.
    pub(super) product: u32,
    pub(super) title: String,
    pub(super) quantity: u32,
    pub(super) price: i64,
    pub(super) currency: u32,
}

impl Shop {
    pub(crate) fn new(orders: u32, seed: u64, broken: u32) -> Self {
        // An order with too many lines needs that many products in one currency.
        let products = (orders / 50).max(4 * TOO_MANY);
        Self { orders, customers: (orders / 10).max(20), products, seed, broken }
    }

    pub(super) fn customer(&self, n: u32) -> Customer {
        let mut random = self.random(Kind::Customer, n);
        let flaws = [Flaw::CollidingEmail, Flaw::InvalidEmail, Flaw::OtherPassword];
        // The first customer has no other to collide with.
        let flaw = self.flaw(&flaws, &mut random).filter(|_| n > 0);
        let created_at = FIRST_ORDER - OLDER + part(OLDER, n, self.customers);
        Customer {
            n,
            email: match flaw {
                Some(Flaw::CollidingEmail) => self.email(n - 1).to_uppercase(),
                Some(Flaw::InvalidEmail) => format!("customer.{n} at example"),
                _ => self.email(n),
            },
            first_name: FIRST[n as usize % FIRST.len()],
            last_name: LAST[n as usize / FIRST.len() % LAST.len()],
            password: match flaw {
                Some(Flaw::OtherPassword) => format!("{:032x}", random.u128(..)),
                _ => password(&mut random),
            },
            is_staff: n.is_multiple_of(1_000),
            created_at,
            updated_at: created_at + random.i64(0..A_DAY),
            flaw,
        }
    }

    fn email(&self, n: u32) -> String {
        format!("customer.{n:07}@shop-{:04x}.example", self.seed & 0xffff)
    }

    pub(super) fn product(&self, n: u32) -> Product {
        let mut random = self.random(Kind::Product, n);
        let flaw = self.flaw(&[Flaw::NegativePrice, Flaw::NegativeStock], &mut random);
        let category = n % of(&CATEGORIES);
        let (price, stock) = (self.price(n), random.i64(0..10_000));
        Product {
            n,
            category,
            title: title(n),
            description: (!n.is_multiple_of(7))
                .then(|| format!("Number {n} in {}: fresh.", CATEGORIES[category as usize])),
            price: if flaw == Some(Flaw::NegativePrice) { -price } else { price },
            stock: match flaw {
                Some(Flaw::NegativeStock) => Some(-1 - stock),
                // Downloads have no stock.
                _ => (!n.is_multiple_of(20)).then_some(stock),
            },
            created_at: FIRST_ORDER - OLDER + part(OLDER, n, self.products),
            flaw,
        }
    }

    /// Returns a price in cents.
    fn price(&self, n: u32) -> i64 {
        self.random(Kind::Price, n).i64(500..9_999)
    }

    /// Returns an order, in one of several currencies or always in the same.
    pub(super) fn order(&self, n: u32, in_currencies: bool) -> Order {
        let mut random = self.random(Kind::Order, n);
        let common = [
            Flaw::UnknownStatus,
            Flaw::NoSuchCustomer,
            Flaw::NoLines,
            Flaw::TooManyLines,
            Flaw::NoQuantity,
            Flaw::OrderGone,
            Flaw::ProductGone,
        ];
        let last = if in_currencies { Flaw::MixedCurrencies } else { Flaw::OtherTotal };
        let mut flaws = common.to_vec();
        flaws.push(last);
        if in_currencies {
            // That example derives the status from times, so it cannot be unknown.
            flaws.retain(|flaw| *flaw != Flaw::UnknownStatus);
        }
        let flaw = self.flaw(&flaws, &mut random);
        let currency = if in_currencies { random.u32(..of(&CURRENCIES)) } else { 0 };
        let created_at = FIRST_ORDER + part(OF_ORDERS, n, self.orders);
        let status = (flaw != Some(Flaw::UnknownStatus)).then(|| status(&mut random));
        let customer = match flaw {
            Some(Flaw::NoSuchCustomer) => self.customers + n,
            _ => skewed(self.customers, &mut random),
        };
        Order {
            n,
            customer,
            status,
            created_at,
            updated_at: created_at + random.i64(0..A_DAY),
            lines: self.lines(flaw, currency, in_currencies, &mut random),
            flaw,
        }
    }

    fn lines(
        &self,
        flaw: Option<Flaw>,
        currency: u32,
        in_currencies: bool,
        random: &mut fastrand::Rng,
    ) -> Vec<Line> {
        // With three currencies, every third product has the same.
        let currencies = if in_currencies { of(&CURRENCIES) } else { 1 };
        let of_currency = self.products / currencies;
        let mut numbers: Vec<u32> = match flaw {
            Some(Flaw::NoLines) => Vec::new(),
            Some(Flaw::TooManyLines) => (0..TOO_MANY).collect(),
            Some(Flaw::MixedCurrencies) => vec![0, 1],
            _ => (0..random.u32(1..=4)).map(|_| skewed(of_currency, random)).collect(),
        };
        numbers.sort_unstable();
        numbers.dedup();
        let line = |number: u32| {
            let product = number * currencies + currency;
            let (title, price) = (title(product), self.price(product));
            Line { product, title, quantity: random.u32(1..=3), price, currency }
        };
        let mut lines: Vec<_> = numbers.into_iter().map(line).collect();
        match (flaw, lines.last_mut()) {
            (Some(Flaw::NoQuantity), Some(line)) => line.quantity = 0,
            (Some(Flaw::ProductGone), Some(line)) => line.product += self.products,
            (Some(Flaw::MixedCurrencies), Some(line)) => {
                line.currency = (currency + 1) % currencies;
            }
            _ => {}
        }
        lines
    }

    fn flaw(&self, flaws: &[Flaw], random: &mut fastrand::Rng) -> Option<Flaw> {
        let is_broken = random.u32(..1_000) < self.broken;
        let flaw = flaws[random.usize(..flaws.len())];
        is_broken.then_some(flaw)
    }

    /// Returns a generator of its own for each row and purpose.
    pub(super) fn random(&self, kind: Kind, n: u32) -> fastrand::Rng {
        let mut random = fastrand::Rng::with_seed(self.seed ^ ((kind as u64) << 32 | u64::from(n)));
        // The first numbers of consecutive seeds are similar.
        fastrand::Rng::with_seed(random.u64(..))
    }
}

/// The purposes that have random generators of their own.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Customer,
    CustomerId,
    Product,
    ProductId,
    Price,
    Order,
    OrderId,
}

impl Order {
    /// Returns the sum of the lines in cents, or more if that is the flaw.
    pub(super) fn total(&self) -> i64 {
        let sum: i64 = self.lines.iter().map(|line| line.price * i64::from(line.quantity)).sum();
        sum + if self.flaw == Some(Flaw::OtherTotal) { 495 } else { 0 }
    }
}

fn title(n: u32) -> String {
    format!("{} No. {n}", KINDS[n as usize % KINDS.len()])
}

/// Returns text in the format of argon2id and bcrypt hashes. It matches no known password.
fn password(random: &mut fastrand::Rng) -> String {
    let mut text = |length| (0..length).map(|_| random.alphanumeric()).collect::<String>();
    // The last character of each part has fewer significant bits than the others, so its value is
    // zero.
    let (salt, output, bcrypt_salt, bcrypt_output) = (text(21), text(42), text(21), text(30));
    if random.bool() {
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}A${output}A")
    } else {
        format!("$2y$10${bcrypt_salt}.{bcrypt_output}.")
    }
}

/// Returns a status. Most orders are completed.
fn status(random: &mut fastrand::Rng) -> OrderStatus {
    match random.u32(..100) {
        0..2 => OrderStatus::Pending,
        2..4 => OrderStatus::Paid,
        4..7 => OrderStatus::Shipped,
        7..12 => OrderStatus::Cancelled,
        _ => OrderStatus::Delivered,
    }
}

/// Returns the number of names.
pub(super) fn of(names: &[&str]) -> u32 {
    names.len().try_into().unwrap_or(u32::MAX)
}

/// Returns the start of the n-th of equal parts.
fn part(of: i64, n: u32, parts: u32) -> i64 {
    of * i64::from(n) / i64::from(parts)
}

/// Returns a random number below `end`, half of the time one in the first quarter.
fn skewed(end: u32, random: &mut fastrand::Rng) -> u32 {
    let share = random.f64();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is below `end`")]
    let number = (f64::from(end) * share * share) as u32;
    number
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CollidingEmail => "customers with another's email in capitals",
            Self::InvalidEmail => "customers with an invalid email",
            Self::OtherPassword => "customers whose password is neither argon2 nor bcrypt",
            Self::NegativePrice => "products with a negative price",
            Self::NegativeStock => "products with a negative stock",
            Self::UnknownStatus => "orders with an unknown status",
            Self::NoSuchCustomer => "orders of a customer who does not exist",
            Self::NoLines => "orders without lines",
            Self::TooManyLines => "orders with too many lines",
            Self::NoQuantity => "orders with a quantity of 0",
            Self::OtherTotal => "orders whose total is not the sum of their lines",
            Self::MixedCurrencies => "orders in two currencies",
            Self::OrderGone => "deleted orders whose lines still exist",
            Self::ProductGone => "orders of a deleted product (which is fine)",
        })
    }
}
