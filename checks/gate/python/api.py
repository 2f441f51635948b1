"""The shop's API as a client sees it."""

import re

import requests

from processes import Failure

PASSWORD = "correct horse battery"


class Api:
    """A client that knows the API's URL and, once logged in, its access token."""

    def __init__(self, url, evidence):
        self.url = url
        self.evidence = evidence
        self.token = None
        self.called = []

    def log_in(self, email, password=PASSWORD):
        session = self.post("/sessions", 201, json={"email": email, "password": password})
        return self.with_token(session.json()["accessToken"])

    def with_token(self, token):
        """Returns a client for the same API with this access token."""
        client = Api(self.url, self.evidence)
        client.token = token
        client.called = self.called
        return client

    def get(self, path, status=200, **options):
        return self._send("GET", path, status, **options)

    def post(self, path, status=201, **options):
        return self._send("POST", path, status, **options)

    def patch(self, path, status=200, **options):
        return self._send("PATCH", path, status, **options)

    def put(self, path, status=200, **options):
        return self._send("PUT", path, status, **options)

    def delete(self, path, status=204, **options):
        return self._send("DELETE", path, status, **options)

    def pages(self, path, limit, **parameters):
        """Reads all items of a list, page by page."""
        items, cursor = [], None
        while True:
            page = self.get(path, params=parameters | {"limit": limit, "cursor": cursor}).json()
            items += page["items"]
            cursor = page.get("nextCursor")
            if cursor is None:
                return items
            equal(f"the number of items on a page of {path} before the last", len(page["items"]), limit)

    def expect_called(self, routes):
        """Fails if a route, such as `GET /users/{userId}`, was never called successfully."""
        patterns = {route: re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)) for route in routes}
        never = [
            route
            for route, pattern in patterns.items()
            if not any(re.fullmatch(pattern, call) for call in self.called)
        ]
        equal("routes that the journey never called successfully", never, [])

    def _send(self, method, path, status, headers=None, **options):
        headers = dict(headers or {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = requests.request(method, self.url + path, headers=headers, timeout=30, **options)
        for exchanged in (headers, options, answer.text):
            self.evidence.secrets_in(exchanged)
        if answer.status_code != status:
            raise Failure(f"{method} {path}: expected {status}, got {answer.status_code}: {answer.text}")
        if answer.ok:
            self.called.append(f"{method} {path}")
        return answer


def equal(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def problem(answer, code):
    """Checks that a response is a problem with this code."""
    equal("the type of a problem", answer.headers["Content-Type"], "application/problem+json")
    equal("the problem's code", answer.json()["code"], code)
