//! How a load shows how far it is: a bar in a terminal, else a line now and then.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::sink::Sink;
use super::state::Counts;
use crate::Kind;

/// Between two lines.
const LINES: Duration = Duration::from_secs(10);
/// Between two looks at the bar.
const LOOKS: Duration = Duration::from_millis(200);

/// Says on the standard error how far a load is.
#[derive(Debug)]
pub(super) struct Display {
    is_terminal: bool,
    started: Instant,
    bar: Option<ProgressBar>,
    total: u64,
    begun: Instant,
    shown: Instant,
    /// Of an earlier run.
    units_before: u64,
    items_before: u64,
}

impl Display {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            is_terminal: stderr().is_terminal(),
            started: now,
            bar: None,
            total: 0,
            begun: now,
            shown: now,
            units_before: 0,
            items_before: 0,
        }
    }

    /// Says something.
    pub(super) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// So many of a kind are to come, a part of which may be done.
    pub(super) fn begin(&mut self, kind: Kind, total: u64, counts: &Counts) {
        let before = done(kind, counts);
        let now = Instant::now();
        *self = Self {
            total,
            begun: now,
            shown: now,
            units_before: before,
            items_before: counts.items,
            bar: None,
            ..*self
        };
        if self.is_terminal {
            let bar = ProgressBar::new(total).with_position(before).with_prefix(name(kind));
            let template = "{prefix:8} {wide_bar} {pos}/{len} {msg} {eta} left";
            let style = ProgressStyle::with_template(template);
            self.bar = Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())));
        } else {
            eprintln!("{}: {before} of {total} done", name(kind));
        }
    }

    pub(super) fn step(&mut self, kind: Kind, counts: &Counts, sink: &Sink) {
        let since = if self.is_terminal { LOOKS } else { LINES };
        if self.shown.elapsed() < since {
            return;
        }
        self.shown = Instant::now();
        let done = done(kind, counts).min(self.total);
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = |count: u64| as_f64(count) / seconds;
        let mut said = format!("{:.0} items/s", rate(counts.items - self.items_before));
        if let (Some(wcu), Some(window)) = (sink.units(), sink.window()) {
            let wcu = wcu / self.started.elapsed().as_secs_f64();
            said = format!("{said}, {wcu:.0} WCU/s, {window} at once");
        }
        if let Some(bar) = &self.bar {
            bar.set_message(said);
            bar.set_position(done);
            return;
        }
        let left = as_f64(self.total - done) / rate(done - self.units_before).max(0.001);
        let (name, total) = (name(kind), self.total);
        eprintln!("{name}: {done} of {total} done, {said}, {} left", duration(left));
    }

    /// All of a kind is done.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

fn name(kind: Kind) -> &'static str {
    kind.entity().section()
}

fn done(kind: Kind, counts: &Counts) -> u64 {
    let rejected = counts.rejects.get(name(kind)).into_iter().flat_map(|of| of.values());
    counts.units.get(&kind).copied().unwrap_or_default() + rejected.sum::<u64>()
}

#[allow(clippy::cast_precision_loss, reason = "a rate needs no more")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5_400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_in_what_it_takes() {
        let said = [0.4, 89.0, 90.0, 5_400.0].map(duration);
        assert_eq!(said, ["0 s", "89 s", "2 min", "1.5 h"]);
    }
}
