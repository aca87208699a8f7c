"""Seven things that happen to a deployment on SageMaker, with `mlflow deployments -t sagemaker` and with Dockyard.

Both run against the same sandbox (`dockyard sandbox`), on the same two versions of a model and the same images. A command is
given as users give it: how does it end, and does it say the cause? Then the account is looked at, the same command is given
again, the deployment is deleted with the tool's own command, and the account is looked at once more.

Needs the base image of the model's image: from Docker Hub, or from where DOCKYARD_IMAGE__MIRRORS says. Takes some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent
MODEL = "my_first_model"
REGION = "us-east-1"
SOURCE = "source"
"""The deployment whose images both tools use. Nothing of it is counted."""
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A folder and an environment to run commands in."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str) -> Ended:
        """Run a program of this installation to its end."""
        done = subprocess.run(
            [str(TOOLS / command[0]), *command[1:]],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
            check=False,
        )
        return Ended(code=done.returncode, output=done.stdout)

    def require(self, *command: str) -> str:
        """Run what has to succeed."""
        ended = self.run(*command)
        if ended.code != 0:
            raise SystemExit(f"{' '.join(command)} ended with {ended.code}\n{ended.output}")
        return ended.output


@dataclass(frozen=True, kw_only=True)
class Account:
    """The sandbox, looked at as nobody's tool."""

    url: str

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="bench",
            aws_secret_access_key="bench",  # noqa: S106
        )

    def script(self, *rules: Mapping[str, object]) -> None:
        """Let these things go wrong, and no others."""
        body = json.dumps({"rules": rules}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_sandbox/faults", body, method="PUT")) as answer:
            answer.read()

    def list_things(self) -> dict[str, list[str]]:
        """All that there is of deployments, by kind."""
        sagemaker, s3 = self.client("sagemaker"), self.client("s3")
        pages = {
            "model": [one["ModelName"] for one in sagemaker.list_models(MaxResults=100)["Models"]],
            "config": [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]],
            "endpoint": [one["EndpointName"] for one in sagemaker.list_endpoints(MaxResults=100)["Endpoints"]],
            "repository": [one["repositoryName"] for one in self.client("ecr").describe_repositories()["repositories"]],
            "role": [one["RoleName"] for one in self.client("iam").list_roles()["Roles"]],
        }
        buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        objects = [one["Key"] for name in buckets for one in s3.list_objects_v2(Bucket=name).get("Contents", ())]
        return {**pages, "S3 object": objects}

    def list_in_use(self, endpoint: str) -> Counter[str]:
        """How many things the endpoint needs for what it serves now."""
        sagemaker = self.client("sagemaker")
        if self.find_status(endpoint) != "InService":
            return Counter()
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        used = Counter({"model": 1, "config": 1, "endpoint": 1})
        if "ModelDataUrl" in container or "ModelDataSource" in container:
            used["S3 object"] += 1
        return used

    def find_status(self, endpoint: str) -> str:
        """The endpoint's, or `-` where there is none."""
        if endpoint not in self.list_things()["endpoint"]:
            return "-"
        return str(self.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"])

    def clear(self, kept: Mapping[str, list[str]]) -> None:
        """Remove what the tools did not, so that the next scenario begins anew."""
        sagemaker, s3 = self.client("sagemaker"), self.client("s3")
        there = self.list_things()
        for name in set(there["endpoint"]) - set(kept["endpoint"]):
            sagemaker.delete_endpoint(EndpointName=name)
        while set(self.list_things()["endpoint"]) - set(kept["endpoint"]):
            time.sleep(0.2)
        for name in set(there["config"]) - set(kept["config"]):
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
        for name in set(there["model"]) - set(kept["model"]):
            sagemaker.delete_model(ModelName=name)
        for bucket in s3.list_buckets()["Buckets"]:
            for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
                s3.delete_object(Bucket=bucket["Name"], Key=one["Key"])


class Tool(Protocol):
    """What deploys."""

    @property
    def title(self) -> str:
        """Its name in the table."""
        ...

    def name_endpoint(self, name: str) -> str:
        """The endpoint that a deployment of that name has."""
        ...

    def create(self, name: str, version: int) -> Ended:
        """Make a deployment."""
        ...

    def update(self, name: str, version: int) -> Ended:
        """Have it serve another version."""
        ...

    def go_back(self, name: str) -> Ended | None:
        """Have it serve what it served before; None: there is no command for that."""
        ...

    def delete(self, name: str) -> Ended:
        """Take it away."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mlflow:
    """`mlflow deployments -t sagemaker`, told all that it would otherwise look for in vain."""

    shell: Shell
    images: Mapping[int, str]
    role: str
    title: str = "mlflow"

    def name_endpoint(self, name: str) -> str:
        return name

    def create(self, name: str, version: int) -> Ended:
        return self._deploy("create", name, version)

    def update(self, name: str, version: int) -> Ended:
        return self._deploy("update", name, version, "-C", "mode=replace")

    def go_back(self, name: str) -> None:
        """Its update has deleted what the endpoint served before: model, configuration and the model's files."""

    def delete(self, name: str) -> Ended:
        return self.shell.run("mlflow", "deployments", "delete", "-t", f"sagemaker:/{REGION}", "--name", name)

    def _deploy(self, verb: str, name: str, version: int, *more: str) -> Ended:
        config = {
            "image_url": self.images[version],
            "execution_role_arn": self.role,
            "instance_type": "ml.m5.large",
            "timeout_seconds": str(TIMEOUT_SECONDS),
        }
        flags = [part for key, value in config.items() for part in ("-C", f"{key}={value}")]
        where = ("-t", f"sagemaker:/{REGION}", "--name", name, "-m", f"models:/{MODEL}/{version}")
        return self.shell.run("mlflow", "deployments", verb, *where, *flags, *more)


@dataclass(frozen=True, kw_only=True)
class Dockyard:
    """`deploy sagemaker`."""

    shell: Shell
    title: str = "dockyard"

    def name_endpoint(self, name: str) -> str:
        planned = self.shell.run(*self._deploy(name, 1), "--plan", "--json")
        return str(json.loads(planned.output[planned.output.index("{") :])["result"]["plan"]["endpoint"])

    def create(self, name: str, version: int) -> Ended:
        return self.shell.run(*self._deploy(name, version))

    def update(self, name: str, version: int) -> Ended:
        return self.create(name, version)

    def go_back(self, name: str) -> Ended:
        return self.shell.run("dockyard", "rollback", f"sagemaker/{name}")

    def delete(self, name: str) -> Ended:
        return self.shell.run("dockyard", "delete", f"sagemaker/{name}", "--yes")

    def _deploy(self, name: str, version: int) -> tuple[str, ...]:
        timeout = ("--timeout", str(TIMEOUT_SECONDS))
        return ("deploy", "sagemaker", "-m", f"models:/{MODEL}/{version}", "--name", name, "--yes", *timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is there before, what goes wrong, what is asked, and by which words the cause is told."""

    title: str
    name: str = "wine"
    before: bool = False
    """Whether version 1 serves already."""
    fault: Mapping[str, object] = field(default_factory=dict)
    goes_back: bool = False
    cause: str = ""
    """A pattern; empty: nothing goes wrong, or nothing should."""


SCENARIOS = (
    Scenario(title="a name as MLflow has it, `my_first_model`", name=MODEL, cause=r"regular expression pattern"),
    Scenario(
        title="a new endpoint's container never passes /ping",
        fault={"kind": "ping-failure", "operation": "CreateEndpoint"},
        cause=r"ping",
    ),
    Scenario(
        title="an update's container never passes /ping; the service rolls back",
        before=True,
        fault={"kind": "ping-failure", "operation": "UpdateEndpoint"},
        cause=r"ping",
    ),
    Scenario(
        title="a configuration is not seen for 3 s after it was made",
        fault={"kind": "consistency", "resources": ["endpoint-config"], "seconds": 3},
        cause=r"Could not find endpoint configuration",
    ),
    Scenario(
        title="the answer to CreateModel is lost",
        fault={"kind": "reset-after", "operation": "CreateModel"},
        cause=r"lost|reset|Connection",
    ),
    Scenario(
        title="no instance of the type in the quota",
        fault={"kind": "quota", "operation": "CreateEndpoint"},
        cause=r"ResourceLimitExceeded|quota|limit",
    ),
    Scenario(title="an update succeeds; then back to what served before", before=True, goes_back=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a scenario."""

    tool: str
    code: int
    cause: str
    status: str
    left: str
    again: str
    deleted: str


def play(scenario: Scenario, tool: Tool, account: Account, kept: Mapping[str, list[str]]) -> Row:
    """Let a scenario happen to a tool."""
    endpoint = tool.name_endpoint(scenario.name)
    if scenario.before:
        ended = tool.create(scenario.name, 1)
        if ended.code != 0:
            raise SystemExit(f"{tool.title} cannot even begin: {ended.output}")
    account.script(*([scenario.fault] if scenario.fault else []))
    act: Callable[[str, int], Ended] = tool.update if scenario.before else tool.create
    version = 2 if scenario.before else 1
    ended = act(scenario.name, version)
    account.script()
    told = ended.code == 0 or bool(scenario.cause and re.search(scenario.cause, ended.output, re.IGNORECASE))
    status, left = account.find_status(endpoint), describe_left(account, kept, endpoint)
    again = tool.go_back(scenario.name) if scenario.goes_back else act(scenario.name, version)
    show(scenario, tool, ended, again)
    tool.delete(scenario.name)
    deleted = describe_left(account, kept, "")
    account.clear(kept)
    return Row(
        tool=tool.title,
        code=ended.code,
        cause="-" if ended.code == 0 else ("yes" if told else "no"),
        status=status,
        left=left,
        again="no command" if again is None else str(again.code),
        deleted=deleted,
    )


def describe_left(account: Account, kept: Mapping[str, list[str]], endpoint: str) -> str:
    """What there is beside what the endpoint needs for what it serves, in a few words."""
    used = account.list_in_use(endpoint) if endpoint else Counter()
    there = account.list_things()
    found = {kind: len(set(names) - set(kept[kind])) - used[kind] for kind, names in there.items()}
    if endpoint and used:
        found |= {"repository": 0, "role": 0}  # the deployment's own
    told = [
        f"{count} {kind}{'s' if count > 1 and not kind.endswith('y') else ''}" for kind, count in found.items() if count > 0
    ]
    return ", ".join(told) or "nothing"


def show(scenario: Scenario, tool: Tool, ended: Ended, again: Ended | None) -> None:
    """Tell on stderr what commands said, for whoever wants to check the table."""
    for what, one in (("first", ended), *((("again", again),) if again else ())):
        lines = [line for line in one.output.splitlines() if line.strip()][-6:]
        print(f"[{tool.title}: {scenario.title}: {what}: {one.code}]", *lines, sep="\n    ", file=sys.stderr, flush=True)


def make_shell(home: Path) -> Shell:
    """A shell whose state lies in a folder of its own."""
    passed = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MLFLOW_", "PYTHON"))}
    environ = {
        "DOCKYARD_HOME": str(home / "state"),
        "DOCKYARD_CACHE": os.environ.get("DOCKYARD_CACHE", str(home / "cache")),
        "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
    }
    return Shell(folder=home, environ=passed | environ)


def start_sandbox(shell: Shell, runner: str) -> tuple[Shell, Account]:
    """Start one, and return a shell that is pointed to it."""
    printed = shell.require("dockyard", "sandbox", "up", "--port", "0", "--runner", runner, "--speed", "600")
    pairs = (line.removeprefix("export ").split("=", 1) for line in printed.splitlines() if line.startswith("export "))
    found = dict(pairs)
    return Shell(folder=shell.folder, environ={**shell.environ, **found}), Account(url=found["AWS_ENDPOINT_URL"])


def prepare(shell: Shell, account: Account) -> tuple[dict[int, str], str]:
    """Train two versions, make their images, and a role for who needs one. Returns the images by version, and the role."""
    for alpha in ("0.5", "0.1"):
        shell.require("python", str(ROOT / "examples" / "sklearn_elasticnet_wine" / "train.py"), "--alpha", alpha)
    source = Dockyard(shell=shell)
    for version in (1, 2):
        ended = source.create(SOURCE, version)
        if ended.code != 0:
            raise SystemExit(ended.output)
    sagemaker = account.client("sagemaker")
    models = [one["ModelName"] for one in sagemaker.list_models(SortBy="CreationTime", SortOrder="Ascending")["Models"]]
    images = {
        number: str(sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["Image"])
        for number, name in enumerate(models, start=1)
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    made = account.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=policy)
    return images, str(made["Role"]["Arn"])


def print_table(rows: list[tuple[Scenario, Row]]) -> None:
    """Print what came of everything, as a Markdown table."""
    print("| what happens | tool | exit | cause told | endpoint | left over | again, or back | left over after `delete` |")
    print("|---|---|---|---|---|---|---|---|")
    for scenario, row in rows:
        cells = (scenario.title, row.tool, row.code, row.cause, row.status, row.left, row.again, row.deleted)
        print(f"| {' | '.join(str(cell) for cell in cells)} |")


def main() -> int:
    """Play every scenario with both tools, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", choices=("docker", "unpacked"), default="unpacked", help="what runs containers")
    parser.add_argument("--only", default="", metavar="WORDS", help="only what is called so")
    arguments = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if arguments.only in scenario.title]
    with tempfile.TemporaryDirectory() as folder:
        plain = make_shell(Path(folder))
        try:
            shell, account = start_sandbox(plain, arguments.runner)
            images, role = prepare(shell, account)
            tools: tuple[Tool, ...] = (Mlflow(shell=shell, images=images, role=role), Dockyard(shell=shell))
            kept = account.list_things()
            print_table([(scenario, play(scenario, tool, account, kept)) for scenario in scenarios for tool in tools])
        finally:
            plain.run("dockyard", "sandbox", "down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
