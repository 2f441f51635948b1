//! What reports for people are made of: tables in the terminal, and pages with plots.
//!
//! A page is one file that needs nothing from elsewhere: its style is in it, and its plots are SVG. It
//! has both a light and a dark face.

pub mod page;
pub mod sheet;
pub mod svg;
pub mod table;
