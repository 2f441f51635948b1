"""The local cloud (`cargo run`), for the functions' table and event bus."""

import re
from contextlib import contextmanager

import requests

from processes import running, wait_until_up

TABLE = "storefront"
# The command that developers use.
PROGRAM = ["cargo", "run", "--quiet", "--locked", "--"]
TOKEN_SECRET = "storefront-local-token-secret-not-for-production"


class LocalCloud:
    """A running local cloud, on its own ports."""

    def __init__(self, port, dynamodb_port):
        self.port = port
        self.dynamodb_port = dynamodb_port

    def published(self):
        """Returns the details of the published events, oldest first."""
        answer = requests.get(f"http://127.0.0.1:{self.port}/_local/events", timeout=10)
        answer.raise_for_status()
        return [event["detail"] for event in answer.json()["events"]]

    def mails(self):
        """Returns the mails that were sent, oldest first."""
        answer = requests.get(
            f"http://127.0.0.1:{self.port}/_local/mail", headers={"Accept": "application/json"}, timeout=10
        )
        answer.raise_for_status()
        return answer.json()["mails"]

    def variables(self, host):
        """Returns the environment variables of functions that reach it under this host name."""
        return {
            "TABLE_NAME": TABLE,
            "TOKEN_SECRET": TOKEN_SECRET,
            # The template's defaults.
            "MAX_OPEN_ORDERS": "10",
            "PENDING_ORDER_MINUTES": "60",
            "EVENT_BUS_NAME": TABLE,
            "MAIL_FROM": "shop@example.com",
            "FAILED_RECORDS_BUCKET": TABLE,
            "REGISTRATION_BY_MAIL": "false",
            "ACCOUNT_MAILS_QUEUE_URL": f"http://{host}:{self.port}/_local/sqs/AccountMailsQueue",
            # The most detailed level that can be set, for the audit.
            "RUST_LOG": "DEBUG",
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://{host}:{self.dynamodb_port}",
            "AWS_ENDPOINT_URL_EVENTBRIDGE": f"http://{host}:{self.port}/_local/eventbridge",
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{self.port}/_local/s3",
            "AWS_ENDPOINT_URL_SESV2": f"http://{host}:{self.port}/_local/ses",
            "AWS_ENDPOINT_URL_SQS": f"http://{host}:{self.port}/_local/sqs",
        }


@contextmanager
def started(listen, log, *options, program=PROGRAM):
    """Starts a local cloud, which ends with the block. Without options it contains the seed, in memory."""
    command = [*program, *(options or ["--in-memory"]), "--host", listen, "--port", "0"]
    command += ["--dynamodb-port", "0"]

    def ports():
        text = log.read_text()
        found = re.search(r"^ +API +http://.*:(\d+)$[^$]*^ +DynamoDB +http://[^ ]*:(\d+) ", text, re.MULTILINE)
        return found and LocalCloud(*map(int, found.groups()))

    with running(command, log) as process:
        yield wait_until_up("the local cloud", process, log, ports)
