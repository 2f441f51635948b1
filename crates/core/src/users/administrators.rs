//! What administrators do with users. The role of an administrator is taken away only by another one, who
//! still has it at that moment: whatever happens at the same time, the shop keeps one.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::{Role, User, UserChanges, Users};
use crate::change::{Change, string};
use crate::schema::{Item, Key};
use crate::{Error, Result, UserId, Version};

impl Users {
    /// Gives a user a role, on behalf of an administrator. If a version is expected, the user must be at
    /// that version ([`Error::VersionMismatch`]). Returns the user after the change.
    ///
    /// Administrators cannot give themselves another role ([`Error::AdministratorNeeded`]). One who has
    /// lost theirs cannot take anybody else's away ([`Error::AdministratorsOnly`]).
    pub async fn assign_role(
        &self,
        id: UserId,
        role: Role,
        expected: Option<Version>,
        administrator: UserId,
    ) -> Result<User> {
        let changes = UserChanges { role: Some(role), ..UserChanges::default() };
        let check = match role {
            Role::Admin => None,
            Role::User | Role::Staff if id == administrator => {
                return Err(Error::AdministratorNeeded);
            }
            Role::User | Role::Staff => Some(self.is_administrator(administrator)?),
        };
        self.update_item(id, &changes, expected, check).await
    }

    /// Deletes a user like [`Users::delete`], on behalf of that user or of an administrator. Fails as
    /// [`Users::assign_role`] does, if the user is an administrator.
    pub async fn delete_on_behalf_of(
        &self,
        caller: UserId,
        id: UserId,
        expected: Option<Version>,
    ) -> Result<()> {
        self.delete_if(id, expected, |user| match user.role {
            Role::Admin if id == caller => Err(Error::AdministratorNeeded),
            Role::Admin => self.is_administrator(caller).map(Some),
            Role::User | Role::Staff => Ok(None),
        })
        .await
    }

    fn is_administrator(&self, id: UserId) -> Result<TransactWriteItem> {
        let is_one = Change::unseen().require("role", string(Role::Admin));
        is_one.into_action(&self.table, Key::user(id))
    }
}

/// Returns why the check of an administrator failed, given what was found of them.
pub(super) fn refusal(found: Option<&Item>) -> Error {
    if found.is_some() { Error::AdministratorsOnly } else { Error::CallerNotFound }
}
