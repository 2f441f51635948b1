"""The shops of the examples in SQL: what they contain, what changes, and what a customer should find.

The queries are independent of the mappings, which are under test.
"""

from typing import NamedTuple

# Hashes of the password in api.py, by other shops' algorithms: PHP's bcrypt and argon2.
HASHES = [
    "$2y$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.",
    "$argon2id$v=19$m=65536,t=4,p=1$c3RvcmVmcm9udC1zYWx0IQ$4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q",
]


class Customer(NamedTuple):
    key: str
    email: str
    name: str


class IntegerKeys:
    """The example with integer keys, in PostgreSQL."""

    example = "integer-keys"
    statuses = {"N": "pending", "P": "paid", "S": "shipped", "D": "delivered", "X": "cancelled"}

    def __init__(self, source):
        self.source = source

    def count(self):
        """Counts users, products and orders, valid or not."""
        (row,) = self.source.rows(
            "SELECT (SELECT COUNT(*) FROM customers) + (SELECT COUNT(*) FROM products)"
            " + (SELECT COUNT(*) FROM orders) AS all_rows"
        )
        return row["all_rows"]

    def give_passwords(self):
        """Sets known passwords for the customers with the most orders; returns these customers."""
        rows = self.source.rows(
            "SELECT customers.id, email, first_name || ' ' || last_name AS name"
            " FROM customers JOIN orders ON orders.customer_id = customers.id"
            # Excludes the generator's unusable emails, and emails of another customer in capitals.
            " WHERE email = LOWER(email) AND email LIKE '%@%' AND NOT is_staff"
            f" GROUP BY customers.id, email, first_name, last_name ORDER BY COUNT(*) DESC LIMIT {len(HASHES)}"
        )
        for row, password in zip(rows, HASHES):
            self.source.execute(f"UPDATE customers SET password_digest = '{password}' WHERE id = {row['id']}")
        return [Customer(str(row["id"]), row["email"], row["name"]) for row in rows]

    def change(self):
        """Does what people do while the load runs: changes some of everything, and adds some."""
        now = "updated_at = now() AT TIME ZONE 'UTC'"
        self.source.execute(
            f"""
            UPDATE customers SET first_name = 'Renamed', {now} WHERE id % 100 = 17;
            -- Only if no other customer is waiting for the email to become free.
            UPDATE customers SET email = 'moved.' || email, {now} WHERE id % 500 = 42 AND NOT EXISTS (
                SELECT FROM customers AS other
                WHERE other.id BETWEEN customers.id - 1 AND customers.id + 1 AND other.id <> customers.id
                AND LOWER(other.email) = LOWER(customers.email)
            );
            UPDATE products SET unit_price = unit_price + 1, stock_count = stock_count - 1, {now}
            WHERE id % 50 = 11 AND unit_price > 0 AND stock_count > 0;
            -- Orders with an unknown status stay rejects.
            UPDATE orders SET state = 'D', {now} WHERE id % 100 = 3 AND state IN ('N', 'P', 'S', 'X');
            INSERT INTO orders SELECT id + 1000000000, customer_id, 'P', grand_total,
                now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' FROM orders WHERE id % 1000 = 5;
            INSERT INTO order_lines SELECT id + 1000000000000, order_id + 1000000000, product_id, product_title,
                quantity, unit_price FROM order_lines WHERE order_id % 1000 = 5 AND order_id < 1000000000;
            """
        )

    def orders(self, customer):
        """Returns the customer's orders, newest first: for each, its key and what the API's list should show."""
        rows = self.source.rows(
            """SELECT id, to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at, state,"""
            " (grand_total * 100)::bigint AS total FROM orders"
            f" WHERE customer_id = {customer.key} ORDER BY orders.created_at DESC, id"
        )
        # An order with an unknown status is not in the shop.
        return [
            (str(row["id"]), (row["created_at"], self.statuses.get(row["state"]), row["total"], "EUR")) for row in rows
        ]

    def items(self, order):
        """Returns quantity, price and product key of each item of an order, by the item's name."""
        rows = self.source.rows(
            "SELECT product_id, product_title, quantity, (unit_price * 100)::bigint AS price"
            f" FROM order_lines WHERE order_id = {order}"
        )
        return {row["product_title"]: (row["quantity"], row["price"], str(row["product_id"])) for row in rows}

    def product(self, key):
        """Returns name, category, price, currency and stock of a product, if it exists."""
        rows = self.source.rows(
            "SELECT products.title, categories.title AS category, (unit_price * 100)::bigint AS price, stock_count"
            f" FROM products JOIN categories ON categories.id = category_id WHERE products.id = {key}"
        )
        for row in rows:
            return (row["title"], row["category"].lower(), row["price"], "EUR", row["stock_count"])
        return None


class UuidKeys:
    """The example with UUIDs, in SQLite."""

    example = "uuid-keys"

    def __init__(self, source):
        self.source = source

    def count(self):
        (row,) = self.source.rows(
            "SELECT (SELECT COUNT(*) FROM accounts) + (SELECT COUNT(*) FROM products)"
            " + (SELECT COUNT(*) FROM purchases) AS all_rows"
        )
        return row["all_rows"]

    def give_passwords(self):
        rows = self.source.rows(
            "SELECT accounts.id, login, display_name FROM accounts"
            " JOIN credentials ON credentials.account_id = accounts.id"
            " JOIN purchases ON purchases.account_id = accounts.id"
            " WHERE login = LOWER(login) AND login LIKE '%@%'"
            f" GROUP BY accounts.id, login, display_name ORDER BY COUNT(*) DESC LIMIT {len(HASHES)}"
        )
        for row, password in zip(rows, HASHES):
            self.source.execute(f"UPDATE credentials SET secret = '{password}' WHERE account_id = '{row['id']}'")
        return [Customer(row["id"], row["login"], row["display_name"]) for row in rows]

    def change(self):
        # Few tables of the schema record when a row was changed.
        now = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
        self.source.execute(
            f"""
            UPDATE accounts SET display_name = 'Renamed' WHERE rowid % 100 = 17;
            UPDATE credentials SET changed_at = {now} WHERE rowid % 100 = 17;
            UPDATE purchases SET paid_at = COALESCE(paid_at, {now}), sent_at = COALESCE(sent_at, {now}),
                arrived_at = {now} WHERE cancelled_at IS NULL AND rowid % 100 = 3;
            INSERT INTO products SELECT '00000000-0000-4000-8000-' || substr(id, 25), label || ', new', body, department,
                {now} FROM products WHERE rowid % 50 = 7;
            INSERT INTO product_prices SELECT '00000000-0000-4000-8000-' || substr(id, 25),
                '00000000-0000-4000-8000-' || substr(product_id, 25), currency_id, minor_amount, valid_from, NULL
                FROM product_prices WHERE valid_until IS NULL
                AND product_id IN (SELECT id FROM products WHERE rowid % 50 = 7 AND label NOT LIKE '%, new');
            """
        )

    def orders(self, customer):
        rows = self.source.rows(
            "SELECT purchases.id, placed_at, paid_at, sent_at, arrived_at, cancelled_at,"
            " SUM(pieces * minor_amount) AS total, MIN(code) AS currency FROM purchases"
            " LEFT JOIN purchase_positions ON purchase_id = purchases.id"
            " LEFT JOIN currencies ON currencies.id = currency_id"
            f" WHERE account_id = '{customer.key}' GROUP BY purchases.id ORDER BY placed_at DESC"
        )
        return [
            (row["id"], (_time(row["placed_at"]), self._status(row), row["total"], row["currency"])) for row in rows
        ]

    def items(self, order):
        rows = self.source.rows(
            f"SELECT product_id, label, pieces, minor_amount FROM purchase_positions WHERE purchase_id = '{order}'"
        )
        return {row["label"]: (row["pieces"], row["minor_amount"], row["product_id"]) for row in rows}

    def product(self, key):
        rows = self.source.rows(
            "SELECT label, department, minor_amount, code FROM products"
            " JOIN product_prices ON product_id = products.id AND valid_until IS NULL"
            f" JOIN currencies ON currencies.id = currency_id WHERE products.id = '{key}'"
        )
        # As in the mapping.
        categories = {"Hot drinks": "tea"}
        # The source does not track stock.
        for row in rows:
            category = categories.get(row["department"], row["department"].lower())
            return (row["label"], category, row["minor_amount"], row["code"], None)
        return None

    def _status(self, row):
        times = {"cancelled": "cancelled_at", "delivered": "arrived_at", "shipped": "sent_at", "paid": "paid_at"}
        return next((status for status, column in times.items() if row[column]), "pending")


def _time(text):
    return f"{text[:10]}T{text[11:23]}Z"
