//! Who may do what.

use storefront_core::Role;

use super::{Caller, Context, Model, Seen, Standing, no_user, unauthenticated};
use crate::script::Operation;

impl Model {
    /// As whom the shop may treat a caller.
    ///
    /// A right is looked at before what it is asked for is done. So of several operations at once,
    /// one may still be done with a right that another takes away.
    pub(super) fn standings(&self, caller: Caller, context: Context<'_>) -> Vec<Standing> {
        let mut standings = vec![self.standing(caller), context.before.standing(caller)];
        standings.dedup();
        standings
    }

    /// A role that was taken away is out at once, and so is who was deleted. A role that was given
    /// counts from the next log-in on.
    pub(super) fn standing(&self, caller: Caller) -> Standing {
        match (caller.role, self.users.get(&caller.id).map(|user| user.role)) {
            (_, None) => Standing::Gone,
            (Role::Admin, Some(Role::Admin)) => Standing::Admin,
            _ => Standing::Customer,
        }
    }

    /// Whether an operation is refused, before anything else, to somebody who is deleted. Reading
    /// one's own orders is not, for as long as the token is good.
    pub(super) fn needs_a_user(&self, operation: &Operation, caller: Caller) -> bool {
        match *operation {
            Operation::Register { .. }
            | Operation::LogIn { .. }
            | Operation::ShowProduct { .. }
            | Operation::ListProducts { .. }
            | Operation::PlaceOrder { .. } => false,
            Operation::ChangeOrder { .. } => true,
            Operation::ShowUser { user, .. }
            | Operation::ChangeUser { user, .. }
            | Operation::DeleteUser { user, .. }
            | Operation::ListOrders { of: user, .. } => {
                // What an administrator's token asks for makes the shop look at who has it.
                caller.role == Role::Admin && self.user(user) != caller.id
            }
            Operation::FindUser { .. }
            | Operation::AssignRole { .. }
            | Operation::CreateProduct { .. }
            | Operation::ChangeProduct { .. }
            | Operation::DeleteProduct { .. }
            | Operation::ShowOrder { .. } => caller.role == Role::Admin,
        }
    }

    /// Who finds no user in their own place is none.
    pub(super) fn or_gone(&self, operation: &Operation, caller: Caller, seen: Seen) -> Seen {
        let is_own = match *operation {
            Operation::ShowUser { user, .. }
            | Operation::ChangeUser { user, .. }
            | Operation::AssignRole { user, .. }
            | Operation::DeleteUser { user, .. } => self.user(user) == caller.id,
            _ => false,
        };
        if is_own && seen == no_user() { unauthenticated() } else { seen }
    }
}
