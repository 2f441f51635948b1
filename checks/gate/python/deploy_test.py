"""Deploys the built functions to an AWS emulator and uses the shop there; see checks/gate/deploy-test."""

import argparse
import sys
import tempfile
from pathlib import Path

import emulator
import events
import journey
import logs
import mails
import operator_check
import stack
import unapplied
from administrator import make_first_administrator, set_hash
from api import Api
from evidence import Evidence
from processes import Failure, exit_on_signals
from steps import Steps


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--emulator-python", required=True, help="a Python with ministack installed")
    arguments.add_argument("--architecture", required=True, help="the architecture of the built functions")
    arguments = arguments.parse_args()

    exit_on_signals()
    with tempfile.TemporaryDirectory(prefix="storefront-deploy-") as folder:
        try:
            with emulator.started(arguments.emulator_python, Path(folder)) as aws:
                deploy_and_use(aws, arguments.architecture)
        except Failure as failure:
            sys.exit(f"FAILED: {failure}")


def deploy_and_use(aws, architecture):
    step = Steps()
    try:
        deployed = stack.deploy(aws, architecture)
        step("deployed")
        checked = unapplied.check(deployed.template)
        step(f"{checked} settings that the emulator does not apply are correct")

        stack.adapt_roles(deployed)
        evidence = Evidence("deploy-test")
        url, routes = stack.connect_api(deployed)
        api = Api(url, evidence)
        subscription = events.subscribe(aws, deployed.outputs["EventBusName"])
        table = deployed.outputs["TableName"]
        mailbox = mails.Mailbox(aws)
        expected = journey.take(
            api,
            lambda email: make_first_administrator(aws, table, email),
            lambda user_id, password_hash: set_hash(aws, table, user_id, password_hash),
            mailbox,
        )
        api.expect_called(routes)
        step(f"used the shop, through each of its {len(routes)} routes")

        subscription.expect(expected)
        step(f"{len(expected)} events arrived, and the customer was written to")
        operator_check.expect_passed(aws, url)
        step("the operator's check passed")
        for _, line in logs.lines(aws):
            evidence.log(f"{line}\n")
        logs.expect_no_errors(aws)
        # Last, because it makes a function fail.
        operator_check.expect_denial_explained(deployed, url)
        step("the operator's check explained a denied action")
    except Exception:
        logs.show(aws)
        raise


if __name__ == "__main__":
    main()
