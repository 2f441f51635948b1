//! The shop's access patterns, as their documentation has them.

/// The documentation is part of the program, so that it cannot say anything else.
const DOCUMENTATION: &str = include_str!("../../../../../docs/access-patterns.md");

pub(super) const REGISTER: &str = "register a user";
pub(super) const USER_BY_ID: &str = "user by id";
pub(super) const ROLE: &str = "a user's role, for what only administrators may do";
pub(super) const USER_BY_EMAIL: &str = "user by email";
pub(super) const LOG_IN: &str = "who logs in, by email";
pub(super) const CONFIRM: &str = "who confirms with their password, by id";
pub(super) const CHANGE_USER: &str = "change a user's name, password or role";
pub(super) const CHANGE_EMAIL: &str = "change a user's email";
pub(super) const DELETE_USER: &str = "delete a user";
pub(super) const PRODUCT_BY_ID: &str = "product by id";
pub(super) const PRODUCTS: &str = "products of a category, a page of n";
pub(super) const ADD_OR_DELETE_PRODUCT: &str = "add, delete a product";
pub(super) const CHANGE_PRODUCT: &str = "change a product";
pub(super) const PLACE_ORDER: &str = "place an order of n items";
pub(super) const ORDERS: &str = "orders of a user, newest first, a page of n, optionally from/to";
pub(super) const OWN_ORDER: &str = "own order with items";
pub(super) const ANY_ORDER: &str = "any order by id, with items";
pub(super) const CHANGE_STATUS: &str = "change an order's status";
pub(super) const CANCEL: &str = "cancel an order of n items";

/// An access pattern, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    pub(super) name: &'static str,
    pub(super) requests: &'static str,
    /// As it is written there.
    pub(super) read_units: &'static str,
    pub(super) write_units: &'static str,
    pub(super) read: Units,
    pub(super) write: Units,
}

/// Capacity units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Units {
    /// Of a request.
    pub(super) base: f64,
    /// And of each order item.
    pub(super) of_item: f64,
    /// It is a page, and costs by its size.
    pub(super) is_page: bool,
}

/// All of them, without the special cases.
pub(super) fn patterns() -> Vec<Pattern> {
    let rows = DOCUMENTATION
        .lines()
        .skip_while(|line| !line.starts_with("| pattern |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let patterns = rows.filter_map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let [name, requests, read, write] = std::array::from_fn(|_| cells.next().unwrap_or(""));
        (!name.starts_with('…')).then(|| Pattern {
            name,
            requests,
            read_units: read,
            write_units: write,
            read: Units::of(read),
            write: Units::of(write),
        })
    });
    patterns.collect()
}

impl Units {
    /// `3 + 5 n`, `0.5 per 4 KB`, `0.5`.
    fn of(text: &str) -> Self {
        if text.ends_with("per 4 KB") {
            return Self { is_page: true, ..Self::default() };
        }
        let mut units = Self::default();
        for part in text.split('+').map(str::trim) {
            match part.strip_suffix(" n") {
                Some(of_item) => units.of_item += of_item.parse().unwrap_or(0.0),
                None => units.base += part.parse().unwrap_or(0.0),
            }
        }
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_are_those_of_the_documentation() {
        let patterns = patterns();
        for name in [
            REGISTER,
            USER_BY_ID,
            ROLE,
            USER_BY_EMAIL,
            LOG_IN,
            CONFIRM,
            CHANGE_USER,
            CHANGE_EMAIL,
            DELETE_USER,
            PRODUCT_BY_ID,
            PRODUCTS,
            ADD_OR_DELETE_PRODUCT,
            CHANGE_PRODUCT,
            PLACE_ORDER,
            ORDERS,
            OWN_ORDER,
            ANY_ORDER,
            CHANGE_STATUS,
            CANCEL,
            // No shop keeps them in a table of users.
            "count a log-in attempt",
            "forget the failures after a log-in",
        ] {
            assert!(patterns.iter().any(|pattern| pattern.name == name), "{name}");
        }
        assert_eq!(patterns.len(), 22);
    }

    #[test]
    fn units_are_read_as_they_are_written() {
        let units = |base, of_item| Units { base, of_item, is_page: false };
        assert_eq!(Units::of("0.5 + 0.5 n"), units(0.5, 0.5));
        assert_eq!(Units::of("3 + 5 n"), units(3.0, 5.0));
        assert_eq!(Units::of("8"), units(8.0, 0.0));
        assert_eq!(Units::of(""), units(0.0, 0.0));
        assert!(Units::of("0.5 per 4 KB").is_page);
    }
}
