use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;

use serde_json::Value;
use tracing_subscriber::EnvFilter;

thread_local! {
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// What the current thread logs, as JSON lines, until it is dropped.
///
/// In detail for our own crates, as operators have it for all others.
pub struct CapturedLog {
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl CapturedLog {
    /// Captures from now on.
    #[must_use]
    pub fn start() -> Self {
        // One subscriber for all tests of the process: with one per thread, `tracing` remembers of
        // a log statement that nobody wants it when a thread without one comes by first.
        // Whoever is not the first to install it finds it installed.
        let _ = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(EnvFilter::new(
                "info,storefront_core=trace,storefront_http=trace,storefront_auth=trace,\
                 storefront_users=trace,storefront_products=trace,storefront_orders=trace,\
                 storefront_authorizer=trace,storefront_credentials=trace",
            ))
            .with_writer(|| ThreadsBuffer)
            .try_init();
        CAPTURED.set(Some(Vec::new()));
        Self { _thread: PhantomData }
    }

    /// All that was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = CAPTURED.with_borrow(Clone::clone).unwrap_or_default();
        String::from_utf8(bytes).expect("the log is UTF-8")
    }

    /// The lines that say this.
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

/// Keeps what a capturing thread writes, and drops what others do.
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
