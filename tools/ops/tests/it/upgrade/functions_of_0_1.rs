//! What the functions of version 0.1 read and write, expression by expression: `orders/place.rs` and
//! `orders/status.rs` of commit 0ada5e1. If there is the program of 0.1, it is asked instead.

use serde_json::{Value, json};
use storefront_core::schema::Key;
use storefront_core::{OrderId, ProductId, UserId};

use super::shop::{DynamoDb, number, text};

/// How often 0.1 decides about an order: once by an eventually consistent read, and then as often as
/// somebody else is faster.
const DECISIONS: usize = 6;

/// An order that can be cancelled.
#[derive(Clone, Debug)]
pub(super) struct Sold {
    pub(super) user: UserId,
    pub(super) id: OrderId,
    pub(super) items: Vec<(ProductId, u32)>,
}

/// Why 0.1 placed no order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    OutOfStock,
    Contention,
}

fn key(key: &Key) -> Value {
    json!({ "PK": { "S": key.pk }, "SK": { "S": key.sk } })
}

fn n(value: impl Into<u64>) -> Value {
    json!({ "N": value.into().to_string() })
}

impl DynamoDb {
    /// Places an order of one item.
    pub(super) async fn place_as_0_1(
        &self,
        user: UserId,
        product: ProductId,
        quantity: u32,
    ) -> Result<Sold, Refused> {
        if let Some(real) = &self.real {
            return real.place(user, product, quantity).await;
        }
        for _ in 0..DECISIONS {
            let get = json!({ "TableName": self.table, "Key": key(&Key::product(product)) });
            let seen = self.request("GetItem", get).await.unwrap()["Item"].clone();
            let stock = number(&seen, "stock");
            if stock.is_some_and(|stock| stock < u64::from(quantity)) {
                return Err(Refused::OutOfStock);
            }
            let id = OrderId::new();
            let take = match stock {
                Some(_) => self.take(product, quantity, &seen, id),
                None => self.still_unlimited(product, &seen),
            };
            let [order, item] = self.puts(user, id, product, quantity, &seen);
            let transaction = json!({ "TransactItems": [order, item, take] });
            if self.request("TransactWriteItems", transaction).await.is_ok() {
                return Ok(Sold { user, id, items: vec![(product, quantity)] });
            }
        }
        Err(Refused::Contention)
    }

    fn take(&self, product: ProductId, quantity: u32, seen: &Value, id: OrderId) -> Value {
        json!({ "Update": {
            "TableName": self.table, "Key": key(&Key::product(product)),
            "UpdateExpression": "SET #updatedAt = :updatedAt, #version = #version + :versionAdded, \
                                 #stock = #stock - :stockTaken",
            "ConditionExpression": "attribute_exists(PK) AND #stock >= :stockTaken \
                                    AND #name = :nameRequired AND #price = :priceRequired \
                                    AND #currency = :currencyRequired",
            "ExpressionAttributeNames": { "#updatedAt": "updatedAt", "#version": "version",
                "#stock": "stock", "#name": "name", "#price": "price", "#currency": "currency" },
            "ExpressionAttributeValues": { ":updatedAt": { "S": id.created_at().to_string() },
                ":versionAdded": n(1_u64), ":stockTaken": n(quantity), ":nameRequired": seen["name"],
                ":priceRequired": seen["price"], ":currencyRequired": seen["currency"] },
        }})
    }

    fn still_unlimited(&self, product: ProductId, seen: &Value) -> Value {
        json!({ "ConditionCheck": {
            "TableName": self.table, "Key": key(&Key::product(product)),
            "ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(stock) \
                                    AND #name = :name AND price = :price AND currency = :currency",
            "ExpressionAttributeNames": { "#name": "name" },
            "ExpressionAttributeValues": { ":name": seen["name"], ":price": seen["price"],
                ":currency": seen["currency"] },
        }})
    }

    fn puts(
        &self,
        user: UserId,
        id: OrderId,
        product: ProductId,
        quantity: u32,
        seen: &Value,
    ) -> [Value; 2] {
        let (order, item) = (Key::order(user, id), Key::order_item(id, product));
        let total = number(seen, "price").unwrap() * u64::from(quantity);
        let at = json!({ "S": id.created_at().to_string() });
        let put = |item: Value| {
            json!({ "Put": { "TableName": self.table, "Item": item,
                             "ConditionExpression": "attribute_not_exists(PK)" } })
        };
        [
            put(json!({
                "PK": { "S": order.pk }, "SK": { "S": order.sk }, "_type": { "S": "Order" },
                "GSI1PK": { "S": format!("ORDER#{id}") }, "GSI1SK": { "S": format!("USER#{user}") },
                "id": { "S": id.to_string() }, "userId": { "S": user.to_string() },
                "status": { "S": "pending" }, "itemCount": n(1_u64), "total": n(total),
                "currency": seen["currency"], "version": n(1_u64), "createdAt": at, "updatedAt": at,
            })),
            put(json!({
                "PK": { "S": item.pk }, "SK": { "S": item.sk }, "_type": { "S": "OrderItem" },
                "orderId": { "S": id.to_string() }, "productId": { "S": product.to_string() },
                "name": seen["name"], "quantity": n(quantity), "price": seen["price"],
            })),
        ]
    }

    /// Cancels an order, and returns whether it could be.
    pub(super) async fn cancel_as_0_1(&self, sold: &Sold) -> bool {
        if let Some(real) = &self.real {
            return real.cancel(sold).await;
        }
        let order = Key::order(sold.user, sold.id);
        let get = json!({ "TableName": self.table, "Key": key(&order) });
        let seen = self.request("GetItem", get).await.unwrap()["Item"].clone();
        if !["pending", "paid"].contains(&&*text(&seen, "status")) {
            return false;
        }
        let at = json!({ "S": OrderId::new().created_at().to_string() });
        let cancel = self.change(&order, &seen["status"], "cancelled", &at);
        let mut restocked = sold.items.clone();
        loop {
            let restocks =
                restocked.iter().map(|(product, quantity)| self.restock(*product, *quantity, &at));
            let actions: Vec<_> = std::iter::once(cancel.clone()).chain(restocks).collect();
            let transaction = json!({ "TransactItems": actions });
            let Err(error) = self.request("TransactWriteItems", transaction).await else {
                return true;
            };
            let reasons = error["CancellationReasons"].as_array().unwrap();
            let failed = |action: usize| reasons[action]["Code"] == "ConditionalCheckFailed";
            if failed(0) {
                return false;
            }
            let mut action = 0;
            restocked.retain(|_| {
                action += 1;
                !failed(action)
            });
        }
    }

    /// Changes an order's status to one that moves no stock, as `PATCH /orders/{orderId}` of 0.1 did.
    pub(super) async fn set_status_as_0_1(&self, user: UserId, id: OrderId, status: &str) {
        let order = Key::order(user, id);
        let get = json!({ "TableName": self.table, "Key": key(&order) });
        let seen = self.request("GetItem", get).await.unwrap()["Item"].clone();
        let at = json!({ "S": OrderId::new().created_at().to_string() });
        let change = self.change(&order, &seen["status"], status, &at);
        self.request("TransactWriteItems", json!({ "TransactItems": [change] })).await.unwrap();
    }

    fn change(&self, order: &Key, seen: &Value, status: &str, at: &Value) -> Value {
        json!({ "Update": {
            "TableName": self.table, "Key": key(order),
            "UpdateExpression": "SET #updatedAt = :updatedAt, #version = #version + :versionAdded, \
                                 #status = :status REMOVE #requestId",
            "ConditionExpression": "attribute_exists(PK) AND #status = :statusRequired",
            "ExpressionAttributeNames": { "#updatedAt": "updatedAt", "#version": "version",
                "#status": "status", "#requestId": "requestId" },
            "ExpressionAttributeValues": { ":updatedAt": at, ":versionAdded": n(1_u64),
                ":status": { "S": status }, ":statusRequired": seen },
        }})
    }

    fn restock(&self, product: ProductId, quantity: u32, at: &Value) -> Value {
        json!({ "Update": {
            "TableName": self.table, "Key": key(&Key::product(product)),
            "UpdateExpression": "SET #updatedAt = :updatedAt, #version = #version + :versionAdded, \
                                 #stock = #stock + :stockAdded",
            "ConditionExpression": "attribute_exists(PK) AND attribute_exists(#stock)",
            "ExpressionAttributeNames": { "#updatedAt": "updatedAt", "#version": "version",
                "#stock": "stock" },
            "ExpressionAttributeValues": { ":updatedAt": at, ":versionAdded": n(1_u64),
                ":stockAdded": n(quantity) },
        }})
    }

    /// Changes a product's price, as `PATCH /products/{productId}` of 0.1 did.
    pub(super) async fn set_price_as_0_1(&self, product: ProductId, price: u64) {
        let update = json!({
            "TableName": self.table, "Key": key(&Key::product(product)),
            "UpdateExpression": "SET #updatedAt = :updatedAt, #version = #version + :versionAdded, \
                                 #price = :price",
            "ConditionExpression": "attribute_exists(PK)",
            "ExpressionAttributeNames": { "#updatedAt": "updatedAt", "#version": "version",
                "#price": "price" },
            "ExpressionAttributeValues": {
                ":updatedAt": { "S": OrderId::new().created_at().to_string() },
                ":versionAdded": n(1_u64), ":price": n(price) },
        });
        self.request("UpdateItem", update).await.unwrap();
    }
}
