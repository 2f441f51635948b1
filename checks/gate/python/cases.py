"""The cases of events/: an event for a function, and the response that it must give."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dateutil.parser import isoparse

EXPECTED = ".expected.json"

# Placeholders in expected responses for values that differ each time.
ANY_TEXT = {"<token>", "<length>", "<number>", "<later>"}
# The token of a mail about an account.
MAIL_TOKEN = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])", re.ASCII)
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Case:
    """One event, and its expected response."""

    def __init__(self, path):
        self.path = path
        self.binary = path.parent.name
        self.name = f"{self.binary}/{path.stem}"
        self.event = json.loads(path.read_text())
        expected = path.with_suffix(EXPECTED)
        self.expected = json.loads(expected.read_text()) if expected.exists() else None

    def differences(self, answer, published, mails):
        """Returns the differences of a response, of the published events and of the mails, from what is expected."""
        if isinstance(answer, dict) and isinstance(answer.get("body"), str):
            try:
                answer = answer | {"body": json.loads(answer["body"])}
            except ValueError:
                pass
        if "Records" in self.event:
            answer = {"answer": answer, "published": published}
            if self.event["Records"][0].get("eventSource") == "aws:sqs":
                answer["mails"] = [{"to": mail["to"], "text": MAIL_TOKEN.sub("<token>", mail["text"])} for mail in mails]
        return list(_differences(self.expected, answer, ""))


def read(folder, names):
    """Reads the cases with these names (`orders/place`, or `orders` for all of a function), or all without names."""
    paths = sorted(path for path in Path(folder).glob("*/*.json") if _is_case(path))
    cases = [Case(path) for path in paths]
    if not names:
        return cases
    return [case for case in cases if case.name in names or case.binary in names]


def _is_case(path):
    return path.parent.name != "schemas" and not path.name.endswith(EXPECTED)


def _differences(expected, found, where):
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in expected.keys() | found.keys():
            yield from _differences(expected.get(name), found.get(name), f"{where}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, pair in enumerate(zip(expected, found)):
            yield from _differences(*pair, f"{where}/{index}")
    elif not _matches(expected, found):
        yield f"{where or '/'}: expected {json.dumps(expected)}, found {json.dumps(found)}"


def _matches(expected, found):
    if not isinstance(expected, str) or not isinstance(found, str):
        return expected == found
    if expected in ANY_TEXT:
        return found != ""
    if expected == "<now>":
        return _is_now(found)
    pattern = re.escape(expected).replace(re.escape("<uuid>"), UUID)
    return re.fullmatch(pattern, found) is not None


def _is_now(text):
    try:
        time = isoparse(text)
    except ValueError:
        return False
    now = datetime.now(timezone.utc)
    return now - timedelta(minutes=5) < time <= now
