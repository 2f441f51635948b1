"""An AWS emulator for one test: ministack, on a free port, with nothing kept afterwards."""

import os
from contextlib import contextmanager

import boto3
from botocore.config import Config

from processes import answers, free_port, running, wait_until_up

REGION = "eu-central-1"

# The emulator's administrator. These mean nothing to AWS, and nothing here ever talks to AWS.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Emulator:
    """A running emulator."""

    def __init__(self, url, log):
        self.url = url
        self.log = log

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def environment(self):
        """Makes programs use the emulator as AWS, whatever account they are configured for."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }


@contextmanager
def started(python, folder):
    """Starts an emulator that stores its files in the folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "emulator.log"
    # It passes its whole environment on to the functions, so it gets none of ours.
    env = CREDENTIALS | {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder / "state"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        # Where the functions find DynamoDB and other services.
        "AWS_ENDPOINT_URL": url,
        # Each function may do what its role allows, and nothing else.
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with running([python, "-m", "ministack"], log, env) as process:
        wait_until_up("the emulator", process, log, lambda: answers(port))
        yield Emulator(url, log)
