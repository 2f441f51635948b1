"""What customers and administrators do in a deployed shop, and the results that they must get."""

from api import PASSWORD, equal, problem

CUSTOMER = "anna@example.com"
ADMINISTRATOR = "admin@example.com"
MOVED_IN = "ben@example.com"
CATEGORY = "coffee"


def take(stranger, make_administrator, set_hash, mailbox):
    """Uses the shop; returns the details of the events that must have been published.

    `make_administrator` makes the registered user with an email the first administrator. `set_hash` gives a user another
    password hash. `mailbox` has the mails.
    """
    customer = _customer(stranger)
    _move_in(stranger, set_hash, mailbox)
    administrator = _administrator(stranger, make_administrator)
    products = _products(stranger, customer, administrator)
    placed = _orders(stranger, customer, products)
    order, another = placed[0], placed[2]
    events = _ship(customer, administrator, order)
    events += _cancel(stranger, customer, administrator, another)
    # Somebody who has left is not written to.
    _expect_mails(mailbox, placed, order, another)
    _leave(stranger, customer, administrator, products)
    return events


def _customer(stranger):
    registration = {"email": CUSTOMER, "password": PASSWORD, "name": "Anna"}
    registered = stranger.post("/users", 201, json=registration, headers={"Accept-Language": "de-AT, de;q=0.9, en;q=0.8"})
    user = registered.json()
    equal("the language of a new user", user["locale"], "de")
    equal("Location of a new user", registered.headers["Location"], f"/users/{user['id']}")
    equal("the role of a new user", user["role"], "user")
    problem(stranger.post("/users", 409, json=registration), "email_taken")

    wrong = {"email": CUSTOMER, "password": "wrong horse battery"}
    problem(stranger.post("/sessions", 401, json=wrong), "invalid_credentials")
    customer = stranger.log_in(CUSTOMER)

    # API Gateway answers these itself: a request that the authorizer rejects reaches no function.
    stranger.get("/users/me", 401)
    stranger.with_token("not.a.token").get("/users/me", 403)
    forged = customer.token[:-4] + ("AAAA" if customer.token[-4:] != "AAAA" else "BBBB")
    stranger.with_token(forged).get("/users/me", 403)

    equal("the profile of the customer", customer.get("/users/me").json(), user)
    _sessions(stranger)
    return customer


def _sessions(stranger):
    """A second session of the customer is refreshed, listed and ended."""
    session = stranger.post("/sessions", 201, json={"email": CUSTOMER, "password": PASSWORD}).json()
    first = {"refreshToken": session["refreshToken"]}
    session = stranger.post("/sessions/refresh", 200, json=first).json()
    # Its answer may have been lost.
    again = stranger.post("/sessions/refresh", 200, json=first).json()
    equal("the refresh token after a lost answer", again["refreshToken"], session["refreshToken"])
    client = stranger.with_token(session["accessToken"])
    listed = client.get("/sessions").json()["items"]
    equal("which session is the current one", [each["current"] for each in listed], [True, False])
    client.delete("/sessions/current")
    problem(stranger.post("/sessions/refresh", 401, json={"refreshToken": session["refreshToken"]}), "session_over")
    client.delete("/sessions")
    equal("the sessions that are left", client.get("/sessions").json()["items"], [])


def _move_in(stranger, set_hash, mailbox):
    """A customer of another shop, whose hash nobody can verify, gets in by mail, and verifies another email."""
    registration = {"email": MOVED_IN, "password": PASSWORD, "name": "Ben"}
    user = stranger.post("/users", 201, json=registration).json()
    equal("a new email is verified", user["emailVerified"], False)
    set_hash(user["id"], "$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/")
    problem(stranger.post("/sessions", 401, json={"email": MOVED_IN, "password": PASSWORD}), "invalid_credentials")
    for email in [MOVED_IN, "nobody@example.com"]:
        stranger.post("/password-resets", 202, json={"email": email})
    token = mailbox.token(MOVED_IN, "Your new password", "password-reset")
    new = {"token": token, "password": "another horse battery"}
    stranger.post("/password-resets/confirm", 204, json=new)
    problem(stranger.post("/password-resets/confirm", 422, json=new), "mail_token_invalid")
    customer = stranger.log_in(MOVED_IN, new["password"])
    equal("an email that got a mail is verified", customer.get("/users/me").json()["emailVerified"], True)

    email = f"moved.{MOVED_IN}"
    changed = customer.patch("/users/me", json={"email": email, "currentPassword": new["password"]}).json()
    equal("another email is verified", changed["emailVerified"], False)
    customer.post("/users/me/verification", 202)
    token = mailbox.token(email, "Please confirm your email address", "verification")
    stranger.post("/verifications", 204, json={"token": token})
    equal("it is verified then", customer.get("/users/me").json()["emailVerified"], True)


def _administrator(stranger, make_administrator):
    registration = {"email": ADMINISTRATOR, "password": PASSWORD, "name": "Admin"}
    stranger.post("/users", 201, json=registration)
    make_administrator(ADMINISTRATOR)
    # The role is in the token, so the new one takes effect at the next log-in.
    administrator = stranger.log_in(ADMINISTRATOR)
    equal("the role of the administrator", administrator.get("/users/me").json()["role"], "admin")
    found = administrator.get("/users", params={"email": CUSTOMER}).json()["items"]
    equal("users with the customer's email", [user["email"] for user in found], [CUSTOMER])
    return administrator


def _products(stranger, customer, administrator):
    new = {"category": CATEGORY, "price": 1890, "currency": "EUR", "stock": 10}
    problem(customer.post("/products", 403, json=new | {"name": "Mine"}), "forbidden")
    names = ["Espresso", "Filter roast", "Decaf", "Yirgacheffe", "Geisha"]
    products = [administrator.post("/products", json=new | {"name": name}).json() for name in names]

    listed = stranger.pages("/products", 2, category=CATEGORY)
    without_stock = [{name: value for name, value in product.items() if name != "stock"} for product in products]
    equal("the products of a category, page by page", listed, without_stock)

    changed = {"price": 2090}
    path = f"/products/{products[1]['id']}"
    problem(administrator.patch(path, 412, json=changed, headers={"If-Match": '"7"'}), "version_mismatch")
    products[1] = administrator.patch(path, json=changed, headers={"If-Match": '"1"'}).json()
    unlimited = administrator.patch(f"/products/{products[2]['id']}", json={"stock": None}).json()
    equal("the stock of a product with unlimited stock", unlimited["stock"], None)
    _receive(stranger, administrator, products[3])
    return products


def _receive(stranger, administrator, product):
    """Goods arrive, while the product is spread and taken off sale."""
    path = f"/products/{product['id']}"
    equal("the spread", administrator.put(f"{path}/stock-spread", json={"items": 4}).json(), {"items": 4})
    received = {"json": {"change": 50}, "headers": {"Idempotency-Key": "delivery-1"}}
    for _ in range(2):
        changed = administrator.post(f"{path}/stock-changes", 200, **received).json()
        equal("the stock after a delivery", changed["stock"], 60)
    administrator.patch(path, json={"selling": False})
    equal("a product that is not for sale", stranger.get(path).json()["available"], False)
    administrator.patch(path, json={"selling": True})
    equal("a product that is spread", stranger.get(path).json()["stock"], 60)


def _orders(stranger, customer, products):
    items = [{"productId": products[0]["id"], "quantity": 2}, {"productId": products[1]["id"], "quantity": 1}]
    once = {"json": {"items": items}, "headers": {"Idempotency-Key": "anna-1"}}
    order = customer.post("/orders", 201, **once).json()
    equal("the total of an order", order["total"], 2 * 1890 + 2090)
    replayed = customer.post("/orders", 200, **once)
    equal("a replayed order", replayed.json(), order)
    equal("Idempotency-Replayed", replayed.headers["Idempotency-Replayed"], "true")
    other = {"items": items[:1]}
    again = customer.post("/orders", 422, json=other, headers=once["headers"])
    problem(again, "idempotency_key_reused")

    # The stock was taken once, although the order was sent three times.
    stock = stranger.get(f"/products/{products[0]['id']}").json()["stock"]
    equal("the stock of an ordered product", stock, 8)
    too_many = {"items": [{"productId": products[4]["id"], "quantity": 11}]}
    problem(customer.post("/orders", 409, json=too_many), "out_of_stock")

    unlimited = {"items": items[:1] + [{"productId": products[2]["id"], "quantity": 999}]}
    placed = [order, customer.post("/orders", json=other).json(), customer.post("/orders", json=unlimited).json()]
    listed = customer.pages("/orders", 2)
    equal("the customer's orders, newest first", _ids(listed), _ids(placed[::-1]))
    equal("an order read by id", customer.get(f"/orders/{order['id']}").json(), order)
    return placed


def _ship(customer, administrator, order):
    path = f"/orders/{order['id']}"
    problem(customer.patch(path, 403, json={"status": "paid"}), "forbidden")
    problem(administrator.patch(path, 409, json={"status": "shipped"}), "invalid_status_change")
    paid = administrator.patch(path, json={"status": "paid"}, headers={"If-Match": '"1"'})
    shipped = administrator.patch(path, json={"status": "shipped"})
    equal("the status that the customer sees", customer.get(path).json()["status"], "shipped")
    listed = administrator.get("/orders", params={"status": "shipped"}).json()["items"]
    equal("the orders that are on their way", _ids(listed), [order["id"]])
    refund = {"json": {"amount": 1}, "headers": {"Idempotency-Key": "refund-1"}}
    for replayed in ["false", "true"]:
        refunded = administrator.post(f"{path}/refunds", 200, **refund)
        equal("whether a refund was booked before", refunded.headers["Idempotency-Replayed"], replayed)
        equal("what was paid back", refunded.json()["refundedAmount"], 1)
    exported = customer.get("/users/me/export").json()["orders"]["items"]
    equal("the exported orders contain it", order["id"] in _ids(exported), True)
    return [_event(order, paid), _event(paid.json(), shipped)]


def _cancel(stranger, customer, administrator, order):
    product = f"/products/{order['items'][0]['productId']}"
    before = stranger.get(product).json()["stock"]
    cancelled = customer.patch(f"/orders/{order['id']}", json={"status": "cancelled"})
    equal("the stock returned", stranger.get(product).json()["stock"] - before, order["items"][0]["quantity"])
    seen = administrator.get("/orders", params={"userId": order["userId"]}).json()["items"]
    equal("the customer's orders contain the cancelled one", order["id"] in _ids(seen), True)
    return [_event(order, cancelled)]


def _expect_mails(mailbox, placed, order, cancelled):
    """The customer reads German."""
    subjects = [f"Ihre Bestellung {each['number']}" for each in placed]
    subjects += [
        f"Ihre Zahlung für die Bestellung {order['number']} ist eingegangen",
        f"Ihre Bestellung {order['number']} ist unterwegs",
        f"Erstattung zu Ihrer Bestellung {order['number']}",
        f"Ihre Bestellung {cancelled['number']} wurde storniert",
    ]
    mailbox.expect(CUSTOMER, _ids(placed), subjects)


def _leave(stranger, customer, administrator, products):
    moved = {"email": "anna@example.org", "password": "another horse battery", "currentPassword": PASSWORD}
    user = customer.patch("/users/me", json=moved).json()
    path = f"/users/{user['id']}"
    equal("the email after a change", user["email"], moved["email"])
    stranger.log_in(moved["email"], moved["password"])
    promoted = administrator.put(f"{path}/role", json={"role": "admin"}).json()
    equal("the role after a change", promoted["role"], "admin")
    problem(customer.delete(path, 422), "invalid_body")
    confirmed = {"json": {"currentPassword": moved["password"]}}
    problem(customer.delete(path, 409, **confirmed), "administrator_needed")
    equal("the role after another change", administrator.put(f"{path}/role", json={"role": "user"}).json()["role"], "user")
    customer.delete(path, **confirmed)
    problem(administrator.get(path, 404), "user_not_found")
    # One mailbox, as a customer types it and as a browser sends it.
    passing = {"email": "gast@müller.example", "password": PASSWORD, "name": "Rene\u0301e"}
    equal("the name in its normal form", stranger.post("/users", 201, json=passing).json()["name"], "Renée")
    guest = stranger.log_in("gast@xn--mller-kva.example")
    guest.post("/users/me/deletion", 204, json={"currentPassword": PASSWORD})
    administrator.delete(f"/products/{products[3]['id']}")
    problem(stranger.get(f"/products/{products[3]['id']}", 404), "product_not_found")


def _ids(items):
    return [item["id"] for item in items]


def _event(before, answer):
    """The event that a change of an order publishes, given the order before and the response."""
    after = answer.json()
    return {
        "eventId": f"{after['id']}:{after['version']}",
        "orderId": after["id"],
        "userId": after["userId"],
        "previousStatus": before["status"],
        "status": after["status"],
        "total": after["total"],
        "currency": after["currency"],
        "version": after["version"],
        "changedAt": after["updatedAt"],
        "requestId": answer.headers["x-request-id"],
    }
