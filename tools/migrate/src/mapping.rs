//! The file that says where a source has what, and what it calls it.
//!
//! The examples in the repository, `tools/migrate/examples`, are commented.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use storefront_core::{Category, Currency, OrderStatus, Role};

use crate::{Entity, Error};

/// Where the users, products and orders of a source are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The database.
    #[serde(default)]
    pub source: SourceSection,
    /// What holds where a row does not say.
    #[serde(default)]
    pub defaults: Defaults,
    /// Users.
    pub users: Users,
    /// Products.
    pub products: Products,
    /// Orders.
    pub orders: Orders,
    /// The items of the orders.
    pub order_items: OrderItems,
}

/// The database.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSection {
    #[serde(skip_serializing)]
    url: Option<String>,
}

/// What holds where a row does not say.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The currency of all prices, where no SELECT yields one.
    pub currency: Option<Currency>,
}

/// Where users are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// Yields them.
    pub select: String,
    /// What the source calls the roles.
    #[serde(default)]
    pub role: BTreeMap<String, Role>,
    /// What becomes of those whose password the shop cannot verify.
    #[serde(default)]
    pub without_password: WithoutPassword,
}

/// Where products are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    /// Yields them.
    pub select: String,
    /// What the prices count.
    pub price: PriceUnit,
    /// What the source calls the categories.
    #[serde(default)]
    pub category: BTreeMap<String, Category>,
    /// What the source calls the currencies.
    #[serde(default)]
    pub currency: BTreeMap<String, Currency>,
}

/// Where orders are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Yields them.
    pub select: String,
    /// What the source calls the statuses.
    #[serde(default)]
    pub status: BTreeMap<String, OrderStatus>,
    /// What the source calls the currencies.
    #[serde(default)]
    pub currency: BTreeMap<String, Currency>,
}

/// Where the items of the orders are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OrderItems {
    /// Yields them.
    pub select: String,
    /// What the prices, and the orders' totals, count.
    pub price: PriceUnit,
    /// What the source calls the currencies.
    #[serde(default)]
    pub currency: BTreeMap<String, Currency>,
}

/// What a price counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceUnit {
    /// The currency's minor unit: 1230 is 12.30 EUR.
    Minor,
    /// The currency: 12.30 is 12.30 EUR.
    Decimal,
}

/// What becomes of a user whose password the shop cannot verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutPassword {
    /// They are rejected.
    #[default]
    Reject,
    /// They are carried over, and no password is theirs until an administrator sets one.
    Lock,
}

impl Mapping {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path)
            .map_err(|source| Error::ReadMapping { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|source| Error::Mapping { path: path.to_owned(), source })
    }

    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, Box<toml::de::Error>> {
        toml::from_str(text).map_err(Box::new)
    }

    /// The source's URL: `DATABASE_URL`, which can hold a password, before what the file says.
    pub fn url(&self) -> Result<String, Error> {
        let variable = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        variable.or_else(|| self.source.url.clone()).ok_or(Error::NoSource)
    }

    /// The SELECT of an entity, as a part of a larger one.
    pub(crate) fn select(&self, entity: Entity) -> &str {
        let select = match entity {
            Entity::User => &self.users.select,
            Entity::Product => &self.products.select,
            Entity::Order => &self.orders.select,
            Entity::OrderItem => &self.order_items.select,
        };
        select.trim().trim_end_matches(';')
    }
}

/// The URL may hold a password.
impl std::fmt::Debug for SourceSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceSection(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        [users]
        select = "SELECT 1;"
        [products]
        select = "SELECT 2"
        price = "minor"
        [orders]
        select = "SELECT 3"
        [order_items]
        select = "SELECT 4"
        price = "decimal"
    "#;

    fn error(text: &str) -> String {
        Mapping::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn four_selects_and_what_prices_count_are_a_mapping() {
        let mapping = Mapping::parse(MINIMAL).unwrap();
        assert_eq!(mapping.select(Entity::User), "SELECT 1");
        assert_eq!(mapping.order_items.price, PriceUnit::Decimal);
        assert_eq!(mapping.users.without_password, WithoutPassword::Reject);
    }

    #[test]
    fn values_have_the_shops_names() {
        let with = |lines: &str| format!("{MINIMAL}\n{lines}");
        let mapping = Mapping::parse(&with("[orders.status]\nP = \"pending\"")).unwrap();
        assert_eq!(mapping.orders.status["P"], OrderStatus::Pending);
        let said = error(&with("[orders.status]\nP = \"waiting\""));
        assert!(said.contains("waiting") && said.contains("cancelled"), "{said}");
        let said = error(&with("[defaults]\ncurrency = \"EURO\""));
        assert!(said.contains("EURO"), "{said}");
    }

    #[test]
    fn what_is_misspelt_or_left_out_is_named() {
        let said = error(&MINIMAL.replace("price = \"minor\"", "prices = \"minor\""));
        assert!(said.contains("prices"), "{said}");
        let said = error(&MINIMAL.replace("price = \"minor\"", ""));
        assert!(said.contains("missing field `price`"), "{said}");
        let said = error(&MINIMAL.replace("[orders]", "[order]"));
        assert!(said.contains("order"), "{said}");
    }
}
