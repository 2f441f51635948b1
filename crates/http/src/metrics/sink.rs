use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use metrique_writer_core::config::AllowSplitEntries;
use metrique_writer_core::format::Format as _;
use metrique_writer_core::{
    Entry, EntryWriter, MetricFlags, Observation, Unit, Value, ValueWriter,
};
use metrique_writer_format_emf::Emf;
use storefront_core::aws::variable;
use tracing::error;

use super::Metric;
use crate::logging::with_sources;

/// Where metrics are written to: nowhere, unless told. Clones write to the same place.
#[derive(Clone, Default)]
pub struct MetricSink(Option<Arc<Mutex<Output>>>);

struct Output {
    emf: Emf,
    writer: Box<dyn Write + Send>,
}

impl MetricSink {
    /// The standard output, which Lambda hands to CloudWatch, for the namespace in
    /// `METRICS_NAMESPACE`; nowhere without one.
    #[must_use]
    pub fn from_environment() -> Self {
        variable("METRICS_NAMESPACE")
            .map(|namespace| Self::new(namespace, io::stdout()))
            .unwrap_or_default()
    }

    /// A writer that takes each invocation's lines in one piece.
    pub fn new(namespace: impl Into<String>, writer: impl Write + Send + 'static) -> Self {
        let emf = Emf::builder(namespace.into(), vec![vec![]]).build();
        Self(Some(Arc::new(Mutex::new(Output { emf, writer: Box::new(writer) }))))
    }

    /// Writes one line for each dimension's value.
    ///
    /// At once: Lambda freezes the process when the invocation is answered, and whatever were still
    /// waiting to be written would come with the next invocation, or never.
    pub(super) fn write(
        &self,
        function: &str,
        request_id: Option<&str>,
        metrics: &[(Metric, f64)],
    ) {
        let Some(output) = self.0.as_deref().filter(|_| !metrics.is_empty()) else {
            return;
        };
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = output.write(&Record { function, request_id, metrics }) {
            // Metrics are not worth failing a request for.
            error!(cause = %with_sources(&error), "the metrics were not written");
        }
    }
}

impl Output {
    fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut lines = Vec::new();
        self.emf.format(record, &mut lines).map_err(io::Error::other)?;
        self.writer.write_all(&lines)?;
        self.writer.flush()
    }
}

impl fmt::Debug for MetricSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "MetricSink(..)" } else { "MetricSink(nowhere)" })
    }
}

/// What one invocation counted.
struct Record<'a> {
    function: &'a str,
    request_id: Option<&'a str>,
    metrics: &'a [(Metric, f64)],
}

impl Entry for Record<'_> {
    fn write<'a>(&'a self, writer: &mut impl EntryWriter<'a>) {
        // A line has one value of each dimension, and all of its metrics have all of its dimensions.
        writer.config(const { &AllowSplitEntries::new() });
        writer.value("function", self.function);
        writer.value("request_id", &self.request_id);
        for (metric, value) in self.metrics {
            writer.value(metric.name(), &Counted { metric, value: *value });
        }
    }
}

struct Counted<'a> {
    metric: &'a Metric,
    value: f64,
}

impl Value for Counted<'_> {
    fn write(&self, writer: impl ValueWriter) {
        let unit = if self.metric.is_count() { Unit::Count } else { Unit::None };
        writer.metric(
            [Observation::Floating(self.value)],
            unit,
            self.metric.dimension(),
            MetricFlags::empty(),
        );
    }
}
