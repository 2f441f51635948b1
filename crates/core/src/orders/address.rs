//! Where an order is sent, and how to follow it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Line;
use crate::openapi::openapi;

/// A part of an address, or a parcel's number. An address of usual length does not make an order cost
/// more to write; DynamoDB counts whole kilobytes.
pub type AddressLine = Line<100>;

/// What is never long, such as a postal code.
pub type ShortLine = Line<32>;

/// Where an order is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Address {
    pub name: AddressLine,
    pub line1: AddressLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<AddressLine>,
    pub city: AddressLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<AddressLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<ShortLine>,
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<ShortLine>,
}

/// Where somebody lives must not get into a log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}, …)", self.country)
    }
}

/// How to follow a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<AddressLine>,
    /// The carrier's number of the parcel.
    pub number: AddressLine,
    /// A page that shows where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A country, by its code of two capitals (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Country([u8; 2]);

/// The text is not the code of a country.
#[derive(Debug, thiserror::Error)]
#[error("must be the code of a country in two capitals (ISO 3166-1 alpha-2), such as DE")]
pub struct InvalidCountry;

/// The officially assigned codes of ISO 3166-1, as of 2026, sorted.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

openapi!(
    Country = crate::openapi::string("A country (ISO 3166-1 alpha-2)")
        .enum_values(Some(CODES.split_ascii_whitespace()))
        .examples(["DE"])
);

impl Country {
    /// The code of two capitals.
    #[must_use]
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = CODES.split_ascii_whitespace().any(|code| code == text);
        let code = text.as_bytes().try_into().ok().filter(|_| known);
        code.map(Self).ok_or(InvalidCountry)
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_249_countries_are_known_and_nothing_else() {
        assert_eq!(CODES.split_ascii_whitespace().count(), 249);
        for code in ["DE", "US", "GB", "TW", "XK"] {
            assert_eq!(code.parse::<Country>().is_ok(), code != "XK", "{code}");
        }
        for text in ["", "de", "DEU", "D", "EU", "UK", "D ", "DE "] {
            assert!(text.parse::<Country>().is_err(), "{text:?}");
        }
    }
}
