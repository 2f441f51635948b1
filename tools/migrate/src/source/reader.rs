//! Reads a source in units.

use async_stream::try_stream;
use futures_util::TryStreamExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use storefront_core::Timestamp;

use super::dialect::sort_alike;
use super::drafts::{Drafts, LOOKED_UP, padded};
use super::page::{self, Pages};
use super::read::{OfRow, Read, read};
use super::select::{Range, Select};
use super::{Columns, Connection, Key, Row, changed};
use crate::entity::{self, Reason, Reject};
use crate::{Entity, Error, Kind, Mapping, Unit};

/// How many rows are read at once.
const PAGE: usize = 500;

/// A snapshot of a source.
///
/// It is one connection in one read-only transaction. Changes in the source while it is read are
/// not seen. A server keeps what it needs for that, so a very long read has its price there.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    mapping: Mapping,
    selects: [Select; 4],
    page: usize,
    /// The source's clock when it was opened, in milliseconds since 1970.
    opened_at: i64,
}

/// Returns the function that makes a unit from a row; `None` if a unit is more than a row.
fn of_row(kind: Kind) -> Option<OfRow> {
    match kind {
        Kind::User => Some(|row, mapping| entity::user(row, mapping).map(Unit::User)),
        Kind::Product => Some(|row, mapping| entity::product(row, mapping).map(Unit::Product)),
        Kind::Order => None,
    }
}

impl Reader {
    /// Opens the source of a mapping, and checks that its SELECTs have what the shop needs.
    pub async fn open(mapping: Mapping, url: &str) -> Result<Self, Error> {
        let mut connection = Connection::read(url).await?;
        let opened_at = changed::clock(&mut connection).await?;
        let mut problems = Vec::new();
        let mut selects = Vec::new();
        for entity in Entity::ALL {
            let select = mapping.select(entity);
            let found = connection.columns(select).await;
            let found = found.map_err(|source| Error::Select { entity, source })?;
            match Columns::of(entity, found) {
                Ok(columns) => {
                    selects.push(Select::new(connection.dialect(), select, columns, entity));
                }
                Err(more) => problems.extend(more),
            }
        }
        let Ok(selects) = <[Select; 4]>::try_from(selects) else {
            return Err(Error::Columns(problems));
        };
        let reader = Self { connection, mapping, selects, page: PAGE, opened_at };
        reader.expect_currencies()?;
        reader.expect_orders_and_items_in_step()?;
        Ok(reader)
    }

    /// Sets how many rows are read at once. More are faster, but need more memory.
    #[must_use]
    pub fn with_page(mut self, rows: std::num::NonZeroUsize) -> Self {
        self.page = rows.get();
        self
    }

    /// Returns the columns of an entity's SELECT.
    #[must_use]
    pub fn columns(&self, entity: Entity) -> &Columns {
        &self.selects[entity as usize].columns
    }

    /// Returns the mapping.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Returns all units of a kind, in the order of their keys; those after a key, if one is given.
    ///
    /// One page is in memory at a time. Broken rows come as rejects, in their place or before their
    /// page; nothing is left out.
    pub fn units(&mut self, kind: Kind, after: Option<Key>) -> BoxStream<'_, Result<Read, Error>> {
        match of_row(kind) {
            Some(unit) => self.rows(kind, unit, after),
            None => self.orders(after),
        }
    }

    /// Returns how many rows the SELECT of a kind has, without the items of orders.
    pub async fn count(&mut self, kind: Kind) -> Result<u64, Error> {
        changed::count(&mut self.connection, &self.selects[kind.entity() as usize]).await
    }

    /// Returns the source's clock when it was opened. Later changes are not seen.
    #[must_use]
    pub fn opened_at(&self) -> Timestamp {
        Timestamp::from_millis(self.opened_at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Returns the keys of units that were created or changed since a time, up to a limit; those
    /// after a key, if one is given. Goes by `updatedAt` and `createdAt` of the rows of this
    /// entity. For order items, returns the keys of their orders.
    pub async fn changed(
        &mut self,
        entity: Entity,
        since: Timestamp,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, Error> {
        let select = &self.selects[entity as usize];
        changed::keys(&mut self.connection, select, since, after, limit).await
    }

    /// Returns the units of a kind with these keys, in any order. A key without a row yields none.
    pub async fn find(&mut self, kind: Kind, keys: &[Key]) -> Result<Vec<Read>, Error> {
        let mut reads = Vec::with_capacity(keys.len());
        for keys in keys.chunks(LOOKED_UP) {
            let keys = padded(keys);
            reads.extend(match of_row(kind) {
                Some(unit) => self.find_rows(kind, unit, &keys).await?,
                None => self.find_orders(&keys).await?,
            });
        }
        Ok(reads)
    }

    async fn find_rows(
        &mut self,
        kind: Kind,
        unit: OfRow,
        keys: &[Key],
    ) -> Result<Vec<Read>, Error> {
        let Self { connection, mapping, selects, .. } = self;
        let groups = page::find(connection, &selects[kind.entity() as usize], keys).await?;
        Ok(groups.into_iter().map(|group| Read::of_group(kind, group, unit, mapping)).collect())
    }

    async fn find_orders(&mut self, keys: &[Key]) -> Result<Vec<Read>, Error> {
        let Self { connection, mapping, selects, .. } = self;
        let [users, products, orders, items] = &*selects;
        let mut drafts = Drafts::of(page::find(connection, orders, keys).await?);
        let mut rows = connection.rows(items.among(keys.len()), keys);
        while let Some(values) = rows.try_next().await.map_err(read(items))? {
            let row = Row::new(items.columns.clone(), values);
            // Items of deleted orders are not looked for here.
            drafts.add(&page::key(items, &row)?, row);
        }
        drop(rows);
        drafts.into_reads(connection, users, products, mapping).await
    }

    /// Ends the transaction.
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await.map_err(Error::Connect)
    }

    /// Reads units that are one row.
    fn rows(
        &mut self,
        kind: Kind,
        unit: OfRow,
        after: Option<Key>,
    ) -> BoxStream<'_, Result<Read, Error>> {
        let Self { connection, mapping, selects, page, .. } = self;
        let select = &selects[kind.entity() as usize];
        try_stream! {
            if after.is_none() {
                let mut rows = without_key(connection, select);
                while let Some(read) = rows.try_next().await? {
                    yield read;
                }
            }
            let mut pages = Pages::of(select, *page, after);
            loop {
                let page = pages.next(connection).await?;
                for group in page.groups {
                    yield Read::of_group(kind, group, unit, mapping);
                }
                if page.is_last {
                    break;
                }
            }
        }
        .boxed()
    }

    /// Reads a page of orders, then the items in the same range of keys, so that items without an
    /// order are seen as well.
    fn orders(&mut self, after: Option<Key>) -> BoxStream<'_, Result<Read, Error>> {
        let Self { connection, mapping, selects, page, .. } = self;
        let [users, products, orders, items] = &*selects;
        try_stream! {
            if after.is_none() {
                let mut rows = without_key(connection, orders);
                while let Some(read) = rows.try_next().await? {
                    yield read;
                }
                drop(rows);
                let mut rows = without_key(connection, items);
                while let Some(read) = rows.try_next().await? {
                    yield read;
                }
            }
            let mut pages = Pages::of(orders, *page, after);
            loop {
                let above = pages.after().cloned();
                let page = pages.next(connection).await?;
                let up_to = if page.is_last { None } else { pages.after().cloned() };
                let page_end = up_to.clone();
                let mut drafts = Drafts::of(page.groups);
                let range = Range { above: above.is_some(), up_to: up_to.is_some() };
                let bounds: Vec<_> = above.into_iter().chain(up_to).collect();
                let mut rows = connection.rows(items.between(range, None), &bounds);
                while let Some(values) = rows.try_next().await.map_err(read(items))? {
                    let row = Row::new(items.columns.clone(), values);
                    if let Some(row) = drafts.add(&page::key(items, &row)?, row) {
                        yield Read::lost(entity::orphan(row));
                    }
                }
                drop(rows);
                for mut read in drafts.into_reads(connection, users, products, mapping).await? {
                    // Lost items of later keys may have come already: only the end of a page is
                    // safe to resume after.
                    read.resume_after = read.key.clone().filter(|key| page_end.as_ref() == Some(key));
                    yield read;
                }
                if page.is_last {
                    break;
                }
            }
        }
        .boxed()
    }

    /// Checks that orders and items sort alike: the items of a page of orders are read by the same
    /// range of keys.
    fn expect_orders_and_items_in_step(&self) -> Result<(), Error> {
        let [_, _, orders, items] = &self.selects;
        if sort_alike(orders.key_kind(), items.key_kind()) {
            return Ok(());
        }
        Err(Error::Columns(vec![format!(
            "{} of [orders] is {}, and {} of [order_items] is {}: they must have the same type, \
             because orders and items are read in step; cast one of them in its select",
            orders.key_column(),
            orders.key_kind(),
            items.key_column(),
            items.key_kind()
        )]))
    }

    /// Checks that every price has a currency.
    fn expect_currencies(&self) -> Result<(), Error> {
        if self.mapping.defaults.currency.is_some() {
            return Ok(());
        }
        let has = |entity| self.columns(entity).find("currency").is_some();
        let without = |section: &str| {
            format!("[{section}] has no column currency, and [defaults] has no currency")
        };
        let mut problems = Vec::new();
        if !has(Entity::Product) {
            problems.push(without("products"));
        }
        if !has(Entity::Order) && !has(Entity::OrderItem) {
            problems.push(without("orders"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Columns(problems)) }
    }
}

/// Reads the rows without a key, which are in no page.
fn without_key<'c>(
    connection: &'c mut Connection,
    select: &'c Select,
) -> impl futures_util::Stream<Item = Result<Read, Error>> + Unpin + use<'c> {
    connection.rows(select.without_key(), &[]).map_err(read(select)).map_ok(|values| {
        let row = Row::new(select.columns.clone(), values);
        if select.entity == Entity::OrderItem {
            return Read::lost(entity::orphan(row));
        }
        let reason = Reason::Missing { column: select.key_column().to_owned() };
        let entity = select.entity;
        Read::lost(Reject { entity, key: None, reason, row, more: Vec::new() })
    })
}
