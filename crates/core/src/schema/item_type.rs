use std::fmt;
use std::str::FromStr;

/// The text is not the `_type` of an item of the shop.
#[derive(Debug, thiserror::Error)]
#[error("is not the type of an item")]
pub struct InvalidItemType;

/// Defines, from one list of variants, the enum, `ALL`, and their names in the table.
macro_rules! item_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The type of an item, as in its `_type`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ItemType {
            $($(#[$doc])* $name,)*
        }

        impl ItemType {
            /// All types, in the order in which documents and reports show them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The value of `_type`. Tables contain it, so renaming a variant needs a migration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

item_types! {
    /// A user.
    User,
    /// The guard that keeps an email unique.
    UniqueEmail,
    /// A product.
    Product,
    /// How many pieces of a product there are, and what an order goes by. Most products have one; a
    /// product that is spread has up to 64.
    Stock,
    /// An order, without its items.
    Order,
    /// One product of an order.
    OrderItem,
    /// The record of a request with an idempotency key.
    Idempotency,
    /// A session of a user: what a log-in began, and refresh tokens prolong.
    Session,
    /// The failed log-ins of an email from one source, with one version of the password.
    LoginAttempts,
    /// The failed log-ins of an email from all sources, with one version of the password.
    EmailAttempts,
    /// The failed log-ins from one source, for all emails.
    SourceAttempts,
    /// A source from which an email has logged in, with this version of the password.
    KnownSource,
    /// The record of a mail that an event or a person causes.
    Mail,
    /// How often an email was written to about its account, for one kind of mail.
    AccountMails,
    /// A registration that waits until its email is verified.
    Registration,
    /// What the token of a mail is for. The token itself is only in the mail.
    MailToken,
}

/// The keys and the attributes of the items of a type. `<…>` stands for what differs between items.
///
/// It is a row of the tables in the README and `docs/access-patterns.md`, which `cargo xtask docs`
/// writes. `every_item_has_the_keys_and_attributes_of_its_layout` checks it against real items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `PK`.
    pub pk: &'static str,
    /// `SK`.
    pub sk: &'static str,
    /// `GSI1PK` and `GSI1SK`; `None` if the index does not have these items.
    pub gsi1: Option<(&'static str, &'static str)>,
    /// `GSI2PK` and `GSI2SK`; `None` if the index never has these items.
    pub gsi2: Option<(&'static str, &'static str)>,
    /// All other attributes except `_type`, including those that an item may lack.
    pub attributes: &'static [&'static str],
}

impl ItemType {
    /// Returns the layout of the items of this type.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "one arm for each type")]
    pub const fn layout(self) -> Layout {
        match self {
            Self::User => Layout {
                pk: "USER#<userId>",
                sk: "METADATA",
                gsi1: Some(("EMAIL#<email>", "USER#<userId>")),
                gsi2: None,
                attributes: &[
                    "id",
                    "email",
                    "name",
                    "passwordHash",
                    "passwordVersion",
                    "emailVerified",
                    "role",
                    "locale",
                    "sessionEpoch",
                    "keptSession",
                    "version",
                    "createdAt",
                    "updatedAt",
                ],
            },
            Self::UniqueEmail => Layout {
                pk: "EMAIL#<email>",
                sk: "METADATA",
                gsi1: None,
                gsi2: None,
                attributes: &["userId"],
            },
            Self::Product => Layout {
                pk: "PRODUCT#<productId>",
                sk: "METADATA",
                gsi1: Some(("CATEGORY#<category>", "PRODUCT#<productId>")),
                gsi2: None,
                attributes: &[
                    "id",
                    "name",
                    "description",
                    "category",
                    "price",
                    "currency",
                    "selling",
                    "available",
                    "availableRevision",
                    "stock",
                    "version",
                    "createdAt",
                    "updatedAt",
                ],
            },
            Self::Stock => Layout {
                pk: "PRODUCT#<productId>",
                sk: "METADATA#STOCK",
                gsi1: None,
                gsi2: None,
                attributes: &[
                    "productId",
                    "name",
                    "price",
                    "currency",
                    "selling",
                    "quantity",
                    "spread",
                ],
            },
            Self::Order => Layout {
                pk: "USER#<userId>",
                sk: "ORDER#<createdAt>#<orderId>",
                gsi1: Some(("ORDER#<orderId>", "USER#<userId>")),
                gsi2: Some(("STATUS#<list>#<shard>", "<createdAt>#<orderId>")),
                attributes: &[
                    "id",
                    "userId",
                    "number",
                    "status",
                    "payment",
                    "refundedAmount",
                    "cancelReason",
                    "payBy",
                    "itemCount",
                    "adjustments",
                    "total",
                    "currency",
                    "shippingAddress",
                    "tracking",
                    "version",
                    "createdAt",
                    "updatedAt",
                    "requestId",
                ],
            },
            Self::OrderItem => Layout {
                pk: "ORDER#<orderId>",
                sk: "ITEM#<productId>",
                gsi1: None,
                gsi2: None,
                attributes: &[
                    "orderId",
                    "productId",
                    "name",
                    "quantity",
                    "price",
                    "taken",
                    "takenFrom",
                ],
            },
            Self::Idempotency => Layout {
                pk: "IDEMPOTENCY#<userId>",
                sk: "<key>",
                gsi1: None,
                gsi2: None,
                attributes: &["resultId", "requestHash", "expiresAt"],
            },
            Self::Session => Layout {
                pk: "SESSION#<userId>",
                sk: "<sessionId>",
                gsi1: None,
                gsi2: None,
                attributes: &[
                    "id",
                    "generation",
                    "epoch",
                    "userAgent",
                    "refreshedAt",
                    "expiresAt",
                    "ended",
                ],
            },
            Self::LoginAttempts => Layout {
                pk: "EMAIL#<email>",
                sk: "LOGIN_ATTEMPTS#<passwordVersion>#<source>",
                gsi1: None,
                gsi2: None,
                attributes: &["attempts", "expiresAt"],
            },
            Self::EmailAttempts => Layout {
                pk: "EMAIL#<email>",
                sk: "LOGIN_ATTEMPTS#<passwordVersion>",
                gsi1: None,
                gsi2: None,
                attributes: &["attempts", "expiresAt"],
            },
            Self::SourceAttempts => Layout {
                pk: "SOURCE#<source>",
                sk: "LOGIN_ATTEMPTS",
                gsi1: None,
                gsi2: None,
                attributes: &["attempts", "expiresAt"],
            },
            Self::KnownSource => Layout {
                pk: "EMAIL#<email>",
                sk: "SOURCE#<passwordVersion>#<source>",
                gsi1: None,
                gsi2: None,
                attributes: &["expiresAt"],
            },
            Self::Mail => Layout {
                pk: "MAIL#<eventOrRequestId>",
                sk: "METADATA",
                gsi1: None,
                gsi2: None,
                attributes: &["claims", "claimedUntil", "outcome", "expiresAt"],
            },
            Self::AccountMails => Layout {
                pk: "MAILS#<email>",
                sk: "<mail>",
                gsi1: None,
                gsi2: None,
                attributes: &["attempts", "expiresAt"],
            },
            Self::Registration => Layout {
                pk: "REGISTRATION#<userId>",
                sk: "METADATA",
                gsi1: None,
                gsi2: None,
                attributes: &["id", "email", "name", "passwordHash", "locale", "expiresAt"],
            },
            Self::MailToken => Layout {
                pk: "TOKEN#<hash>",
                sk: "METADATA",
                gsi1: None,
                gsi2: None,
                attributes: &["mail", "userId", "email", "passwordVersion", "expiresAt"],
            },
        }
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ItemType {
    type Err = InvalidItemType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|item_type| item_type.as_str() == text);
        found.copied().ok_or(InvalidItemType)
    }
}
