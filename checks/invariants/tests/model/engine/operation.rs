//! What the engine needs of each operation, and what may come of one.

use std::fmt;

use futures_util::future::BoxFuture;
use storefront_core::{Role, UserId};
use storefront_invariants::Shop;
use storefront_testing::{Persona, Request};

use super::response::{Response, unauthenticated};
use crate::entities::{Focus, Model, Operation};

/// The operations on one entity: how each is requested, and what the model makes of it.
pub(crate) trait EntityOperation: fmt::Debug {
    /// The user whose token goes with the request, as far as it needs one.
    fn caller(&self, known: &Model) -> UserId;

    /// The request that asks the shop for it.
    fn request(&self, _client: &Client<'_>) -> Request {
        panic!("no client asks for {self:?}")
    }

    /// Does it, if it is not for clients to ask for, and returns what came of it.
    fn run<'a>(&'a self, _shop: &'a Shop, _known: &'a Model) -> Option<BoxFuture<'a, Response>> {
        None
    }

    /// Notes what may happen at any time while it is in progress.
    fn begin(&self, _model: &mut Model) {}

    /// Whether the answer is a page of a list.
    fn is_list(&self) -> bool {
        false
    }

    /// Performs the operation on the model, and returns the answer to expect.
    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response;

    /// Whether the shop answers 401 to a deleted user before it looks at anything else.
    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool;

    /// Adds outcomes that are possible only because other operations run at the same time.
    fn add_concurrent_outcomes(
        &self,
        _model: &Model,
        _call: &Call<'_>,
        _outcomes: &mut Vec<(Response, Model)>,
    ) {
    }

    /// If the shop answers a successful change by reading the entity again: what that read shows
    /// when the model is as it is now.
    fn reread(&self, _model: &Model, _call: &Call<'_>) -> Option<Response> {
        None
    }

    /// Whether this change is answered from the change itself even though others are re-read.
    fn is_answered_without_reread(&self, _before: &Model, _after: &Model, _known: &Model) -> bool {
        false
    }

    /// Makes the operation be about the same things as the others of its step.
    fn focus_on(&mut self, focus: &Focus);
}

/// What a client sends its requests with.
pub(crate) struct Client<'a> {
    pub(crate) shop: &'a Shop,
    /// The model when the step began.
    pub(crate) known: &'a Model,
    pub(crate) caller: Persona,
    /// `&cursor=…` for a list's further pages.
    pub(crate) cursor: &'a str,
}

/// The step that an operation belongs to.
#[derive(Clone, Copy)]
pub(crate) struct StepContext<'a> {
    /// The model when the step began, which is what clients know.
    pub(crate) known: &'a Model,
    /// How many operations run at once.
    pub(crate) operations: usize,
}

/// One operation as the model performs it.
pub(crate) struct Call<'a> {
    pub(crate) step: StepContext<'a>,
    pub(crate) caller: UserId,
    /// The role in the caller's token.
    pub(crate) token_role: Role,
    pub(crate) rights: Rights,
    /// The shop's answer. The model takes from it only what the server chooses, which is ids.
    pub(crate) actual: &'a Response,
}

/// What a caller may do.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Rights {
    Admin,
    Staff,
    Customer,
    /// The token's user has been deleted.
    Deleted,
}

impl<'a> Call<'a> {
    pub(crate) fn known(&self) -> &'a Model {
        self.step.known
    }

    pub(crate) fn is_concurrent(&self) -> bool {
        self.step.operations > 1
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.rights == Rights::Admin
    }

    /// Whether the caller works for the shop.
    pub(crate) fn is_staff(&self) -> bool {
        matches!(self.rights, Rights::Admin | Rights::Staff)
    }

    /// Whether the token has a role that may have been taken away, so that the shop reads the caller
    /// where it needs one.
    pub(crate) fn has_staff_token(&self) -> bool {
        self.token_role != Role::User
    }

    /// The user to whose orders the caller is limited, if to any.
    pub(crate) fn restricted_to(&self) -> Option<UserId> {
        (!self.is_staff()).then_some(self.caller)
    }
}

/// What may come of an operation now: answers, each with the model after it. An operation that runs
/// alone has exactly one.
pub(crate) fn possible_outcomes(
    model: &Model,
    operation: &Operation,
    step: StepContext<'_>,
    actual: &Response,
) -> Vec<(Response, Model)> {
    let caller = operation.entity().caller(step.known);
    let token_role = step.known.token_role(caller);
    let call = |rights| Call { step, caller, token_role, rights, actual };
    // The shop looks at rights before it does what it is asked for. So a concurrent operation may
    // still succeed with a right that another one takes away.
    let mut rights = vec![model.rights(caller), step.known.rights(caller)];
    rights.dedup();

    let mut outcomes: Vec<(Response, Model)> = rights
        .iter()
        .map(|rights| {
            let mut after = model.clone();
            let call = call(*rights);
            let is_rejected =
                *rights == Rights::Deleted && operation.entity().rejects_deleted_caller(&call);
            let expected = if is_rejected {
                unauthenticated()
            } else {
                operation.entity().perform(&mut after, &call)
            };
            (expected, after)
        })
        .collect();
    if step.operations > 1 {
        let call = call(rights[0]);
        operation.entity().add_concurrent_outcomes(model, &call, &mut outcomes);
        for (expected, after) in &mut outcomes {
            after.accept_unknown(expected, actual);
            accept_reread(model, after, operation, &call, expected);
            settle_rereads(after, step);
            after.settle_listed();
        }
    }
    outcomes
}

/// An answer that the shop reads again after the change may show later changes, too. Takes the
/// actual answer for the expected one, and notes that the model must show exactly this at some later
/// point of the step.
fn accept_reread(
    before: &Model,
    after: &mut Model,
    operation: &Operation,
    call: &Call<'_>,
    expected: &mut Response,
) {
    let entity = operation.entity();
    let is_reread = entity.reread(after, call).is_some()
        && !entity.is_answered_without_reread(before, after, call.known());
    if is_reread && expected.status == 200 && expected != call.actual {
        *expected = call.actual.clone();
        after.unseen_rereads.push((operation.clone(), call.actual.clone()));
    }
}

/// Drops the noted answers that the model shows now.
fn settle_rereads(model: &mut Model, step: StepContext<'_>) {
    let mut unseen = std::mem::take(&mut model.unseen_rereads);
    unseen.retain(|(operation, actual)| {
        let caller = operation.entity().caller(step.known);
        let token_role = step.known.token_role(caller);
        let call = Call { step, caller, token_role, rights: model.rights(caller), actual };
        operation.entity().reread(model, &call).as_ref() != Some(actual)
    });
    model.unseen_rereads = unseen;
}
