//! The items that products have in the table.

use std::collections::BTreeMap;

use crate::engine::table::{ANY_VALUE, Attributes, TableItems, expected_item};
use crate::entities::Model;

const STOCK: &str = "METADATA#STOCK";

impl Model {
    pub(in crate::entities) fn add_product_items(&self, items: &mut TableItems) {
        for (id, product) in self.products.iter() {
            let partition = format!("PRODUCT#{id}");
            let (price, selling) = (product.price.to_string(), product.selling.to_string());
            let copied = [
                ("name", &*product.name),
                ("price", &price),
                ("currency", product.currency),
                ("selling", &selling),
            ];
            let (key, mut attributes) = expected_item(
                "Product",
                &partition,
                "METADATA",
                &[
                    ("GSI1PK", &format!("CATEGORY#{}", product.category)),
                    ("GSI1SK", &partition),
                    ("id", &id.to_string()),
                    ("category", product.category),
                    ("available", &product.had_stock.to_string()),
                    ("availableRevision", "1"),
                    // For functions of 0.1.
                    ("stock", "0"),
                    ("version", &product.version.to_string()),
                    ("createdAt", &id.created_at().to_string()),
                    ("updatedAt", ANY_VALUE),
                ],
            );
            add(&mut attributes, &copied);
            items.insert(key, attributes);

            let (key, mut attributes) = expected_item(
                "Stock",
                &partition,
                STOCK,
                &[("productId", &id.to_string()), ("spread", &product.spread.to_string())],
            );
            add(&mut attributes, &copied);
            if let Some(stock) = product.stock {
                attributes.insert("quantity".to_owned(), stock.to_string());
            }
            items.insert(key, attributes);
        }
    }
}

fn add(attributes: &mut Attributes, more: &[(&str, &str)]) {
    attributes.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

/// Joins the stock items of each product to one, with all the pieces: the model does not know in
/// which item they are. An error says what is wrong with them.
pub(crate) fn with_joined_stock(items: TableItems) -> Result<TableItems, String> {
    let (stock, mut joined): (TableItems, TableItems) =
        items.into_iter().partition(|(_, attributes)| attributes["_type"] == "Stock");
    let mut products: BTreeMap<String, BTreeMap<u8, Attributes>> = BTreeMap::new();
    for ((pk, sk), attributes) in stock {
        let (product, number) = pk.split_once("#STOCK#").unwrap_or((&pk, "00"));
        let number = number.parse().ok().filter(|_| sk == STOCK && number.len() == 2);
        let number = number.ok_or_else(|| format!("{pk} {sk} is no key of a stock item"))?;
        products.entry(product.to_owned()).or_default().insert(number, attributes);
    }
    for (product, items) in products {
        let one = join(&items).map_err(|why| format!("the stock of {product} {why}: {items:?}"))?;
        joined.insert((product, STOCK.to_owned()), one);
    }
    Ok(joined)
}

fn join(items: &BTreeMap<u8, Attributes>) -> Result<Attributes, &'static str> {
    let Some(mut joined) = items.get(&0).cloned() else { return Err("has no item 0") };
    let spread = joined.get("spread").and_then(|spread| spread.parse().ok()).unwrap_or(0);
    if !items.keys().copied().eq(0..spread) {
        return Err("has other items than item 0 says");
    }
    let mut pieces = 0_u64;
    for item in items.values() {
        let copy = |of: &Attributes| {
            let own = ["PK", "quantity", "spread"];
            let copied = of.iter().filter(|(name, _)| !own.contains(&name.as_str()));
            copied.map(|(name, value)| (name.clone(), value.clone())).collect::<Attributes>()
        };
        if copy(item) != copy(&joined) {
            return Err("has different copies of the product");
        }
        match (item.get("quantity"), joined.contains_key("quantity")) {
            (Some(quantity), true) => pieces += quantity.parse().unwrap_or(0),
            (None, false) => {}
            _ => return Err("is counted only in part"),
        }
    }
    if let Some(quantity) = joined.get_mut("quantity") {
        *quantity = pieces.to_string();
    }
    Ok(joined)
}
