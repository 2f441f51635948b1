"""`storefront-migrate`, run from a source into a local cloud's table."""

import json
import os
import signal
import subprocess
import time

from processes import Failure, last_lines, running

# All is done, but for what the file of rejects has.
REJECTS = 3

# More than an emulator takes; nothing is paid here.
MAX_WCU = 1_000_000


class Migration:
    """The move of one shop, with a state folder of its own."""

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
            # The emulator takes any.
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def generate(self, generator, orders):
        """Fills the source with the example's shop, by the example program that makes it up."""
        statements = self.folder / "shop.sql"
        with open(statements, "wb") as output:
            subprocess.run([generator, self.shop.example, "--orders", str(orders)], stdout=output, check=True)
        self.shop.source.execute_file(statements)

    def load(self, *more):
        """Loads, or goes on with it, to the end."""
        self._run(*self._load(), *more)

    def load_until_killed(self, rows):
        """Loads, and is killed once so many rows of users, products and orders are done with."""
        with running([self.program, *self._load()], self.log, self.environment) as process:
            while self.done() < rows:
                if process.poll() is not None:
                    raise Failure(f"the load ended by itself. It said last:\n{last_lines(self.log)}")
                time.sleep(0.02)
            process.kill()
            process.wait()
        if process.returncode != -signal.SIGKILL:
            raise Failure(f"the load ended before it was killed:\n{last_lines(self.log)}")
        return self.done()

    def done(self):
        """How many rows of users, products and orders are loaded or rejected, as the state folder has it."""
        try:
            counts = json.loads((self.state / "state.json").read_text())["progress"]["counts"]
        except FileNotFoundError:
            return 0
        # Items without an order are rejects, too.
        rejected = (sum(reasons.values()) for of, reasons in counts["rejects"].items() if of != "order_items")
        return sum(counts["units"].values()) + sum(rejected)

    def verify(self):
        """Has the table compared with the source. Differences would be a failure."""
        self._run("verify", "--mapping", self.mapping, "--table", self.table, "--state", self.state)

    def rejected(self):
        """The entity and the key of each reject of the load. None is there twice, also after an interruption."""
        lines = (self.state / "rejects.jsonl").read_text().splitlines()
        rejects = [json.loads(line) for line in lines]
        keys = [(reject["entity"], reject["key"]) for reject in rejects if reject["key"] is not None]
        # Items without an order have its key, and there may be many of one.
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
            raise Failure(f"`{words}` ended with {done.returncode}. It said last:\n{last_lines(self.log)}")
