//! `storefront-ops erase`.

use storefront_core::{Erased, Orders, UserId};

use crate::error::Error;

/// Removes the addresses from the orders of a deleted user.
pub(crate) async fn run(orders: &Orders, table: &str, user_id: UserId) -> Result<(), Error> {
    let erased = orders.erase(user_id).await;
    let erased = erased.map_err(|source| Error::Erase { table: table.to_owned(), source })?;
    let Erased { orders, addresses } = erased.ok_or(Error::UserExists { user_id })?;
    println!("removed the addresses from {addresses} of the {orders} orders of {user_id}");
    Ok(())
}
