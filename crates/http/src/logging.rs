//! The log: one JSON object per line on the standard output, where Lambda picks it up.

use std::error::Error;
use std::fmt;

use storefront_core::aws::variable;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging, at the level of `RUST_LOG` or else `info`.
///
/// Lambda's own level (`AWS_LAMBDA_LOG_LEVEL`) is not asked: it says what Lambda drops of the lines
/// it gets, those with metrics too, and so is set to drop none.
///
/// A process that logs already keeps doing so.
pub fn init() {
    let filter = filter();
    // Where the SDK's own spans are on, it is they that are current, and not the invocation's.
    let has_spans_within = filter.max_level_hint().is_none_or(|level| level >= LevelFilter::DEBUG);
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(has_spans_within)
        .with_env_filter(filter)
        .try_init();
}

/// The error and what caused it in turn, for a field of the log.
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

fn filter() -> EnvFilter {
    let directives = variable("RUST_LOG").unwrap_or_default();
    // An unreadable setting must not keep the function from starting.
    EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).parse_lossy(directives)
}
