//! What a piece of work consumes of DynamoDB: requests, and the capacity units that it reports.
//!
//! [`Meter`] is on every client of [`crate::aws::dynamodb`]. It makes each request ask for its
//! consumed capacity, and adds the result to the [`measure`] around it.

use std::cell::Cell;

use aws_sdk_dynamodb::config::ConfigBag;
use aws_sdk_dynamodb::config::RuntimeComponents;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::{
    batch_get_item, delete_item, get_item, put_item, query, transact_write_items, update_item,
};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use serde::Serialize;

/// What a piece of work consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumed {
    /// Requests sent, retries included.
    pub requests: u32,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
}

tokio::task_local! {
    static CONSUMED: Cell<Consumed>;
}

/// Runs `work`, and also returns what it consumed of DynamoDB in its own task.
pub async fn measure<F: Future>(work: F) -> (F::Output, Consumed) {
    CONSUMED
        .scope(Cell::default(), async {
            let output = work.await;
            (output, CONSUMED.with(Cell::get))
        })
        .await
}

fn add(consumed: Consumed) {
    // Unmeasured work is not an error.
    let _ = CONSUMED.try_with(|total| {
        let before = total.get();
        total.set(Consumed {
            requests: before.requests + consumed.requests,
            read_units: before.read_units + consumed.read_units,
            write_units: before.write_units + consumed.write_units,
        });
    });
}

/// The interceptor that counts.
#[derive(Debug)]
pub struct Meter;

/// Asks for the capacity in each of the listed operations' inputs.
macro_rules! ask_for_capacity {
    ($input:expr, $($operation:ident :: $type:ident),+ $(,)?) => {
        $(if let Some(input) = $input.downcast_mut::<$operation::$type>() {
            input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        })+
    };
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "CapacityMeter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_, Input, Output, Error>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        ask_for_capacity!(
            context.input_mut(),
            batch_get_item::BatchGetItemInput,
            delete_item::DeleteItemInput,
            get_item::GetItemInput,
            put_item::PutItemInput,
            query::QueryInput,
            transact_write_items::TransactWriteItemsInput,
            update_item::UpdateItemInput,
        );
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_, Input, Output, Error>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        add(Consumed { requests: 1, ..Consumed::default() });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_, Input, Output, Error>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Ok(output) = context.output_or_error() {
            add(reported(output));
        }
        Ok(())
    }
}

/// Returns the capacity in an answer. DynamoDB reports one figure; the operation says whether it is
/// for reads or for writes.
fn reported(output: &Output) -> Consumed {
    let read = |capacity: &[ConsumedCapacity]| Consumed {
        read_units: total(capacity),
        ..Consumed::default()
    };
    let written = |capacity: &[ConsumedCapacity]| Consumed {
        write_units: total(capacity),
        ..Consumed::default()
    };
    if let Some(output) = output.downcast_ref::<get_item::GetItemOutput>() {
        read(output.consumed_capacity.as_slice())
    } else if let Some(output) = output.downcast_ref::<query::QueryOutput>() {
        read(output.consumed_capacity.as_slice())
    } else if let Some(output) = output.downcast_ref::<batch_get_item::BatchGetItemOutput>() {
        read(output.consumed_capacity())
    } else if let Some(output) = output.downcast_ref::<put_item::PutItemOutput>() {
        written(output.consumed_capacity.as_slice())
    } else if let Some(output) = output.downcast_ref::<update_item::UpdateItemOutput>() {
        written(output.consumed_capacity.as_slice())
    } else if let Some(output) = output.downcast_ref::<delete_item::DeleteItemOutput>() {
        written(output.consumed_capacity.as_slice())
    } else if let Some(output) =
        output.downcast_ref::<transact_write_items::TransactWriteItemsOutput>()
    {
        written(output.consumed_capacity())
    } else {
        Consumed::default()
    }
}

fn total(capacity: &[ConsumedCapacity]) -> f64 {
    capacity.iter().filter_map(|table| table.capacity_units).sum()
}
