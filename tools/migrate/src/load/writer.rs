//! Writes items into the table, many batches at once, and knows up to which point all are written.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{Item, PK, SK};
use tokio::task::JoinSet;

use super::batch::{self, BATCH};
use super::pace::Pace;
use super::state::Progress;
use crate::Error;

/// How many batches may wait for the oldest unwritten one, per batch that may be in flight. This
/// bounds the memory if one batch takes long.
const AHEAD: usize = 8;

/// Collects items into batches.
#[derive(Debug)]
pub(super) struct Writer {
    client: Client,
    table: String,
    pace: Arc<Pace>,
    ahead: usize,
    batch: Vec<Item>,
    /// The keys in the batch, which must not have an item twice.
    keys: HashSet<(String, String)>,
    in_flight: JoinSet<(u64, Result<f64, Error>)>,
    /// The batches that were begun, oldest first.
    begun: VecDeque<Begun>,
    next: u64,
    /// The progress once the current batch, and everything before it, is written.
    reached: Option<Progress>,
    settled: Option<Progress>,
    units: f64,
}

/// A batch that was begun.
#[derive(Debug)]
struct Begun {
    is_written: bool,
    /// The progress once this batch, and everything before it, is written.
    reached: Option<Progress>,
}

impl Writer {
    pub(super) fn new(client: Client, table: &str, max_wcu: u32, most: usize) -> Self {
        Self {
            client,
            table: table.to_owned(),
            pace: Arc::new(Pace::new(max_wcu, most)),
            ahead: most * AHEAD,
            batch: Vec::new(),
            keys: HashSet::new(),
            in_flight: JoinSet::new(),
            begun: VecDeque::new(),
            next: 0,
            reached: None,
            settled: None,
            units: 0.0,
        }
    }

    /// Adds items to the batch, and sends it whenever it is full.
    pub(super) async fn put(&mut self, items: Vec<Item>) -> Result<(), Error> {
        for item in items {
            let key = key(&item);
            if self.batch.len() == BATCH || self.keys.contains(&key) {
                self.send().await?;
            }
            self.keys.insert(key);
            self.batch.push(item);
        }
        Ok(())
    }

    /// Sets the progress that is reached once everything put so far is written.
    pub(super) fn reach(&mut self, progress: &Progress) {
        let progress = Some(progress.clone());
        if !self.batch.is_empty() {
            self.reached = progress;
        } else if let Some(last) = self.begun.back_mut() {
            last.reached = progress;
        } else {
            self.settled = progress;
        }
    }

    /// Takes the latest progress that has been reached by now.
    pub(super) fn settled(&mut self) -> Option<Progress> {
        self.settled.take()
    }

    /// Waits until everything is written.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        self.send().await?;
        while !self.in_flight.is_empty() {
            self.one_more().await?;
        }
        Ok(())
    }

    /// Returns how many units were consumed.
    pub(super) fn units(&self) -> f64 {
        self.units
    }

    /// Returns how many batches may be in flight now.
    pub(super) fn window(&self) -> usize {
        self.pace.window()
    }

    async fn send(&mut self) -> Result<(), Error> {
        if self.batch.is_empty() {
            return Ok(());
        }
        while let Some(ended) = self.in_flight.try_join_next() {
            self.ended(ended)?;
        }
        while self.begun.len() >= self.ahead {
            self.one_more().await?;
        }
        loop {
            tokio::select! {
                () = self.pace.begin() => break,
                Some(ended) = self.in_flight.join_next() => self.ended(ended)?,
            }
        }
        let items = mem::take(&mut self.batch);
        self.keys.clear();
        let number = self.next;
        self.next += 1;
        self.begun.push_back(Begun { is_written: false, reached: self.reached.take() });
        let (client, table, pace) =
            (self.client.clone(), self.table.clone(), Arc::clone(&self.pace));
        self.in_flight.spawn(async move {
            let written = batch::put(&client, &table, items, &pace).await;
            pace.end();
            (number, written)
        });
        Ok(())
    }

    /// Waits until another batch is written.
    async fn one_more(&mut self) -> Result<(), Error> {
        match self.in_flight.join_next().await {
            Some(ended) => self.ended(ended),
            None => Ok(()),
        }
    }

    fn ended(
        &mut self,
        ended: Result<(u64, Result<f64, Error>), tokio::task::JoinError>,
    ) -> Result<(), Error> {
        let (number, units) = ended.map_err(|error| Error::Interrupted(error.to_string()))?;
        self.units += units?;
        let oldest = self.next - self.begun.len() as u64;
        let place = usize::try_from(number - oldest).unwrap_or(usize::MAX);
        if let Some(begun) = self.begun.get_mut(place) {
            begun.is_written = true;
        }
        while let Some(oldest) = self.begun.pop_front_if(|oldest| oldest.is_written) {
            if oldest.reached.is_some() {
                self.settled = oldest.reached;
            }
        }
        Ok(())
    }
}

fn key(item: &Item) -> (String, String) {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    (text(PK), text(SK))
}
