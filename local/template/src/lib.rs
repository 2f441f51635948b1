//! The parts of `template.yaml` that the local cloud and the tests need, as types.
//!
//! The template defines what is deployed. The local cloud and the tests read the table, routes,
//! authorizer, CORS settings and triggers from it, so that they run the same.
//! Parameters have their defaults, or the values of [`Template::with_parameters`].

mod api;
mod asynchronous;
mod error;
mod filter;
mod function;
mod ignored;
mod intrinsics;
mod node;
mod parameter;
mod policy;
mod queue;
mod rule;
mod schedule;
mod stream;
mod table;
mod template;
mod trigger;
mod yaml;

pub use api::{Authorizer, Cors, Route};
pub use asynchronous::AsynchronousInvocation;
pub use error::Error;
pub use function::Function;
pub use ignored::IgnoredProperty;
pub use policy::{GrantedResource, Partitions, Permissions};
pub use queue::{Queue, QueueMapping, Redrive};
pub use rule::{Bus, Input, Receiver, Rule, Target};
pub use schedule::{CronExpression, Schedule, ScheduleExpression, Scheduler};
pub use stream::StreamMapping;
pub use table::TableDefinition;
pub use template::Template;
pub use trigger::UnknownTrigger;
