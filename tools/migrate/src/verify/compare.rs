//! Compares a unit of the source with what the table has of it.
//!
//! The stock of a product that is spread over several stock items is compared as their sum.

use std::borrow::Cow;

use storefront_core::schema::{GSI1PK, GSI2PK, GSI2SK, Item, ItemType};

use super::difference::{Difference, What};
use super::item::{Digest, ItemKey, differing, is_updated, text, type_of};
use super::reads::Found;
use super::stock::{self, gathered, is_stock};
use crate::Kind;
use crate::entity::{QUANTITY, is_renewed};

/// The items that the table should have of a unit.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) kind: Kind,
    pub(super) legacy_id: String,
    /// The unit's own item comes first.
    pub(super) items: Vec<Item>,
}

/// The result of a comparison.
#[derive(Debug)]
pub(super) enum Verdict {
    Equal,
    /// It is a product that is equal except that it is spread over several stock items.
    Spread,
    /// It differs only in what the shop changes, and the shop has changed it.
    Changed,
    Different(Vec<Difference>),
}

impl Expected {
    /// Compares it with what was found.
    ///
    /// The shop increments the version of an item when it changes it, except when it renews a
    /// password's hash, ends all sessions of a user, or sells a product. It never changes what an
    /// item is, where it comes from, or what was ordered.
    pub(super) fn compare(&self, found: &Found) -> Verdict {
        let own = self.items.first().and_then(|own| found.get(&ItemKey::of(own)));
        let (mut is_changed, mut is_spread) = (false, false);
        let mut differences = Vec::new();
        for (place, expected) in self.items.iter().enumerate() {
            let key = ItemKey::of(expected);
            let what = match found.get(&key) {
                Some(found) if Digest::of(found) == Digest::of(expected) => continue,
                // The user has given up the email, which may be another user's by now.
                _ if is_guard(expected) && own.is_some_and(|user| has_other_email(user, &key)) => {
                    is_changed = true;
                    continue;
                }
                None => What::Missing,
                Some(item) => {
                    let (item, missing) = gathered(item, found);
                    is_spread |= matches!(item, Cow::Owned(_));
                    differences.extend(self.missing(expected, missing));
                    let attributes = differing(expected, &item);
                    if attributes.is_empty() {
                        continue;
                    }
                    // Of a unit's items, the shop updates only the unit's own and the stock.
                    let is_by_shop = match place {
                        0 => is_by_shop(self.kind, expected, &item, &attributes),
                        _ => is_stock(expected) && is_sold(own, expected, &item, &attributes),
                    };
                    if is_by_shop {
                        is_changed = true;
                        continue;
                    }
                    What::Differs { attributes }
                }
            };
            differences.push(self.difference(expected, key, what));
        }
        match (differences.is_empty(), is_changed, is_spread) {
            (false, _, _) => Verdict::Different(differences),
            (true, true, _) => Verdict::Changed,
            (true, false, true) => Verdict::Spread,
            (true, false, false) => Verdict::Equal,
        }
    }

    /// Compares without regard to what the shop has done since.
    pub(super) fn compare_strictly(&self, found: &Found) -> Verdict {
        let mut is_spread = false;
        let mut differences = Vec::new();
        for expected in &self.items {
            let key = ItemKey::of(expected);
            let what = match found.get(&key) {
                Some(item) => {
                    let (item, missing) = gathered(item, found);
                    is_spread |= matches!(item, Cow::Owned(_));
                    differences.extend(self.missing(expected, missing));
                    if Digest::of(&item) == Digest::of(expected) {
                        continue;
                    }
                    What::Differs { attributes: differing(expected, &item) }
                }
                None => What::Missing,
            };
            differences.push(self.difference(expected, key, what));
        }
        match (differences.is_empty(), is_spread) {
            (false, _) => Verdict::Different(differences),
            (true, true) => Verdict::Spread,
            (true, false) => Verdict::Equal,
        }
    }

    fn missing(&self, like: &Item, keys: Vec<ItemKey>) -> impl Iterator<Item = Difference> {
        keys.into_iter().map(|key| self.difference(like, key, What::Missing))
    }

    fn difference(&self, expected: &Item, key: ItemKey, what: What) -> Difference {
        Difference {
            entity: Some(self.kind),
            legacy_id: Some(self.legacy_id.clone()),
            item_type: type_of(expected).to_owned(),
            key,
            user_id: user_of_guard(expected),
            what,
        }
    }
}

/// Returns the id of the user whose email a guard keeps.
pub(super) fn user_of_guard(item: &Item) -> Option<String> {
    if is_guard(item) { text(item, "userId").map(str::to_owned) } else { None }
}

fn is_guard(item: &Item) -> bool {
    type_of(item) == ItemType::UniqueEmail.as_str()
}

/// Whether the shop has given the user another email than the guard's. A guard's key is made of the
/// email in the same way as the user's key in the index.
fn has_other_email(user: &Item, guard: &ItemKey) -> bool {
    is_updated(user) && text(user, GSI1PK).is_some_and(|partition| partition != guard.pk)
}

/// Whether the shop itself can have caused these differences of a unit's own item.
fn is_by_shop(kind: Kind, expected: &Item, found: &Item, attributes: &[String]) -> bool {
    if is_updated(found) {
        return attributes.iter().all(|name| may_be_changed_by_shop(kind, name));
    }
    // It follows the stock.
    if kind == Kind::Product {
        return attributes == ["available"];
    }
    // At the first log-in, the shop replaces a hash from another shop. To log out everywhere ends
    // all sessions.
    let hash = |item| text(item, "passwordHash").unwrap_or_default();
    attributes.iter().all(|name| match name.as_str() {
        "passwordHash" => is_renewed(hash(expected), hash(found)),
        "sessionEpoch" | "keptSession" => true,
        _ => false,
    })
}

/// Whether the shop itself can have caused these differences of a stock item: by sales, or by a
/// change of the product.
fn is_sold(product: Option<&Item>, expected: &Item, found: &Item, attributes: &[String]) -> bool {
    const COPIES: [&str; 5] = [QUANTITY, "name", "price", "currency", "selling"];
    if product.is_some_and(is_updated) {
        return attributes.iter().all(|name| COPIES.contains(&name.as_str()));
    }
    let is_counted = [expected, found].into_iter().all(|item| stock::quantity(item).is_some());
    attributes == [QUANTITY] && is_counted
}

/// Whether the shop's updates change this attribute of a unit's own item.
fn may_be_changed_by_shop(kind: Kind, attribute: &str) -> bool {
    const PRODUCT: [&str; 10] = [
        "name",
        "description",
        "category",
        GSI1PK,
        "price",
        "currency",
        "selling",
        "available",
        "version",
        "updatedAt",
    ];
    const ORDER: [&str; 12] = [
        "status",
        "number",
        "payment",
        "refundedAmount",
        "cancelReason",
        "payBy",
        "tracking",
        GSI2PK,
        GSI2SK,
        "version",
        "updatedAt",
        "requestId",
    ];
    match kind {
        Kind::User => {
            let of_users = ItemType::User.layout().attributes;
            let stays = ["id", "createdAt"].contains(&attribute);
            attribute == GSI1PK || of_users.contains(&attribute) && !stays
        }
        Kind::Product => PRODUCT.contains(&attribute),
        Kind::Order => ORDER.contains(&attribute),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let value = |name: &str, text: &str| match name {
            "version" => AttributeValue::N(text.to_owned()),
            _ => AttributeValue::S(text.to_owned()),
        };
        attributes.iter().map(|(name, text)| ((*name).to_owned(), value(name, text))).collect()
    }

    fn user(more: &[(&str, &str)]) -> Item {
        let mut user = item(&[
            ("PK", "USER#1"),
            ("SK", "METADATA"),
            (GSI1PK, "EMAIL#a@example.com"),
            ("_type", "User"),
            ("name", "Anna"),
            ("version", "1"),
            ("createdAt", "then"),
            ("passwordHash", "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"),
        ]);
        user.extend(item(more));
        user
    }

    fn guard(user_id: &str) -> Item {
        item(&[
            ("PK", "EMAIL#a@example.com"),
            ("SK", "METADATA"),
            ("_type", "UniqueEmail"),
            ("userId", user_id),
        ])
    }

    fn compared(found: &[Item]) -> Verdict {
        let items = vec![user(&[]), guard("1")];
        let expected = Expected { kind: Kind::User, legacy_id: "17".to_owned(), items };
        expected.compare(&found.iter().map(|item| (ItemKey::of(item), item.clone())).collect())
    }

    #[test]
    fn a_change_by_the_shop_is_no_difference_if_it_has_incremented_the_version() {
        let renamed = [("name", "Eva"), ("version", "2")];
        assert!(matches!(compared(&[user(&[]), guard("1")]), Verdict::Equal));
        assert!(matches!(compared(&[user(&renamed), guard("1")]), Verdict::Changed));
        let found = [user(&[("name", "Eva"), ("version", "1")]), guard("1")];
        assert!(matches!(compared(&found), Verdict::Different(_)));
        // The shop never changes createdAt.
        let found = [user(&[("createdAt", "now"), ("version", "2")]), guard("1")];
        let Verdict::Different(found) = compared(&found) else { panic!("it differs") };
        let attributes = vec!["createdAt".to_owned(), "version".to_owned()];
        assert_eq!(found[0].what, What::Differs { attributes });
    }

    #[test]
    fn an_email_that_was_given_up_may_be_another_users() {
        let moved = [(GSI1PK, "EMAIL#b@example.com"), ("version", "2")];
        assert!(matches!(compared(&[user(&moved)]), Verdict::Changed));
        assert!(matches!(compared(&[user(&moved), guard("2")]), Verdict::Changed));
        assert!(matches!(compared(&[user(&[])]), Verdict::Different(_)));
        let Verdict::Different(found) = compared(&[user(&[]), guard("2")]) else {
            panic!("it differs")
        };
        assert_eq!(found[0].what, What::Differs { attributes: vec!["userId".to_owned()] });
    }

    #[test]
    fn a_renewed_hash_is_no_difference_but_any_other_is() {
        let todays = "$argon2id$v=19$m=19456,t=2,p=1$c3RvcmVmcm9udC1ub2JvZHk$bm9ib2R5LWhhcy10aGlzLXBhc3N3b3JkLWF0LWFsbC4";
        let found = [user(&[("passwordHash", todays)]), guard("1")];
        assert!(matches!(compared(&found), Verdict::Changed));
        let found = [user(&[("passwordHash", "else")]), guard("1")];
        assert!(matches!(compared(&found), Verdict::Different(_)));
    }
}
