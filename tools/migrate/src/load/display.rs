//! Shows the progress of a load or verification: a bar in a terminal, otherwise a line now and
//! then.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// The time between two lines.
const LINES: Duration = Duration::from_secs(10);
/// The time between two updates of the bar.
const LOOKS: Duration = Duration::from_millis(200);

/// How much of the table's capacity was consumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// The number of capacity units.
    pub(crate) units: f64,
    /// Their name: WCU or RCU.
    pub(crate) of: &'static str,
    /// How many requests may be in flight now.
    pub(crate) at_once: usize,
}

/// Shows progress on standard error.
#[derive(Debug)]
pub(crate) struct Display {
    is_terminal: bool,
    name: &'static str,
    started: Instant,
    bar: Option<ProgressBar>,
    total: u64,
    begun: Instant,
    shown: Instant,
    /// What an earlier run has done.
    done_before: u64,
    items_before: u64,
}

impl Display {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            is_terminal: stderr().is_terminal(),
            name: "",
            started: now,
            bar: None,
            total: 0,
            begun: now,
            shown: now,
            done_before: 0,
            items_before: 0,
        }
    }

    /// Prints a line.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// Begins a part of the work. Of its total, some may be done already, with this many items.
    pub(crate) fn begin(&mut self, name: &'static str, total: u64, done: u64, items: u64) {
        let now = Instant::now();
        *self = Self {
            name,
            total,
            begun: now,
            shown: now,
            done_before: done,
            items_before: items,
            bar: None,
            ..*self
        };
        if self.is_terminal {
            let bar = ProgressBar::new(total).with_position(done).with_prefix(name);
            let template = "{prefix:8} {wide_bar} {pos}/{len} {msg} {eta} left";
            let style = ProgressStyle::with_template(template);
            self.bar = Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())));
        } else {
            eprintln!("{name}: {done} of {total} done");
        }
    }

    /// Shows how much is done by now.
    pub(crate) fn step(&mut self, done: u64, items: u64, spent: impl FnOnce() -> Option<Spent>) {
        let since = if self.is_terminal { LOOKS } else { LINES };
        if self.shown.elapsed() < since {
            return;
        }
        self.shown = Instant::now();
        let done = done.min(self.total);
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = |count: u64| as_f64(count) / seconds;
        let mut said = format!("{:.0} items/s", rate(items - self.items_before));
        if let Some(Spent { units, of, at_once }) = spent() {
            let units = units / self.started.elapsed().as_secs_f64();
            said = format!("{said}, {units:.0} {of}/s, {at_once} at once");
        }
        if let Some(bar) = &self.bar {
            bar.set_message(said);
            bar.set_position(done);
            return;
        }
        let left = as_f64(self.total - done) / rate(done - self.done_before).max(0.001);
        let (name, total) = (self.name, self.total);
        let left = HumanDuration(Duration::from_secs_f64(left));
        eprintln!("{name}: {done} of {total} done, {said}, {left} left");
    }

    /// Ends the part that was begun last.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate needs no more precision")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
