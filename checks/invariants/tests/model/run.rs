//! Runs a script in the shop and in the model, and says where they part.

use std::fmt::Write as _;

use crate::client::send;
use crate::model::{Context, Items, Model, Seen};
use crate::script::{Address, By, Nth, Operation, Script, Step};
use crate::turns::in_turns;
use crate::world::{Premises, World, beginning};

/// How many orders of a step's operations a message tells about.
const TOLD: usize = 8;

/// Runs the script; an error says at which step the shop did what the model cannot explain.
pub(crate) async fn run(premises: &Premises, script: &Script) -> Result<(), String> {
    let (world, mut model) = premises.open(script.failed_log_ins).await;
    for step in beginning() {
        model = perform(&world, model, &step)
            .await
            .map_err(|why| format!("before the first step: {why}"))?;
    }
    for (number, step) in script.steps.iter().enumerate() {
        model =
            perform(&world, model, step).await.map_err(|why| format!("step {number}: {why}"))?;
    }
    let table = world.items().await;
    for read in everything(&model) {
        let came = [Box::pin(send(&world.shop, &read, &model, true)).await];
        explained(&Step::alone(read), &model, &came, &table)
            .map_err(|why| format!("after all: {why}"))?;
    }
    Ok(())
}

/// Performs one step, and gives the model after it.
async fn perform(world: &World, before: Model, step: &Step) -> Result<Model, String> {
    let alone = step.operations.len() == 1;
    let operations = step.operations.iter();
    let operations = operations
        .map(|operation| Box::pin(send(&world.shop, operation, &before, alone)))
        .collect();
    let (came, served) = in_turns(operations, &step.turns).await;
    explained(step, &before, &came, &world.items().await).map_err(|mut why| {
        why.push_str("\n  requests:");
        for (number, action) in served {
            let _ = write!(why, " {}:{action}", letter(number));
        }
        why
    })
}

/// The model after a step, if there is an order of its operations that gives these answers and
/// leaves this table.
fn explained(step: &Step, before: &Model, came: &[Seen], table: &Items) -> Result<Model, String> {
    let mut explanation = Explanation { step, before, came, table, refuted: Vec::new() };
    match explanation.search(before, &mut Vec::new()) {
        Some(after) => Ok(after),
        None => Err(explanation.message()),
    }
}

/// The search for an order of a step's operations.
struct Explanation<'a> {
    step: &'a Step,
    before: &'a Model,
    came: &'a [Seen],
    table: &'a Items,
    /// The orders that were tried, and what speaks against each.
    refuted: Vec<String>,
}

impl Explanation<'_> {
    fn search(&mut self, model: &Model, order: &mut Vec<usize>) -> Option<Model> {
        let operations = &self.step.operations;
        if order.len() == operations.len() {
            return match model.clone().compared(self.table) {
                Ok(model) => Some(model),
                Err(difference) => {
                    self.refute(order, &difference);
                    None
                }
            };
        }
        for next in 0..operations.len() {
            if order.contains(&next) {
                continue;
            }
            order.push(next);
            let context = Context { before: self.before, operations: operations.len() };
            let came = &self.came[next];
            let outcomes = model.outcomes(&operations[next], context, came);
            let mut expected = String::new();
            for (seen, after) in outcomes {
                if seen == *came {
                    if let Some(explained) = self.search(&after, order) {
                        return Some(explained);
                    }
                } else {
                    let _ = write!(expected, "\n      expected {seen:?}");
                }
            }
            if !expected.is_empty() {
                self.refute(order, &format!("{expected}\n      but came {came:?}"));
            }
            order.pop();
        }
        None
    }

    fn refute(&mut self, order: &[usize], why: &str) {
        let order: String = order.iter().map(|number| letter(*number)).collect();
        self.refuted.push(format!("\n    {order}: {why}"));
    }

    fn message(&self) -> String {
        let mut message = String::from(match self.step.operations.len() {
            1 => "the shop does not do what the model does",
            _ => "no order of the operations explains what the shop did",
        });
        for (number, (operation, came)) in self.step.operations.iter().zip(self.came).enumerate() {
            let _ = write!(message, "\n  {}. {operation:?}\n     -> {came:?}", letter(number));
        }
        message.push_str("\n  what speaks against each order:");
        message.extend(self.refuted.iter().take(TOLD).map(String::as_str));
        if self.refuted.len() > TOLD {
            let _ = write!(message, "\n    and {} more", self.refuted.len() - TOLD);
        }
        message
    }
}

fn letter(number: usize) -> char {
    ('a'..='z').nth(number).unwrap_or('?')
}

/// Reads of all that there is.
fn everything(model: &Model) -> Vec<Operation> {
    let admin = By::User(Nth(0));
    let mut reads: Vec<Operation> = (0..5)
        .map(|number| Operation::FindUser { by: admin, email: Address::plain(number) })
        .collect();
    reads.extend((0..2).map(|category| Operation::ListProducts { category, limit: 3 }));
    reads.extend(numbers(&model.known.users).map(|user| Operation::ListOrders {
        by: admin,
        of: Nth(user),
        limit: 3,
        from: None,
        to: None,
    }));
    reads.extend(
        numbers(&model.known.orders)
            .map(|order| Operation::ShowOrder { by: By::Oneself, order: Nth(order) }),
    );
    reads
}

fn numbers<T>(known: &[T]) -> impl Iterator<Item = u8> {
    (0..known.len()).filter_map(|number| u8::try_from(number).ok())
}
