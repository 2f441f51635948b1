//! What event source mappings of streams and queues have in common.

use crate::error::Error;
use crate::node::Node;

/// Returns the patterns of an event source mapping's `FilterCriteria`.
pub(crate) fn patterns(event: &Node<'_>) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    if let Some(criteria) = event.optional("FilterCriteria") {
        for filter in criteria.member("Filters").items()? {
            let pattern = filter.member("Pattern");
            serde_json::from_str::<serde_json::Value>(pattern.text()?)
                .map_err(|error| pattern.unexpected(format!("JSON ({error})")))?;
            patterns.push(pattern.text()?.to_owned());
        }
    }
    Ok(patterns)
}

/// Returns whether the function's `batchItemFailures` are evaluated.
pub(crate) fn reports_batch_item_failures(event: &Node<'_>) -> Result<bool, Error> {
    let types = event.optional("FunctionResponseTypes");
    let types = types.map_or(Ok(Vec::new()), |types| types.texts())?;
    Ok(types.iter().any(|kind| kind == "ReportBatchItemFailures"))
}
