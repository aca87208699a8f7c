"""Real parts for tests: what a person named by environment variables, else what `lab/lab up` has started. A pytest plugin.

Owns which part is used, and what happens when there is none: the test is skipped on a person's laptop and fails with CI=true.
Must not start the lab: `make test-lab` does. What it starts itself (a MySQL, an S3 server) it takes down by its id.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from support import lab_probes
from support.lab_servers import Database, ObjectStore, run_mysql, run_object_store

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What lab tests need: the variable that names a person's own (none: it cannot be), and which `lab/lab up` starts one."""

    title: str
    variable: str
    started_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLogin:
    """A registry that asks who is there; the address has no scheme."""

    address: str
    user: str
    password: str


ENGINE = Part(title="Docker engine", variable="DOCKYARD_TEST_DOCKER_HOST", started_by="engine")
REGISTRY = Part(title="open registry", variable="DOCKYARD_TEST_REGISTRY", started_by="registry")
REGISTRY_AUTH = Part(title="registry with credentials", variable="DOCKYARD_TEST_REGISTRY_AUTH", started_by="registry")
LAB_ITSELF = Part(title="lab", variable="", started_by="all")
CLUSTER = Part(title="Kubernetes cluster", variable="DOCKYARD_TEST_KUBECONFIG", started_by="cluster")
AUDIT_LOG = Part(title="audit log of the cluster", variable="DOCKYARD_TEST_AUDIT_LOG", started_by="cluster")
GATEWAY = Part(title="gateway", variable="DOCKYARD_TEST_GATEWAY", started_by="addons")
PROMETHEUS = Part(title="Prometheus", variable="DOCKYARD_TEST_PROMETHEUS", started_by="addons")
GITOPS = Part(title="Flux kustomize-controller", variable="DOCKYARD_TEST_FLUX_HEALTH", started_by="addons")
TOOLS = Part(title="command line tools", variable="DOCKYARD_TEST_TOOLS", started_by="tools")


def is_ci(environ: Mapping[str, str]) -> bool:
    return environ.get("CI", "").lower() in {"1", "true"}


def refuse_part(part: Part, *, in_ci: bool) -> NoReturn:
    """Skip the test on a person's machine; fail it where nothing may be skipped."""
    reason = f"no {part.title}: start one with `lab/lab up {part.started_by}`"
    if part.variable:
        reason += f", or name yours in {part.variable}"
    if in_ci:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def choose_part(part: Part, environ: Mapping[str, str], lab_has: str | None, answers: Callable[[str], bool]) -> str:
    """The person's own part before the lab's. A named part that does not answer is a mistake, and fails everywhere."""
    given = environ.get(part.variable)
    if given:
        if not answers(given):
            pytest.fail(f"{part.variable}={given} names a {part.title} that does not answer", pytrace=False)
        return given
    if lab_has and answers(lab_has):
        return lab_has
    refuse_part(part, in_ci=is_ci(environ))


def read_lab_environment() -> dict[str, str]:
    """This process's environment with the exports of `lab env`, whether the lab is up or not."""
    script = 'exports=$(lab/lab env) && eval "$exports" && env -0'
    result = subprocess.run(["bash", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(entry.split("=", 1) for entry in result.stdout.split("\0") if "=" in entry)


@pytest.fixture(scope="session")
def lab_environment() -> dict[str, str]:
    """What a shell has after `eval "$(lab/lab env)"`: for programs that tests start."""
    return read_lab_environment()


@pytest.fixture(scope="session")
def lab_cache(lab_environment: dict[str, str]) -> Path:
    """Where the lab keeps what is slow to make. Only for tests of the lab itself."""
    folder = Path(lab_environment["LAB_CACHE"])
    choose_part(LAB_ITSELF, {}, str(folder / "images"), lambda path: Path(path).is_dir())
    return folder


@pytest.fixture(scope="session")
def lab_tools(lab_environment: dict[str, str]) -> Path:
    """The folder that holds helm, crane and the other tools."""
    return Path(choose_part(TOOLS, os.environ, str(Path(lab_environment["LAB_CACHE"], "bin")), lab_probes.has_helm))


@pytest.fixture(scope="session")
def lab_engine(lab_environment: dict[str, str]) -> str:
    """The URL of a Docker engine, as DOCKER_HOST has it."""
    return choose_part(ENGINE, os.environ, lab_environment["DOCKER_HOST"], lab_probes.engine_answers)


@pytest.fixture(scope="session")
def lab_registry(lab_environment: dict[str, str]) -> str:
    """HOST:PORT of a registry that lets anybody push, by plain HTTP."""
    return choose_part(REGISTRY, os.environ, lab_environment["LAB_REGISTRY"], lab_probes.registry_answers)


@pytest.fixture(scope="session")
def lab_registry_auth(lab_environment: dict[str, str]) -> RegistryLogin:
    """A registry that asks for a user and a password, by plain HTTP."""
    named = REGISTRY_AUTH.variable in os.environ
    prefix, source = (REGISTRY_AUTH.variable, os.environ) if named else ("LAB_REGISTRY", lab_environment)
    user, password = source.get(f"{prefix}_USER", ""), source.get(f"{prefix}_PASSWORD", "")

    def answers(address: str) -> bool:
        return lab_probes.registry_answers(address, user, password)

    address = choose_part(REGISTRY_AUTH, os.environ, lab_environment["LAB_REGISTRY_AUTH"], answers)
    return RegistryLogin(address=address, user=user, password=password)


@pytest.fixture(scope="session")
def lab_kubeconfig(lab_environment: dict[str, str]) -> Path:
    """A client configuration whose current context may do everything in its cluster."""
    return Path(choose_part(CLUSTER, os.environ, lab_environment["KUBECONFIG"], lab_probes.cluster_answers))


@pytest.fixture(scope="session")
def lab_audit_log(lab_environment: dict[str, str], lab_kubeconfig: Path) -> Path:  # noqa: ARG001  it is that cluster's
    """The file into which the cluster's API server writes what service accounts have asked it to write."""
    lab_has = str(Path(lab_environment["LAB_STATE"], "cluster/log/audit.log"))
    return Path(choose_part(AUDIT_LOG, os.environ, lab_has, lambda path: Path(path).is_file()))


@pytest.fixture(scope="session")
def lab_gateway(lab_kubeconfig: Path) -> str:
    """The URL at which the cluster's Gateway `lab-gateway/lab` answers. `lab_kubeconfig` holds that cluster."""
    return choose_part(GATEWAY, os.environ, "http://10.244.0.1:8080", lab_probes.gateway_is_programmed(lab_kubeconfig))


@pytest.fixture(scope="session")
def lab_prometheus() -> str:
    """The URL of a Prometheus that scrapes the cluster's pods."""
    return choose_part(PROMETHEUS, os.environ, "http://10.244.0.1:9090", lab_probes.prometheus_is_ready)


@pytest.fixture(scope="session")
def lab_flux_health() -> str:
    """The URL at which Flux's kustomize-controller answers its health checks."""
    return choose_part(GITOPS, os.environ, "http://127.0.0.1:18012", lab_probes.controller_is_ready)


@pytest.fixture(scope="session")
def lab_mysql(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty MySQL database with a user of its own: the one that is named, else a container from the lab's image."""
    given = os.environ.get("DOCKYARD_TEST_MYSQL")
    if given:
        yield Database.parse(given)
        return
    host = request.getfixturevalue("lab_engine")
    request.getfixturevalue("lab_registry")
    with run_mysql(host, secrets.token_urlsafe(18)) as database:
        yield database


@pytest.fixture(scope="session")
def lab_s3(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """An S3 server: the one that is named, else a container from the lab's image."""
    given = os.environ.get("DOCKYARD_TEST_S3")
    if given:
        yield ObjectStore.parse(given)
        return
    host = request.getfixturevalue("lab_engine")
    request.getfixturevalue("lab_registry")
    with run_object_store(host, secrets.token_urlsafe(18)) as store:
        yield store


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a skipped test is a failure, whoever skipped it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if is_ci(os.environ) and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("CI=true: skipped tests count as failed", red=True)
