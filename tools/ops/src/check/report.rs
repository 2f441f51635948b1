//! What `check` prints.

/// Why a step failed, as labelled paragraphs.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// What was done, such as `POST /orders, 85 ms`.
    pub(crate) how: String,
    paragraphs: Vec<(&'static str, String)>,
}

/// Prints the steps as they end, and counts them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Failure {
    pub(crate) fn new(how: impl Into<String>) -> Self {
        Self { how: how.into(), paragraphs: Vec::new() }
    }

    /// Adds what was sent.
    pub(crate) fn sent(self, text: impl Into<String>) -> Self {
        self.with("sent", text)
    }

    /// Adds what came back.
    pub(crate) fn got(self, text: impl Into<String>) -> Self {
        self.with("got", text)
    }

    /// Adds what the log says about it.
    pub(crate) fn log(self, text: impl Into<String>) -> Self {
        self.with("log", text)
    }

    /// Adds the reason.
    pub(crate) fn reason(self, text: impl Into<String>) -> Self {
        self.with("why", text)
    }

    /// Adds what to do.
    pub(crate) fn advice(self, text: impl Into<String>) -> Self {
        self.with("do", text)
    }

    fn with(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.paragraphs.push((label, text.into()));
        self
    }
}

impl Report {
    pub(crate) fn passed(&mut self, what: &str, how: &str) {
        self.passed += 1;
        println!("ok       {what}  ({how})");
    }

    pub(crate) fn failed(&mut self, what: &str, failure: &Failure) {
        self.failed += 1;
        println!("FAILED   {what}  ({})", failure.how);
        for (label, text) in &failure.paragraphs {
            let mut label = format!("{label}:");
            for line in text.lines() {
                println!("         {label:<6}{line}");
                label.clear();
            }
        }
    }

    pub(crate) fn skipped(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        println!("skipped  {what}  ({why})");
    }

    /// Says something between two steps.
    pub(crate) fn note(text: &str) {
        println!("         {text}");
    }
}
