//! The columns in expressions.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, visit_expressions,
};

/// A column; without its table if the statement does not have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Column {
    pub(super) table: Option<String>,
    pub(super) name: String,
}

/// A statement's tables, by their aliases.
pub(super) type Aliases = HashMap<String, String>;

/// Returns the column of an expression, even if it is cast, or its case or blanks are normalised.
pub(super) fn column(expr: &Expr, aliases: &Aliases) -> Option<Column> {
    const FOLDS: [&str; 5] = ["lower", "upper", "trim", "lcase", "ucase"];
    match expr {
        Expr::Nested(expr) | Expr::Cast { expr, .. } | Expr::Trim { expr, .. } => {
            column(expr, aliases)
        }
        Expr::Collate { expr, .. } => column(expr, aliases),
        Expr::Identifier(name) => {
            let mut tables = aliases.values();
            // If the statement has only one table, the column belongs to it.
            let table = tables.next().filter(|_| tables.next().is_none()).cloned();
            Some(Column { table, name: folded(&name.value) })
        }
        Expr::CompoundIdentifier(parts) => {
            let [.., table, name] = &parts[..] else { return None };
            let table = folded(&table.value);
            let table = aliases.get(&table).cloned().unwrap_or(table);
            Some(Column { table: Some(table), name: folded(&name.value) })
        }
        Expr::Function(function) => {
            let is_fold = FOLDS.contains(&&*last(&function.name));
            match &function.args {
                FunctionArguments::List(list) if is_fold => match &list.args[..] {
                    [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => column(expr, aliases),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns all columns in an expression, each once.
pub(super) fn columns(expr: &Expr, aliases: &Aliases) -> Vec<Column> {
    let mut found = Vec::new();
    let _ = visit_expressions(expr, |expr| {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            found.extend(column(expr, aliases));
        }
        ControlFlow::<()>::Continue(())
    });
    found.sort();
    found.dedup();
    found
}

pub(super) fn aggregates(expr: &Expr) -> bool {
    const AGGREGATES: [&str; 10] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "total",
        "string_agg",
        "array_agg",
        "group_concat",
        "json_agg",
    ];
    visit_expressions(expr, |expr| match expr {
        Expr::Function(function) if AGGREGATES.contains(&&*last(&function.name)) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

pub(super) fn has_query(expr: &Expr) -> bool {
    visit_expressions(expr, |expr| {
        if is_query(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}

pub(super) fn is_query(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. })
}

/// Returns a name without its schema.
pub(super) fn last(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(|ident| folded(&ident.value)).unwrap_or_default()
}

/// Folds a name to lower case: names that differ only in case are treated as the same.
pub(super) fn folded(name: &str) -> String {
    name.to_lowercase()
}
