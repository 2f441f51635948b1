//! The access patterns of users.

use storefront_core::{Email, NewUser, Role, User, UserChanges, UserId};

use super::{Pattern, Sample, measure};
use crate::Error;
use crate::growth::data::password_hash;
use crate::growth::shop::Shop;

pub(super) async fn run(
    pattern: Pattern,
    shop: &Shop,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let number = random.u32(..shop.data.users);
    let id = shop.data.user_id(number);
    let email = shop.data.email(number);
    let is_it = |found: Option<User>| pattern.expect(found.is_some_and(|user| user.id == id));
    let is_nobody = |found: Option<User>| pattern.expect(found.is_none());
    let users = &shop.users;
    let sample = match pattern {
        Pattern::UserById => {
            let (found, sample) = measure(users.find(id)).await?;
            is_it(found)?;
            sample
        }
        Pattern::UserOfNobody => {
            let (found, sample) = measure(users.find(UserId::new())).await?;
            is_nobody(found)?;
            sample
        }
        Pattern::RoleOfUser => {
            let (found, sample) = measure(users.role_of(id)).await?;
            pattern.expect(found == Some(Role::User))?;
            sample
        }
        Pattern::UserByEmail => {
            let (found, sample) = measure(users.find_by_email(&email)).await?;
            is_it(found)?;
            sample
        }
        Pattern::UserByEmailOfNobody => {
            let email = new_email(random)?;
            let (found, sample) = measure(users.find_by_email(&email)).await?;
            is_nobody(found)?;
            sample
        }
        Pattern::UserToLogIn => {
            let (found, sample) = measure(users.find_to_log_in(&email)).await?;
            is_it(found)?;
            sample
        }
        Pattern::UserToConfirm => {
            let (found, sample) = measure(users.find_now(id)).await?;
            is_it(found)?;
            sample
        }
        Pattern::RenameUser => {
            let name = format!("Renamed {number:08}").parse().map_err(Error::shop)?;
            let changes = UserChanges { name: Some(name), ..Default::default() };
            measure(users.update(id, changes, None)).await?.1
        }
        Pattern::ChangeEmail => {
            let change = |email| UserChanges { email: Some(email), ..Default::default() };
            let new = new_email(random)?;
            let (_, sample) = measure(users.update(id, change(new), None)).await?;
            users.update(id, change(email), None).await?;
            sample
        }
        Pattern::CountLogIn => {
            let ((), sample) = measure(shop.login_attempts.begin(&email)).await?;
            shop.login_attempts.succeeded(&email).await;
            sample
        }
        Pattern::ForgetLogIns => {
            shop.login_attempts.begin(&email).await?;
            let forget = async {
                shop.login_attempts.succeeded(&email).await;
                Ok(())
            };
            measure(forget).await?.1
        }
        // Registering and deleting run together, so that the table keeps its size.
        _ => {
            let new = NewUser {
                email: new_email(random)?,
                name: format!("Customer {number:07}").parse().map_err(Error::shop)?,
                password_hash: password_hash(random),
                role: Role::User,
            };
            let (user, registered) = measure(users.register(UserId::new(), new)).await?;
            let ((), deleted) = measure(users.delete(user.id, None)).await?;
            if pattern == Pattern::RegisterUser { registered } else { deleted }
        }
    };
    Ok(sample)
}

/// Generates an email that no user has, as long as those of the users.
fn new_email(random: &mut fastrand::Rng) -> Result<Email, Error> {
    format!("newcomer.{:07}@shop-new.example", random.u32(..10_000_000))
        .parse()
        .map_err(Error::shop)
}
