//! Reads a relational database, and only reads.

mod changed;
mod connection;
mod dialect;
mod drafts;
mod mysql;
mod page;
mod postgres;
mod read;
mod reader;
mod row;
mod select;
mod sqlite;
mod value;

use connection::Connection;
pub use read::Read;
pub use reader::Reader;
pub use row::{Column, Columns, Row};
pub use value::{Key, Value};
