"""Processes that end with all their children, however the program that started them ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

# How long a process may take to end after SIGTERM, before it is killed.
GRACE_SECONDS = 10


class Failure(Exception):
    """A failure, described for the person who runs the script."""


@contextmanager
def running(command, log, env=None):
    """Runs a process in its own group, with its output in a file. The whole group ends with the block."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process):
    """Ends a process that leads a group, then the rest of the group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_up(what, process, log, up):
    """Returns the first true result of `up`. Fails if the process ends first, or after a minute."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if result := up():
            return result
        time.sleep(0.1)
    raise Failure(f"{what} did not start. Its last output:\n{last_lines(log)}")


def last_lines(log, count=40):
    """Returns the last lines of a file."""
    with open(log, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-count:])


def free_port():
    """Returns a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port):
    """Returns whether a port of this machine accepts connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def exit_on_signals():
    """Turns signals that end a program into an exception, so that its child processes are ended first."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(number, _frame):
        # A second signal must not interrupt ending them.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in signals:
        signal.signal(each, leave)
