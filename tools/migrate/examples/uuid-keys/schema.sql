-- A shop with UUIDs (random ones, except for newer orders) and several currencies, whose prices have their own tables.
-- For PostgreSQL, and for SQLite, which ignores the types.

CREATE TABLE accounts (
    id UUID NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE credentials (
    account_id UUID NOT NULL PRIMARY KEY,
    login TEXT NOT NULL,
    secret TEXT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE currencies (
    id INTEGER NOT NULL PRIMARY KEY,
    -- ISO 4217
    code CHAR(3) NOT NULL
);

CREATE TABLE products (
    id UUID NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    body TEXT,
    department TEXT NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL
);

-- Each product has one current price; earlier ones have a `valid_until`.
CREATE TABLE product_prices (
    id UUID NOT NULL PRIMARY KEY,
    product_id UUID NOT NULL,
    currency_id INTEGER NOT NULL,
    minor_amount BIGINT NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    valid_until TIMESTAMPTZ
);

CREATE INDEX product_prices_product_id ON product_prices (product_id);

CREATE TABLE purchases (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID,
    placed_at TIMESTAMPTZ NOT NULL,
    paid_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    arrived_at TIMESTAMPTZ,
    cancelled_at TIMESTAMPTZ
);

CREATE TABLE purchase_positions (
    purchase_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID NOT NULL,
    label TEXT NOT NULL,
    pieces INTEGER NOT NULL,
    currency_id INTEGER NOT NULL,
    minor_amount BIGINT NOT NULL,
    PRIMARY KEY (purchase_id, position)
);
