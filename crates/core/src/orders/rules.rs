//! What a shop decides about its orders without changing code.

use crate::Timestamp;

/// The most minutes that an order may wait for its payment: a year.
const MAX_MINUTES: u32 = 366 * 24 * 60;

/// The rules for new orders, as the parameters of the template set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderRules {
    /// How many minutes a customer has to pay; `None` for ever.
    pub pending_minutes: Option<u32>,
    /// How many pending orders a user may have; `None` for any number.
    pub max_open: Option<u32>,
}

/// A rule has a value that it cannot have.
#[derive(Debug, thiserror::Error)]
#[error("{variable} must be a whole number from 0 to {max}, where 0 stands for no limit")]
pub struct InvalidRule {
    variable: &'static str,
    max: u32,
}

impl OrderRules {
    /// The most that [`max_open`](Self::max_open) can be: placing an order reads twice as many orders.
    pub const MAX_OPEN: u32 = 1000;

    /// Reads the rules from the variables `PENDING_ORDER_MINUTES` and `MAX_OPEN_ORDERS` of the
    /// function's environment. An absent or empty one, and 0, stand for no limit.
    ///
    /// # Errors
    ///
    /// If one is something else than a number in its range.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, InvalidRule> {
        let number = |name, max| match variable(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match text.parse::<u32>() {
                Ok(0) => Ok(None),
                Ok(number) if number <= max => Ok(Some(number)),
                _ => Err(InvalidRule { variable: name, max }),
            },
        };
        Ok(Self {
            pending_minutes: number("PENDING_ORDER_MINUTES", MAX_MINUTES)?,
            max_open: number("MAX_OPEN_ORDERS", Self::MAX_OPEN)?,
        })
    }

    /// Until when an order that is placed at this time has to be paid.
    pub(super) fn pay_by(&self, placed_at: Timestamp) -> Option<Timestamp> {
        let minutes = i64::from(self.pending_minutes?);
        Timestamp::from_millis(placed_at.as_millis() + minutes * 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(minutes: &str, open: &str) -> Result<OrderRules, InvalidRule> {
        OrderRules::from_variables(|name| {
            Some(if name == "MAX_OPEN_ORDERS" { open } else { minutes }.to_owned())
        })
    }

    #[test]
    fn zero_and_nothing_stand_for_no_limit() {
        let limited = OrderRules { pending_minutes: Some(60), max_open: Some(10) };
        assert_eq!(rules("60", "10").unwrap(), limited);
        assert_eq!(rules("0", "").unwrap(), OrderRules::default());
        assert_eq!(OrderRules::from_variables(|_| None).unwrap(), OrderRules::default());
    }

    #[test]
    fn a_rule_that_is_not_a_number_in_its_range_is_rejected() {
        for (minutes, open) in [("an hour", "10"), ("-1", "10"), ("60", "1001"), ("527041", "10")] {
            assert!(rules(minutes, open).is_err(), "{minutes}, {open}");
        }
    }
}
