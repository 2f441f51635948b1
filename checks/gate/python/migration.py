"""Runs `storefront-migrate` from a source into the table of a local cloud."""

import json
import os
import signal
import subprocess
import time

from processes import Failure, last_lines, running

# The exit code if everything is done except the rows in the file of rejects.
REJECTS = 3

# More than the emulator can take; it costs nothing here.
MAX_WCU = 1_000_000


class Migration:
    """The migration of one shop, with its own state folder."""

    def __init__(self, program, shop, cloud, table, folder):
        self.program = program
        self.shop = shop
        self.table = table
        self.folder = folder
        self.state = folder / "state"
        self.log = folder / "migrate.log"
        self.mapping = f"tools/migrate/examples/{shop.example}/migration.toml"
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        self.environment = kept | {
            "DATABASE_URL": shop.source.url,
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{cloud.dynamodb_port}",
            # The emulator accepts any.
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def generate(self, generator, orders):
        """Fills the source with the example's shop, which the example program generates."""
        statements = self.folder / "shop.sql"
        with open(statements, "wb") as output:
            subprocess.run([generator, self.shop.example, "--orders", str(orders)], stdout=output, check=True)
        self.shop.source.execute_file(statements)

    def load(self, *more):
        """Starts or resumes the load, and completes it."""
        self._run(*self._load(), *more)

    def load_until_killed(self, rows):
        """Starts or resumes the load, and kills it once this many rows of users, products and orders are done."""
        with running([self.program, *self._load()], self.log, self.environment) as process:
            while self.done() < rows:
                if process.poll() is not None:
                    raise Failure(f"the load ended by itself. Its last output:\n{last_lines(self.log)}")
                time.sleep(0.02)
            process.kill()
            process.wait()
        if process.returncode != -signal.SIGKILL:
            raise Failure(f"the load ended before it was killed:\n{last_lines(self.log)}")
        return self.done()

    def done(self):
        """Reads from the state folder how many rows of users, products and orders are loaded or rejected."""
        try:
            counts = json.loads((self.state / "state.json").read_text())["progress"]["counts"]
        except FileNotFoundError:
            return 0
        # Items without an order are rejects as well, but not rows of these.
        rejected = (sum(reasons.values()) for of, reasons in counts["rejects"].items() if of != "order_items")
        return sum(counts["units"].values()) + sum(rejected)

    def verify(self):
        """Compares the table with the source. Fails if they differ."""
        self._run("verify", "--mapping", self.mapping, "--table", self.table, "--state", self.state)

    def rejected(self):
        """Returns the entity and key of each reject. Fails if one occurs twice, which interruptions must not cause."""
        lines = (self.state / "rejects.jsonl").read_text().splitlines()
        rejects = [json.loads(line) for line in lines]
        keys = [(reject["entity"], reject["key"]) for reject in rejects if reject["key"] is not None]
        # Items without an order have the order's key, and there may be several of one.
        units = [key for key in keys if key[0] != "orderItem"]
        if len(set(units)) != len(units):
            raise Failure("something was rejected twice")
        return set(keys)

    def _load(self):
        command = ["load", "--mapping", self.mapping, "--table", self.table, "--state", self.state]
        return [*command, "--max-wcu", str(MAX_WCU)]

    def _run(self, *arguments):
        command = [self.program, *arguments]
        with open(self.log, "ab") as log:
            done = subprocess.run(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        if done.returncode not in (0, REJECTS):
            words = " ".join(map(str, command))
            raise Failure(f"`{words}` exited with {done.returncode}. Its last output:\n{last_lines(self.log)}")
