//! Decides which access pattern replaces a statement, if any.

use storefront_core::OrderStatus;
use storefront_core::access_patterns::AccessPattern;

use super::schema::{Meaning, OfEntity, Schema};
use super::statement::{Change, Kind, Operator, Shape};
use crate::review::patterns::{
    ADD_PRODUCT, ANY_ORDER, CANCEL, CHANGE_EMAIL, CHANGE_PRODUCT, CHANGE_STATUS, CHANGE_USER,
    CONFIRM, DELETE_PRODUCT, DELETE_USER, DESCRIBE_PRODUCT, LOG_IN, ORDERS, OWN_ORDER, PLACE_ORDER,
    PRODUCT_BY_ID, PRODUCTS, REGISTER, ROLE, SET_STOCK, USER_BY_EMAIL, USER_BY_ID,
};
use crate::{Entity, Mapping};

/// The result for a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// This pattern replaces it.
    Pattern(Match),
    /// No pattern replaces it, for this reason.
    None(String),
    /// It uses no table.
    NoTable,
}

/// The pattern that replaces a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) pattern: &'static AccessPattern,
    /// The part of the pattern's cost that it accounts for.
    pub(super) share: Share,
    /// Why the match is not certain.
    pub(super) doubts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// All of it except the cost of each order item.
    Whole,
    /// The cost of the order items.
    OrderItems,
    /// Nothing: another statement accounts for it.
    Nothing,
}

/// What a change of a product may set without a change of its stock item, which has a copy of the
/// rest.
const IN_THE_PRODUCT_ONLY: [&str; 3] = ["description", "category", "updatedAt"];

type Found = Result<Match, String>;

/// Matches a statement with the patterns.
pub(super) fn judge(shape: &Shape, schema: &Schema, mapping: &Mapping) -> Verdict {
    if shape.tables.is_empty() {
        return Verdict::NoTable;
    }
    let unknown: Vec<_> =
        shape.tables.iter().filter(|table| !schema.knows(table)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Verdict::None(format!("the mapping does not read {}", unknown.join(", ")));
    }
    let found = match shape.kind {
        Kind::Select => select(shape, schema),
        Kind::Insert => insert(shape, schema),
        Kind::Update => update(shape, schema, mapping),
        Kind::Delete => delete(shape, schema),
    };
    match found {
        Ok(mut found) => {
            if shape.is_opaque {
                found.doubts.push("parts of it were not analysed".to_owned());
            }
            Verdict::Pattern(found)
        }
        Err(why) => Verdict::None(why),
    }
}

fn whole(pattern: &'static AccessPattern) -> Match {
    Match { pattern, share: Share::Whole, doubts: Vec::new() }
}

impl Match {
    fn doubted(mut self, doubt: impl Into<String>) -> Self {
        self.doubts.push(doubt.into());
        self
    }

    fn sharing(mut self, share: Share) -> Self {
        self.share = share;
        self
    }
}

/// A statement, analysed as a request for one entity.
struct Asked<'s> {
    shape: &'s Shape,
    of: &'s OfEntity,
}

impl<'s> Asked<'s> {
    /// Returns the condition on an attribute, and whether it is on a column that only stands for
    /// it.
    fn condition(&self, attribute: &str) -> Option<(Operator, bool)> {
        self.shape.conditions.iter().find_map(|(column, operator)| match self.of.meaning(column) {
            Some(Meaning::Is(found)) if found == attribute => Some((*operator, false)),
            Some(Meaning::StandsFor(found)) if found == attribute => Some((*operator, true)),
            _ => None,
        })
    }

    fn has_one(&self, attribute: &str) -> bool {
        matches!(self.condition(attribute), Some((Operator::Equal, _)))
    }

    /// Matches a statement that finds one or several rows by this key.
    fn by_key(&self, attribute: &str, found: Match) -> Option<Match> {
        match self.condition(attribute)?.0 {
            Operator::Equal => Some(found),
            Operator::Among => Some(found.doubted("for several at once: one request for each")),
            Operator::Range | Operator::Other => None,
        }
    }

    /// Returns the columns of all other conditions.
    fn others(&self, besides: &[&str]) -> Vec<&'s str> {
        let others =
            self.shape.conditions.iter().filter(|(column, _)| match self.of.meaning(column) {
                Some(Meaning::Is(found) | Meaning::StandsFor(found)) => !besides.contains(&found),
                None => true,
            });
        others.map(|(column, _)| column.name.as_str()).collect()
    }

    /// Whether an attribute is selected by name.
    fn selects(&self, attribute: &str) -> bool {
        let is = |column| matches!(self.of.meaning(column), Some(Meaning::Is(found)) if found == attribute);
        self.shape.selected.iter().flatten().any(|(_, columns)| columns.iter().any(is))
    }

    /// Adds a doubt for further conditions, which can only filter what has been read.
    fn filtered(&self, found: Match, besides: &[&str]) -> Match {
        match &self.others(besides)[..] {
            [] => found,
            others => found.doubted(format!("{} is checked after reading", others.join(", "))),
        }
    }

    /// Matches a page of a list. Lists are in the order of the ids, which is that of creation.
    fn page(&self, pattern: &'static AccessPattern, is_down: bool, of: &str) -> Found {
        // The start of a page, or a range of dates.
        let is_range = |it: &&str| matches!(self.condition(it), Some((Operator::Range, _)));
        let ranges = ["id", "createdAt"].into_iter().filter(is_range);
        let besides: Vec<_> = ranges.chain([of]).collect();
        let mut found = self.filtered(whole(pattern), &besides);
        if let Some((by, down)) = &self.shape.order {
            let meaning = by.as_ref().and_then(|column| self.of.meaning(column));
            if !matches!(meaning, Some(Meaning::Is("id" | "createdAt"))) {
                let by = by.as_ref().map_or("an expression", |column| &column.name);
                return Err(format!("ordered by {by}"));
            }
            if *down != is_down {
                found = found.doubted("in the opposite order");
            }
        }
        if !self.shape.has_limit {
            found = found.doubted("without LIMIT: the pattern reads pages");
        }
        if self.shape.has_offset {
            found = found.doubted("OFFSET: pages follow a cursor");
        }
        Ok(found)
    }

    fn user(&self) -> Option<Found> {
        let by_id = match (self.selects("passwordHash"), self.selects("role")) {
            (true, _) => CONFIRM,
            (_, true) if self.shape.selected.len() == 1 => ROLE,
            _ => USER_BY_ID,
        };
        if let Some(found) = self.by_key("id", whole(by_id)) {
            return Some(Ok(self.filtered(found, &["id"])));
        }
        let by_email = if self.selects("passwordHash") { LOG_IN } else { USER_BY_EMAIL };
        let found = self.by_key("email", whole(by_email))?;
        Some(Ok(self.filtered(found, &["email"])))
    }

    fn product(&self) -> Option<Found> {
        if let Some(found) = self.by_key("id", whole(PRODUCT_BY_ID)) {
            return Some(Ok(self.filtered(found, &["id"])));
        }
        let (operator, stands_for) = self.condition("category")?;
        if operator != Operator::Equal {
            return None;
        }
        Some(self.page(PRODUCTS, false, "category").map(|found| {
            let doubt = "by the category's join column: each value must be a category of its own";
            if stands_for { found.doubted(doubt) } else { found }
        }))
    }

    fn order(&self) -> Option<Found> {
        let by_id = if self.has_one("userId") { OWN_ORDER } else { ANY_ORDER };
        if let Some(found) = self.by_key("id", whole(by_id)) {
            return Some(Ok(self.filtered(found, &["id", "userId"])));
        }
        if !self.has_one("userId") {
            return None;
        }
        Some(self.page(ORDERS, true, "userId"))
    }

    fn order_item(&self) -> Option<Found> {
        let found = self.by_key("orderId", whole(ANY_ORDER).sharing(Share::Nothing))?;
        Some(Ok(self.filtered(found, &["orderId", "productId"])))
    }

    /// Says why no pattern matches.
    fn why(&self) -> String {
        let what = match self.of.entity {
            Entity::User => "users",
            Entity::Product => "products",
            Entity::Order => "orders",
            Entity::OrderItem => "order items",
        };
        let by = self.others(&[]);
        match (&self.shape.is_opaque, &by[..]) {
            (true, _) => format!("{what} by conditions that were not analysed"),
            (false, []) => format!("all {what}"),
            (false, by) => format!("{what} by {}", by.join(", ")),
        }
    }
}

fn select(shape: &Shape, schema: &Schema) -> Result<Match, String> {
    let has =
        |entity: &Entity| shape.tables.iter().any(|table| schema.of_table(table).contains(entity));
    let entities: Vec<_> = [Entity::Order, Entity::OrderItem, Entity::User, Entity::Product]
        .into_iter()
        .filter(has)
        .collect();
    let Some(first) = entities.first() else {
        return Err(format!("{} alone: it is not in the table", shape.tables.join(", ")));
    };
    let asked = |entity| Asked { shape, of: schema.get(entity) };
    for entity in &entities {
        let asked = asked(*entity);
        let found = match entity {
            Entity::User => asked.user(),
            Entity::Product => asked.product(),
            Entity::Order => asked.order(),
            Entity::OrderItem => asked.order_item(),
        };
        let Some(found) = found else { continue };
        let mut found = found?;
        if shape.aggregates {
            let is_page = found.pattern == ORDERS || found.pattern == PRODUCTS;
            if is_page || *entity == Entity::OrderItem {
                return Err("counts or sums: the table has no such figures".to_owned());
            }
            found = found.doubted("counts what exists at most once");
        }
        let is_of_order = |it: &Entity| matches!(it, Entity::Order | Entity::OrderItem);
        let others =
            entities.iter().filter(|it| *it != entity && !(is_of_order(entity) && is_of_order(it)));
        for other in others {
            // An order item already has its product's name and price.
            if *other != Entity::Product || !entities.contains(&Entity::OrderItem) {
                found = found.doubted(format!("with its {other}: one more request for each"));
            }
        }
        if found.pattern == ORDERS && entities.contains(&Entity::OrderItem) {
            found = found.doubted("with their items: one more request for each order");
        }
        return Ok(found);
    }
    let why = asked(*first).why();
    Err(if shape.aggregates { format!("counts or sums {why}") } else { why })
}

/// Returns the entity that a statement writes.
fn target<'s>(shape: &Shape, schema: &'s Schema) -> Result<&'s OfEntity, String> {
    let table = shape.target.as_deref().unwrap_or_default();
    match schema.of_table(table)[..] {
        [] => Err(format!("{table} is only joined to other tables: it is not in the table")),
        [entity, ..] => Ok(schema.get(entity)),
    }
}

fn insert(shape: &Shape, schema: &Schema) -> Found {
    let of = target(shape, schema)?;
    let is_main = of.main == shape.target;
    let found = match of.entity {
        Entity::User => whole(REGISTER),
        Entity::Product => whole(ADD_PRODUCT),
        Entity::Order => whole(PLACE_ORDER),
        Entity::OrderItem => whole(PLACE_ORDER).sharing(Share::OrderItems),
    };
    Ok(if is_main { found } else { found.sharing(Share::Nothing) })
}

fn update(shape: &Shape, schema: &Schema, mapping: &Mapping) -> Found {
    let of = target(shape, schema)?;
    let asked = Asked { shape, of };
    let mut known: Vec<(&str, &Change)> = Vec::new();
    let mut unknown = Vec::new();
    for (column, change) in &shape.changes {
        match of.meaning(column) {
            Some(Meaning::Is(attribute) | Meaning::StandsFor(attribute)) => {
                known.push((attribute, change));
            }
            None => unknown.push(column.name.as_str()),
        }
    }
    let set = |attribute: &str| known.iter().find(|(name, _)| *name == attribute);
    let without = |what: &str| format!("sets {what}, which the shop does not have");
    // Every change sets the time, so the time alone says nothing.
    if known.iter().all(|(name, _)| *name == "updatedAt") {
        return Err(if unknown.is_empty() {
            "only sets the time".to_owned()
        } else {
            without(&unknown.join(", "))
        });
    }
    let found = match of.entity {
        Entity::User if set("email").is_some() => whole(CHANGE_EMAIL),
        Entity::User => whole(CHANGE_USER),
        Entity::Product => match set("stock") {
            Some((_, Change::Less)) => whole(PLACE_ORDER).sharing(Share::Nothing),
            Some((_, Change::More)) => whole(CANCEL).sharing(Share::Nothing),
            Some((_, Change::To(_))) => whole(SET_STOCK),
            None if known.iter().all(|(name, _)| IN_THE_PRODUCT_ONLY.contains(name)) => {
                whole(DESCRIBE_PRODUCT)
            }
            None => whole(CHANGE_PRODUCT),
        },
        Entity::Order => match set("status") {
            Some((_, Change::To(Some(to)))) if is_cancelled(to, mapping) => whole(CANCEL),
            Some(_) => whole(CHANGE_STATUS),
            None => return Err("only the status of an order can change".to_owned()),
        },
        Entity::OrderItem => return Err("only the status of an order can change".to_owned()),
    };
    let mut found = match asked.by_key(of.entity.key(), found.clone()) {
        Some(found) => found,
        None if of.entity == Entity::User && asked.has_one("email") => {
            found.doubted("by email: the user must be found first")
        }
        None => return Err(format!("changes {}", asked.why())),
    };
    if !unknown.is_empty() {
        found = found.doubted(without(&unknown.join(", ")));
    }
    Ok(asked.filtered(found, &[of.entity.key(), "email", "userId", "status", "stock"]))
}

fn is_cancelled(text: &str, mapping: &Mapping) -> bool {
    let mapped = mapping.orders.status.get(text).copied();
    mapped.or_else(|| text.parse().ok()) == Some(OrderStatus::Cancelled)
}

fn delete(shape: &Shape, schema: &Schema) -> Found {
    let of = target(shape, schema)?;
    let asked = Asked { shape, of };
    let found = match of.entity {
        Entity::User => whole(DELETE_USER),
        Entity::Product => whole(DELETE_PRODUCT),
        Entity::Order | Entity::OrderItem => return Err("orders are not deleted".to_owned()),
    };
    let found = if of.main == shape.target { found } else { found.sharing(Share::Nothing) };
    let found = asked.by_key(of.entity.key(), found);
    let found = found.ok_or_else(|| format!("deletes {}", asked.why()))?;
    Ok(asked.filtered(found, &[of.entity.key()]))
}
