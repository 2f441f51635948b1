//! The log: one JSON object per line on the standard output, where Lambda picks it up.

use std::error::Error;
use std::fmt;

use storefront_core::aws::variable;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at the level in `RUST_LOG`, `info` by default. Does nothing if the process
/// already logs.
///
/// Lambda's own level (`AWS_LAMBDA_LOG_LEVEL`) is ignored: it says which of the lines that Lambda
/// receives, including those with metrics, are dropped, and is set to drop none.
pub fn init() {
    let filter = filter(Targets::new().with_default(LevelFilter::INFO));
    // If the SDK's spans are enabled, the current span is one of theirs and not the invocation's.
    let mut levels = filter.iter().map(|(_, level)| level).chain(filter.default_level());
    let has_spans_within = levels.any(|level| level >= LevelFilter::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(has_spans_within);
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}

/// Returns the filter in `RUST_LOG`, levels for everything or for single targets
/// (`warn,storefront_core=debug`), or the default. A malformed value counts as absent, because it
/// must not keep a process from starting.
///
/// `EnvFilter` could also filter by spans and their fields, but would add a regular-expression
/// engine to every function.
#[must_use]
pub fn filter(default: Targets) -> Targets {
    variable("RUST_LOG").and_then(|directives| directives.parse().ok()).unwrap_or(default)
}

/// Displays an error with its chain of sources, for a log field.
#[must_use]
pub fn with_sources<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + 'a {
    struct WithSources<'a>(&'a (dyn Error + 'static));

    impl fmt::Display for WithSources<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            let mut source = self.0.source();
            while let Some(error) = source {
                write!(f, ": {error}")?;
                source = error.source();
            }
            Ok(())
        }
    }

    WithSources(error)
}
