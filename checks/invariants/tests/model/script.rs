//! What a case does: a script of steps, each of one operation or of several at once.
//!
//! Operations name users, products and orders by the order in which they came to be, so that a
//! script can be cut short anywhere and still means something.

use std::fmt;

use storefront_core::OrderStatus;

/// A case, from the shop of [`crate::world`] on.
#[derive(Clone)]
pub(crate) struct Script {
    /// How many log-ins of `u1` have failed before it begins.
    pub(crate) failed_log_ins: u32,
    pub(crate) steps: Vec<Step>,
}

/// One operation, or several at once.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) operations: Vec<Operation>,
    /// Whose request goes to the table next, counted among those who wait for it; 0 when it has run
    /// out. So without turns, each operation runs when the one before is done.
    pub(crate) turns: Vec<u8>,
}

/// The nth user, product or order that there has been, also if it is deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nth<const LETTER: char>(pub(crate) u8);

/// `u0` is the shop's administrator, `u1` and `u2` are customers from the start.
pub(crate) type UserRef = Nth<'u'>;
/// `p0` to `p2` are there from the start, and so is `o0`, an order of `u1`.
pub(crate) type ProductRef = Nth<'p'>;
pub(crate) type OrderRef = Nth<'o'>;

/// Names what was never there.
pub(crate) const NOBODY: u8 = u8::MAX;

/// Who does it.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// The user it is done to, or whose order it is.
    Oneself,
    User(UserRef),
}

/// One of a few emails, which `u0` and so on have at the start, and a way to write it.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(crate) number: u8,
    pub(crate) spelling: Spelling,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Spelling {
    Plain,
    Capitals,
    Spaces,
}

/// Which version a change asks for: as it was when the step began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMatch {
    None,
    Any,
    Current,
    Stale,
}

/// The fields of a product; in a change, those that are given.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fields {
    pub(crate) name: Option<u8>,
    pub(crate) category: Option<u8>,
    pub(crate) price: Option<u64>,
    pub(crate) currency: Option<&'static str>,
    /// `Some(None)` is unlimited.
    pub(crate) stock: Option<Option<u64>>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct UserFields {
    pub(crate) name: Option<u8>,
    pub(crate) email: Option<Address>,
    pub(crate) password: Option<u8>,
    /// The password that confirms it.
    pub(crate) current: Option<u8>,
}

/// What a client asks for.
#[derive(Clone)]
pub(crate) enum Operation {
    Register { email: Address, password: u8 },
    LogIn { email: Address, password: u8 },
    ShowUser { by: By, user: UserRef },
    FindUser { by: By, email: Address },
    ChangeUser { by: By, user: UserRef, fields: UserFields, if_match: IfMatch },
    AssignRole { by: By, user: UserRef, admin: bool, if_match: IfMatch },
    DeleteUser { by: By, user: UserRef, if_match: IfMatch },
    CreateProduct { by: UserRef, fields: Fields },
    ShowProduct { product: ProductRef },
    ChangeProduct { by: UserRef, product: ProductRef, fields: Fields, if_match: IfMatch },
    DeleteProduct { by: UserRef, product: ProductRef, if_match: IfMatch },
    ListProducts { category: u8, limit: usize },
    PlaceOrder { by: UserRef, items: Vec<(ProductRef, u32)>, key: Option<u8> },
    ListOrders { by: By, of: UserRef, limit: usize, from: Option<OrderRef>, to: Option<OrderRef> },
    ShowOrder { by: By, order: OrderRef },
    ChangeOrder { by: By, order: OrderRef, to: OrderStatus, if_match: IfMatch },
}

impl Step {
    /// Of one operation.
    pub(crate) fn alone(operation: Operation) -> Self {
        Self { operations: vec![operation], turns: Vec::new() }
    }
}

impl Address {
    pub(crate) fn plain(number: u8) -> Self {
        Self { number, spelling: Spelling::Plain }
    }

    /// As the client writes it.
    pub(crate) fn written(self) -> String {
        match self.spelling {
            Spelling::Plain => self.normalised(),
            Spelling::Capitals => self.normalised().to_uppercase(),
            Spelling::Spaces => format!("  {} ", self.normalised()),
        }
    }

    /// As the shop keeps it.
    pub(crate) fn normalised(self) -> String {
        format!("customer{}@example.com", self.number)
    }
}

/// A password as the client writes it.
pub(crate) fn password(number: u8) -> String {
    format!("correct horse {number} battery")
}

/// A category as the client writes it, and as the shop keeps it.
pub(crate) fn category(number: u8) -> (&'static str, &'static str) {
    [("coffee", "coffee"), ("tea", "tea"), (" Coffee", "coffee"), ("TEA ", "tea")]
        [usize::from(number) % 4]
}

pub(crate) fn name(number: u8) -> String {
    format!("Name {number}")
}

/// A script that reads as one.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} failed log-ins of u1:", self.failed_log_ins)?;
        for (number, step) in self.steps.iter().enumerate() {
            write!(f, "\n  {number}. {step:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [operation] = &*self.operations {
            return operation.fmt(f);
        }
        write!(f, "at once, in turns {:?}:", self.turns)?;
        for (letter, operation) in ('a'..).zip(&self.operations) {
            write!(f, "\n     {letter}. {operation:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { email, password } => write!(f, "register {email:?} pw{password}"),
            Self::LogIn { email, password } => write!(f, "log in {email:?} pw{password}"),
            Self::ShowUser { by, user } => write!(f, "show {user:?}{by:?}"),
            Self::FindUser { by, email } => write!(f, "find the user with {email:?}{by:?}"),
            Self::ChangeUser { by, user, fields, if_match } => {
                write!(f, "change {user:?}:{fields:?}{if_match:?}{by:?}")
            }
            Self::AssignRole { by, user, admin, if_match } => {
                let role = if *admin { "admin" } else { "user" };
                write!(f, "make {user:?} {role}{if_match:?}{by:?}")
            }
            Self::DeleteUser { by, user, if_match } => {
                write!(f, "delete {user:?}{if_match:?}{by:?}")
            }
            Self::CreateProduct { by, fields } => {
                write!(f, "create a product:{fields:?} by {by:?}")
            }
            Self::ShowProduct { product } => write!(f, "show {product:?}"),
            Self::ChangeProduct { by, product, fields, if_match } => {
                write!(f, "change {product:?}:{fields:?}{if_match:?} by {by:?}")
            }
            Self::DeleteProduct { by, product, if_match } => {
                write!(f, "delete {product:?}{if_match:?} by {by:?}")
            }
            Self::ListProducts { category: number, limit } => {
                write!(f, "list {:?} by {limit}", category(*number).0)
            }
            Self::PlaceOrder { by, items, key } => {
                f.write_str("order")?;
                for (product, quantity) in items {
                    write!(f, " {quantity}x{product:?}")?;
                }
                if let Some(key) = key {
                    write!(f, " with key {key}")?;
                }
                write!(f, " by {by:?}")
            }
            Self::ListOrders { by, of, limit, from, to } => {
                write!(f, "list the orders of {of:?} by {limit}")?;
                if let Some(from) = from {
                    write!(f, " from {from:?} on")?;
                }
                if let Some(to) = to {
                    write!(f, " before {to:?}")?;
                }
                write!(f, "{by:?}")
            }
            Self::ShowOrder { by, order } => write!(f, "show {order:?}{by:?}"),
            Self::ChangeOrder { by, order, to, if_match } => {
                write!(f, "make {order:?} {to}{if_match:?}{by:?}")
            }
        }
    }
}

impl<const LETTER: char> fmt::Debug for Nth<LETTER> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NOBODY => write!(f, "{LETTER}?"),
            number => write!(f, "{LETTER}{number}"),
        }
    }
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oneself => f.write_str(" by oneself"),
            Self::User(user) => write!(f, " by {user:?}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.written())
    }
}

impl fmt::Debug for IfMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::Any => " if at *",
            Self::Current => " if at the current version",
            Self::Stale => " if at the version before",
        })
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.name {
            write!(f, " name {:?}", name(number))?;
        }
        if let Some(number) = self.category {
            write!(f, " category {:?}", category(number).0)?;
        }
        if let Some(price) = self.price {
            write!(f, " price {price}")?;
        }
        if let Some(currency) = self.currency {
            write!(f, " currency {currency}")?;
        }
        match self.stock {
            None => Ok(()),
            Some(None) => f.write_str(" stock null"),
            Some(Some(stock)) => write!(f, " stock {stock}"),
        }
    }
}

impl fmt::Debug for UserFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.name {
            write!(f, " name {:?}", name(number))?;
        }
        if let Some(email) = self.email {
            write!(f, " email {email:?}")?;
        }
        if let Some(password) = self.password {
            write!(f, " password pw{password}")?;
        }
        match self.current {
            Some(current) => write!(f, " confirmed by pw{current}"),
            None => Ok(()),
        }
    }
}
