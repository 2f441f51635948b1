"""The cases of events/: what a function is invoked with, and what it must answer."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dateutil.parser import isoparse

EXPECTED = ".expected.json"

# An expected answer has placeholders for what differs each time.
ANY_TEXT = {"<token>", "<length>"}
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Case:
    """One event, and the answer beside it."""

    def __init__(self, path):
        self.path = path
        self.binary = path.parent.name
        self.name = f"{self.binary}/{path.stem}"
        self.event = json.loads(path.read_text())
        expected = path.with_suffix(EXPECTED)
        self.expected = json.loads(expected.read_text()) if expected.exists() else None

    def differences(self, answer, published):
        """Where an answer, and the events that were published, are not as expected."""
        if isinstance(answer, dict) and isinstance(answer.get("body"), str):
            try:
                answer = answer | {"body": json.loads(answer["body"])}
            except ValueError:
                pass
        if "Records" in self.event:
            answer = {"answer": answer, "published": published}
        return list(_differences(self.expected, answer, ""))


def read(folder, names):
    """The cases with these names (`orders/place`, or `orders` for all of a function); all without names."""
    paths = sorted(path for path in Path(folder).glob("*/*.json") if not path.name.endswith(EXPECTED))
    cases = [Case(path) for path in paths]
    if not names:
        return cases
    return [case for case in cases if case.name in names or case.binary in names]


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
