use storefront_core::{NewUser, Role, User};

use super::fields::{self, Fields};
use super::reject::Reason;
use super::unit::{Migrated, Remark};
use super::{Entity, id, password};
use crate::mapping::{Mapping, WithoutPassword};
use crate::source::Row;

/// Reads the user of a row.
pub(crate) fn user(row: &Row, mapping: &Mapping) -> fields::Result<Migrated<User>> {
    let fields = Fields::of(row);
    let legacy_id = fields.key("id")?.to_string();
    let email = fields.parsed("email")?;
    let mut remarks = Vec::new();
    let name = fields.name(&mut remarks)?;
    let role = fields.mapped("users", "role", &mapping.users.role)?.unwrap_or(Role::User);
    let created_at = fields.created_at()?;
    let updated_at = fields.updated_at(created_at)?;
    let id = id::id(Entity::User, &legacy_id, created_at)
        .ok_or_else(|| Reason::Missing { column: fields.column("createdAt") })?;

    let hash = fields.value("passwordHash").map(|value| password::usable(&value.to_text()));
    let password_hash = match (hash, mapping.users.without_password) {
        (Some(Ok(hash)), _) => hash,
        (_, WithoutPassword::Lock) => {
            remarks.push(Remark::Locked);
            password::locked(&legacy_id)
        }
        (hash, WithoutPassword::Reject) => {
            let why = hash.and_then(Result::err).map(|why| why.to_string());
            let why = why.unwrap_or_else(|| "it is null".to_owned());
            return Err(Reason::Password { column: fields.column("passwordHash"), why });
        }
    };
    let new = NewUser { email, name, password_hash, role, locale: None };
    let value = User { created_at, updated_at, ..User::new(id, new) };
    Ok(Migrated { legacy_id, value, remarks })
}
