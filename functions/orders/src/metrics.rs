use storefront_core::Order;
use storefront_http::{Metric, Metrics};

/// The metrics of this function.
pub const METRICS: &[Metric] = &[ORDERS_PLACED, ORDER_VALUE];

/// The number of orders placed.
const ORDERS_PLACED: Metric = Metric::count("OrdersPlaced");
/// The total value of these orders, in the currency's minor unit.
const ORDER_VALUE: Metric = Metric::amount("OrderValue").by("Currency");

/// Counts an order that was placed, as opposed to returned again for its idempotency key.
pub(crate) fn order_placed(metrics: &Metrics, order: &Order) {
    metrics.add(ORDERS_PLACED, 1.0);
    #[allow(clippy::cast_precision_loss, reason = "CloudWatch stores doubles, too")]
    metrics.add_of(ORDER_VALUE, order.currency.code(), order.total as f64);
}
