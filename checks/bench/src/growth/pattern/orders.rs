//! The access patterns of orders.

use storefront_core::{
    CreatedBetween, NewOrder, NewOrderItem, OrderAccess, OrderId, OrderRules, OrderStatus,
    OrderWithItems, PageRequest, StatusChange, Worklist,
};

use super::{Pattern, Sample, measure, new_key};
use crate::Error;
use crate::growth::data::{PAGE, request_id};
use crate::growth::shop::Shop;

pub(super) async fn run(
    pattern: Pattern,
    shop: &Shop,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    match pattern {
        Pattern::FirstOrders
        | Pattern::MiddleOrders
        | Pattern::LastOrders
        | Pattern::OrdersOfTime => page(pattern, shop).await,
        Pattern::OrdersToShip => {
            let request = PageRequest { limit: PAGE, after: None };
            let always = CreatedBetween::default();
            let list = shop.orders.worklist(Worklist::Paid, always, request);
            let (page, sample) = measure(list).await?;
            pattern.expect(page.items.len() == PAGE as usize && page.next.is_some())?;
            Ok(sample)
        }
        Pattern::OwnOrder | Pattern::AnyOrder => {
            let number = random.u32(..shop.data.orders);
            let access = match pattern {
                Pattern::AnyOrder => OrderAccess::Any,
                _ => OrderAccess::OwnedBy(shop.data.user_id(shop.data.buyer(number))),
            };
            let id = shop.data.order_id(number);
            let (found, sample) = measure(shop.orders.find(access, id)).await?;
            pattern.expect(found.is_some_and(|found| found.order.id == id))?;
            Ok(sample)
        }
        Pattern::Place
        | Pattern::PlaceThree
        | Pattern::PlaceWithKey
        | Pattern::PlaceCapped
        | Pattern::PlaceAgain => place(pattern, shop, random).await,
        _ => change(pattern, shop, random).await,
    }
}

/// Reads a page of the largest customer's orders, newest first.
async fn page(pattern: Pattern, shop: &Shop) -> Result<Sample, Error> {
    let data = shop.data;
    let count = data.orders_of_one();
    let id = |n: u32| data.order_id(data.order_of_one(n));
    // More than a page follows it.
    let middle = count / 2 + PAGE / 2;
    let (after, created) = match pattern {
        Pattern::MiddleOrders => (Some(id(middle)), CreatedBetween::default()),
        Pattern::LastOrders => (Some(id(PAGE)), CreatedBetween::default()),
        Pattern::OrdersOfTime => {
            let [from, to] = [count / 4, count / 4 * 3].map(|n| Some(id(n).created_at()));
            (None, CreatedBetween { from, to })
        }
        _ => (None, CreatedBetween::default()),
    };
    let request = PageRequest { limit: PAGE, after };
    let (page, sample) = measure(shop.orders.list(data.user_id(0), created, request)).await?;
    pattern.expect(page.items.len() == PAGE as usize)?;
    pattern.expect(page.next.is_none() == (pattern == Pattern::LastOrders))?;
    Ok(sample)
}

async fn place(pattern: Pattern, shop: &Shop, random: &mut fastrand::Rng) -> Result<Sample, Error> {
    let has_key = matches!(pattern, Pattern::PlaceWithKey | Pattern::PlaceAgain);
    let key = if has_key { Some(new_key(random)?) } else { None };
    let items = if pattern == Pattern::PlaceThree { 3 } else { 1 };
    let new = NewOrder { idempotency_key: key.clone(), ..new_order(shop, items, random) };
    let (orders, new) = if pattern == Pattern::PlaceCapped {
        let rules = OrderRules { max_open: Some(10), pending_minutes: Some(60) };
        let orders = shop.orders.clone().with_rules(rules);
        (orders, NewOrder { user_id: shop.data.user_id(0), ..new })
    } else {
        (shop.orders.clone(), new)
    };
    let (first, mut sample) = measure(orders.place(new.clone())).await?;
    pattern.expect(!first.replayed && first.value.items.len() == items as usize)?;
    if pattern == Pattern::PlaceAgain {
        let again = NewOrder { id: OrderId::new(), ..new };
        let (second, replay) = measure(shop.orders.place(again)).await?;
        pattern.expect(second.replayed && second.value == first.value)?;
        sample = replay;
    }
    shop.remove(&first.value, key.as_ref()).await?;
    Ok(sample)
}

async fn change(
    pattern: Pattern,
    shop: &Shop,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let placed = Box::pin(shop.orders.place(new_order(shop, 1, random))).await?.value;
    let (access, to) = match pattern {
        Pattern::ChangeStatus => (OrderAccess::Any, OrderStatus::Paid),
        Pattern::Cancel => (OrderAccess::Any, OrderStatus::Cancelled),
        _ => (OrderAccess::OwnedBy(placed.order.user_id), OrderStatus::Cancelled),
    };
    let change = StatusChange { request_id: Some(request_id(random)), ..StatusChange::new(to) };
    let changing = shop.orders.change_status(access, placed.order.id, change);
    let (OrderWithItems { order, .. }, sample) = measure(changing).await?;
    pattern.expect(order.status == to)?;
    shop.remove(&placed, None).await?;
    Ok(sample)
}

/// A new order of a random user, with this many different products.
fn new_order(shop: &Shop, items: u32, random: &mut fastrand::Rng) -> NewOrder {
    let data = shop.data;
    let first = random.u32(..data.products);
    let item = |n| NewOrderItem {
        product_id: data.product_id((first + n * 7) % data.products),
        quantity: 1,
    };
    let user_id = data.user_id(random.u32(..data.users));
    let items = (0..items).map(item).collect();
    NewOrder { request_id: Some(request_id(random)), ..NewOrder::new(user_id, items) }
}
