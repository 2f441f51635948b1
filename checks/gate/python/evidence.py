"""The evidence for the audit, if STOREFRONT_TEST_LOGS names a folder: what functions logged, and what is secret.

Like the tests, each program leaves two files there: `.log` with everything logged, and `.secrets` with one JSON object
for each password, token and email that was used. No log may contain any of them.
"""

import json
import os
from pathlib import Path

SECRET_FIELDS = {
    "password": "password",
    "currentPassword": "password",
    "accessToken": "accessToken",
    "refreshToken": "refreshToken",
    "token": "mailToken",
    "email": "email",
}


class Evidence:
    """The evidence of this process; discarded if STOREFRONT_TEST_LOGS is not set."""

    def __init__(self, program):
        folder = os.environ.get("STOREFRONT_TEST_LOGS")
        self.files = folder and Path(folder) / f"ci.{program}.{os.getpid()}"
        self.known = set()
        if self.files:
            Path(folder).mkdir(parents=True, exist_ok=True)

    def log(self, text):
        self._append(".log", text)

    def secret(self, kind, value):
        if value and (kind, value) not in self.known:
            self.known.add((kind, value))
            self._append(".secrets", json.dumps({"kind": kind, "value": value}) + "\n")

    def secrets_in(self, value):
        """Records the secrets in a request, an event or a response."""
        if isinstance(value, dict):
            for name, each in value.items():
                if isinstance(each, str) and name in SECRET_FIELDS:
                    self.secret(SECRET_FIELDS[name], each)
                elif isinstance(each, str) and name.lower() == "authorization":
                    self.secret("accessToken", each.removeprefix("Bearer "))
                else:
                    self.secrets_in(each)
        elif isinstance(value, list):
            for each in value:
                self.secrets_in(each)
        elif isinstance(value, str) and value[:1] in ("{", "["):
            try:
                self.secrets_in(json.loads(value))
            except ValueError:
                pass

    def _append(self, extension, text):
        if self.files:
            with open(f"{self.files}{extension}", "a", encoding="utf-8") as file:
                file.write(text)
