use storefront_core::Order;
use storefront_http::{Metric, Metrics};

/// What this function counts.
pub const METRICS: &[Metric] = &[ORDERS_PLACED, ORDER_VALUE];

/// Orders that were placed.
const ORDERS_PLACED: Metric = Metric::count("OrdersPlaced");
/// What they cost, in the currency's minor unit.
const ORDER_VALUE: Metric = Metric::amount("OrderValue").by("Currency");

/// An order was placed, rather than shown again for its idempotency key.
pub(crate) fn order_placed(metrics: &Metrics, order: &Order) {
    metrics.add(ORDERS_PLACED, 1.0);
    #[allow(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles too")]
    metrics.add_of(ORDER_VALUE, order.currency.code(), order.total as f64);
}
