"""Runs tests on DynamoDB Local."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import Failure, answers, exit_on_signals, free_port, running, wait_until_up

# Those that use a table and nothing else of AWS: `package/test`.
TESTS = [
    "storefront-core/it",
    "storefront-auth/accounts",
    "storefront-auth/imported",
    "storefront-orders/orders",
    "storefront-products/products",
    "storefront-users/users",
]

# DynamoDB Local counts other capacity units than DynamoDB: for an item written in a transaction one instead of two, and
# for one that does not exist none. The embedded DynamoDB counts as AWS documents it.
COUNTS_UNITS = [
    "access_patterns::every_access_pattern_costs_what_its_repository_says",
    "the_log_has_a_line_per_request_and_nothing_personal",
    "a_placed_order_is_counted_and_its_replay_is_not",
]


def executables():
    """Builds the tests, and returns (package's folder, executable) of each."""
    command = ["cargo", "test", "--workspace", "--locked", "--no-run", "--message-format", "json"]
    built = subprocess.run([*command, "--quiet"], stdout=subprocess.PIPE, check=True, text=True)
    found = {}
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["kind"] == ["test"]:
            folder = Path(message["manifest_path"]).parent
            # A package is named after its folder.
            name = f"storefront-{folder.name}/{message['target']['name']}"
            found[name] = (folder, message["executable"])
    missing = [test for test in TESTS if test not in found]
    if missing:
        raise Failure(f"there are no tests {', '.join(missing)}: correct checks/gate/python/second_opinion.py")
    return [(name, *found[name]) for name in TESTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jar", type=Path, required=True, help="DynamoDBLocal.jar")
    jar = parser.parse_args().jar
    tests = executables()
    with tempfile.TemporaryDirectory() as work:
        port, log = free_port(), Path(work, "dynamodb-local.log")
        command = ["java", f"-Djava.library.path={jar.parent}/DynamoDBLocal_lib", "-jar", str(jar)]
        # One database for all keys and regions.
        command += ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
        with running(command, log) as process:
            wait_until_up("DynamoDB Local", process, log, lambda: answers(port))
            environment = {**os.environ, "STOREFRONT_TEST_DYNAMODB": f"http://127.0.0.1:{port}"}
            # What they log is no evidence of privileges: the other run has left that.
            environment.pop("STOREFRONT_TEST_LOGS", None)
            skipped = [argument for test in COUNTS_UNITS for argument in ("--skip", test)]
            for name, folder, executable in tests:
                print(f"{name} on DynamoDB Local", flush=True)
                command = [executable, "--quiet", "--exact", *skipped]
                if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
                    raise Failure(f"{name} failed on DynamoDB Local")


if __name__ == "__main__":
    exit_on_signals()
    try:
        main()
    except Failure as failure:
        sys.exit(str(failure))
