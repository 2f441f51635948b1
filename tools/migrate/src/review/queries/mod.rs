//! The statements that the source runs today, and which access pattern replaces each.

mod expression;
mod log;
mod rules;
mod schema;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde::Serialize;
use sqlparser::ast::{Expr, Query, SetExpr, Statement, Value, ValueWithSpan, VisitMut, VisitorMut};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};
use storefront_core::access_patterns::{self, AccessPattern, Units};
use storefront_core::schema::ItemType;

use self::log::{Entry, Format};
use self::rules::{Match, Share, Verdict, judge};
use self::schema::Schema;
use self::statement::Shape;
use super::census::{Items, mean_bytes};
use super::cost::Prices;
use super::patterns;
use crate::{Entity, Error, Mapping};

/// How many different statements, apart from their values, are listed. Further ones are only
/// counted.
const DISTINCT: usize = 10_000;

/// How much of a statement is shown, in characters.
const SHOWN: usize = 600;

/// The assumed rows of a page if the file does not have them: the API's default.
const PAGE: f64 = 25.0;

/// A month in seconds.
const MONTH: f64 = 30.0 * 24.0 * 3_600.0;

/// Statements by the access pattern that replaces them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queries {
    format: Format,
    /// The period that the file covers, if it has times.
    pub(super) seconds: Option<f64>,
    /// Calls of all statements.
    pub(super) calls: u64,
    /// Calls of BEGIN, SET, SELECT 1 and other statements without a table.
    pub(super) without_table: u64,
    /// Calls of statements beyond the limit.
    pub(super) others: u64,
    /// All access patterns, in the order of their documentation.
    pub(super) patterns: Vec<Answered>,
    /// Statements that no pattern replaces, the most frequent first.
    pub(super) without_pattern: Vec<Asked>,
    /// Statements that could not be parsed as SQL.
    pub(super) unparsed: Vec<Asked>,
    /// Sections of the mapping whose SELECTs are too complex to find their columns.
    pub(super) not_followed: Vec<&'static str>,
    /// The monthly cost of all statements with a pattern, if the period is known.
    pub(super) month: Option<Requests>,
}

/// A pattern, and the statements that it replaces.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    pub(super) pattern: &'static str,
    pub(super) requests: &'static str,
    /// As formulas: `3 + 5 n`.
    pub(super) read_units: String,
    pub(super) write_units: String,
    pub(super) calls: u64,
    pub(super) statements: Vec<Asked>,
}

/// A statement without its values, and how often it was called.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    pub(super) sql: String,
    pub(super) calls: u64,
    /// For all calls together, if the file has it.
    pub(super) milliseconds: Option<f64>,
    /// Why it has no pattern, or why the pattern is not certain.
    pub(super) why: Vec<String>,
}

/// The cost of requests in a month of 30 days.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Requests {
    pub(super) read_units: f64,
    pub(super) write_units: f64,
    pub(super) cost: f64,
    /// The part of the cost for statements whose pattern is not certain.
    pub(super) uncertain_cost: f64,
}

/// A statement's calls.
#[derive(Default)]
struct Calls {
    count: u64,
    milliseconds: Option<f64>,
    rows: Option<u64>,
    /// The number of rows that it inserts.
    inserted: u64,
}

enum Known {
    Judged(Verdict),
    Unparsed,
}

/// Returns the SQL dialect for the source's URL.
pub(super) fn dialect(url: &str) -> Box<dyn Dialect> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("mysql" | "mariadb") => Box::new(MySqlDialect {}),
        Some("sqlite") => Box::new(SQLiteDialect {}),
        _ => Box::new(PostgreSqlDialect {}),
    }
}

impl Queries {
    /// Reads a file of queries.
    pub(super) fn read(
        path: &Path,
        mapping: &Mapping,
        dialect: &dyn Dialect,
        items: &[Items],
        prices: &Prices,
    ) -> Result<Self, Error> {
        let schema = Schema::of(mapping, dialect);
        let mut known: HashMap<String, (Known, Calls)> = HashMap::new();
        let mut others = 0;
        let mut all = 0;
        let (format, seconds) = log::read(path, |entry| {
            all += entry.calls;
            for (text, verdict, inserted) in read_statement(&entry, dialect, &schema, mapping) {
                if known.len() >= DISTINCT && !known.contains_key(&text) {
                    others += entry.calls;
                    continue;
                }
                let (_, calls) = known.entry(text).or_insert((verdict, Calls::default()));
                calls.add(&entry, inserted);
            }
        })?;
        let mut queries = Self {
            format,
            seconds,
            calls: all,
            without_table: 0,
            others,
            // Special cases depend on what a request finds, which a statement does not show.
            patterns: access_patterns::all()
                .filter(|it| it.case.is_none())
                .map(Answered::of)
                .collect(),
            without_pattern: Vec::new(),
            unparsed: Vec::new(),
            not_followed: schema.not_followed().into_iter().map(Entity::section).collect(),
            month: None,
        };
        let month = queries.sort(known, items, prices);
        queries.month = seconds.map(|seconds| month.times(MONTH / seconds));
        Ok(queries)
    }

    /// Sorts the statements, and returns the cost of those with a pattern.
    fn sort(
        &mut self,
        known: HashMap<String, (Known, Calls)>,
        items: &[Items],
        prices: &Prices,
    ) -> Requests {
        let mut sum = Requests::default();
        for (sql, (known, calls)) in known {
            match known {
                Known::Unparsed => self.unparsed.push(Asked::of(sql, &calls, Vec::new())),
                Known::Judged(Verdict::NoTable) => self.without_table += calls.count,
                Known::Judged(Verdict::None(why)) => {
                    self.without_pattern.push(Asked::of(sql, &calls, vec![why]));
                }
                Known::Judged(Verdict::Pattern(found)) => {
                    sum.add(&found, &calls, items, prices);
                    let name = found.pattern.name;
                    let answered = self.patterns.iter_mut().find(|it| it.pattern == name);
                    if let Some(answered) = answered {
                        answered.calls += calls.count;
                        answered.statements.push(Asked::of(sql, &calls, found.doubts));
                    }
                }
            }
        }
        let lists = self.patterns.iter_mut().map(|answered| &mut answered.statements);
        for list in lists.chain([&mut self.without_pattern, &mut self.unparsed]) {
            list.sort_by(|one, other| {
                let by_time =
                    other.milliseconds.unwrap_or(0.0).total_cmp(&one.milliseconds.unwrap_or(0.0));
                other.calls.cmp(&one.calls).then(by_time).then_with(|| one.sql.cmp(&other.sql))
            });
        }
        sum
    }
}

/// Parses the statements of an entry, and removes their values. A text that is not SQL counts as
/// one statement.
fn read_statement(
    entry: &Entry,
    dialect: &dyn Dialect,
    schema: &Schema,
    mapping: &Mapping,
) -> Vec<(String, Known, u64)> {
    let Ok(statements) = Parser::parse_sql(dialect, &entry.sql) else {
        return vec![(masked(&entry.sql, dialect), Known::Unparsed, 0)];
    };
    let read = statements.into_iter().map(|mut statement| {
        let shape = Shape::of(&statement);
        let inserted = shape.as_ref().and_then(|shape| shape.rows).unwrap_or(0);
        let verdict = shape.map_or(Verdict::NoTable, |shape| judge(&shape, schema, mapping));
        (without_values(&mut statement), Known::Judged(verdict), inserted)
    });
    read.collect()
}

/// Returns the statement with a question mark for each value, because values can be personal data.
fn without_values(statement: &mut Statement) -> String {
    let _ = statement.visit(&mut Values);
    shortened(&statement.to_string())
}

struct Values;

impl VisitorMut for Values {
    type Break = ();

    fn pre_visit_value(&mut self, found: &mut ValueWithSpan) -> ControlFlow<()> {
        found.value = Value::Placeholder("?".to_owned());
        ControlFlow::Continue(())
    }

    /// Makes statements equal that differ only in the length of a list.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::InList { list, .. } = expr {
            list.truncate(1);
        }
        ControlFlow::Continue(())
    }

    /// Makes statements equal that differ only in the number of rows they insert.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Values(values) = &mut *query.body {
            values.rows.truncate(1);
        }
        ControlFlow::Continue(())
    }
}

/// Removes everything that may be a value from a text that cannot be parsed.
fn masked(sql: &str, dialect: &dyn Dialect) -> String {
    let Ok(tokens) = Tokenizer::new(dialect, sql).tokenize() else {
        // Even its quotes are unbalanced, so only the first word is safe to show.
        return format!("{} …", sql.split_whitespace().next().unwrap_or_default());
    };
    let text: String = tokens
        .into_iter()
        .map(|token| match token {
            Token::Word(word) if word.quote_style.is_none() => word.value,
            Token::Word(_) => "\"…\"".to_owned(),
            Token::Whitespace(_) => " ".to_owned(),
            Token::Placeholder(text) => text,
            punctuation if is_punctuation(&punctuation) => punctuation.to_string(),
            _ => "?".to_owned(),
        })
        .collect();
    shortened(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn is_punctuation(token: &Token) -> bool {
    token.to_string().chars().all(|c| c.is_ascii_punctuation() && !matches!(c, '\'' | '"'))
}

fn shortened(sql: &str) -> String {
    match sql.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &sql[..end]),
        None => sql.to_owned(),
    }
}

impl Calls {
    fn add(&mut self, entry: &Entry, inserted: u64) {
        self.count += entry.calls;
        self.inserted += inserted * entry.calls;
        if let Some(more) = entry.milliseconds {
            *self.milliseconds.get_or_insert(0.0) += more;
        }
        if let Some(more) = entry.rows {
            *self.rows.get_or_insert(0) += more;
        }
    }
}

impl Answered {
    fn of(pattern: &AccessPattern) -> Self {
        Self {
            pattern: pattern.name,
            requests: pattern.requests,
            read_units: pattern.read.to_string(),
            write_units: pattern.write.to_string(),
            calls: 0,
            statements: Vec::new(),
        }
    }
}

impl Asked {
    fn of(sql: String, calls: &Calls, why: Vec<String>) -> Self {
        Self { sql, calls: calls.count, milliseconds: calls.milliseconds, why }
    }
}

#[allow(clippy::cast_precision_loss, reason = "an estimate needs no digits beyond 2^53")]
impl Requests {
    fn add(&mut self, found: &Match, calls: &Calls, items: &[Items], prices: &Prices) {
        let times = calls.count as f64;
        let of = |units: Units| match found.share {
            Share::Nothing => 0.0,
            Share::OrderItems => {
                units.per_item * calls.rows.map_or(calls.inserted, |rows| rows) as f64
            }
            Share::Whole if units.is_of_page() => {
                let rows = calls.rows.map_or(PAGE, |rows| rows as f64 / times.max(1.0));
                let is_of_products = found.pattern == patterns::PRODUCTS;
                let of = if is_of_products { ItemType::Product } else { ItemType::Order };
                // A page reads one more item than it shows.
                times * units.of(0.0, (rows + 1.0) * mean_bytes(items, of))
            }
            Share::Whole => times * units.base,
        };
        let (read, write) = (of(found.pattern.read), of(found.pattern.write));
        let cost = prices.of_units(read, write);
        self.read_units += read;
        self.write_units += write;
        self.cost += cost;
        if !found.doubts.is_empty() {
            self.uncertain_cost += cost;
        }
    }

    fn times(self, times: f64) -> Self {
        Self {
            read_units: self.read_units * times,
            write_units: self.write_units * times,
            cost: self.cost * times,
            uncertain_cost: self.uncertain_cost * times,
        }
    }
}
