//! The guard of an email: an item with the email as its key, so that one user has it.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use crate::change::{Change, string};
use crate::schema::{self, Item, ItemType, Key};
use crate::{Email, Result, Table, UserId};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UniqueEmail {
    pub(crate) user_id: UserId,
}

/// Frees an email, which must be this user's.
pub(crate) fn delete_guard(
    table: &Table,
    user_id: UserId,
    email: &Email,
) -> Result<TransactWriteItem> {
    let is_theirs = Change::unseen().require("userId", string(user_id));
    is_theirs.into_delete(table, Key::unique_email(email))
}

pub(crate) fn guard_item(user_id: UserId, email: &Email) -> Result<Item> {
    let guard = UniqueEmail { user_id };
    schema::item(ItemType::UniqueEmail, Key::unique_email(email), None, &guard)
}
