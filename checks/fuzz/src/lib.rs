//! What the targets share: the functions with no AWS behind them, and JSON made up from a fuzzer's
//! bytes.

pub mod aws;
pub mod functions;
pub mod json;
pub mod records;
pub mod request;
