"""Invokes the built functions with the events of events/ and compares the responses; see checks/gate/run-events."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cases
import functions
import local_cloud
from evidence import Evidence
from processes import Failure, exit_on_signals


def main():
    arguments = parse()
    exit_on_signals()
    invoker = choose(arguments)
    chosen = cases.read("events", arguments.case)
    unknown = [name for name in arguments.case if not cases.read("events", [name])]
    if unknown:
        sys.exit(f"events/ has no such case: {' '.join(unknown)}")
    print(f"{len(chosen)} events through {invoker.name}", flush=True)

    known, evidence, failed = functions.read(), Evidence("events"), 0
    for case in chosen:
        since = time.monotonic()
        try:
            differences = run(case, known[case.binary], invoker, evidence)
        except Failure as failure:
            differences = [str(failure)]
        failed += bool(differences)
        print(f"{'FAILED' if differences else 'ok'}  {case.name}  {time.monotonic() - since:.1f} s", flush=True)
        for difference in differences:
            print(f"    {difference}", flush=True)
    if failed:
        print("If the new responses are right: cargo xtask events --record")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def parse():
    parser = argparse.ArgumentParser(prog="checks/gate/run-events", description=__doc__.partition(";")[0])
    parser.add_argument("case", nargs="*", help="for example orders/place, or orders for all of that function")
    engine = "sam local invoke in Docker, or AWS's Runtime Interface Emulator; by default, Docker if available"
    parser.add_argument("--engine", choices=["auto", "docker", "rie"], default="auto", help=engine)
    flag = "an additional flag for sam local invoke, such as --sam-flag=--skip-pull-image"
    parser.add_argument("--sam-flag", action="append", default=[], help=flag)
    parser.add_argument("--architecture", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def choose(arguments):
    if arguments.engine != "rie":
        if functions.docker_answers():
            return functions.SamLocal(arguments.architecture, arguments.sam_flag)
        if arguments.engine == "docker":
            sys.exit("no Docker engine is available; start one, or omit --engine docker")
        print("No Docker engine is available, so `sam local invoke` cannot run.")
    if sys.platform != "linux":
        sys.exit("without Docker, only Linux can run the functions; start Docker")
    return functions.RuntimeInterfaceEmulator(arguments.architecture)


def run(case, function, invoker, evidence):
    """Invokes a function once, with a new local cloud, so that no case depends on another."""
    with tempfile.TemporaryDirectory(prefix="storefront-event-") as folder:
        folder = Path(folder)
        with local_cloud.started(invoker.listen, folder / "cloud.log") as cloud:
            answer, output = invoker.invoke(function, case, cloud.variables(invoker.host), folder)
            differences = case.differences(answer, cloud.published(), cloud.mails())
    evidence.secret("tokenSecret", local_cloud.TOKEN_SECRET)
    for exchanged in (case.event, answer):
        evidence.secrets_in(exchanged)
    evidence.log(output)
    invoker.check(output)
    return differences


if __name__ == "__main__":
    main()
