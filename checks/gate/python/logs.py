"""The logs of the functions in the emulator."""

import json
import sys

from botocore.exceptions import BotoCoreError, ClientError

from processes import Failure, last_lines


def lines(aws):
    """Yields each line of each log group, as (log group, line)."""
    client = aws.client("logs")
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=name):
            for event in page["events"]:
                for line in event["message"].splitlines():
                    yield name, line


def expect_no_errors(aws):
    """Fails if a function has logged an error."""
    errors = [f"{group}: {line}" for group, line in lines(aws) if level(line) == "ERROR"]
    if errors:
        raise Failure("the functions logged errors:\n" + "\n".join(errors))


def level(line):
    try:
        return json.loads(line).get("level")
    except (ValueError, AttributeError):
        return None


def show(aws):
    """Prints all logs, to find out why something failed."""
    try:
        for group, line in lines(aws):
            print(f"{group}: {line}", file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"the functions' logs cannot be read: {error}", file=sys.stderr)
    print(f"--- last output of the emulator:\n{last_lines(aws.log)}", file=sys.stderr)
