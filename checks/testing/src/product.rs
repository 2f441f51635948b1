use storefront_core::{Currency, NewProduct};

/// A coffee to add, at this price in cents. `None` means unlimited stock.
#[must_use]
pub fn new_product(price: u64, stock: Option<u64>) -> NewProduct {
    NewProduct {
        name: "Espresso blend".parse().expect("a name"),
        description: None,
        category: "coffee".parse().expect("a category"),
        price,
        currency: Currency::EUR,
        stock,
        selling: true,
    }
}
