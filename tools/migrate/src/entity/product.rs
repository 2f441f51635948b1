use storefront_core::{Currency, Description, MAX_STOCK, Product, ProductWithStock};

use super::fields::{Fields, Result};
use super::reject::Reason;
use super::unit::Migrated;
use super::{Entity, id};
use crate::mapping::Mapping;
use crate::source::Row;

/// Reads the product of a row, and its stock.
pub(crate) fn product(row: &Row, mapping: &Mapping) -> Result<Migrated<ProductWithStock>> {
    const SECTION: &str = Entity::Product.section();
    let fields = Fields::of(row);
    let rules = &mapping.products;
    let legacy_id = fields.key("id")?.to_string();
    let mut remarks = Vec::new();
    let name = fields.name(&mut remarks)?;
    let description: Option<Description> = fields.optional("description")?;
    let category = match rules.category.get(&fields.required("category")?.to_text()) {
        Some(category) => category.clone(),
        None => fields.parsed("category")?,
    };
    let currency = fields
        .currency(SECTION, &rules.currency)?
        .or(mapping.defaults.currency.map(Currency::from));
    let currency = currency.ok_or_else(|| Reason::Missing { column: fields.column("currency") })?;
    let price = fields.price("price", rules.price, currency)?;
    let price = price.ok_or_else(|| Reason::Missing { column: fields.column("price") })?;
    let stock = fields.whole("stock", 0..=MAX_STOCK)?;
    let created_at = fields.created_at()?;
    let updated_at = fields.updated_at(created_at)?;
    let id = id::id(Entity::Product, &legacy_id, created_at)
        .ok_or_else(|| Reason::Missing { column: fields.column("createdAt") })?;
    let product = Product {
        id,
        name,
        // The shop has no empty descriptions.
        description: description.filter(|text| !text.is_empty()),
        category,
        price,
        currency,
        selling: true,
        available: stock != Some(0),
        available_revision: 1,
        version: 1,
        created_at,
        updated_at,
    };
    let value = ProductWithStock { product, stock };
    Ok(Migrated { legacy_id, value, remarks })
}
