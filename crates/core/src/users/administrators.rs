//! What administrators do with users. The role of an administrator is taken away only by another one, who
//! still has it at that moment: whatever happens at the same time, the shop keeps one.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::{Role, User, UserChanges, Users, change};
use crate::change::{Change, string};
use crate::schema::{self, Item, ItemType, Key};
use crate::transaction::{self, Outcome};
use crate::{Error, Result, Timestamp, UserId, Version};

/// What must hold when a transaction is made: that somebody is an administrator.
pub(super) struct Precondition {
    pub(super) action: TransactWriteItem,
}

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
        /// Positions among the actions.
        const USER: usize = 0;
        const ADMINISTRATOR: usize = 1;
        let changes = UserChanges { role: Some(role), ..UserChanges::default() };
        if role == Role::Admin {
            return self.update(id, changes, expected).await;
        }
        if id == administrator {
            return Err(Error::AdministratorNeeded);
        }
        let change = change(&changes, Timestamp::now()).require_version(expected);
        let actions = vec![
            change.into_action(&self.table, Key::user(id))?,
            self.is_administrator(administrator)?.action,
        ];
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => self.find_now(id).await?.ok_or(Error::UserNotFound),
            Outcome::Cancelled(mut failed) => Err(match failed.remove(&ADMINISTRATOR) {
                Some(found) => refusal(found.as_ref()),
                None => match failed.remove(&USER).flatten() {
                    Some(item) => {
                        let user: User = schema::entity(ItemType::User, item)?;
                        Error::VersionMismatch { current: user.version }
                    }
                    None => Error::UserNotFound,
                },
            }),
        }
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

    fn is_administrator(&self, id: UserId) -> Result<Precondition> {
        let is_one = Change::unseen().require("role", string(Role::Admin));
        Ok(Precondition { action: is_one.into_action(&self.table, Key::user(id))? })
    }
}

/// Returns why somebody may not do what only administrators may, given what was found of them.
pub(super) fn refusal(found: Option<&Item>) -> Error {
    if found.is_some() { Error::AdministratorsOnly } else { Error::CallerNotFound }
}
