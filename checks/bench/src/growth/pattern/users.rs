//! The access patterns of users.

use std::net::Ipv4Addr;

use storefront_core::{Email, LoginAttempt, NewUser, Role, Source, User, UserChanges, UserId};

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
            let source = some_source(random);
            let attempt = LoginAttempt::new(email.clone(), None, Some(source.clone()));
            let ((), sample) = measure(shop.login_attempts.begin(&attempt)).await?;
            shop.login_attempts.succeeded(&attempt).await;
            shop.forget_source(&email, &source).await?;
            sample
        }
        Pattern::ForgetLogIns => {
            let source = some_source(random);
            let attempt = LoginAttempt::new(email.clone(), None, Some(source.clone()));
            shop.login_attempts.begin(&attempt).await?;
            let forget = async {
                shop.login_attempts.succeeded(&attempt).await;
                Ok(())
            };
            let ((), sample) = measure(forget).await?;
            shop.forget_source(&email, &source).await?;
            sample
        }
        // Registering and deleting run together, so that the table keeps its size.
        _ => {
            let new = NewUser {
                email: new_email(random)?,
                name: format!("Customer {number:07}").parse().map_err(Error::shop)?,
                password_hash: password_hash(random),
                role: Role::User,
                locale: None,
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

/// An address that log-ins come from.
///
/// # Panics
///
/// Never: it is not the loopback address.
fn some_source(random: &mut fastrand::Rng) -> Source {
    let address = Ipv4Addr::from_bits(0x0a00_0000 | random.u32(..1 << 24));
    Source::of(address.into()).expect("an address of 10.0.0.0/8")
}
