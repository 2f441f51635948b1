use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use storefront_core::before_0_2::Upgrade;

use crate::error::Error;

/// What has been found and done.
///
/// A page that was interrupted is worked on again. What had been done of it is then counted as
/// found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    /// The items of any type that were looked at.
    pub(super) items: u64,
    pub(super) moved: u64,
    pub(super) already_moved: u64,
    pub(super) swept_products: u64,
    pub(super) swept_pieces: u64,
    pub(super) copies_renewed: u64,
    /// Stock items without a product, which were deleted.
    #[serde(default)]
    pub(super) orphans: u64,
    pub(super) left: Vec<Left>,
}

/// A product that could not be upgraded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) pk: String,
    pub(super) sk: String,
    pub(super) reason: String,
}

impl Counts {
    /// Counts a product, if it still exists.
    pub(super) fn add(&mut self, upgrade: Option<Upgrade>) {
        let Some(upgrade) = upgrade else { return };
        *(if upgrade.moved { &mut self.moved } else { &mut self.already_moved }) += 1;
        self.swept_products += u64::from(upgrade.swept > 0);
        self.swept_pieces += upgrade.swept;
        self.copies_renewed += u64::from(upgrade.copy_renewed);
    }

    pub(super) fn add_all(&mut self, page: Self) {
        self.items += page.items;
        self.moved += page.moved;
        self.already_moved += page.already_moved;
        self.swept_products += page.swept_products;
        self.swept_pieces += page.swept_pieces;
        self.copies_renewed += page.copies_renewed;
        self.orphans += page.orphans;
        self.left.extend(page.left);
    }

    pub(super) fn products(&self) -> u64 {
        self.moved + self.already_moved + self.left.len() as u64
    }

    fn is_without_change(&self) -> bool {
        self.moved + self.swept_products + self.copies_renewed + self.orphans == 0
    }

    pub(super) fn summary(&self, table: &str, dry_run: bool) -> String {
        let (to_do, done) = if dry_run { ("to move", "to sweep") } else { ("moved", "swept") };
        let renewed = if dry_run { "copies to renew" } else { "copies renewed" };
        let deleted = if dry_run { "to delete" } else { "deleted" };
        let mut text = format!(
            "{table}: {} products among {} items\n\
             {to_do}: {}\n\
             already moved: {}\n\
             {done}: {} pieces of {} products\n\
             {renewed}: {}\n\
             {deleted}: the stock of {} products that 0.1 has deleted\n\
             cannot be upgraded: {}\n",
            self.products(),
            self.items,
            self.moved,
            self.already_moved,
            self.swept_pieces,
            self.swept_products,
            self.copies_renewed,
            self.orphans,
            self.left.len(),
        );
        for Left { pk, sk, reason } in &self.left {
            let _ = writeln!(text, "  {pk} {sk}: {reason}");
        }
        if !self.is_without_change() && !dry_run {
            text.push_str(
                "Run this again when no function of 0.1 runs any more, until it changes nothing.\n",
            );
        }
        text
    }

    /// Returns an error if any product had to be left.
    pub(super) fn outcome(&self) -> Result<(), Error> {
        match self.left.len() {
            0 => Ok(()),
            left => Err(Error::NotUpgraded(left)),
        }
    }
}
