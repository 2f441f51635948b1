//! Lists of a user's orders, and of those that the shop has something to do with.

use std::collections::BTreeMap;

use serde_json::Value;
use storefront_core::{OrderId, OrderStatus, Payment, Timestamp, UserId, Worklist};

use super::order::Order;
use crate::engine::operation::Call;
use crate::engine::response::Response;
use crate::entities::Model;

/// Which orders of all users a client asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Of {
    Status(OrderStatus),
    Payment(Payment),
}

/// Orders placed since `from` and before `to`.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// The page of a worklist that the shop showed while other operations ran. It reads the shards of the
/// index one after the other, so what it shows need not have been true at one moment.
#[derive(Clone)]
pub(super) struct ShownPage {
    /// The orders on it, and whether more follow.
    shown: Vec<OrderId>,
    has_more: bool,
    /// The orders that were on the list when the operation began, and their versions.
    listed: BTreeMap<OrderId, u64>,
}

impl Of {
    pub(super) fn query(self) -> String {
        match self {
            Self::Status(status) => format!("status={status}"),
            Self::Payment(payment) => format!("payment={payment}"),
        }
    }

    /// The list, if the shop keeps one.
    fn worklist(self) -> Option<Worklist> {
        match self {
            Self::Status(OrderStatus::Pending) => Some(Worklist::Pending),
            Self::Status(OrderStatus::Paid) => Some(Worklist::Paid),
            Self::Status(OrderStatus::Shipped) => Some(Worklist::Shipped),
            Self::Payment(Payment::RefundDue) => Some(Worklist::RefundDue),
            Self::Status(_) | Self::Payment(_) => None,
        }
    }
}

impl Placed {
    fn contains(self, id: OrderId) -> bool {
        let time = id.created_at();
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

impl Model {
    /// Newest first.
    pub(super) fn list_orders(
        &self,
        user: UserId,
        limit: usize,
        placed: Placed,
        only_first: bool,
    ) -> Response {
        let newest_first = self.orders.iter().rev();
        let listed = newest_first.filter(|(id, order)| order.user == user && placed.contains(*id));
        let items: Vec<_> = listed.map(|(id, order)| order.listed(id)).collect();
        Response::pages(&items, limit, only_first)
    }

    /// Oldest first.
    pub(super) fn list_of_all_users(
        &mut self,
        of: Of,
        limit: usize,
        placed: Placed,
        call: &Call<'_>,
    ) -> Response {
        let Some(list) = of.worklist() else { return Response::problem(422, "not_listed") };
        let listed: Vec<(OrderId, &Order)> = self
            .orders
            .iter()
            .filter(|(id, order)| order.worklist() == Some(list) && placed.contains(*id))
            .collect();
        if call.is_concurrent()
            && let Some((entries, shown)) = page_of(call.actual, list, limit, placed)
        {
            let listed = listed.into_iter().map(|(id, order)| (id, order.version)).collect();
            let has_more = call.actual.body["hasMore"] == true;
            self.in_progress.unseen_entries.extend(entries);
            self.in_progress.shown_pages.push(ShownPage { shown, has_more, listed });
            return call.actual.clone();
        }
        let items: Vec<Value> = listed.into_iter().map(|(id, order)| order.listed(id)).collect();
        Response::pages(&items, limit, call.is_concurrent())
    }

    /// Drops the entries of shown pages that the model shows now.
    pub(crate) fn settle_listed(&mut self) {
        let mut unseen = std::mem::take(&mut self.in_progress.unseen_entries);
        unseen.retain(|(id, list, entry)| {
            let order = self.orders.get(*id).filter(|order| order.worklist() == Some(*list));
            !order.is_some_and(|order| {
                let mut expected = order.listed(*id);
                self.accept_pay_by(&mut expected, entry);
                expected == *entry
            })
        });
        self.in_progress.unseen_entries = unseen;
    }

    /// At the end of a step: every entry was true at some moment of it, and no order that was on the list
    /// all the time is missing.
    pub(super) fn check_shown_pages(&self) -> Result<(), String> {
        if let Some((id, list, entry)) = self.in_progress.unseen_entries.first() {
            return Err(format!("the list {list} showed {id} as {entry}, which was never true"));
        }
        for page in &self.in_progress.shown_pages {
            for (id, version) in &page.listed {
                let stayed = self.orders.get(*id).is_some_and(|order| order.version == *version);
                let is_beyond = page.has_more && page.shown.last() < Some(id);
                if stayed && !is_beyond && !page.shown.contains(id) {
                    return Err(format!("{id} is missing in a page that shows {:?}", page.shown));
                }
            }
        }
        Ok(())
    }
}

/// The entries of a page, and their ids.
type ShownEntries = (Vec<(OrderId, Worklist, Value)>, Vec<OrderId>);

/// The entries of the page that this answer has, and their ids; `None` if it cannot have been a page of
/// this list at any time.
fn page_of(
    actual: &Response,
    list: Worklist,
    limit: usize,
    placed: Placed,
) -> Option<ShownEntries> {
    let entries = actual.body["pages"][0].as_array().filter(|_| actual.status == 200)?;
    let ids = entries.iter().map(|entry| entry["id"].as_str()?.parse().ok());
    let ids: Vec<OrderId> = ids.collect::<Option<_>>()?;
    let is_full = ids.len() == limit || actual.body["hasMore"] == false;
    let is_page = is_full
        && ids.len() <= limit
        && ids.is_sorted_by(|a, b| a < b)
        && ids.iter().all(|id| placed.contains(*id));
    let entries = ids.iter().zip(entries).map(|(id, entry)| (*id, list, entry.clone())).collect();
    is_page.then_some((entries, ids))
}
