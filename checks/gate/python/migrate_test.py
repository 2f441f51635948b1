"""Moves shops from PostgreSQL and SQLite into tables of local clouds and uses them; see checks/gate/migrate-test."""

import argparse
import sys
import tempfile
from pathlib import Path

import local_cloud
import postgres
from api import PASSWORD, Api, equal, problem
from evidence import Evidence
from migration import Migration
from processes import Failure, exit_on_signals
from shops import IntegerKeys, UuidKeys
from sqlite import Sqlite
from steps import Steps

# Fewer for SQLite: everything after reading the source is the same.
ORDERS = 200_000
ORDERS_OF_SQLITE = 10_000

# How many of each customer's orders are checked in detail.
CHECKED_ORDERS = 5


def main():
    arguments = argparse.ArgumentParser(prog="checks/gate/migrate-test")
    arguments.add_argument("--orders", type=int, help="the number of orders in each source")
    arguments.add_argument("--postgres", type=Path, required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--binaries", type=Path, required=True, help=argparse.SUPPRESS)
    arguments = arguments.parse_args()

    exit_on_signals()
    evidence, binaries = Evidence("migrate-test"), arguments.binaries.resolve()
    with tempfile.TemporaryDirectory(prefix="storefront-migrate-") as folder:
        try:
            with postgres.started(arguments.postgres, Path(folder, "postgres.log")) as server:
                print("from PostgreSQL", flush=True)
                orders = arguments.orders or ORDERS
                move(IntegerKeys(server), orders, binaries, Path(folder, "from-postgres"), evidence)
            print("from SQLite", flush=True)
            source = Sqlite(Path(folder, "shop.db"))
            orders = arguments.orders or ORDERS_OF_SQLITE
            move(UuidKeys(source), orders, binaries, Path(folder, "from-sqlite"), evidence)
        except Failure as failure:
            sys.exit(f"FAILED: {failure}")


def move(shop, orders, binaries, folder, evidence):
    folder.mkdir()
    step = Steps()
    cloud_log = folder / "cloud.log"
    options, program = ["--empty", "--data-dir", folder / "data"], [binaries / "storefront"]
    with local_cloud.started("127.0.0.1", cloud_log, *options, program=program) as cloud:
        migration = Migration(binaries / "storefront-migrate", shop, cloud, local_cloud.TABLE, folder)
        migration.generate(binaries / "examples" / "shop", orders)
        customers = shop.give_passwords()
        rows = shop.count()
        step(f"a shop of {rows} users, products and orders")

        for third in (1, 2):
            done = migration.load_until_killed(rows * third // 3)
            step(f"killed the load after {done} rows")
        migration.load()
        equal("rows loaded or rejected", migration.done(), rows)
        step("loaded the rest")

        shop.change()
        migration.load("--catch-up")
        step("caught up with changes")
        migration.verify()
        step("verified that the table matches the source, and has nothing else")

        rejected = migration.rejected()
        stranger = Api(f"http://127.0.0.1:{cloud.port}", evidence)
        found = sum(expect_account(stranger, shop, customer, rejected) for customer in customers)
        step(f"{len(customers)} customers logged in with their old passwords, and found their {found} orders")
    for log in (cloud_log, migration.log):
        evidence.log(log.read_text(errors="replace"))


def expect_account(stranger, shop, customer, rejected):
    """Logs a customer in with the old password, and compares the orders with the source. Returns their number."""
    wrong = {"email": customer.email, "password": f"{PASSWORD}!"}
    problem(stranger.post("/sessions", 401, json=wrong), "invalid_credentials")
    client = stranger.log_in(customer.email)
    # The first log-in has replaced the hash by one of this shop.
    client = client.log_in(customer.email)
    equal("the customer's name", client.get("/users/me").json()["name"], customer.name)

    expected = [(key, order) for key, order in shop.orders(customer) if ("order", key) not in rejected]
    listed = client.pages("/orders", 100)
    found = [(each["createdAt"], each["status"], each["total"], each["currency"]) for each in listed]
    equal("the customer's orders, newest first", found, [order for _, order in expected])
    for (key, _), order in list(zip(expected, listed))[:: max(1, len(listed) // CHECKED_ORDERS)]:
        expect_order(client, shop, key, order, rejected)
    return len(listed)


def expect_order(client, shop, key, order, rejected):
    items = client.get(f"/orders/{order['id']}").json()["items"]
    expected = shop.items(key)
    found = {item["name"]: (item["quantity"], item["price"]) for item in items}
    equal(f"the items of the order {key}", found, {name: item[:2] for name, item in expected.items()})
    for item in items:
        path, product = f"/products/{item['productId']}", expected[item["name"]][2]
        expected_product = shop.product(product)
        if expected_product is None or ("product", product) in rejected:
            problem(client.get(path, 404), "product_not_found")
            continue
        product = client.get(path).json()
        found = tuple(product.get(name) for name in ("name", "category", "price", "currency", "stock"))
        equal("a product", found, expected_product)


if __name__ == "__main__":
    main()
