//! How often a password was wrong, for each email.

use std::collections::{BTreeMap, BTreeSet};

/// This many failures lock an account, for the one source that all requests of the tests come from.
pub(crate) const MAX_FAILURES: u32 = 10;

/// An email and a version of its password: a new password clears the failures.
pub(crate) type Account = (String, u64);

/// Counts the failed attempts of each account.
#[derive(Clone, Default)]
pub(crate) struct LoginFailures {
    /// When the step began.
    counts: BTreeMap<Account, u32>,
    /// This step's attempts to log in, or to confirm a change by the password.
    attempts: Vec<(Account, Attempt)>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Attempt {
    Failed,
    Succeeded,
    /// The password may have been right before something else stopped the operation.
    Unclear,
}

impl LoginFailures {
    /// Starts with this number of failures of a first password.
    pub(crate) fn start_with(&mut self, email: String, count: u32) {
        if count > 0 {
            self.counts.insert((email, 0), count);
        }
    }

    pub(crate) fn is_locked(&self, account: &Account) -> bool {
        self.count(account) >= MAX_FAILURES
    }

    /// When the step began.
    pub(crate) fn count(&self, account: &Account) -> u32 {
        self.counts.get(account).copied().unwrap_or_default()
    }

    pub(crate) fn note(&mut self, account: Account, attempt: Attempt) {
        self.attempts.push((account, attempt));
    }

    /// Ends the step with the counts in the table, which must be possible after its attempts.
    pub(crate) fn settle(&mut self, table: BTreeMap<Account, u32>) -> Result<(), String> {
        let accounts: BTreeSet<_> = self.counts.keys().chain(table.keys()).collect();
        for account in accounts {
            let count = table.get(account).copied().unwrap_or_default();
            let (min, max) = self.possible_counts(account);
            if !(min..=max).contains(&count) {
                return Err(format!("{account:?} has {count} failed log-ins, not {min} to {max}"));
            }
        }
        self.counts = table;
        self.attempts.clear();
        Ok(())
    }

    /// The minimum and maximum count after the step. A success forgets the failures before it, and
    /// of concurrent attempts nobody can tell which those are.
    fn possible_counts(&self, account: &Account) -> (u32, u32) {
        let count = |what| {
            self.attempts.iter().filter(|attempt| **attempt == (account.clone(), what)).count()
        };
        let failed = u32::try_from(count(Attempt::Failed)).unwrap_or(u32::MAX);
        let all = (self.count(account) + failed).min(MAX_FAILURES);
        match (count(Attempt::Succeeded), count(Attempt::Unclear)) {
            (0, 0) => (all, all),
            (0, _) => (0, all),
            _ => (0, failed),
        }
    }
}
