//! `storefront-ops erase`.

use storefront_core::{Erased, Orders, Sessions, Table, UserId};

use crate::error::Error;

/// Removes what the shop still has of a deleted user: the addresses in orders, and the sessions.
pub(crate) async fn run(table: Table, name: &str, user_id: UserId) -> Result<(), Error> {
    let failed = |source| Error::Erase { table: name.to_owned(), source };
    let erased = Orders::new(table.clone()).erase(user_id).await.map_err(failed)?;
    let Erased { orders, addresses } = erased.ok_or(Error::UserExists { user_id })?;
    println!("removed the addresses from {addresses} of the {orders} orders of {user_id}");
    let sessions = Sessions::new(table).erase(user_id).await.map_err(failed)?;
    println!("removed {sessions} sessions");
    Ok(())
}
