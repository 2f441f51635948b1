"""What is kept for the audit where STOREFRONT_TEST_LOGS names a folder: what functions logged, and what is secret.

As the tests do, each program leaves there a `.log` of what was written, and a `.secrets` with one JSON object
for each password, token and email that was used, none of which may be in any log.
"""

import json
import os
from pathlib import Path

SECRET_FIELDS = {
    "password": "password",
    "currentPassword": "password",
    "accessToken": "accessToken",
    "email": "email",
}


class Evidence:
    """The evidence of this process; goes nowhere if nobody asked for it."""

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
        """Notes the secrets in a request, an event or an answer."""
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
