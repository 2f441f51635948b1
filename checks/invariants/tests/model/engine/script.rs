//! A test case: a script of steps, each of one operation or of several concurrent ones.
//!
//! Operations name users, products and orders by the order of their creation, so that a script can
//! be cut short anywhere and still means something.

use std::fmt;

use storefront_core::OrderRules;

use crate::entities::Operation;

/// A test case. It starts from the shop that [`super::setup`] makes.
#[derive(Clone)]
pub(crate) struct Script {
    /// How many log-ins of `u1` have failed before the script begins.
    pub(crate) failed_log_ins: u32,
    /// Over how many items the stock of `p0` is spread before the script begins.
    pub(crate) spread: u8,
    /// The shop's rules for new orders.
    pub(crate) rules: OrderRules,
    pub(crate) steps: Vec<Step>,
}

/// One operation, or several concurrent ones.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) operations: Vec<Operation>,
    /// Which of the waiting operations sends its request to DynamoDB next; the first one when the
    /// list has run out. So if the list is empty, each operation starts when the one before is done.
    pub(crate) interleaving: Vec<u8>,
}

/// The nth user, session, token of a mail, product or order that was created, even if it has been deleted. The
/// letter says what it is when it is printed: `u` a user, `s` a session, `t` a token, `p` a product, `o` an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nth<const LETTER: char>(pub(crate) u8);

/// Names something that never existed.
pub(crate) const NONEXISTENT: u8 = u8::MAX;

/// Who sends an operation.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// The user that the operation is about, or the user of its order.
    Owner,
    User(Nth<'u'>),
}

/// The version that a change asks for, as it was when the step began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMatch {
    None,
    Any,
    Current,
    Stale,
}

impl Step {
    /// A step of one operation.
    pub(crate) fn alone(operation: impl Into<Operation>) -> Self {
        Self { operations: vec![operation.into()], interleaving: Vec::new() }
    }
}

impl IfMatch {
    /// The version in the header, if it names one.
    pub(crate) fn version(self, current: Option<u64>) -> Option<u64> {
        match self {
            Self::None | Self::Any => None,
            Self::Current => Some(current.unwrap_or(1)),
            Self::Stale => Some(current.unwrap_or(1) - 1),
        }
    }
}

/// Whether a change expects another version than the current one.
pub(crate) fn is_stale(expected: Option<u64>, version: u64) -> bool {
    expected.is_some_and(|expected| expected != version)
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failed_log_ins, spread, rules, .. } = self;
        write!(
            f,
            "after {failed_log_ins} failed log-ins of u1, p0 spread over {spread}, {rules:?}:"
        )?;
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
        write!(f, "concurrently, interleaved as {:?}:", self.interleaving)?;
        for (letter, operation) in ('a'..).zip(&self.operations) {
            write!(f, "\n     {letter}. {operation:?}")?;
        }
        Ok(())
    }
}

impl<const LETTER: char> fmt::Debug for Nth<LETTER> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NONEXISTENT => write!(f, "{LETTER}?"),
            number => write!(f, "{LETTER}{number}"),
        }
    }
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str(" by its owner"),
            Self::User(user) => write!(f, " by {user:?}"),
        }
    }
}

impl fmt::Debug for IfMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::Any => " if-match *",
            Self::Current => " if-match the current version",
            Self::Stale => " if-match the version before",
        })
    }
}
