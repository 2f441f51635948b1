"""Makes the first administrator of a deployment as docs/operations.md says: with the operator's AWS credentials."""

import subprocess

from processes import Failure


def make_first_administrator(aws, table, email):
    """Gives the registered user with this email the role `admin`."""
    command = ["cargo", "run", "--quiet", "--locked", "--bin", "storefront-ops", "--"]
    command += ["make-admin", "--yes", "--table", table, email]
    if subprocess.run(command, env=aws.environment(), stdin=subprocess.DEVNULL).returncode != 0:
        raise Failure(f"{email} could not be made an administrator")
