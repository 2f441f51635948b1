"""Processes that end with all that they started, however the program that started them ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

# What is ended has this long to end by itself.
GRACE_SECONDS = 10


class Failure(Exception):
    """What is wrong, in words for whoever runs the script."""


@contextmanager
def running(command, log, env=None):
    """A process in a group of its own, whose output goes to a file; its whole group ends with the block."""
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
    """Ends a process that leads a group, and the rest of the group when it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_up(what, process, log, up):
    """The first result of `up` that is true, which a process that was just started makes it within a minute."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if result := up():
            return result
        time.sleep(0.1)
    raise Failure(f"{what} did not start. It said last:\n{last_lines(log)}")


def last_lines(log, count=40):
    """The end of a file."""
    with open(log, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-count:])


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port):
    """Whether somebody listens on a port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def exit_on_signals():
    """Makes signals that end a program raise instead, so that what was started is ended first."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(number, _frame):
        # Asked twice, it still ends what it started.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in signals:
        signal.signal(each, leave)
