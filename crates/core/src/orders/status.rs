//! How far an order is, and where its money is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::openapi::openapi;

/// Defines an enum whose values are texts: in the table, in the API and in events.
macro_rules! texts {
    (
        $(#[$doc:meta])*
        $name:ident = $description:literal { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $text)] $value,)*
        }

        openapi!($name = crate::openapi::string($description)
            .enum_values(Some($name::ALL.iter().map(|value| value.as_str()))));

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$value,)*];

            /// The value as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// Defines how clients name the values of such an enum.
macro_rules! parsed {
    ($name:ident, $(#[$doc:meta])* $error:ident($message:literal)) => {
        $(#[$doc])*
        #[derive(Debug, thiserror::Error)]
        #[error($message)]
        pub struct $error;

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or($error)
            }
        }
    };
}

texts! {
    /// How far an order has progressed.
    OrderStatus = "How far the order has progressed" {
        /// The customer has not paid yet.
        Pending = "pending",
        /// It can be shipped.
        Paid = "paid",
        /// It is on its way.
        Shipped = "shipped",
        /// The customer has it.
        Delivered = "delivered",
        /// It came back.
        Returned = "returned",
        /// It was called off before it was shipped.
        Cancelled = "cancelled",
    }
}

parsed! {
    OrderStatus,
    /// The text is not the status of an order.
    InvalidStatus("must be pending, paid, shipped, delivered, returned or cancelled")
}

texts! {
    /// Where the money of an order is.
    Payment = "Where the order's money is: with `refund_due` the shop owes it, or some of it, to the customer" {
        /// Nothing was paid.
        Unpaid = "unpaid",
        /// The shop has it.
        Paid = "paid",
        /// The shop has it, or some of it, and owes it to the customer.
        RefundDue = "refund_due",
        /// All of it was paid back.
        Refunded = "refunded",
    }
}

parsed! {
    Payment,
    /// The text is not where the money of an order may be.
    InvalidPayment("must be unpaid, paid, refund_due or refunded")
}

texts! {
    /// Why an order was cancelled.
    CancelReason = "Who or what cancelled the order: `expired` if it was not paid in time" {
        /// The customer cancelled it.
        Customer = "customer",
        /// Staff or an administrator cancelled it.
        Shop = "shop",
        /// It was not paid in time.
        Expired = "expired",
    }
}

texts! {
    /// A list of orders that the shop has something to do with, whosever they are.
    Worklist = "A list of orders that the shop has something to do with" {
        /// To be paid, or to expire.
        Pending = "pending",
        /// To be shipped.
        Paid = "paid",
        /// To arrive.
        Shipped = "shipped",
        /// To be paid back.
        RefundDue = "refund_due",
    }
}

impl OrderStatus {
    /// Whether the shop's rules let an order change from this status to `to`.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Paid | Self::Cancelled)
                | (Self::Paid, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered | Self::Returned)
                | (Self::Delivered, Self::Returned)
        )
    }
}
