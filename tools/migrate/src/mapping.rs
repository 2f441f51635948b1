//! The mapping file: a SELECT for each entity, and what the source's values mean.
//!
//! The repository's examples in `tools/migrate/examples` explain every line.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use storefront_core::{Category, OrderStatus, PriceCurrency, Role};

use crate::{Entity, Error};

/// Where to find the users, products and orders of a source.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The database.
    #[serde(default)]
    pub source: SourceSection,
    /// Defaults for values that the rows do not have.
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

/// Defaults for values that the rows do not have.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The currency of prices for which no SELECT returns one.
    pub currency: Option<PriceCurrency>,
}

/// Where to find users.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// The SELECT that returns them.
    pub select: String,
    /// The roles, by the source's names.
    #[serde(default)]
    pub role: BTreeMap<String, Role>,
    /// What happens to users whose password the shop cannot verify.
    #[serde(default)]
    pub without_password: WithoutPassword,
}

/// Where to find products.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    /// The SELECT that returns them.
    pub select: String,
    /// The unit of the prices.
    pub price: PriceUnit,
    /// The categories, by the source's names.
    #[serde(default, deserialize_with = "parsed_values")]
    pub category: BTreeMap<String, Category>,
    /// The currencies, by the source's names.
    #[serde(default)]
    pub currency: BTreeMap<String, PriceCurrency>,
}

/// Where to find orders.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// The SELECT that returns them.
    pub select: String,
    /// The statuses, by the source's names.
    #[serde(default)]
    pub status: BTreeMap<String, OrderStatus>,
    /// The currencies, by the source's names.
    #[serde(default)]
    pub currency: BTreeMap<String, PriceCurrency>,
}

/// Where to find order items.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OrderItems {
    /// The SELECT that returns them.
    pub select: String,
    /// The unit of the prices and of the orders' totals.
    pub price: PriceUnit,
    /// The currencies, by the source's names.
    #[serde(default)]
    pub currency: BTreeMap<String, PriceCurrency>,
}

/// The unit of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceUnit {
    /// The currency's minor unit: 1230 is 12.30 EUR.
    Minor,
    /// The currency itself: 12.30 is 12.30 EUR.
    Decimal,
}

/// What happens to a user whose password the shop cannot verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutPassword {
    /// They are rejected.
    #[default]
    Reject,
    /// They are loaded, but have no password until they set one by mail, or an administrator does.
    Lock,
}

impl Mapping {
    /// Reads a mapping file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path)
            .map_err(|source| Error::ReadMapping { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|source| Error::Mapping { path: path.to_owned(), source })
    }

    /// Parses a mapping.
    pub fn parse(text: &str) -> Result<Self, Box<toml::de::Error>> {
        toml::from_str(text).map_err(Box::new)
    }

    /// Returns the source's URL. `DATABASE_URL`, the better place for a password, takes precedence
    /// over the file.
    pub fn url(&self) -> Result<String, Error> {
        let variable = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        variable.or_else(|| self.source.url.clone()).ok_or(Error::NoSource)
    }

    /// Returns the SELECT of an entity, without a semicolon, for use in a larger one.
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

/// The URL may contain a password.
impl std::fmt::Debug for SourceSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceSection(…)")
    }
}

/// Reads a table whose values must parse as a `T`, as in a row.
fn parsed_values<'de, T, D>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let texts: BTreeMap<String, String> = Deserialize::deserialize(deserializer)?;
    let parse = |(name, text): (String, String)| match text.parse() {
        Ok(value) => Ok((name, value)),
        Err(error) => Err(D::Error::custom(format!("{text:?} {error}"))),
    };
    texts.into_iter().map(parse).collect()
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
    fn four_selects_and_the_units_of_prices_are_a_complete_mapping() {
        let mapping = Mapping::parse(MINIMAL).unwrap();
        assert_eq!(mapping.select(Entity::User), "SELECT 1");
        assert_eq!(mapping.order_items.price, PriceUnit::Decimal);
        assert_eq!(mapping.users.without_password, WithoutPassword::Reject);
    }

    #[test]
    fn values_map_to_the_shops_names() {
        let with = |lines: &str| format!("{MINIMAL}\n{lines}");
        let mapping = Mapping::parse(&with("[orders.status]\nP = \"pending\"")).unwrap();
        assert_eq!(mapping.orders.status["P"], OrderStatus::Pending);
        let said = error(&with("[orders.status]\nP = \"waiting\""));
        assert!(said.contains("waiting") && said.contains("cancelled"), "{said}");
        let said = error(&with("[defaults]\ncurrency = \"EURO\""));
        assert!(said.contains("EURO"), "{said}");
    }

    #[test]
    fn a_misspelt_or_missing_name_is_reported() {
        let said = error(&MINIMAL.replace("price = \"minor\"", "prices = \"minor\""));
        assert!(said.contains("prices"), "{said}");
        let said = error(&MINIMAL.replace("price = \"minor\"", ""));
        assert!(said.contains("missing field `price`"), "{said}");
        let said = error(&MINIMAL.replace("[orders]", "[order]"));
        assert!(said.contains("order"), "{said}");
    }
}
