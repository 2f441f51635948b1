use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use storefront_core::before_0_2::{OrderUpgrade, TextUpgrade, Upgrade};
use storefront_core::schema::prefix;

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
    /// The orders that were looked at.
    #[serde(default)]
    pub(super) orders: u64,
    /// Orders that got their payment and number.
    #[serde(default)]
    pub(super) completed: u64,
    /// Orders that were put on the list of what is to be done with them.
    #[serde(default)]
    pub(super) listed: u64,
    /// Orders whose list or payment was not that of their status.
    #[serde(default)]
    pub(super) corrected: u64,
    /// The users that were looked at.
    #[serde(default)]
    pub(super) users: u64,
    /// Texts that were not in the form in which 0.2 writes them.
    #[serde(default)]
    pub(super) emails: u64,
    #[serde(default)]
    pub(super) names: u64,
    #[serde(default)]
    pub(super) descriptions: u64,
    #[serde(default)]
    pub(super) categories: u64,
    pub(super) left: Vec<Left>,
}

/// A user, a product or an order that could not be upgraded.
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

    /// Counts what an order needed.
    pub(super) fn add_order(&mut self, upgrade: OrderUpgrade) {
        self.completed += u64::from(upgrade.completed);
        self.listed += u64::from(upgrade.listed);
        self.corrected += u64::from(upgrade.corrected);
    }

    /// Counts what the texts of a user or a product needed.
    pub(super) fn add_texts(&mut self, upgrade: TextUpgrade) {
        self.emails += u64::from(upgrade.email);
        self.names += u64::from(upgrade.name);
        self.descriptions += u64::from(upgrade.description);
        self.categories += u64::from(upgrade.category);
    }

    pub(super) fn add_all(&mut self, page: Self) {
        self.items += page.items;
        self.moved += page.moved;
        self.already_moved += page.already_moved;
        self.swept_products += page.swept_products;
        self.swept_pieces += page.swept_pieces;
        self.copies_renewed += page.copies_renewed;
        self.orphans += page.orphans;
        self.orders += page.orders;
        self.completed += page.completed;
        self.listed += page.listed;
        self.corrected += page.corrected;
        self.users += page.users;
        self.emails += page.emails;
        self.names += page.names;
        self.descriptions += page.descriptions;
        self.categories += page.categories;
        self.left.extend(page.left);
    }

    pub(super) fn products(&self) -> u64 {
        let is_product = |left: &&Left| left.pk.starts_with(prefix::PRODUCT);
        self.moved + self.already_moved + self.left.iter().filter(is_product).count() as u64
    }

    fn is_without_change(&self) -> bool {
        let products = self.moved + self.swept_products + self.copies_renewed + self.orphans;
        let orders = self.completed + self.listed + self.corrected;
        let texts = self.emails + self.names + self.descriptions + self.categories;
        products + orders + texts == 0
    }

    pub(super) fn summary(&self, table: &str, dry_run: bool) -> String {
        let (to_do, done) = if dry_run { ("to move", "to sweep") } else { ("moved", "swept") };
        let renewed = if dry_run { "copies to renew" } else { "copies renewed" };
        let deleted = if dry_run { "to delete" } else { "deleted" };
        let completed = if dry_run { "to complete" } else { "completed" };
        let listed = if dry_run { "to put on lists" } else { "put on lists" };
        let corrected = if dry_run { "to correct" } else { "corrected" };
        let normalised = if dry_run { "to normalise" } else { "normalised" };
        let mut text = format!(
            "{table}: {} users, {} products and {} orders among {} items\n\
             {to_do}: {}\n\
             already moved: {}\n\
             {done}: {} pieces of {} products\n\
             {renewed}: {}\n\
             {deleted}: the stock of {} products that 0.1 has deleted\n\
             {completed}: {} orders, with payment and number\n\
             {listed}: {} orders\n\
             {corrected}: {} orders that 0.1 has changed\n\
             {normalised}: {} emails, {} names, {} descriptions and {} categories\n\
             cannot be upgraded: {}\n",
            self.users,
            self.products(),
            self.orders,
            self.items,
            self.moved,
            self.already_moved,
            self.swept_pieces,
            self.swept_products,
            self.copies_renewed,
            self.orphans,
            self.completed,
            self.listed,
            self.corrected,
            self.emails,
            self.names,
            self.descriptions,
            self.categories,
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

    /// Returns an error if anything had to be left.
    pub(super) fn outcome(&self) -> Result<(), Error> {
        match self.left.len() {
            0 => Ok(()),
            left => Err(Error::NotUpgraded(left)),
        }
    }
}
