"""Puts a mixed load on a local cloud and reports how long requests took; see checks/load/run."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from processes import Failure, exit_on_signals, last_lines, running, wait_until_up

MIB = 1024 * 1024

# Until threads, caches and the allocator have what they need. In a short run, a third of its duration.
WARM_UP_SECONDS = 20

# The windows after the warm-up and at the end in which memory is compared. The minimum of each window counts.
WINDOW_SECONDS = 10
SAMPLES_PER_SECOND = 5

# How much memory may grow after the warm-up regardless of writes, because buffers come and go.
SLACK_BYTES = 8 * MIB

# What each write may add to that. Like the real one, the embedded DynamoDB remembers each transaction for ten minutes,
# so that one sent twice is applied once. Without a data folder it also keeps items, index and stream in memory.
BYTES_PER_WRITE_ON_DISK = 1024
BYTES_PER_WRITE_IN_MEMORY = 12 * 1024

# The requests that write, by their names in checks/load/mixed.js.
WRITES = ["place_order", "cancel_order", "change_status", "change_product", "change_stock", "log_in", "register"]

# How long after the load the last event may be published.
CATCH_UP_SECONDS = 30


class Sample(NamedTuple):
    at: float
    resident: int
    # Seconds of processor time since the process started.
    processor: float


def main():
    arguments = parse()
    exit_on_signals()
    try:
        if not Path("/proc/self/status").exists():
            raise Failure("the load test reads memory and processor time from /proc, so it needs Linux")
        binary = build(arguments.debug)
        with tempfile.TemporaryDirectory(prefix="storefront-load-") as folder:
            problems = measure(arguments, binary, Path(folder))
    except Failure as failure:
        sys.exit(str(failure))
    for problem in problems:
        print(f"FAILED: {problem}", flush=True)
    sys.exit(1 if problems else 0)


def parse():
    parser = argparse.ArgumentParser(prog="checks/load/run", description=__doc__.partition(";")[0])
    parser.add_argument("--duration", type=int, default=None, help="in seconds; 60 by default")
    parser.add_argument("--connections", type=int, default=None, help="64 by default")
    parser.add_argument("--in-memory", action="store_true", help="no data folder, as in `cargo run -- --in-memory`")
    parser.add_argument("--debug", action="store_true", help="use the build of `cargo build`, not an optimised one")
    parser.add_argument("--short", action="store_true", help="--duration 15 --connections 8 --debug, for the gate")
    parser.add_argument("--k6", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.debug |= arguments.short
    arguments.duration = arguments.duration or (15 if arguments.short else 60)
    arguments.connections = arguments.connections or (8 if arguments.short else 64)
    return arguments


def build(debug):
    command = ["cargo", "build", "--quiet", "--locked"]
    # In the gate, all binaries have been built already.
    command += ["--bin", "storefront"] if debug else ["--profile", "load", "--package", "storefront-cloud"]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0:
        raise Failure("the local cloud could not be built")
    return Path(os.environ.get("CARGO_TARGET_DIR", "target"), "debug" if debug else "load", "storefront")


def measure(arguments, binary, folder):
    """Runs the load and prints the figures; returns the problems, in words."""
    log = folder / "cloud.log"
    command = [binary, "--port", "0", "--dynamodb-port", "0"]
    # These customers order faster than anybody pays.
    command += ["--parameter", "MaxOpenOrders=0"]
    command += ["--in-memory"] if arguments.in_memory else ["--data-dir", folder / "data"]
    with running(command, log) as cloud:
        api = wait_until_up("the local cloud", cloud, log, lambda: api_url(log))
        with sampled(cloud.pid) as samples:
            metrics, complaints = put_load_on(arguments, api, folder)
        problems = complaints
        if cloud.poll() is not None:
            return [*problems, f"the local cloud ended. Its last output:\n{last_lines(log)}"]
        changes = count(metrics, "status_changes")
        caught_up_after = catch_up(log, changes)

    print_table(metrics, samples, arguments)
    if caught_up_after is None:
        problems.append(f"only {published(log)} of {changes} status changes were published")
    else:
        print(f"{changes} status changes, the last of them published {caught_up_after:.1f} s after the load")
    problems += check_stock(metrics)
    problems += check_memory(samples, metrics, arguments)
    if errors := re.findall(r"^.*\bERROR\b.*$", log.read_text(errors="replace"), re.MULTILINE):
        problems.append(f"the local cloud logged {len(errors)} errors, the first: {errors[0]}")
    return problems


def api_url(log):
    text = log.read_text(errors="replace")
    found = re.search(r"^ +API +(http://\S+)$", text, re.MULTILINE)
    return found and "Ctrl-C" in text and found.group(1)


def put_load_on(arguments, api, folder):
    """Runs k6; returns the metrics, and the problems that k6 reported."""
    summary, log = folder / "summary.json", folder / "k6.log"
    variables = {
        "API": api,
        "CONNECTIONS": str(arguments.connections),
        "DURATION": f"{arguments.duration}s",
        "SUMMARY": str(summary),
        "K6_NO_USAGE_REPORT": "true",
    }
    command = [arguments.k6, "run", "--quiet", "--log-format", "raw", "checks/load/mixed.js"]
    with running(command, log, {**os.environ, **variables}) as process:
        process.wait()
    said = log.read_text(errors="replace").splitlines()
    if not summary.exists():
        raise Failure("k6 did not finish. Its last output:\n" + last_lines(log))
    metrics = json.loads(summary.read_text())
    unexpected = count(metrics, "unexpected")
    problems = []
    if unexpected:
        said = Counter(line.strip() for line in said).most_common(20)
        shown = "\n".join(f"    {times} times {line}" for line, times in said)
        problems.append(f"{unexpected} responses were unexpected:\n{shown}")
    elif process.returncode:
        problems.append(f"k6 exited with {process.returncode}. Its last output:\n{last_lines(log)}")
    return metrics, problems


@contextmanager
def sampled(pid):
    """Samples the process's resident memory and processor time periodically, until the block ends."""
    samples, ended = [], threading.Event()

    def sample():
        while not ended.wait(1 / SAMPLES_PER_SECOND):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:
                return
            resident = int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024
            processor = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
            samples.append(Sample(time.monotonic(), resident, processor))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def published(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        return sum(" OrderStatusChanged " in line for line in file)


def catch_up(log, changes):
    """Waits until all events are published; returns the seconds waited, or None if they were not."""
    since = time.monotonic()
    while (waited := time.monotonic() - since) < CATCH_UP_SECONDS:
        if published(log) >= changes:
            return waited
        time.sleep(0.1)
    return None


def check_stock(metrics):
    """Compares the stock of the product that every order has with what was sold, received, lost and put back."""
    expected = count(metrics, "pieces_in") - count(metrics, "pieces_out")
    left = int(metrics["pieces_left"]["values"]["value"])
    changes, orders = count(metrics, "change_stock"), count(metrics, "place_order")
    if left != expected:
        return [f"{left} pieces are left of the bestseller instead of {expected}"]
    print(f"{changes} changes of a stock that {orders} orders took from, each counted once: {left} pieces are left")
    return []


def check_memory(samples, metrics, arguments):
    # Only the samples taken under load; the preparation comes before it.
    end = samples[-1].at
    warm = end - arguments.duration + min(WARM_UP_SECONDS, arguments.duration / 3)
    window = min(WINDOW_SECONDS, arguments.duration / 5)
    first = min(sample.resident for sample in samples if warm <= sample.at < warm + window)
    last = min(sample.resident for sample in samples if sample.at >= end - window)
    writes = sum(count(metrics, name) for name in WRITES) * (end - warm) / arguments.duration
    per_write = BYTES_PER_WRITE_IN_MEMORY if arguments.in_memory else BYTES_PER_WRITE_ON_DISK
    allowed = SLACK_BYTES + writes * per_write
    most = max(sample.resident for sample in samples)
    print(f"memory: {first / MIB:.1f} MiB after the warm-up, {last / MIB:.1f} MiB at the end, {most / MIB:.0f} at most")
    if last - first > allowed:
        grown = f"{(last - first) / MIB:.1f} MiB in {writes:.0f} writes after the warm-up"
        return [f"memory has grown by {grown}; at most {allowed / MIB:.1f} MiB are expected"]
    return []


def print_table(metrics, samples, arguments):
    # The other metrics are k6's own.
    operations = [name for name, metric in metrics.items() if metric["type"] == "trend" and not is_of_k6(name)]
    operations.sort(key=lambda name: -count(metrics, name))
    total = sum(count(metrics, name) for name in operations)
    how = "in memory" if arguments.in_memory else "on disk"
    profile = "debug" if arguments.debug else "optimised"
    print(f"{arguments.connections} connections for {arguments.duration} s, {profile}, {how}, on {machine()}:")
    under_load = [sample.processor for sample in samples if sample.at >= samples[-1].at - arguments.duration]
    each = (under_load[-1] - under_load[0]) / total * 1000
    print(
        f"{total} requests, {total / arguments.duration:.0f} per second, each {each:.2f} ms of the cloud's processor "
        f"time; milliseconds by operation"
    )
    print()
    print("| operation | requests | p50 | p90 | p95 | p99 | max |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name in operations:
        values = metrics[name]["values"]
        figures = (f"{values[key]:.1f}" for key in ("med", "p(90)", "p(95)", "p(99)", "max"))
        print(f"| {name.replace('_', ' ')} | {count(metrics, name)} | {' | '.join(figures)} |")
    print()


def is_of_k6(name):
    return name.startswith(("http_req_", "iteration_", "group_"))


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024 / MIB
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def count(metrics, name):
    return int(metrics[name]["values"]["count"]) if name in metrics else 0


if __name__ == "__main__":
    main()
