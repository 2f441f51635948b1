//! Fills an empty table with a small catalogue, an administrator, a customer with an order, and a
//! customer who was migrated from another shop.
//!
//! The ids are fixed, because the events in `events/` contain them.

use serde::Deserialize;
use storefront_core::{
    Category, Currency, Description, Email, Name, NewOrder, NewOrderItem, NewProduct, NewUser,
    OrderId, Orders, PasswordHash, ProductId, Products, Role, Table, UserId, Users,
};
use storefront_credentials::Password;

#[derive(Deserialize)]
struct Seed {
    password: String,
    users: Vec<SeedUser>,
    products: Vec<SeedProduct>,
    order: SeedOrder,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeedUser {
    id: UserId,
    email: Email,
    name: Name,
    role: Role,
    /// A hash of the seed's password by another shop. Without it, the password is hashed here.
    password_hash: Option<PasswordHash>,
}

#[derive(Deserialize)]
struct SeedProduct {
    id: ProductId,
    name: Name,
    description: Description,
    category: Category,
    price: u64,
    stock: Option<u64>,
}

#[derive(Deserialize)]
struct SeedOrder {
    id: OrderId,
    user: UserId,
    items: Vec<SeedItem>,
}

#[derive(Deserialize)]
struct SeedItem {
    product: ProductId,
    quantity: u32,
}

/// The seed's users who are in a table, and their initial password.
#[derive(Default)]
pub(crate) struct DemoUsers {
    pub(crate) emails: Vec<String>,
    pub(crate) password: String,
}

/// Finds the seed's users in a table. A table that began with `--empty` has none.
pub(crate) async fn users(
    table: &Table,
) -> Result<DemoUsers, Box<dyn std::error::Error + Send + Sync>> {
    let seed = read()?;
    let users = Users::new(table.clone());
    let mut emails = Vec::new();
    for SeedUser { id, .. } in seed.users {
        if let Some(user) = users.find(id).await? {
            emails.push(user.email.as_str().to_owned());
        }
    }
    Ok(DemoUsers { emails, password: seed.password })
}

/// Fills an empty table.
pub async fn fill(table: &Table) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let seed = read()?;

    let password_hash = seed.password.parse::<Password>()?.hash().await?;
    let users = Users::new(table.clone());
    for SeedUser { id, email, name, role, password_hash: brought } in seed.users {
        let password_hash = brought.unwrap_or_else(|| password_hash.clone());
        users.register(id, NewUser { email, name, password_hash, role, locale: None }).await?;
    }

    let products = Products::new(table.clone());
    for product in seed.products {
        let new = NewProduct {
            name: product.name,
            description: Some(product.description),
            category: product.category,
            price: product.price,
            currency: Currency::EUR,
            stock: product.stock,
            selling: true,
        };
        products.create(product.id, new).await?;
    }

    let SeedOrder { id, user, items } = seed.order;
    let items = items
        .into_iter()
        .map(|SeedItem { product, quantity }| NewOrderItem { product_id: product, quantity });
    let order = NewOrder {
        id,
        user_id: user,
        items: items.collect(),
        shipping_address: None,
        expected_total: None,
        idempotency_key: None,
        request_id: None,
    };
    Orders::new(table.clone()).place(order).await?;
    Ok(())
}

fn read() -> serde_json::Result<Seed> {
    serde_json::from_str(include_str!("../seed.json"))
}
