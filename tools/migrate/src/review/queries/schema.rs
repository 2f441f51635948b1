//! The meaning of the source's tables and columns, derived from the mapping's SELECTs.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::dialect::Dialect;
use sqlparser::parser::Parser;

use super::expression::Column;
use super::statement::Shape;
use crate::{Entity, Mapping};

/// What is known about the source.
pub(super) struct Schema {
    entities: Vec<OfEntity>,
}

/// The tables and columns of an entity.
pub(super) struct OfEntity {
    pub(super) entity: Entity,
    /// All tables in its SELECT.
    pub(super) tables: BTreeSet<String>,
    /// The table that has its key.
    pub(super) main: Option<String>,
    /// The columns of each attribute.
    attributes: BTreeMap<&'static str, BTreeSet<Column>>,
    /// Columns by which an attribute of another table is joined, for example a category's id for
    /// its name.
    stands_for: BTreeMap<Column, &'static str>,
    /// Whether the SELECT reads only tables, without subqueries.
    pub(super) is_followed: bool,
}

/// How a column is related to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Is(&'static str),
    StandsFor(&'static str),
}

impl Schema {
    pub(super) fn of(mapping: &Mapping, dialect: &dyn Dialect) -> Self {
        let of = |entity| OfEntity::of(entity, mapping.select(entity), dialect);
        Self { entities: Entity::ALL.map(of).into() }
    }

    pub(super) fn get(&self, entity: Entity) -> &OfEntity {
        &self.entities[entity as usize]
    }

    /// Returns the entities whose main table this is, or else those that own it.
    pub(super) fn of_table(&self, table: &str) -> Vec<Entity> {
        let has = |it: &&OfEntity| it.main.as_deref() == Some(table);
        let main: Vec<_> = self.entities.iter().filter(has).map(|it| it.entity).collect();
        if !main.is_empty() {
            return main;
        }
        let owns = |it: &&OfEntity| it.tables.contains(table) && it.owns(table);
        self.entities.iter().filter(owns).map(|it| it.entity).collect()
    }

    pub(super) fn knows(&self, table: &str) -> bool {
        self.entities.iter().any(|it| it.tables.contains(table))
    }

    /// Returns the entities whose SELECTs are too complex to find their columns.
    pub(super) fn not_followed(&self) -> Vec<Entity> {
        self.entities.iter().filter(|it| !it.is_followed).map(|it| it.entity).collect()
    }
}

impl OfEntity {
    fn of(entity: Entity, select: &str, dialect: &dyn Dialect) -> Self {
        let mut found = Self {
            entity,
            tables: BTreeSet::new(),
            main: None,
            attributes: BTreeMap::new(),
            stands_for: BTreeMap::new(),
            is_followed: false,
        };
        let statements = Parser::parse_sql(dialect, select).unwrap_or_default();
        if let Some(shape) = statements.first().and_then(Shape::of) {
            found.follow(&shape);
        }
        found
    }

    fn follow(&mut self, shape: &Shape) {
        self.tables = shape.tables.iter().cloned().collect();
        self.is_followed = !shape.is_opaque && !shape.aggregates && !self.tables.is_empty();
        if !self.is_followed {
            return;
        }
        for attribute in self.entity.attributes() {
            let named = shape.selected.iter().flatten();
            let named = named.clone().find(|(name, _)| is_same(name, attribute.name));
            if let Some((_, columns)) = named {
                let columns = columns.iter().cloned().collect();
                self.attributes.insert(attribute.name, columns);
            }
        }
        let of_key = self.attributes.get(self.entity.key());
        self.main = of_key.and_then(|columns| columns.iter().find_map(|it| it.table.clone()));
        if self.main.is_none() && self.tables.len() == 1 {
            self.main = self.tables.first().cloned();
        }
        self.add_equals(shape);
        for (left, right) in &shape.joins {
            for (one, other) in [(left, right), (right, left)] {
                if self.meaning(one).is_none() {
                    self.add_stand_in(one, other);
                }
            }
        }
    }

    /// Adds columns that are joined to an attribute: they are equal to it.
    fn add_equals(&mut self, shape: &Shape) {
        let mut is_more = true;
        while is_more {
            is_more = false;
            for columns in self.attributes.values_mut().filter(|columns| columns.len() == 1) {
                for (left, right) in &shape.joins {
                    for (one, other) in [(left, right), (right, left)] {
                        if columns.contains(one) && columns.insert(other.clone()) {
                            is_more = true;
                        }
                    }
                }
            }
        }
    }

    /// Adds a column that stands for an attribute: `products.category_id`, joined to
    /// `categories.id`, stands for the attribute that is selected from `categories`, if that is
    /// only one.
    fn add_stand_in(&mut self, one: &Column, other: &Column) {
        for table in [&one.table, &other.table] {
            if *table == self.main {
                continue;
            }
            let mut of_table = self.attributes.iter().filter(|(_, columns)| {
                columns.iter().any(|column| column.table.is_some() && column.table == *table)
            });
            if let (Some((attribute, _)), None) = (of_table.next(), of_table.next()) {
                let attribute = *attribute;
                self.stands_for.insert(one.clone(), attribute);
            }
        }
    }

    /// Returns the meaning of a column.
    pub(super) fn meaning(&self, column: &Column) -> Option<Meaning> {
        let is = |known: &Column| {
            let is_table = match (&known.table, &column.table) {
                (Some(known), Some(table)) => known == table,
                // One of them has no table, so any of the entity's tables will do.
                (_, Some(table)) => self.tables.contains(table),
                _ => true,
            };
            known.name == column.name && is_table
        };
        // In this order, so that the key comes before attributes that are joined to it.
        let attributes = self.entity.attributes().iter().map(|attribute| attribute.name);
        for attribute in attributes {
            if self.attributes.get(attribute).is_some_and(|columns| columns.iter().any(is)) {
                return Some(Meaning::Is(attribute));
            }
        }
        let stand_in = self.stands_for.iter().find(|(known, _)| is(known));
        stand_in.map(|(_, attribute)| Meaning::StandsFor(attribute))
    }

    /// Whether the table is joined by the key. Then it has more attributes of each row, such as a
    /// user's password, and not shared ones, such as categories.
    fn owns(&self, table: &str) -> bool {
        let of_key = self.attributes.get(self.entity.key());
        of_key.is_some_and(|all| all.iter().any(|column| column.table.as_deref() == Some(table)))
    }
}

/// Compares names without case and underscores, as the reader does.
fn is_same(name: &str, attribute: &str) -> bool {
    let folded = |text: &str| text.replace('_', "").to_lowercase();
    folded(name) == folded(attribute)
}
