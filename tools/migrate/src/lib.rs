//! Moves a shop from a relational database to the table.
//!
//! A [`Mapping`] has one SELECT each for users, products, orders and order items. A [`Reader`]
//! reads the rows, and turns them into what the repositories would have written:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use futures_util::TryStreamExt as _;
//! use storefront_migrate::{Kind, Mapping, Reader};
//!
//! let mapping = Mapping::read("migration.toml".as_ref())?;
//! let url = mapping.url()?;
//! let mut reader = Reader::open(mapping, &url).await?;
//! let mut orders = reader.units(Kind::Order, None);
//! while let Some(read) = orders.try_next().await? {
//!     match read.unit {
//!         Ok(order) => println!("{} items", order.to_items()?.len()),
//!         Err(reject) => println!("{} {:?}: {}", reject.entity, reject.key, reject.reason),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The same row always yields the same items: an id that is not a `UUIDv7` in the source is derived
//! from the row's `createdAt` and key. Each item keeps that key as `legacyId`.

pub mod cli;
pub mod load;
pub mod mapping;
mod size;

mod check;
mod entity;
mod error;
mod review;
mod source;
mod verify;

pub use entity::{Attribute, Entity, Kind, Migrated, Reason, Reject, Remark, Unit};
pub use error::Error;
pub use mapping::Mapping;
pub use source::{Column, Columns, Key, Read, Reader, Row, Value};
