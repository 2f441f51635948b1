"""The functions that `sam build` has built, and two ways to invoke one as Lambda would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests
import samcli
from samcli.lib.intrinsic_resolver.intrinsic_property_resolver import IntrinsicResolver
from samcli.lib.intrinsic_resolver.intrinsics_symbol_table import IntrinsicsSymbolTable
from samcli.lib.intrinsic_resolver.invalid_intrinsic_exception import InvalidSymbolException
from samtranslator.yaml_helper import yaml_parse

from processes import Failure, answers, free_port, last_lines, running, wait_until_up

BUILD = Path(".aws-sam/build")

# Any credentials will do: neither the embedded DynamoDB nor the local event bus checks them.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


class Function:
    """A function of the template."""

    def __init__(self, logical_id, variables):
        self.logical_id = logical_id
        self.bootstrap = (BUILD / logical_id / "bootstrap").resolve()
        self.variables = variables


def read():
    """Reads the functions of the built template by binary, with the environments that `sam local` gives them.

    SAM substitutes the parameters' default values, and leaves a variable without a value empty.
    """
    template = yaml_parse((BUILD / "template.yaml").read_text())
    common = template["Globals"]["Function"].get("Environment", {}).get("Variables", {})
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    defaults = {name: each["Default"] for name, each in template["Parameters"].items() if "Default" in each}
    symbols = IntrinsicsSymbolTable(template=template, logical_id_translator=defaults)
    resolver = IntrinsicResolver(template=template, symbol_resolver=symbols)
    functions = {}
    for logical_id, resource in resources.items():
        own = resource["Properties"].get("Environment", {}).get("Variables", {})
        variables = {name: _resolved(resolver, each) for name, each in (common | own).items()}
        functions[resource["Metadata"]["BuildProperties"]["Binary"]] = Function(logical_id, variables)
    return functions


def _resolved(resolver, value):
    try:
        value = resolver.intrinsic_property_resolver(value, True)
    except InvalidSymbolException:
        # Only a deployment knows it, such as an attribute of a resource.
        return ""
    return value if isinstance(value, str) else ""


class RuntimeInterfaceEmulator:
    """AWS's own emulator of the execution environment, which SAM includes. It does not need Docker."""

    name = "AWS's Runtime Interface Emulator"
    # The host under which the functions reach the local cloud, and the address on which it listens.
    host = listen = "127.0.0.1"

    def __init__(self, architecture):
        self.program = Path(samcli.__file__).parent / f"local/rapid/aws-lambda-rie-{architecture}"

    def invoke(self, function, event, variables, folder):
        """Returns the response, and what the function wrote to its standard output."""
        port, output = free_port(), folder / "stdout"
        known = {name: each for name, each in variables.items() if name in function.variables}
        # Only the function's own output goes to this file; the emulator has another one.
        command = [str(self.program), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
        command += ["/bin/sh", "-c", f'exec "{function.bootstrap}" >"{output}"']
        env = CREDENTIALS | {"PATH": os.environ["PATH"]} | function.variables | known
        log = folder / "emulator.log"
        with running(command, log, env) as process:
            wait_until_up("the emulator", process, log, lambda: answers(port))
            url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
            try:
                answer = requests.post(url, data=event.path.read_bytes(), timeout=60).json()
            except (requests.RequestException, ValueError) as error:
                said = output.read_text() + last_lines(log)
                raise Failure(f"the function did not answer ({error}). Its last output:\n{said}") from None
        return answer, output.read_text()

    def check(self, output):
        """Fails if the output is not JSON lines, the only format that Lambda's log accepts."""
        for line in output.splitlines():
            try:
                json.loads(line)
            except ValueError:
                raise Failure(f"the function wrote a line that is not JSON: {line}") from None


class SamLocal:
    """`sam local invoke`, in Docker."""

    name = "sam local invoke"
    host = "host.docker.internal"
    listen = "0.0.0.0"

    def __init__(self, architecture, flags):
        self.flags = ["--parameter-overrides", f"Architecture={architecture}", *flags]
        if sys.platform == "linux":
            # Docker Desktop knows this name by itself.
            self.flags += ["--add-host", f"{self.host}:{_gateway()}"]

    def invoke(self, function, event, variables, folder):
        """Returns the response, and what the function wrote, as SAM shows it."""
        env = folder / "env.json"
        env.write_text(json.dumps({"Parameters": variables}))
        command = ["sam", "local", "invoke", function.logical_id, "--event", str(event.path)]
        command += ["--env-vars", str(env), *self.flags]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        (folder / "sam.log").write_text(done.stderr)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise Failure(f"`sam local invoke` did not answer. Its last output:\n{said}") from None
        lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
        return answer, "".join(f"{line}\n" for line in lines)

    def check(self, output):
        """Checks nothing, because SAM mixes its own lines with the function's."""


def _gateway():
    """The address of this machine for containers."""
    command = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return found or "172.17.0.1"


def docker_answers():
    """Returns whether a Docker engine is available to run functions."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    except OSError:
        return False
