//! The log: one JSON object per line on the standard output, where Lambda picks it up.

use std::error::Error;
use std::fmt;

use storefront_core::aws::variable;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging, at the level of `RUST_LOG` or else `info`.
///
/// Lambda's own level (`AWS_LAMBDA_LOG_LEVEL`) is not asked: it says what Lambda drops of the lines
/// it gets, those with metrics too, and so is set to drop none.
///
/// A process that logs already keeps doing so.
pub fn init() {
    let filter = filter(Targets::new().with_default(LevelFilter::INFO));
    // Where the SDK's own spans are on, it is they that are current, and not the invocation's.
    let mut levels = filter.iter().map(|(_, level)| level).chain(filter.default_level());
    let has_spans_within = levels.any(|level| level >= LevelFilter::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(has_spans_within);
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}

/// What is to be logged: what `RUST_LOG` says, as levels for all or by target
/// (`warn,storefront_core=debug`), or else this. A setting that cannot be read must not keep a process from
/// starting: it counts as absent.
///
/// `EnvFilter` would know spans and their fields too, for an engine of regular expressions in every
/// function.
#[must_use]
pub fn filter(default: Targets) -> Targets {
    variable("RUST_LOG").and_then(|directives| directives.parse().ok()).unwrap_or(default)
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
