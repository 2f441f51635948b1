"""Tests local clouds against openapi.json with schemathesis, one cloud per caller."""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

import local_cloud
from processes import Failure, exit_on_signals, running

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = ROOT / "checks" / "gate" / "contract"
# Every run of the gate sends the same requests, so that it fails only because of a change.
SEED = 9457
# Users of the seed. The requests of nobody carry no token, or one that schemathesis made up.
CALLERS = {"nobody": None, "a customer": "ada@example.com", "an administrator": "admin@example.com"}
PASSWORD = "storefront-demo"
# Much longer than any run. Without it, a request that gets no response would block the gate.
LONGEST_SECONDS = 600


def session(url, email):
    """Logs a user in; returns their id and access token."""
    answer = requests.post(f"{url}/sessions", json={"email": email, "password": PASSWORD}, timeout=10)
    answer.raise_for_status()
    return answer.json()["user"]["id"], answer.json()["accessToken"]


def run(caller, cloud, seed, folder):
    """Sends the requests of one caller; returns whether all responses were right, and the path of the output."""
    url = f"http://127.0.0.1:{cloud.port}"
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(SETTINGS / "schemathesis.toml")]
    command += ["run", str(ROOT / "openapi.json"), "--url", url, "--seed", str(seed), "--no-color"]
    environment = {**os.environ, "CONTRACT_URL": url, "CONTRACT_CALLER": "", "PYTHONPATH": str(SETTINGS)}
    if CALLERS[caller]:
        environment["CONTRACT_CALLER"], token = session(url, CALLERS[caller])
        command += ["--header", f"Authorization: Bearer {token}"]
    log = folder / f"{caller}.txt"
    started = time.monotonic()
    with running(command, log, environment) as process:
        try:
            status = process.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
    print(f"as {caller}: {'passed' if status == 0 else 'FAILED'}, {time.monotonic() - started:.0f} s", flush=True)
    return status == 0, log


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default=str(SEED), help="a number, or `random`")
    arguments = parser.parse_args()
    seed = random.randrange(2**32) if arguments.seed == "random" else int(arguments.seed)
    print(f"seed {seed}", flush=True)

    exit_on_signals()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as clouds:
        folder = Path(folder)
        # One per caller: the changes of one must not affect the responses to another.
        running_clouds = {
            caller: clouds.enter_context(local_cloud.started("127.0.0.1", folder / f"cloud of {caller}.txt"))
            for caller in CALLERS
        }
        with ThreadPoolExecutor() as threads:
            results = threads.map(lambda item: run(*item, seed, folder), running_clouds.items())
            wrong = [log for is_right, log in results if not is_right]
        for log in wrong:
            print(f"\n--- as {log.stem}:\n{log.read_text()}", file=sys.stderr)
        if wrong:
            command = f"checks/gate/check-contract --seed {seed}"
            raise Failure(f"some responses differ from openapi.json; to reproduce them: {command}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
