//! Who somebody is, what they may do, and what they log in with.

use std::collections::BTreeSet;

use storefront_core::UserId;

use super::check::Check;
use super::history::Span;
use super::{Deed, Entry, Told};

impl Check<'_> {
    pub(super) fn accounts(&self, found: &mut Vec<String>) {
        self.last_changes(found);
        self.strangers(found);
        for (span, entry) in self.spans() {
            match &entry.deed {
                Deed::LogIn { email, password } => {
                    self.check_log_in(entry, span, email, password, found);
                }
                Deed::ChangeUser { id, change, .. } => {
                    if let Some(password) = &change.current_password {
                        self.check_confirmation(entry, span, *id, password, found);
                    }
                }
                _ => {}
            }
        }
        self.attempts(found);
    }

    /// The last email and the last role that were acknowledged are the user's.
    fn last_changes(&self, found: &mut Vec<String>) {
        for (id, user) in &self.snapshot.users {
            let emails = self.emails(*id, self.end());
            if !emails.is_empty() && !emails.iter().any(|email| email == user.email.as_str()) {
                found.push(format!("user {id} has {}, not one of {emails:?}", user.email.as_str()));
            }
            let roles = self.roles(*id, self.end());
            if !roles.contains(&user.role) {
                found.push(format!("user {id} is {}, not one of {roles:?}", user.role));
            }
        }
    }

    /// Who was refused to be registered is not.
    fn strangers(&self, found: &mut Vec<String>) {
        let told: BTreeSet<UserId> = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.deed, Deed::Register { .. }))
            .filter_map(Entry::id)
            .collect();
        for user in self.snapshot.users.values() {
            let is_known = told.contains(&user.id) || self.before.users.contains_key(&user.id);
            let is_unknown = |entry: &Entry| {
                let email = user.email.as_str();
                matches!(&entry.deed, Deed::Register { email: wanted } if wanted == email)
                    && entry.told() == Told::Unknown
            };
            if !is_known && !self.entries.iter().any(is_unknown) {
                found.push(format!("user {} was registered, and nobody was told", user.id));
            }
        }
    }

    /// The right password logs in, and no other does.
    fn check_log_in(
        &self,
        entry: &Entry,
        span: Span,
        email: &str,
        password: &str,
        found: &mut Vec<String>,
    ) {
        let answer = &entry.answer;
        if entry.told() == Told::Done {
            let user = &answer.body["user"];
            let Some(id) = user["id"].as_str().and_then(|id| id.parse().ok()) else {
                found.push(format!("a log-in was answered without its user: {}", answer.body));
                return;
            };
            let passwords = self.passwords(id, span);
            if !passwords.iter().any(|right| right == password) || user["email"] != email {
                found.push(format!(
                    "{email} with {password:?} got in as {user}, whose password was one of \
                     {passwords:?}"
                ));
            }
        } else if answer.status == 401 {
            let owner = self.before.users.keys().find(|id| self.emails(**id, span) == [email]);
            let Some(id) = owner.filter(|id| !self.may_be_deleted(**id)) else { return };
            if self.passwords(*id, span) == [password] {
                found.push(format!("{email} was refused the right password {password:?}"));
            }
        }
    }

    /// One's own password confirms a change, and no other does.
    fn check_confirmation(
        &self,
        entry: &Entry,
        span: Span,
        id: UserId,
        password: &str,
        found: &mut Vec<String>,
    ) {
        let passwords = self.passwords(id, span);
        if entry.told() == Told::Done && !passwords.iter().any(|right| right == password) {
            found.push(format!("{password:?} confirmed {:?}, not {passwords:?}", entry.deed));
        }
        if entry.answer.body["code"] == "wrong_password" && passwords == [password] {
            found.push(format!("the right password did not confirm {:?}", entry.deed));
        }
    }

    /// No attempt counts twice, and none that was refused goes uncounted.
    fn attempts(&self, found: &mut Vec<String>) {
        let tried: BTreeSet<&str> = self.entries.iter().filter_map(Entry::tried_email).collect();
        let counted = self.snapshot.login_failures.keys().map(String::as_str);
        for email in tried.into_iter().chain(counted).collect::<BTreeSet<_>>() {
            let counted = self.snapshot.login_failures.get(email).copied().unwrap_or_default();
            let (mut wrong, mut others, mut forgets) = (0, 0, false);
            for (span, entry) in self.spans() {
                if entry.answer.body["code"] == "too_many_logins" {
                    continue;
                }
                match &entry.deed {
                    Deed::LogIn { email: tried, .. } if tried == email => {
                        match entry.answer.status {
                            401 => wrong += 1,
                            503 => others += 1,
                            // It forgets what came before, and itself, unless that fails.
                            _ => {
                                others += 1;
                                forgets = true;
                            }
                        }
                    }
                    Deed::ChangeUser { id, change, .. }
                        if change.current_password.is_some()
                            && self.emails(*id, span).iter().any(|theirs| theirs == email) =>
                    {
                        others += 1;
                        forgets = true;
                    }
                    _ => {}
                }
            }
            let least = if forgets { 0 } else { wrong };
            let most = wrong + others;
            if !(least..=most).contains(&counted) {
                found.push(format!("of {email}, {counted} attempts count, not {least} to {most}"));
            }
        }
    }
}

impl Entry {
    fn tried_email(&self) -> Option<&str> {
        match &self.deed {
            Deed::LogIn { email, .. } => Some(email),
            _ => None,
        }
    }
}
