//! Reads which version of an order a write made.

use storefront_core::schema::ORIGIN;
use storefront_core::{Order, Tracking, Version};

use crate::record::Image;
use crate::stream::Reason;

/// A write that made a version of an order of which subscribers hear.
pub(crate) struct OrderWrite {
    /// `None` if the order was placed. Has only what events compare: the status, and where the money
    /// is.
    pub(crate) before: Option<Order>,
    /// What events tell of it, and nothing else: not its address, its adjustments and its items.
    pub(crate) after: Order,
}

impl OrderWrite {
    /// Reads an order that is new in the table. Only its first version was placed; any other has been
    /// put back by somebody, and its versions have had their events.
    pub(crate) fn placed(new: &Image<'_>) -> Result<Option<Self>, Reason> {
        if new.has(ORIGIN) || new.number::<Version>("version")? != 1 {
            return Ok(None);
        }
        let after = order(new)?;
        if after.item_count == 0 {
            return Err(new.malformed("itemCount"));
        }
        Ok(Some(Self { before: None, after }))
    }

    /// Reads an order that was in the table before. Some writes make no version of it: they say nothing
    /// that subscribers do not know. And a version that a program other than the shop wrote
    /// ([`ORIGIN`]) is not news.
    pub(crate) fn changed(old: &Image<'_>, new: &Image<'_>) -> Result<Option<Self>, Reason> {
        if new.has(ORIGIN)
            || old.number::<Version>("version")? == new.number::<Version>("version")?
        {
            return Ok(None);
        }
        let after = order(new)?;
        let before = Order {
            status: old.text("status")?,
            payment: old.optional("payment", Image::text)?,
            refunded_amount: refunded_amount(old)?,
            ..after.clone()
        };
        Ok(Some(Self { before: Some(before), after }))
    }
}

/// Reads an order of any version of the shop. What 0.1 did not store, [`Order`] derives.
fn order(image: &Image<'_>) -> Result<Order, Reason> {
    let item_count = image.optional("itemCount", Image::number)?.unwrap_or_default();
    let (id, user_id) = (image.text("id")?, image.text("userId")?);
    let (total, currency) = (image.number("total")?, image.text("currency")?);
    Ok(Order {
        number: image.optional("number", Image::text)?,
        status: image.text("status")?,
        payment: image.optional("payment", Image::text)?,
        refunded_amount: refunded_amount(image)?,
        cancel_reason: image.optional("cancelReason", Image::text)?,
        pay_by: image.optional("payBy", Image::text)?,
        tracking: image.optional("tracking", tracking)?,
        version: image.number("version")?,
        updated_at: image.text("updatedAt")?,
        // Nothing depends on it, so the event is published without it.
        request_id: image.text("requestId").ok(),
        ..Order::new(id, user_id, item_count, total, currency)
    })
}

fn refunded_amount(image: &Image<'_>) -> Result<u64, Reason> {
    Ok(image.optional("refundedAmount", Image::number)?.unwrap_or_default())
}

fn tracking(image: &Image<'_>, attribute: &'static str) -> Result<Tracking, Reason> {
    image.required(attribute, |item| {
        let tracking = item.map(attribute)?;
        Some(Tracking {
            carrier: tracking.text("carrier"),
            number: tracking.text("number")?,
            url: tracking.text("url"),
        })
    })
}
