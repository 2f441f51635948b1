//! Loads what has changed in the source since the load. The shop may already be in use.
//!
//! Nothing is overwritten blindly. What a load or a catch-up has written has version 1, and
//! every change by the shop increments the version, except the renewal of a password's hash at a
//! log-in; a catch-up of that user brings the old hash back, which the next log-in renews again. So an
//! item is replaced only if it has version 1 and is not newer, and a user's guard is put only if the
//! email is free.
//!
//! A sale changes the quantity in a product's stock item, and no version. A stock item therefore
//! remembers the quantity that was loaded, and a product and its stock are replaced only if that is
//! still the quantity.

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::stream;
use storefront_core::Timestamp;
use storefront_core::schema::Item;

use super::conditional::{Refused, Table};
use super::display::Display;
use super::pace::Pace;
use super::rejects::Rejects;
use super::state::{Counts, Folder, Identity};
use super::table::Target;
use super::{LoadArgs, Summary, items};
use crate::source::Read;
use crate::{Entity, Error, Key, Kind, Mapping, Reader, Reason, size};

/// How much earlier to start looking for changes: a transaction of the source may take long between
/// a change and its end, and the change is visible only then.
const OVERLAP_MILLIS: i64 = 10 * 60 * 1_000;

/// How many units are looked up at once.
const PAGE: usize = 500;

/// Catches up with the source.
pub(super) async fn run(
    args: &LoadArgs,
    folder: &Folder,
    mapping: Mapping,
    url: &str,
    target: Target,
    identity: &Identity,
) -> Result<Summary, Error> {
    let state = folder.read()?.filter(super::State::is_loaded);
    let mut state = state.ok_or_else(|| Error::NotLoaded(folder.path().to_owned()))?;
    let of = state.of.imported_into(identity);
    if let Some(difference) = of.difference(identity) {
        return Err(Error::OtherLoad { folder: folder.path().to_owned(), difference });
    }
    if of != state.of && target.is_empty().await? {
        return Err(Error::NotImported(target.name));
    }
    state.of = of;
    let mut reader = Reader::open(mapping, url).await?;
    let opened_at = reader.opened_at();
    let display = Display::new();
    let since = state.caught_up.unwrap_or(state.begun).as_millis() - OVERLAP_MILLIS;
    let since = Timestamp::from_millis(since).unwrap_or(Timestamp::UNIX_EPOCH);
    display.line(&format!("Looking for changes since {since}."));
    let max_wcu = args.max_wcu.map_or(u32::MAX, std::num::NonZeroU32::get);
    let name = super::catch_up_rejects(state.catch_ups + 1);
    let mut catch_up = CatchUp {
        table: Table::new(target, Pace::new(max_wcu, args.concurrency.get())),
        at_once: args.concurrency.get(),
        rejects: Rejects::open(&folder.join(&name), 0)?,
        counts: Counts::default(),
    };
    for entity in Entity::ALL {
        catch_up.entity(&mut reader, entity, since).await?;
    }
    catch_up.rejects.sync()?;
    state.catch_ups += 1;
    state.caught_up = Some(opened_at);
    folder.write(&state)?;
    let CatchUp { table, rejects, counts, .. } = catch_up;
    let mut summary = Summary::of_load(&counts, rejects.path(), Some(table.units()));
    summary.notes = notes(&reader);
    Ok(summary)
}

/// Returns notes on what a catch-up cannot see.
fn notes(reader: &Reader) -> Vec<String> {
    let mut notes: Vec<_> = Kind::ALL
        .map(Kind::entity)
        .into_iter()
        .filter(|entity| reader.columns(*entity).find("updatedAt").is_none())
        .map(|entity| {
            let section = entity.section();
            format!("[{section}] has no updatedAt: only new {section} are seen")
        })
        .collect();
    if reader.columns(Entity::OrderItem).find("updatedAt").is_none() {
        notes.push(
            "[order_items] has no updatedAt: a changed item is seen only if its order's updatedAt was set".to_owned(),
        );
    }
    notes.push("rows deleted from the source are still in the table".to_owned());
    notes
}

struct CatchUp {
    table: Table,
    at_once: usize,
    rejects: Rejects,
    counts: Counts,
}

impl CatchUp {
    /// Loads the changed units of an entity. For order items, these are their orders.
    async fn entity(
        &mut self,
        reader: &mut Reader,
        entity: Entity,
        since: Timestamp,
    ) -> Result<(), Error> {
        let kind = match entity {
            Entity::User => Kind::User,
            Entity::Product => Kind::Product,
            Entity::Order | Entity::OrderItem => Kind::Order,
        };
        let mut waiting = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let keys = reader.changed(entity, since, after.as_ref(), PAGE).await?;
            let Some(last) = keys.last().cloned() else { break };
            waiting.extend(self.units(reader, kind, &keys, IfTaken::Retry).await?);
            after = Some(last);
        }
        // An email becomes free once the user who had it has been given their new one.
        let mut waiting = VecDeque::from(waiting);
        loop {
            let keys: Vec<_> = waiting.drain(..).collect();
            if keys.is_empty() {
                return Ok(());
            }
            let mut left = Vec::new();
            for keys in keys.chunks(PAGE) {
                left.extend(self.units(reader, kind, keys, IfTaken::Retry).await?);
            }
            if left.len() == keys.len() {
                for keys in keys.chunks(PAGE) {
                    self.units(reader, kind, keys, IfTaken::Reject).await?;
                }
                return Ok(());
            }
            waiting.extend(left);
        }
    }

    /// Writes the units with these keys. Returns the keys of users whose email is not free.
    async fn units(
        &mut self,
        reader: &mut Reader,
        kind: Kind,
        keys: &[Key],
        if_taken: IfTaken,
    ) -> Result<Vec<Key>, Error> {
        let reads = reader.find(kind, keys).await?;
        let table = &self.table;
        let mut written = stream::iter(reads)
            .map(|read| async move { write(table, kind, read).await })
            .buffer_unordered(self.at_once);
        let mut waiting = Vec::new();
        let mut counted = Vec::new();
        while let Some(outcome) = written.next().await {
            counted.push(outcome?);
        }
        drop(written);
        for (read, refused, count) in counted {
            match (refused, read.key.clone(), if_taken) {
                (None, _, _) if read.unit.is_ok() => self.counts.add(kind, count),
                (Some(Refused::EmailTaken { .. }), Some(key), IfTaken::Retry) => waiting.push(key),
                (refused, _, _) => {
                    if let Err(reject) = items(read, refused.map(Reason::from))? {
                        self.rejects.write(&reject)?;
                        self.counts.reject(&reject);
                    }
                }
            }
        }
        Ok(waiting)
    }
}

/// What to do with a user whose email is not free.
#[derive(Clone, Copy)]
enum IfTaken {
    /// It may become free.
    Retry,
    Reject,
}

/// Writes a unit, unless it is a reject or the table refuses it. Also returns its number of items.
async fn write(
    table: &Table,
    kind: Kind,
    read: Read,
) -> Result<(Read, Option<Refused>, usize), Error> {
    let Ok(unit) = &read.unit else { return Ok((read, None, 0)) };
    let items: Vec<Item> = unit.to_items().map_err(Error::Item)?;
    let count = items.len();
    let bytes = items.iter().map(size::item).max().unwrap_or_default();
    if bytes > size::MAX_ITEM {
        return Ok((read, Some(Refused::TooLarge { bytes }), count));
    }
    let refused = match kind {
        Kind::User => table.put_user(items).await?,
        Kind::Product => table.put_product(items).await?,
        Kind::Order => table.put_order(items).await?,
    };
    Ok((read, refused, count))
}
