use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::sync::Once;

use serde_json::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::evidence::files::Recorder;

/// The level in production.
const CAPTURED_LEVEL: LevelFilter = LevelFilter::INFO;

/// The most detailed level that operators can set.
const EVIDENCE_LEVEL: LevelFilter = LevelFilter::DEBUG;

thread_local! {
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Captures what the current thread logs, as JSON lines, until it is dropped.
pub struct CapturedLog {
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl CapturedLog {
    /// Starts capturing.
    #[must_use]
    pub fn start() -> Self {
        install();
        CAPTURED.set(Some(Vec::new()));
        Self { _thread: PhantomData }
    }

    /// Everything logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = CAPTURED.with_borrow(Clone::clone).unwrap_or_default();
        String::from_utf8(bytes).expect("the log is UTF-8")
    }

    /// The lines with this message.
    #[must_use]
    pub fn lines(&self, message: &str) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of the log is JSON"))
            .filter(|line: &Value| line["message"] == message)
            .collect()
    }
}

impl Drop for CapturedLog {
    fn drop(&mut self) {
        CAPTURED.set(None);
    }
}

/// Installs one subscriber for all tests of the process. Further calls have no effect.
///
/// With one per thread, a thread without a subscriber could reach a log statement first, and
/// `tracing` would then cache that the statement is disabled.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install_first);
}

fn install_first() {
    let captured = fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(|| ThreadsBuffer)
        .with_filter(levels(CAPTURED_LEVEL));
    let evidence = Recorder::of_this_process().map(|recorder| {
        fmt::layer()
            .json()
            .with_writer(move || Evidence(recorder))
            .with_filter(levels(EVIDENCE_LEVEL))
    });
    let must_install = evidence.is_some();
    let installed = Registry::default().with(captured).with(evidence).try_init();
    assert!(installed.is_ok() || !must_install, "another subscriber gets the logs of this process");
}

/// This level for other crates, and everything from our own.
fn levels(of_others: LevelFilter) -> Targets {
    Targets::new().with_default(of_others).with_target("storefront_", LevelFilter::TRACE)
}

/// Keeps what a capturing thread writes, and drops the output of other threads.
struct ThreadsBuffer;

impl io::Write for ThreadsBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED.with_borrow_mut(|captured| {
            if let Some(captured) = captured {
                captured.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what every thread writes.
struct Evidence(&'static Recorder);

impl io::Write for Evidence {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.log(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
