use storefront_core::{Role, UserId};

use super::check::Check;
use super::{Deed, Entry, Moment, Told, UserChange};
use crate::PASSWORD;

/// The time from a request to its answer.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) from: Moment,
    pub(super) to: Moment,
}

impl Check<'_> {
    /// The requests, each with when it was under way.
    pub(super) fn spans(&self) -> impl Iterator<Item = (Span, &Entry)> {
        let spans = self.entries.iter().enumerate();
        spans.map(|(at, entry)| (Span { from: entry.asked, to: Moment(at) }, entry))
    }

    /// When all requests are over.
    pub(super) fn end(&self) -> Span {
        let end = Moment(self.entries.len());
        Span { from: end, to: end }
    }

    /// Which emails the user may have had at some time of this span.
    pub(super) fn emails(&self, id: UserId, within: Span) -> Vec<String> {
        let before = self.before.users.get(&id).map(|user| user.email.as_str().to_owned());
        let first = before.or_else(|| self.registered_as(id));
        self.values(id, first, within, |change| change.email.clone())
    }

    /// Which passwords.
    pub(super) fn passwords(&self, id: UserId, within: Span) -> Vec<String> {
        self.values(id, Some(PASSWORD.to_owned()), within, |change| change.password.clone())
    }

    /// Which roles.
    pub(super) fn roles(&self, id: UserId, within: Span) -> Vec<Role> {
        let before = self.before.users.get(&id).map_or(Role::User, |user| user.role);
        self.values(id, Some(before), within, |change| change.role)
    }

    /// Whether somebody may have deleted the user.
    pub(super) fn may_be_deleted(&self, id: UserId) -> bool {
        self.entries.iter().any(|entry| {
            matches!(entry.deed, Deed::DeleteUser { id: deleted, .. } if deleted == id)
                && entry.told() != Told::Refused
        })
    }

    fn registered_as(&self, id: UserId) -> Option<String> {
        self.entries.iter().find_map(|entry| match &entry.deed {
            Deed::Register { email } if entry.id() == Some(id) => Some(email.clone()),
            _ => None,
        })
    }

    /// What may have been there at some time of the span: what was there first and what has been
    /// written since, but for what a later write was known to have replaced when the span began.
    ///
    /// Of a write that nobody knows about, it is not known when it comes.
    fn values<T: PartialEq>(
        &self,
        id: UserId,
        first: Option<T>,
        within: Span,
        of: impl Fn(&UserChange) -> Option<T>,
    ) -> Vec<T> {
        let writes: Vec<(Span, Told, T)> = self
            .spans()
            .filter_map(|(span, entry)| match &entry.deed {
                Deed::ChangeUser { id: changed, change, .. } if *changed == id => {
                    Some((span, entry.told(), of(change)?))
                }
                _ => None,
            })
            .collect();
        let replaced_since = |since: Option<Moment>| {
            writes.iter().any(|(span, told, _)| {
                *told == Told::Done
                    && span.to < within.from
                    && since.is_none_or(|since| since < span.from)
            })
        };
        let is_first_there = !replaced_since(None);
        let mut values: Vec<T> = first.into_iter().filter(|_| is_first_there).collect();
        let there: Vec<bool> = writes
            .iter()
            .map(|(span, told, _)| match told {
                Told::Done => span.from <= within.to && !replaced_since(Some(span.to)),
                Told::Unknown => span.from <= within.to,
                Told::Refused => false,
            })
            .collect();
        for ((.., value), is_there) in writes.into_iter().zip(there) {
            if is_there && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }
}
