//! Reads statements from PostgreSQL's statistics or from a log.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The format of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Format {
    /// A CSV export of `pg_stat_statements`, with its header.
    PgStatStatements,
    /// MySQL's or MariaDB's general or slow log.
    MySqlLog,
    /// One statement per line.
    Plain,
}

/// A statement, or several with the same text.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) sql: String,
    pub(super) calls: u64,
    /// For all calls together.
    pub(super) milliseconds: Option<f64>,
    /// The number of rows that all calls together returned or changed.
    pub(super) rows: Option<u64>,
}

/// The period in which statements were counted or logged.
#[derive(Clone, Copy, Debug, Default)]
struct Period {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// A row of the export. `stats_since` and `read_at` are optional. `read_at` is not a column of the
/// view, but `now()`.
#[derive(Debug, Deserialize)]
struct Counted {
    query: String,
    calls: u64,
    /// `total_time` before PostgreSQL 13.
    #[serde(alias = "total_time")]
    total_exec_time: Option<f64>,
    rows: Option<u64>,
    stats_since: Option<String>,
    read_at: Option<String>,
}

/// Reads a file of any format, which is recognised by its first line. Returns the format, and the
/// seconds that the file covers if it has times.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(Entry),
) -> Result<(Format, Option<f64>), Error> {
    let failed = |source| Error::ReadFile { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut reader = BufReader::new(file);
    let format = Format::of(reader.fill_buf().map_err(failed)?);
    let mut period = Period::default();
    match format {
        Format::PgStatStatements => {
            for row in csv::Reader::from_reader(reader).deserialize() {
                let row: Counted = row.map_err(|source| Error::Queries {
                    path: path.to_owned(),
                    source: Box::new(source),
                })?;
                for time in [&row.stats_since, &row.read_at].into_iter().flatten() {
                    period.see(time);
                }
                let Counted { query: sql, calls, total_exec_time: milliseconds, rows, .. } = row;
                each(Entry { sql, calls, milliseconds, rows });
            }
        }
        Format::MySqlLog => {
            let mut log = MySqlLog::default();
            lines(reader, |line| log.line(line, &mut each)).map_err(failed)?;
            log.end(&mut each);
            period = log.period;
        }
        Format::Plain => {
            let each = |line: &str| {
                let sql = line.trim().trim_end_matches(';');
                if !sql.is_empty() && !sql.starts_with("--") {
                    let sql = sql.to_owned();
                    each(Entry { sql, calls: 1, milliseconds: None, rows: None });
                }
            };
            lines(reader, each).map_err(failed)?;
        }
    }
    Ok((format, period.seconds()))
}

/// Reads lines, including ones that are not UTF-8, which some clients write.
fn lines(mut reader: impl BufRead, mut each: impl FnMut(&str)) -> std::io::Result<()> {
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
    Ok(())
}

impl Format {
    fn of(beginning: &[u8]) -> Self {
        let text = String::from_utf8_lossy(beginning);
        let first = text.lines().next().unwrap_or_default();
        let names: Vec<_> = first.split(',').map(|name| name.trim_matches('"')).collect();
        if names.contains(&"query") && names.contains(&"calls") {
            return Self::PgStatStatements;
        }
        let is_general = general(first).is_some();
        if is_general || first.starts_with("# ") || first.ends_with("started with:") {
            return Self::MySqlLog;
        }
        Self::Plain
    }
}

impl Period {
    fn see(&mut self, time: &str) {
        let Ok(time) = time.parse::<Timestamp>() else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    fn seconds(self) -> Option<f64> {
        let seconds = self.last?.duration_since(self.first?).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }
}

/// A reader of both logs. The general log has a line for each command; the slow log has comment
/// lines before each statement.
#[derive(Default)]
struct MySqlLog {
    period: Period,
    /// The part of the current statement that has been read.
    sql: Option<String>,
    milliseconds: Option<f64>,
    rows: Option<u64>,
}

impl MySqlLog {
    fn line(&mut self, line: &str, each: &mut impl FnMut(Entry)) {
        if let Some((time, command, argument)) = general(line) {
            self.end(each);
            self.period.see(time);
            self.sql = matches!(command, "Query" | "Execute").then(|| argument.to_owned());
        } else if let Some(comment) = line.strip_prefix("# ") {
            self.end(each);
            if let Some(time) = comment.strip_prefix("Time: ") {
                self.period.see(time.trim());
            }
            let mut words = comment.split_whitespace();
            while let Some(word) = words.next() {
                match word {
                    "Query_time:" => self.milliseconds = number(&mut words).map(|it| it * 1_000.0),
                    "Rows_sent:" => {
                        self.rows = words.next().and_then(|word| word.parse().ok());
                    }
                    _ => {}
                }
            }
        } else if let Some(sql) = &mut self.sql {
            sql.push('\n');
            sql.push_str(line);
        } else if self.milliseconds.is_some() && !is_context(line) {
            self.sql = Some(line.to_owned());
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Entry)) {
        let (milliseconds, rows) = (self.milliseconds.take(), self.rows.take());
        if let Some(sql) = self.sql.take() {
            let sql = sql.trim().trim_end_matches(';').to_owned();
            each(Entry { sql, calls: 1, milliseconds, rows });
        } else {
            // A statement's figures are in several comments before it.
            (self.milliseconds, self.rows) = (milliseconds, rows);
        }
    }
}

fn number<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<f64> {
    words.next()?.parse().ok()
}

/// Whether the slow log itself writes this line before a statement.
fn is_context(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.is_empty() || line.starts_with("set timestamp=") || line.starts_with("use ")
}

/// Splits a line of the general log into time, command and argument.
fn general(line: &str) -> Option<(&str, &str, &str)> {
    let (time, rest) = line.split_once('\t')?;
    time.parse::<Timestamp>().ok()?;
    let (thread, argument) = rest.split_once('\t').unwrap_or((rest, ""));
    let (_, command) = thread.trim().split_once(' ')?;
    Some((time, command.trim(), argument))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn all(text: &str) -> (Format, Option<f64>, Vec<Entry>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("queries");
        fs::write(&file, text).unwrap();
        let mut entries = Vec::new();
        let (format, seconds) = read(&file, |entry| entries.push(entry)).unwrap();
        (format, seconds, entries)
    }

    fn entry(sql: &str, milliseconds: Option<f64>, rows: Option<u64>) -> Entry {
        Entry { sql: sql.to_owned(), calls: 1, milliseconds, rows }
    }

    #[test]
    fn an_export_has_calls_and_durations_and_an_optional_period() {
        let (format, seconds, entries) = all(
            "userid,query,calls,total_exec_time,rows,stats_since,read_at\n\
             10,\"SELECT a,\n b FROM t\",7,1.5,14,2026-11-01 00:00:00+00,2026-11-02 00:00:00.5+00\n",
        );
        assert_eq!((format, seconds), (Format::PgStatStatements, Some(86_400.5)));
        let expected = Entry { calls: 7, ..entry("SELECT a,\n b FROM t", Some(1.5), Some(14)) };
        assert_eq!(entries, [expected]);
        let (_, seconds, entries) = all("query,calls,total_time\nSELECT 1,3,0.5\n");
        assert_eq!((seconds, entries[0].milliseconds), (None, Some(0.5)));
    }

    #[test]
    fn a_statement_in_a_general_log_can_have_several_lines() {
        let (format, seconds, entries) =
            all("/usr/sbin/mysqld, Version: 8.4.0 started with:\nTcp port: 3306\n\
             Time                 Id Command    Argument\n\
             2026-11-22T10:00:00.000000Z\t   12 Connect\tshop@localhost on shop\n\
             2026-11-22T10:00:01.000000Z\t   12 Query\tSELECT *\nFROM t\n\
             2026-11-22T10:00:10.000000Z\t   12 Quit\t\n");
        assert_eq!((format, seconds), (Format::MySqlLog, Some(10.0)));
        assert_eq!(entries, [entry("SELECT *\nFROM t", None, None)]);
    }

    #[test]
    fn a_slow_log_has_durations() {
        let (format, _, entries) = all(
            "# Time: 2026-11-22T10:00:00.000000Z\n# User@Host: shop[shop] @ localhost []  Id: 12\n\
             # Query_time: 0.250000  Lock_time: 0.000000 Rows_sent: 3  Rows_examined: 30\n\
             SET timestamp=1795000000;\nSELECT a\nFROM t;\n\
             # User@Host: shop[shop] @ localhost []  Id: 12\n\
             # Query_time: 0.5  Lock_time: 0 Rows_sent: 1  Rows_examined: 1\nuse shop;\nSELECT 1;\n",
        );
        assert_eq!(format, Format::MySqlLog);
        assert_eq!(
            entries,
            [
                entry("SELECT a\nFROM t", Some(250.0), Some(3)),
                entry("SELECT 1", Some(500.0), Some(1))
            ]
        );
    }

    #[test]
    fn in_any_other_file_each_line_is_a_statement() {
        let (format, seconds, entries) = all("-- of monday\nSELECT 1;\n\nSELECT 2\n");
        assert_eq!((format, seconds), (Format::Plain, None));
        assert_eq!(entries, [entry("SELECT 1", None, None), entry("SELECT 2", None, None)]);
    }
}
