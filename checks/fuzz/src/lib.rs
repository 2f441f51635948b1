//! Shared code of the targets: the functions with a fake AWS, and JSON generated from a fuzzer's
//! bytes.

pub mod aws;
pub mod functions;
pub mod json;
pub mod records;
pub mod request;
