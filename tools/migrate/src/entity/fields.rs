//! Reads a row's values with the shop's rules.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use storefront_core::text::nfc;
use storefront_core::{Currency, MAX_PRICE, Name, PriceCurrency, Timestamp};

use super::money::{self, NoPrice};
use super::reject::Reason;
use super::time;
use super::unit::Remark;
use crate::mapping::PriceUnit;
use crate::source::{Key, Row, Value};

/// How much of a value an error shows, in characters.
const SHOWN: usize = 60;

pub(super) type Result<T> = std::result::Result<T, Reason>;

/// A row, read by attribute.
#[derive(Clone, Copy)]
pub(super) struct Fields<'r> {
    row: &'r Row,
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row }
    }

    /// Returns a value, or `None` if it is null or the SELECT has no such column.
    pub(super) fn value(self, attribute: &str) -> Option<&'r Value> {
        self.row.get(attribute).filter(|value| **value != Value::Null)
    }

    /// Returns the column's name in the source.
    pub(super) fn column(self, attribute: &str) -> String {
        self.row.column(attribute).to_owned()
    }

    pub(super) fn required(self, attribute: &str) -> Result<&'r Value> {
        self.value(attribute).ok_or_else(|| Reason::Missing { column: self.column(attribute) })
    }

    pub(super) fn invalid(self, attribute: &str, found: &Value, rule: impl Display) -> Reason {
        Reason::Invalid {
            column: self.column(attribute),
            found: shown(found),
            rule: rule.to_string(),
        }
    }

    /// Returns a key: the row's own, or that of a row it refers to.
    pub(super) fn key(self, attribute: &str) -> Result<Key> {
        let value = self.required(attribute)?;
        let rule = "a key must be an integer, a string, a UUID or bytes";
        Key::of(value).ok_or_else(|| self.invalid(attribute, value, rule))
    }

    /// Returns the name. Former shops may not have checked names: what may not be in one is left out, which
    /// is a remark.
    pub(super) fn name(self, remarks: &mut Vec<Remark>) -> Result<Name> {
        let value = self.required("name")?;
        let text = value.to_text();
        let name = Name::tidied(&text).map_err(|error| self.invalid("name", value, error))?;
        if name.as_str() != nfc(&text) {
            remarks.push(Remark::TidiedName);
        }
        Ok(name)
    }

    /// Parses a text, if there is one, as one of the shop's types.
    pub(super) fn optional<T: FromStr<Err: Display>>(self, attribute: &str) -> Result<Option<T>> {
        self.value(attribute).map(|_| self.parsed(attribute)).transpose()
    }

    /// Parses a text as one of the shop's types.
    pub(super) fn parsed<T: FromStr<Err: Display>>(self, attribute: &str) -> Result<T> {
        let value = self.required(attribute)?;
        value.to_text().parse().map_err(|error: T::Err| self.invalid(attribute, value, error))
    }

    /// Translates a value with the mapping, or else parses it as the shop's own name.
    pub(super) fn mapped<T: FromStr + Clone>(
        self,
        section: &'static str,
        attribute: &'static str,
        map: &BTreeMap<String, T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.value(attribute) else { return Ok(None) };
        let text = value.to_text();
        let own = || text.parse().ok();
        let found = map.get(&text).cloned().or_else(own);
        found.map(Some).ok_or_else(|| Reason::Unmapped {
            column: self.column(attribute),
            found: shown(value),
            section,
            attribute,
        })
    }

    /// Returns the currency, if the row has one.
    pub(super) fn currency(
        self,
        section: &'static str,
        map: &BTreeMap<String, PriceCurrency>,
    ) -> Result<Option<Currency>> {
        Ok(self.mapped(section, "currency", map)?.map(Currency::from))
    }

    pub(super) fn price(
        self,
        attribute: &str,
        unit: PriceUnit,
        currency: Currency,
    ) -> Result<Option<u64>> {
        let Some(value) = self.value(attribute) else { return Ok(None) };
        let price = money::minor(&value.to_text(), unit, currency);
        price.map(Some).map_err(|no_price| match no_price {
            NoPrice::Invalid(rule) => self.invalid(attribute, value, rule),
            NoPrice::OutOfRange => self.out_of_range(
                attribute,
                value,
                format!("0 to {MAX_PRICE} of the currency's minor unit"),
            ),
        })
    }

    /// Returns a whole number in this range.
    pub(super) fn whole(
        self,
        attribute: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>> {
        let Some(value) = self.value(attribute) else { return Ok(None) };
        let text = value.to_text();
        // Databases write whole numbers of a decimal type like this: 5.00.
        let whole = text.trim_end_matches('0').strip_suffix('.').unwrap_or(&text);
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.invalid(attribute, value, "must be a whole number"));
        }
        match whole.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.out_of_range(
                attribute,
                value,
                format!("{} to {}", range.start(), range.end()),
            )),
        }
    }

    pub(super) fn created_at(self) -> Result<Timestamp> {
        self.required("createdAt")?;
        let time = self.time("createdAt")?.filter(|time| *time >= Timestamp::UNIX_EPOCH);
        time.ok_or_else(|| Reason::OutOfRange {
            column: self.column("createdAt"),
            found: self.row.get("createdAt").map(shown).unwrap_or_default(),
            range: "1970 or later".to_owned(),
        })
    }

    /// Returns `updatedAt`, but never a time before the creation, which some clocks and imports
    /// yield.
    pub(super) fn updated_at(self, created_at: Timestamp) -> Result<Timestamp> {
        Ok(self.time("updatedAt")?.map_or(created_at, |updated_at| updated_at.max(created_at)))
    }

    fn time(self, attribute: &str) -> Result<Option<Timestamp>> {
        let Some(value) = self.value(attribute) else { return Ok(None) };
        let time = match value {
            Value::Text(text) => time::parse(text),
            _ => None,
        };
        let rule = "must be a date and a time; convert numbers in the select \
                    (to_timestamp, FROM_UNIXTIME, strftime with 'unixepoch')";
        time.map(Some).ok_or_else(|| self.invalid(attribute, value, rule))
    }

    fn out_of_range(self, attribute: &str, found: &Value, range: String) -> Reason {
        Reason::OutOfRange { column: self.column(attribute), found: shown(found), range }
    }
}

/// Returns the `createdAt` of a referenced row, from which its id is derived.
pub(super) fn created_at_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Text(text) => time::parse(text).filter(|time| *time >= Timestamp::UNIX_EPOCH),
        _ => None,
    }
}

/// Returns enough of a value to recognise it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Text(text) => format!("{text:?}"),
        other => other.to_text(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
