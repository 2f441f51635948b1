//! The table as it should be, item by item.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Attempt, MAX_FAILURES, Model};

/// Items by their keys, each by its attributes' names. Numbers are texts, too, and
/// sets are how many there are in them.
pub(crate) type Items = BTreeMap<(String, String), BTreeMap<String, String>>;

/// Stands for a value that the model does not know, of an attribute that has to be there.
pub(crate) const SOME: &str = "…";

/// How many differences a message tells at most.
const TOLD: usize = 6;

impl Model {
    /// The model as the table has it, which is the same but for how many log-ins have failed where
    /// some were tried at once; or in what they differ. Answers that are awaited must have come.
    pub(crate) fn compared(mut self, table: &Items) -> Result<Self, String> {
        if let Some((operation, came)) = self.read_again.first() {
            return Err(format!("the answer to {operation:?} is {came:?}, which never was so"));
        }
        let mut failures = BTreeMap::new();
        let mut items = Items::new();
        for (key, attributes) in table {
            if attributes["_type"] == "LoginAttempts" {
                let email = key.0.trim_start_matches("EMAIL#").to_owned();
                let count = attributes.get("attempts").and_then(|count| count.parse().ok());
                failures.insert(email, count.unwrap_or_default());
            } else {
                items.insert(key.clone(), attributes.clone());
            }
        }
        let differences = differences(&self.items(), &items);
        if !differences.is_empty() {
            return Err(format!("the table differs: {differences}"));
        }
        let emails: BTreeSet<_> = self.failures.keys().chain(failures.keys()).collect();
        for email in emails {
            let count = failures.get(email).copied().unwrap_or_default();
            let (least, most) = self.failures_now(email);
            if !(least..=most).contains(&count) {
                return Err(format!(
                    "of {email}, {count} log-ins count as failed, not {least} to {most}"
                ));
            }
        }
        self.failures = failures;
        self.attempts.clear();
        Ok(self)
    }

    /// How many log-ins count as failed now, at least and at most: a success forgets the failures
    /// before it, and which those are nobody can tell of attempts at once.
    fn failures_now(&self, email: &str) -> (u32, u32) {
        let before = self.failures.get(email).copied().unwrap_or_default();
        let count = |what| {
            self.attempts.iter().filter(|attempt| **attempt == (email.to_owned(), what)).count()
        };
        let failed = u32::try_from(count(Attempt::Failed)).unwrap_or(u32::MAX);
        let all = (before + failed).min(MAX_FAILURES);
        match (count(Attempt::Succeeded), count(Attempt::Unclear)) {
            (0, 0) => (all, all),
            (0, _) => (0, all),
            _ => (0, failed),
        }
    }

    fn items(&self) -> Items {
        let mut items = Items::new();
        for (id, user) in &self.users {
            items.extend([
                item(
                    "User",
                    format!("USER#{id}"),
                    "METADATA",
                    &[
                        ("GSI1PK", &format!("EMAIL#{}", user.email)),
                        ("GSI1SK", &format!("USER#{id}")),
                        ("id", &id.to_string()),
                        ("email", &user.email),
                        ("name", &user.name),
                        ("passwordHash", SOME),
                        ("role", user.role.as_str()),
                        ("version", &user.version.to_string()),
                        ("createdAt", &id.created_at().to_string()),
                        ("updatedAt", SOME),
                    ],
                ),
                item(
                    "UniqueEmail",
                    format!("EMAIL#{}", user.email),
                    "METADATA",
                    &[("userId", &id.to_string())],
                ),
            ]);
        }
        for (id, product) in &self.products {
            let (key, mut attributes) = item(
                "Product",
                format!("PRODUCT#{id}"),
                "METADATA",
                &[
                    ("GSI1PK", &format!("CATEGORY#{}", product.category)),
                    ("GSI1SK", &format!("PRODUCT#{id}")),
                    ("id", &id.to_string()),
                    ("name", &product.name),
                    ("category", product.category),
                    ("price", &product.price.to_string()),
                    ("currency", product.currency),
                    ("version", &product.version.to_string()),
                    ("createdAt", &id.created_at().to_string()),
                    ("updatedAt", SOME),
                ],
            );
            if let Some(stock) = product.stock {
                attributes.insert("stock".to_owned(), stock.to_string());
            }
            items.insert(key, attributes);
        }
        for ((user, key), (_, order)) in &self.keys {
            let key = format!("IDEMPOTENCY#{}", crate::client::idempotency_key(*key));
            items.extend([item(
                "Idempotency",
                format!("USER#{user}"),
                &key,
                &[("orderId", &order.to_string()), ("requestHash", SOME), ("expiresAt", SOME)],
            )]);
        }
        self.add_orders(&mut items);
        items
    }

    fn add_orders(&self, items: &mut Items) {
        for (id, order) in &self.orders {
            let placed_at = id.created_at();
            items.extend([item(
                "Order",
                format!("USER#{}", order.user),
                &format!("ORDER#{placed_at}#{id}"),
                &[
                    ("GSI1PK", &format!("ORDER#{id}")),
                    ("GSI1SK", &format!("USER#{}", order.user)),
                    ("id", &id.to_string()),
                    ("userId", &order.user.to_string()),
                    ("status", order.status.as_str()),
                    ("itemCount", &order.items.len().to_string()),
                    ("total", &order.total().to_string()),
                    ("currency", order.currency),
                    ("version", &order.version.to_string()),
                    ("createdAt", &placed_at.to_string()),
                    ("updatedAt", SOME),
                    ("requestId", SOME),
                ],
            )]);
            items.extend(order.items.iter().map(|(product, ordered)| {
                item(
                    "OrderItem",
                    format!("ORDER#{id}"),
                    &format!("ITEM#{product}"),
                    &[
                        ("orderId", &id.to_string()),
                        ("productId", &product.to_string()),
                        ("name", &ordered.name),
                        ("quantity", &ordered.quantity.to_string()),
                        ("price", &ordered.price.to_string()),
                    ],
                )
            }));
        }
    }
}

fn item(
    kind: &str,
    pk: String,
    sk: &str,
    attributes: &[(&str, &str)],
) -> ((String, String), BTreeMap<String, String>) {
    let keys = [("_type", kind), ("PK", &pk), ("SK", sk)];
    let attributes = keys.iter().chain(attributes);
    let attributes =
        attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ((pk, sk.to_owned()), attributes)
}

fn differences(expected: &Items, found: &Items) -> String {
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let mut text = String::new();
    for key in keys.into_iter().filter(|key| expected.get(key) != found.get(key)).take(TOLD) {
        let name = format!("{} {}", key.0, key.1);
        let (Some(expected), Some(found)) = (expected.get(key), found.get(key)) else {
            let what =
                if expected.contains_key(key) { "is missing" } else { "should not be there" };
            let _ = write!(text, "\n      {name} {what}");
            continue;
        };
        let attributes: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for attribute in attributes {
            let (expected, found) = (expected.get(attribute), found.get(attribute));
            if expected != found {
                let _ = write!(
                    text,
                    "\n      {name}: {attribute} is {found:?} in the table, {expected:?} in the model"
                );
            }
        }
    }
    text
}
