//! An order as the API shows it: alone, in lists, and in what a person exports.

use serde::Serialize;
use storefront_core::{
    Address, Adjustment, CancelReason, Currency, Name, Order, OrderId, OrderItem, OrderNumber,
    OrderStatus, OrderWithItems, Payment, ProductId, Timestamp, Tracking, UserId, Version,
};
use utoipa::ToSchema;

use crate::address::{AddressBody, TrackingBody};
use crate::openapi::{CurrencySchema, NameSchema, PriceSchema, TotalSchema, VersionSchema};

/// An order. In a list it lacks its items, adjustments, address and tracking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub struct OrderBody {
    id: OrderId,
    number: OrderNumber,
    user_id: UserId,
    status: OrderStatus,
    payment: Payment,
    /// What has been paid back, in the currency's minor unit.
    #[schema(value_type = TotalSchema)]
    refunded_amount: u64,
    /// Why it was cancelled, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancel_reason: Option<CancelReason>,
    /// Until when a pending order has to be paid. After that it is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pay_by: Option<Timestamp>,
    #[schema(value_type = TotalSchema)]
    total: u64,
    #[schema(value_type = CurrencySchema)]
    currency: Currency,
    #[schema(value_type = VersionSchema)]
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Sorted by product id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 48, nullable = false)]
    items: Option<Vec<OrderItemBody>>,
    /// What is part of the total besides the prices of the items.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    adjustments: Option<Vec<Adjustment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AddressBody>, nullable = false)]
    shipping_address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TrackingBody>, nullable = false)]
    tracking: Option<Tracking>,
}

/// A product in an order, with its name and price at the time of the order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItem)]
pub(crate) struct OrderItemBody {
    product_id: ProductId,
    #[schema(value_type = NameSchema)]
    name: Name,
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
    /// The price of one, in the currency's minor unit (cents).
    #[schema(value_type = PriceSchema)]
    price: u64,
}

/// For a list.
impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            number: order.number(),
            payment: order.payment(),
            id: order.id,
            user_id: order.user_id,
            status: order.status,
            refunded_amount: order.refunded_amount,
            cancel_reason: order.cancel_reason,
            pay_by: order.pay_by,
            total: order.total,
            currency: order.currency,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
            items: None,
            adjustments: None,
            shipping_address: None,
            tracking: None,
        }
    }
}

impl From<OrderWithItems> for OrderBody {
    fn from(OrderWithItems { mut order, items }: OrderWithItems) -> Self {
        Self {
            items: Some(items.into_iter().map(OrderItemBody::from).collect()),
            adjustments: Some(std::mem::take(&mut order.adjustments)),
            shipping_address: order.shipping_address.take(),
            tracking: order.tracking.take(),
            ..Self::from(order)
        }
    }
}

impl From<OrderItem> for OrderItemBody {
    fn from(item: OrderItem) -> Self {
        Self {
            product_id: item.product_id,
            name: item.name,
            quantity: item.quantity,
            price: item.price,
        }
    }
}
