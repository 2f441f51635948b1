use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::evidence;

/// Captures the metrics that a function writes: pass it to the sink as the writer. Clones share
/// them.
#[derive(Clone, Default)]
pub struct CapturedMetrics(Arc<Mutex<Vec<u8>>>);

impl CapturedMetrics {
    /// Returns the lines written since the last call, sorted by the names of their metrics and
    /// without their timestamps.
    #[allow(clippy::must_use_candidate, reason = "it may be called to discard them")]
    pub fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let text = String::from_utf8(bytes).expect("metrics are UTF-8");
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| {
                let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
                let aws = line["_aws"].as_object_mut().expect("the metrics' metadata");
                let timestamp = aws.remove("Timestamp").expect("a timestamp");
                assert!(timestamp.as_u64().is_some_and(|milliseconds| milliseconds > 1 << 40));
                line
            })
            .collect();
        let metrics = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].to_string();
        lines.sort_by_key(|line| (metrics(line), line.to_string()));
        lines
    }
}

impl io::Write for CapturedMetrics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        evidence::output(String::from_utf8_lossy(bytes).trim_end());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
