use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use storefront_core::Timestamp;
use storefront_core::aws::variable;
use tracing::error;

use super::Counted;
use crate::logging::with_sources;

/// Where metrics are written: nowhere by default. Clones write to the same place.
#[derive(Clone, Default)]
pub struct MetricSink(Option<Arc<Output>>);

struct Output {
    namespace: String,
    writer: Mutex<Box<dyn Write + Send>>,
}

impl MetricSink {
    /// A sink for the namespace in `METRICS_NAMESPACE` that writes to the standard output, which
    /// Lambda passes to CloudWatch. Without a namespace, metrics are written nowhere.
    #[must_use]
    pub fn from_environment() -> Self {
        variable("METRICS_NAMESPACE")
            .map(|namespace| Self::new(namespace, io::stdout()))
            .unwrap_or_default()
    }

    /// A sink that passes each invocation's lines to this writer in one piece.
    pub fn new(namespace: impl Into<String>, writer: impl Write + Send + 'static) -> Self {
        let (namespace, writer) = (namespace.into(), Mutex::new(Box::new(writer) as _));
        Self(Some(Arc::new(Output { namespace, writer })))
    }

    /// Writes one line for each value of a dimension, and flushes.
    ///
    /// Lambda freezes the process when it asks for the next event. Lines that were still buffered
    /// would be written during that event, or never.
    pub(super) fn write(&self, function: &str, request_id: Option<&str>, metrics: &[Counted]) {
        let Some(output) = self.0.as_deref().filter(|_| !metrics.is_empty()) else {
            return;
        };
        let lines = lines(&output.namespace, function, request_id, metrics);
        let written = lines.map_err(io::Error::from).and_then(|lines| output.write(&lines));
        if let Err(error) = written {
            // Metrics are not worth failing a request for.
            error!(cause = %with_sources(&error), "the metrics were not written");
        }
    }
}

impl Output {
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(lines)?;
        writer.flush()
    }
}

impl fmt::Debug for MetricSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "MetricSink(..)" } else { "MetricSink(nowhere)" })
    }
}

/// Formats what one invocation counted in CloudWatch's embedded metric format: one line for each
/// value of a dimension, because all metrics of a line have all of its dimensions.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn lines(
    namespace: &str,
    function: &str,
    request_id: Option<&str>,
    metrics: &[Counted],
) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut left: Vec<_> = metrics.iter().collect();
    while let Some(first) = left.first() {
        let dimension = first.dimension();
        let (metrics, others) =
            left.into_iter().partition(|counted| counted.dimension() == dimension);
        let line = Line { namespace, function, request_id, dimension, metrics };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
        left = others;
    }
    Ok(lines)
}

struct Line<'a> {
    namespace: &'a str,
    function: &'a str,
    request_id: Option<&'a str>,
    dimension: Option<(&'static str, &'a str)>,
    metrics: Vec<&'a Counted>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("_aws", &Metadata::of(self))?;
        line.serialize_entry("function", self.function)?;
        if let Some(request_id) = self.request_id {
            line.serialize_entry("request_id", request_id)?;
        }
        if let Some((name, value)) = self.dimension {
            line.serialize_entry(name, value)?;
        }
        for Counted { metric, total, .. } in &self.metrics {
            line.serialize_entry(metric.name, &Number(*total))?;
        }
        line.end()
    }
}

/// A number that is written without a decimal point if it is whole, which saves bytes.
struct Number(f64);

/// 2^53: up to here, a double represents every whole number.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= MAX_WHOLE {
            #[allow(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// Tells CloudWatch how to read the line.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    /// In milliseconds since 1970.
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    /// A single set, with at most one dimension.
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
}

impl<'a> Metadata<'a> {
    fn of(line: &Line<'a>) -> Self {
        let definition = |Counted { metric, .. }: &&Counted| Definition {
            name: metric.name,
            unit: metric.is_count.then_some("Count"),
        };
        Self {
            timestamp: Timestamp::now().as_millis(),
            cloud_watch_metrics: [Directive {
                namespace: line.namespace,
                dimensions: [line.dimension.iter().map(|(name, _)| *name).collect()],
                metrics: line.metrics.iter().map(definition).collect(),
            }],
        }
    }
}
