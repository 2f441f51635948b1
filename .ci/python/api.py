"""The shop's API as a client sees it."""

import requests

from processes import Failure

PASSWORD = "correct horse battery"


class Api:
    """A client that knows the API's URL, and who it is once logged in."""

    def __init__(self, url, evidence, token=None):
        self.url = url
        self.evidence = evidence
        self.token = token

    def log_in(self, email):
        session = self.post("/sessions", 201, json={"email": email, "password": PASSWORD})
        return self.with_token(session.json()["accessToken"])

    def with_token(self, token):
        return Api(self.url, self.evidence, token)

    def get(self, path, status=200, **options):
        return self._send("GET", path, status, **options)

    def post(self, path, status=201, **options):
        return self._send("POST", path, status, **options)

    def patch(self, path, status=200, **options):
        return self._send("PATCH", path, status, **options)

    def pages(self, path, limit, **parameters):
        """All items of a list, page by page."""
        items, cursor = [], None
        while True:
            page = self.get(path, params=parameters | {"limit": limit, "cursor": cursor}).json()
            items += page["items"]
            cursor = page.get("nextCursor")
            if cursor is None:
                return items
            equal(f"items on a page of {path} before the last", len(page["items"]), limit)

    def _send(self, method, path, status, headers=None, **options):
        headers = dict(headers or {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = requests.request(method, self.url + path, headers=headers, timeout=30, **options)
        for exchanged in (headers, options, answer.text):
            self.evidence.secrets_in(exchanged)
        if answer.status_code != status:
            raise Failure(f"{method} {path} should have been {status}, and was {answer.status_code}: {answer.text}")
        return answer


def equal(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def problem(answer, code):
    """Checks that an answer is the problem of this code."""
    equal("the type of a problem", answer.headers["Content-Type"], "application/problem+json")
    equal("the problem's code", answer.json()["code"], code)
