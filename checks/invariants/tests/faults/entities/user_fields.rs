//! Which values a user's fields may have had at a time, given what clients were answered.

use storefront_core::{Role, UserId};
use storefront_invariants::PASSWORD;

use super::Operation;
use super::users::{UserChange, UserOperation};
use crate::engine::checker::Checker;
use crate::engine::history::{Interval, Moment, Outcome};

impl Checker<'_> {
    pub(super) fn possible_emails(&self, id: UserId, within: Interval) -> Vec<String> {
        let before = self.before.users.get(&id).map(|user| user.email.as_str().to_owned());
        let first = before.or_else(|| self.registered_email(id));
        self.possible_values(id, first, within, |change| change.email.clone())
    }

    pub(super) fn possible_passwords(&self, id: UserId, within: Interval) -> Vec<String> {
        let first = Some(PASSWORD.to_owned());
        self.possible_values(id, first, within, |change| change.password.clone())
    }

    pub(super) fn possible_roles(&self, id: UserId, within: Interval) -> Vec<Role> {
        let first = self.before.users.get(&id).map_or(Role::User, |user| user.role);
        self.possible_values(id, Some(first), within, |change| change.role)
    }

    fn registered_email(&self, id: UserId) -> Option<String> {
        self.exchanges.iter().find_map(|exchange| match &exchange.operation {
            Operation::User(UserOperation::Register { email }) if exchange.id() == Some(id) => {
                Some(email.clone())
            }
            _ => None,
        })
    }

    /// The values that a field may have had within the interval: the first one, and each that was
    /// written since; except those that a later acknowledged write had replaced before the interval
    /// began.
    ///
    /// A write whose outcome is unknown may take effect at any time after it was sent.
    fn possible_values<T: PartialEq>(
        &self,
        id: UserId,
        first: Option<T>,
        within: Interval,
        field: impl Fn(&UserChange) -> Option<T>,
    ) -> Vec<T> {
        let writes: Vec<(Interval, Outcome, T)> = self
            .intervals()
            .filter_map(|(interval, exchange)| {
                let (changed, change) = exchange.operation.user_change()?;
                let value = field(&change).filter(|_| changed == id)?;
                Some((interval, exchange.outcome(), value))
            })
            .collect();
        // Whether an acknowledged write that was sent after this moment was answered before the
        // interval began.
        let was_replaced = |since: Option<Moment>| {
            writes.iter().any(|(write, outcome, _)| {
                *outcome == Outcome::Acknowledged
                    && write.to < within.from
                    && since.is_none_or(|since| since < write.from)
            })
        };
        let first_is_possible = !was_replaced(None);
        let mut values: Vec<T> = first.into_iter().filter(|_| first_is_possible).collect();
        let are_possible: Vec<bool> = writes
            .iter()
            .map(|(write, outcome, _)| match outcome {
                Outcome::Acknowledged => write.from <= within.to && !was_replaced(Some(write.to)),
                Outcome::Unknown => write.from <= within.to,
                Outcome::Rejected => false,
            })
            .collect();
        for ((.., value), is_possible) in writes.into_iter().zip(are_possible) {
            if is_possible && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }
}
