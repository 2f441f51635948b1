//! The summary of a load.

use std::fmt;
use std::path::{Path, PathBuf};

use super::state::Counts;
use crate::Kind;

/// What was loaded, and what was rejected.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The counts, including those of earlier runs of the same load.
    pub counts: Counts,
    /// The file of rejects.
    pub rejects: PathBuf,
    /// The write capacity units that this run consumed.
    pub write_units: Option<f64>,
    /// What a catch-up cannot see.
    pub notes: Vec<String>,
}

impl Summary {
    pub(super) fn of_load(counts: &Counts, rejects: &Path, write_units: Option<f64>) -> Self {
        let (counts, rejects) = (counts.clone(), rejects.to_owned());
        Self { counts, rejects, write_units, notes: Vec::new() }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = Kind::ALL.map(|kind| {
            let count = self.counts.units.get(&kind).copied().unwrap_or_default();
            format!("{count} {}", kind.entity().section())
        });
        write!(f, "loaded: {}; {} items", units.join(", "), self.counts.items)?;
        if let Some(units) = self.write_units {
            write!(f, "; this run consumed {units:.0} write capacity units")?;
        }
        let rejected = self.counts.rejected();
        match rejected {
            0 => f.write_str("\nrejected: none")?,
            _ => write!(f, "\nrejected: {rejected}, see {}", self.rejects.display())?,
        }
        for (entity, reasons) in &self.counts.rejects {
            for (reason, count) in reasons {
                write!(f, "\n  {entity}: {count} {reason}")?;
            }
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
}
