"""A PostgreSQL server for one test, on a free port, with nothing kept afterwards."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from processes import Failure, free_port, running, wait_until_up

USER = "shop"


class Postgres:
    """A running server with an empty database."""

    def __init__(self, programs, port, password):
        self.psql = programs / "psql"
        self.url = f"postgres://{USER}:{password}@127.0.0.1:{port}/postgres"

    def execute(self, sql):
        """Runs statements; returns their output."""
        return self._run("--command", sql)

    def execute_file(self, file):
        """Runs the statements of a file, for more than a command line can hold."""
        self._run("--file", file)

    def rows(self, select):
        """Returns the rows of a SELECT, each as a dictionary."""
        return json.loads(self.execute(f"SELECT COALESCE(json_agg(row), '[]') FROM ({select}) AS row"))

    def _run(self, *arguments):
        command = [self.psql, self.url, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
        command += ["--set", "ON_ERROR_STOP=1", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"PostgreSQL rejected\n{arguments[1]}\n{done.stderr}")
        return done.stdout


@contextmanager
def started(programs, log):
    """Starts a server, which ends with the block and leaves no data."""
    # Not below a folder that only root can access: the server refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="storefront-postgres-") as folder:
        password, port = secrets.token_hex(16), free_port()
        secret = Path(folder, "password")
        secret.write_text(password)
        if os.geteuid() == 0:
            for path in (folder, secret):
                shutil.chown(path, "postgres", "postgres")
        data = Path(folder, "data")
        command = [programs / "initdb", "--pgdata", data, "--username", USER, "--pwfile", secret]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run(_as_unprivileged_user(command), cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"initdb failed:\n{done.stdout}{done.stderr}")
        command = [programs / "postgres", "-D", data, "-p", str(port)]
        # Without fsync: the data is thrown away with the test.
        for setting in ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"):
            command += ["-c", setting]
        server = Postgres(programs, port, password)
        with running(_as_unprivileged_user(command), log) as process:
            wait_until_up("PostgreSQL", process, log, lambda: _is_ready(server))
            yield server


def _as_unprivileged_user(command):
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


def _is_ready(server):
    try:
        return server.rows("SELECT 1 AS one") == [{"one": 1}]
    except Failure:
        return False
