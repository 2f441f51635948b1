//! The texts of version 0.1, which took each as it was typed: names, descriptions, categories and emails
//! that differ only in how they are spelled in Unicode, domains in their own script, and invisible
//! characters.

use crate::change::{Change, string};
use crate::schema::{GSI1PK, IndexKey, Item, ItemType, Key};
use crate::table::Consistency;
use crate::text::nfc;
use crate::transaction::{self, Outcome, Written};
use crate::users::{self, UniqueEmail};
use crate::{Category, Email, Error, Line, Name, ProductId, Result, Table, UserId};

/// The texts of a user or a product that 0.2 writes differently. By default there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
#[allow(clippy::struct_excessive_bools, reason = "each is counted")]
pub struct TextUpgrade {
    pub email: bool,
    pub name: bool,
    pub description: bool,
    /// Or its key in the index.
    pub category: bool,
}

/// Returns what [`upgrade_user`] would do.
///
/// Fails with [`Error::EmailTaken`] if another user has the email in its normalised form, and with
/// [`Error::Item`] if 0.2 does not accept the email.
pub async fn needed_by_user(table: &Table, id: UserId, item: &Item) -> Result<TextUpgrade> {
    let user = UserTexts::of(item)?;
    if user.email != user.stored_email {
        let key = Key::unique_email(&user.email);
        let guard: Option<UniqueEmail> =
            table.get(ItemType::UniqueEmail, key, Consistency::Strong).await?;
        if guard.is_some_and(|guard| guard.user_id != id) {
            return Err(Error::EmailTaken);
        }
    }
    Ok(user.needs())
}

/// Normalises the email and the name of a user that was read, by a scan for example, and returns what was
/// done. It makes no new version, and writes on condition of what was read: if the user has been changed
/// since, that has normalised the texts, or the next run does.
///
/// Fails like [`needed_by_user`].
pub async fn upgrade_user(table: &Table, id: UserId, item: &Item) -> Result<TextUpgrade> {
    /// The position among the actions.
    const NEW_GUARD: usize = 1;
    let user = UserTexts::of(item)?;
    let needed = user.needs();
    if needed == TextUpgrade::default() {
        return Ok(needed);
    }
    let mut change = Change::unseen()
        .require("email", string(user.stored_email.as_str()))
        .require("name", string(&user.stored_name))
        .set("name", string(&user.name));
    if !needed.email {
        let action = change.into_action(table, Key::user(id))?;
        let written = transaction::write_one(table, action).await?;
        return Ok(if matches!(written, Written::Done) { needed } else { TextUpgrade::default() });
    }
    change = change
        .set("email", string(user.email.as_str()))
        .set(GSI1PK, string(IndexKey::user(id, &user.email).pk));
    let actions = vec![
        change.into_action(table, Key::user(id))?,
        table.put_new(users::guard_item(id, &user.email)?)?,
        users::delete_guard(table, id, &user.stored_email)?,
    ];
    match transaction::write(table, actions).await? {
        Outcome::Written => Ok(needed),
        Outcome::Cancelled(failed) if failed.keys().eq([&NEW_GUARD]) => Err(Error::EmailTaken),
        Outcome::Cancelled(_) => Ok(TextUpgrade::default()),
    }
}

/// Returns what [`upgrade_product_texts`] would do. Fails like that.
pub fn needed_by_product_texts(id: ProductId, item: &Item) -> Result<TextUpgrade> {
    ProductTexts::of(id, item).map(|product| product.needs())
}

/// Normalises the texts of a product that was read, like [`upgrade_user`]. Its stock items get the name
/// with [`super::upgrade`], which must follow.
///
/// Fails with [`Error::Item`] if nothing is left of its name or category.
pub async fn upgrade_product_texts(
    table: &Table,
    id: ProductId,
    item: &Item,
) -> Result<TextUpgrade> {
    let product = ProductTexts::of(id, item)?;
    let needed = product.needs();
    if needed == TextUpgrade::default() {
        return Ok(needed);
    }
    let change = Change::unseen()
        .require("name", string(&product.stored_name))
        .require("category", string(&product.stored_category))
        .require_seen("description", product.stored_description.map(string))
        .set("name", string(&product.name))
        .set("category", string(product.category.as_str()))
        .set(GSI1PK, string(product.index_key))
        .set_some("description", product.description.map(string));
    let action = change.into_action(table, Key::product(id))?;
    let written = transaction::write_one(table, action).await?;
    Ok(if matches!(written, Written::Done) { needed } else { TextUpgrade::default() })
}

/// A user's texts as they are stored, and as they should be.
struct UserTexts {
    stored_email: Email,
    email: Email,
    stored_name: String,
    name: Name,
}

impl UserTexts {
    fn of(item: &Item) -> Result<Self> {
        let (stored_email, stored_name) = (text(item, "email")?, text(item, "name")?);
        Ok(Self {
            email: stored_email.parse().map_err(|error| odd("email", error))?,
            stored_email: Email::stored(stored_email),
            name: Name::tidied(stored_name).map_err(|error| odd("name", error))?,
            stored_name: stored_name.to_owned(),
        })
    }

    fn needs(&self) -> TextUpgrade {
        TextUpgrade {
            email: self.email != self.stored_email,
            name: self.name.as_str() != self.stored_name,
            ..TextUpgrade::default()
        }
    }
}

/// A product's texts as they are stored, and as they should be.
struct ProductTexts {
    stored_name: String,
    name: Name,
    stored_description: Option<String>,
    description: Option<String>,
    stored_category: String,
    category: Category,
    stored_index_key: Option<String>,
    index_key: String,
}

impl ProductTexts {
    fn of(id: ProductId, item: &Item) -> Result<Self> {
        let (stored_name, stored_category) = (text(item, "name")?, text(item, "category")?);
        let category = Line::<MAX_STORED_CATEGORY>::tidied(stored_category)
            .map_err(|error| odd("category", error))?;
        let category: Category =
            category.as_str().parse().map_err(|error| odd("category", error))?;
        let stored_description = text(item, "description").ok();
        Ok(Self {
            name: Name::tidied(stored_name).map_err(|error| odd("name", error))?,
            stored_name: stored_name.to_owned(),
            description: stored_description.map(|text| nfc(text).into_owned()),
            stored_description: stored_description.map(str::to_owned),
            index_key: IndexKey::product(id, &category).pk,
            stored_index_key: text(item, GSI1PK).ok().map(str::to_owned),
            category,
            stored_category: stored_category.to_owned(),
        })
    }

    fn needs(&self) -> TextUpgrade {
        TextUpgrade {
            email: false,
            name: self.name.as_str() != self.stored_name,
            description: self.description != self.stored_description,
            category: self.category.as_str() != self.stored_category
                || self.stored_index_key.as_ref() != Some(&self.index_key),
        }
    }
}

/// In characters: those that are left out count here.
const MAX_STORED_CATEGORY: usize = 1000;

fn text<'i>(item: &'i Item, attribute: &str) -> Result<&'i str> {
    let text = item.get(attribute).and_then(|value| value.as_s().ok());
    text.map(String::as_str).ok_or_else(|| Error::Item(format!("it has no text {attribute}")))
}

fn odd(attribute: &str, why: impl std::fmt::Display) -> Error {
    Error::Item(format!("its {attribute} {why}"))
}
