//! Searches for an order of a step's operations that explains what the shop did: performed one
//! after the other in that order, the model gives the same answers and the same table.
//!
//! In the literature that is a linearization of a concurrent history.

use std::fmt::Write as _;

use super::letter;
use super::operation::{StepContext, possible_outcomes};
use super::response::Response;
use super::script::Step;
use super::table::TableItems;
use crate::entities::{Effect, Model};

/// How many rejected orders a message shows.
const MAX_SHOWN: usize = 8;

/// Returns the model after a step, or why no order of its operations gives these answers and this
/// table.
pub(super) fn explain(
    step: &Step,
    before: &Model,
    actual: &[Response],
    table: &TableItems,
) -> Result<Model, String> {
    let effects = before.effects(table);
    let mut search = Search { step, before, actual, table, effects, rejected: Vec::new() };
    let mut begun = before.clone();
    for operation in &step.operations {
        operation.entity().begin(&mut begun);
    }
    match search.extend(&begun, &mut Vec::new()) {
        Some(after) => Ok(after),
        None => Err(search.message()),
    }
}

/// What the model performs next.
#[derive(Clone, Copy, PartialEq)]
enum Event {
    /// The operation with this number.
    Operation(usize),
    /// The effect with this number.
    Effect(usize),
}

struct Search<'a> {
    step: &'a Step,
    before: &'a Model,
    /// The shop's answer to each operation.
    actual: &'a [Response],
    /// The shop's table after the step.
    table: &'a TableItems,
    /// What happened at moments of their own, each of which is to be found.
    effects: Vec<Effect>,
    /// The orders that were tried, and what contradicts each.
    rejected: Vec<String>,
}

impl Search<'_> {
    /// Tries each remaining operation and effect as the next one, depth first. `model` is the state after
    /// those in `order`.
    fn extend(&mut self, model: &Model, order: &mut Vec<Event>) -> Option<Model> {
        let operations = &self.step.operations;
        if order.len() == operations.len() + self.effects.len() {
            return match model.clone().matching(self.table) {
                Ok(model) => Some(model),
                Err(difference) => {
                    self.reject(order, &difference);
                    None
                }
            };
        }
        for next in 0..operations.len() {
            if order.contains(&Event::Operation(next)) {
                continue;
            }
            order.push(Event::Operation(next));
            let actual = &self.actual[next];
            let step = StepContext { known: self.before, operations: operations.len() };
            let mut expected_answers = String::new();
            for (expected, after) in possible_outcomes(model, &operations[next], step, actual) {
                if expected == *actual {
                    if let Some(explained) = self.extend(&after, order) {
                        return Some(explained);
                    }
                } else {
                    let _ = write!(expected_answers, "\n      expected {expected:?}");
                }
            }
            if !expected_answers.is_empty() {
                let why = format!("{expected_answers}\n      but the answer was {actual:?}");
                self.reject(order, &why);
            }
            order.pop();
        }
        self.extend_with_effect(model, order)
    }

    /// Does the same with the remaining effects. Two in a row are tried in one order only: they do not
    /// depend on each other.
    fn extend_with_effect(&mut self, model: &Model, order: &mut Vec<Event>) -> Option<Model> {
        let first = match order.last() {
            Some(Event::Effect(last)) => last + 1,
            _ => 0,
        };
        for next in first..self.effects.len() {
            if order.contains(&Event::Effect(next)) {
                continue;
            }
            let effect = self.effects[next];
            order.push(Event::Effect(next));
            let mut after = model.clone();
            if after.happen(effect) {
                if let Some(explained) = self.extend(&after, order) {
                    return Some(explained);
                }
            } else {
                self.reject(order, &format!("{effect:?} cannot happen"));
            }
            order.pop();
        }
        None
    }

    fn reject(&mut self, order: &[Event], why: &str) {
        let name = |event: &Event| match event {
            Event::Operation(number) => letter(*number),
            Event::Effect(_) => '*',
        };
        let order: String = order.iter().map(name).collect();
        self.rejected.push(format!("\n    {order}: {why}"));
    }

    fn message(&self) -> String {
        let mut message = String::from(match self.step.operations.len() {
            1 => "the shop does not do what the model does",
            _ => "no order of the operations explains what the shop did",
        });
        for (number, (operation, actual)) in
            self.step.operations.iter().zip(self.actual).enumerate()
        {
            let _ = write!(message, "\n  {}. {operation:?}\n     -> {actual:?}", letter(number));
        }
        message.push_str("\n  what contradicts each order:");
        message.extend(self.rejected.iter().take(MAX_SHOWN).map(String::as_str));
        if self.rejected.len() > MAX_SHOWN {
            let _ = write!(message, "\n    and {} more", self.rejected.len() - MAX_SHOWN);
        }
        message
    }
}
