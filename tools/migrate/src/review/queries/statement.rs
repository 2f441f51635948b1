//! The parts of a statement that matter for access patterns: tables, conditions, order, changes.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AssignmentTarget, BinaryOperator, Delete, Expr, FromTable, GroupByExpr, Insert, JoinConstraint,
    JoinOperator, LimitClause, OrderByKind, OrderBySort, Query, Select, SelectItem, SetExpr,
    Statement, TableFactor, TableObject, TableWithJoins, Update, Value, visit_relations,
};

use super::expression::{
    Aliases, Column, aggregates, column, columns, folded, has_query, is_query, last,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Select,
    Insert,
    Update,
    Delete,
}

/// How a column is compared with something that is not a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Among,
    Range,
    Other,
}

/// How a column is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is set to this text, or to another value.
    To(Option<String>),
    Less,
    More,
}

/// The parts of a statement that matter.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is independent of the others")]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// All its tables, each once.
    pub(super) tables: Vec<String>,
    /// The table that it writes.
    pub(super) target: Option<String>,
    /// Conditions that must all hold.
    pub(super) conditions: Vec<(Column, Operator)>,
    /// Pairs of columns that must be equal.
    pub(super) joins: Vec<(Column, Column)>,
    /// Whether it has conditions that do not belong to a single column: OR, EXISTS, a subquery.
    pub(super) is_opaque: bool,
    /// The name and columns of each selected expression; `None` is `*`.
    pub(super) selected: Vec<Option<(String, Vec<Column>)>>,
    /// Whether it counts, sums or groups.
    pub(super) aggregates: bool,
    /// The first column of the order (`None` for another expression), and whether it is descending.
    pub(super) order: Option<(Option<Column>, bool)>,
    pub(super) has_limit: bool,
    pub(super) has_offset: bool,
    pub(super) changes: Vec<(Column, Change)>,
    /// The number of rows that it inserts, if it lists them.
    pub(super) rows: Option<u64>,
}

impl Shape {
    /// Reads a statement. Returns `None` if it neither queries nor changes rows.
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        let kind = match statement {
            Statement::Query(_) => Kind::Select,
            Statement::Insert(_) => Kind::Insert,
            Statement::Update(_) => Kind::Update,
            Statement::Delete(_) => Kind::Delete,
            _ => return None,
        };
        let mut shape = Self {
            kind,
            tables: Vec::new(),
            target: None,
            conditions: Vec::new(),
            joins: Vec::new(),
            is_opaque: false,
            selected: Vec::new(),
            aggregates: false,
            order: None,
            has_limit: false,
            has_offset: false,
            changes: Vec::new(),
            rows: None,
        };
        let _ = visit_relations(statement, |name| {
            let table = last(name);
            if !shape.tables.contains(&table) {
                shape.tables.push(table);
            }
            ControlFlow::<()>::Continue(())
        });
        match statement {
            Statement::Query(query) => shape.query(query),
            Statement::Insert(insert) => shape.insert(insert),
            Statement::Update(update) => shape.update(update),
            Statement::Delete(delete) => shape.delete(delete),
            _ => {}
        }
        Some(shape)
    }

    fn query(&mut self, query: &Query) {
        if let Some(with) = &query.with {
            self.is_opaque = true;
            let own: Vec<_> =
                with.cte_tables.iter().map(|it| folded(&it.alias.name.value)).collect();
            self.tables.retain(|table| !own.contains(table));
        }
        match &*query.body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(inner) => self.query(inner),
            _ => self.is_opaque = true,
        }
        let aliases = match &*query.body {
            SetExpr::Select(select) => self.from(&select.from),
            _ => Aliases::new(),
        };
        if let Some(order) = &query.order_by {
            self.order = match &order.kind {
                OrderByKind::Expressions(by) => by.first().map(|by| {
                    let is_down = by.options.sort == Some(OrderBySort::Desc);
                    (self.ordered_by(&by.expr, &aliases), is_down)
                }),
                OrderByKind::All(_) => Some((None, false)),
            };
        }
        self.has_limit |= query.fetch.is_some();
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                self.has_limit |= limit.is_some();
                self.has_offset |= offset.is_some();
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                (self.has_limit, self.has_offset) = (true, true);
            }
            None => {}
        }
    }

    /// Returns the column to order by, or the one that is selected under that name.
    fn ordered_by(&self, expr: &Expr, aliases: &Aliases) -> Option<Column> {
        let column = column(expr, aliases)?;
        let selected = self.selected.iter().flatten().find(|(name, _)| *name == column.name);
        match selected {
            Some((_, columns)) if column.table.is_none() && columns.len() == 1 => {
                columns.first().cloned()
            }
            _ => Some(column),
        }
    }

    fn select(&mut self, select: &Select) {
        let aliases = self.from(&select.from);
        for from in &select.from {
            for join in &from.joins {
                self.join(&join.join_operator, &aliases);
            }
        }
        if let Some(condition) = &select.selection {
            self.condition(condition, &aliases);
        }
        self.aggregates |= select.having.is_some();
        self.aggregates |= !matches!(&select.group_by,
            GroupByExpr::Expressions(by, _) if by.is_empty());
        for item in &select.projection {
            let (name, expr) = match item {
                SelectItem::UnnamedExpr(expr) => {
                    (column(expr, &aliases).map(|column| column.name).unwrap_or_default(), expr)
                }
                SelectItem::ExprWithAlias { expr, alias } => (folded(&alias.value), expr),
                _ => {
                    self.selected.push(None);
                    continue;
                }
            };
            self.aggregates |= aggregates(expr);
            self.selected.push(Some((name, columns(expr, &aliases))));
        }
    }

    /// Returns the tables by their aliases.
    fn from(&mut self, from: &[TableWithJoins]) -> Aliases {
        let mut aliases = Aliases::new();
        for tables in from {
            let joined = tables.joins.iter().map(|join| &join.relation);
            for factor in std::iter::once(&tables.relation).chain(joined) {
                let TableFactor::Table { name, alias, .. } = factor else {
                    self.is_opaque = true;
                    continue;
                };
                let table = last(name);
                let alias = alias.as_ref().map(|alias| folded(&alias.name.value));
                aliases.insert(alias.unwrap_or_else(|| table.clone()), table);
            }
        }
        aliases
    }

    fn join(&mut self, operator: &JoinOperator, aliases: &Aliases) {
        let (JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::StraightJoin(constraint)) = operator
        else {
            self.is_opaque = true;
            return;
        };
        if let JoinConstraint::On(on) = constraint {
            // Other conditions in ON restrict the joined table; rows are not found by them.
            let before = self.conditions.len();
            self.condition(on, aliases);
            self.conditions.truncate(before);
        }
    }

    fn condition(&mut self, condition: &Expr, aliases: &Aliases) {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq};
        match condition {
            Expr::Nested(inner) => self.condition(inner, aliases),
            Expr::BinaryOp { left, op: And, right } => {
                self.condition(left, aliases);
                self.condition(right, aliases);
            }
            Expr::BinaryOp { left, op: Eq, right } => {
                match (column(left, aliases), column(right, aliases)) {
                    (Some(left), Some(right)) => self.joins.push((left, right)),
                    (Some(it), None) => self.compared(it, Operator::Equal, right, aliases),
                    (None, Some(it)) => self.compared(it, Operator::Equal, left, aliases),
                    (None, None) => self.is_opaque |= !columns(condition, aliases).is_empty(),
                }
            }
            Expr::BinaryOp { left, op: Lt | LtEq | Gt | GtEq, right } => {
                match (&**left, column(left, aliases), column(right, aliases)) {
                    // Keyset pagination: (a, b) < (?, ?).
                    (Expr::Tuple(all), ..) => {
                        for found in all.iter().filter_map(|expr| column(expr, aliases)) {
                            self.conditions.push((found, Operator::Range));
                        }
                    }
                    (_, Some(it), None) => self.compared(it, Operator::Range, right, aliases),
                    (_, None, Some(it)) => self.compared(it, Operator::Range, left, aliases),
                    _ => self.is_opaque = true,
                }
            }
            Expr::Between { expr, negated: false, .. } => self.held(expr, Operator::Range, aliases),
            Expr::InList { expr, negated: false, .. } => self.held(expr, Operator::Among, aliases),
            Expr::AnyOp { left, compare_op: Eq, right, .. } if !is_query(right) => {
                self.held(left, Operator::Among, aliases);
            }
            Expr::IsNull(expr) | Expr::IsNotNull(expr) => self.held(expr, Operator::Other, aliases),
            other => {
                let found = columns(other, aliases);
                match &found[..] {
                    [one] if !has_query(other) => {
                        self.conditions.push((one.clone(), Operator::Other));
                    }
                    [] if !has_query(other) => {}
                    _ => self.is_opaque = true,
                }
            }
        }
    }

    /// Adds a comparison of a column with an expression, which may itself contain columns.
    fn compared(&mut self, column: Column, operator: Operator, with: &Expr, aliases: &Aliases) {
        if columns(with, aliases).is_empty() && !has_query(with) {
            self.conditions.push((column, operator));
        } else {
            self.is_opaque = true;
        }
    }

    fn held(&mut self, expr: &Expr, operator: Operator, aliases: &Aliases) {
        match column(expr, aliases) {
            Some(column) => self.conditions.push((column, operator)),
            None => self.is_opaque = true,
        }
    }

    fn insert(&mut self, insert: &Insert) {
        if let TableObject::TableName(name) = &insert.table {
            self.target = Some(last(name));
        }
        match insert.source.as_deref().map(|query| &*query.body) {
            Some(SetExpr::Values(values)) => self.rows = Some(values.rows.len() as u64),
            // INSERT … SET, or with default values only.
            None => self.rows = Some(1),
            Some(_) => self.is_opaque = true,
        }
    }

    fn update(&mut self, update: &Update) {
        let aliases = self.from(std::slice::from_ref(&update.table));
        if let TableFactor::Table { name, .. } = &update.table.relation {
            self.target = Some(last(name));
        }
        self.is_opaque |= update.from.is_some() || !update.table.joins.is_empty();
        if let Some(condition) = &update.selection {
            self.condition(condition, &aliases);
        }
        for assignment in &update.assignments {
            let names = match &assignment.target {
                AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                AssignmentTarget::Tuple(names) => &names[..],
            };
            for name in names {
                let column = Column { table: self.target.clone(), name: last(name) };
                self.changes.push((column, change(&assignment.value)));
            }
        }
    }

    fn delete(&mut self, delete: &Delete) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let aliases = self.from(from);
        self.target = match from.first().map(|from| &from.relation) {
            Some(TableFactor::Table { name, .. }) => Some(last(name)),
            _ => None,
        };
        self.is_opaque |= delete.using.is_some();
        if let Some(condition) = &delete.selection {
            self.condition(condition, &aliases);
        }
    }
}

fn change(value: &Expr) -> Change {
    match value {
        Expr::Nested(inner) => change(inner),
        Expr::BinaryOp { op: BinaryOperator::Minus, .. } => Change::Less,
        Expr::BinaryOp { op: BinaryOperator::Plus, .. } => Change::More,
        Expr::Value(value) => Change::To(match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
            Value::Number(number, _) => Some(number.clone()),
            _ => None,
        }),
        _ => Change::To(None),
    }
}
