"""A user's folder and a namespace of a real cluster. Commands run there as an account that may do what the guide says.

The models and their images are made once for all tests of a session. Owns the fixtures of tests that need one.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from support.cluster_stand_in import open_namespace
from support.deployments import Ended, Place, Stage, make_told_arrays
from support.session import make_once
from support.told_models import ARRAY, FACTORS

GUIDE = Path(__file__).parents[2] / "docs/how-to/deploy-to-kubernetes.md"

CONFIG = """\
image:
  mirrors: {{docker.io: ["http://{registry}"]}}
  insecure_registries: ["{registry}"]
  repository: {registry}/dockyard-tests/told
  credentials: {credentials}
environments:
  k8s:
    smoke_requests: 4
    grace_seconds: 5
    request_timeout_seconds: 5
    ready_timeout_seconds: {ready_timeout}
    k8s: {k8s}
"""


@dataclass(kw_only=True)
class Yard:
    """A user's folder, and a namespace."""

    place: Place
    namespace: str
    core: client.CoreV1Api
    registry: str
    credentials: tuple[dict[str, object], ...] = ()
    """Those of other registries that images are pushed to."""
    ready_timeout: int = 60

    def configure(self, **settings: object) -> None:
        """Write `dockyard.yaml`, with settings of the environment for Kubernetes."""
        k8s = {"namespace": self.namespace, "cpu": "50m", **settings}
        credentials = json.dumps(self.credentials)
        self.place.configure(
            CONFIG.format(
                registry=self.registry, credentials=credentials, ready_timeout=self.ready_timeout, k8s=json.dumps(k8s)
            )
        )

    def deploy(self, version: int, *more: str) -> Ended:
        """Deploy a version."""
        return self.place.run(*self.deploy_arguments(version), *more)

    def deploy_arguments(self, version: int) -> tuple[str, ...]:
        """The arguments that deploy a version."""
        return ("deploy", "k8s", "-m", f"models:/{ARRAY}/{version}", "--name", "shop", "--json")

    def predict(self) -> object:
        """What the deployment answers to the model's own input example."""
        return self.place.run("predict", "k8s/shop", "--json").expect(0).result["value"]

    def versions(self) -> dict[str, str]:
        """All objects of the namespace that somebody may write, with what changes whenever one is written."""
        api = self.core.api_client
        lists = [
            client.AppsV1Api(api).list_namespaced_deployment(self.namespace),
            client.AppsV1Api(api).list_namespaced_replica_set(self.namespace),
            client.PolicyV1Api(api).list_namespaced_pod_disruption_budget(self.namespace),
            client.NetworkingV1Api(api).list_namespaced_network_policy(self.namespace),
            self.core.list_namespaced_service(self.namespace),
        ]
        found = [one for each in lists for one in each.items]
        return {one.metadata.uid: one.metadata.resource_version for one in found}

    def list_deployments(self) -> list[str]:
        """All Deployments, candidates included."""
        found = client.AppsV1Api(self.core.api_client).list_namespaced_deployment(self.namespace).items
        return [one.metadata.name for one in found]

    def list_leases(self) -> list[str]:
        """The locks that are held."""
        found = client.CoordinationV1Api(self.core.api_client).list_namespaced_lease(self.namespace).items
        return [one.metadata.name for one in found]

    def find_host(self) -> str:
        """The address of the Service."""
        return str(self.core.read_namespaced_service("shop", self.namespace).spec.cluster_ip)

    def replica_sets(self) -> list[client.V1ReplicaSet]:
        """The revisions, one each."""
        found: list[client.V1ReplicaSet] = (
            client.AppsV1Api(self.core.api_client).list_namespaced_replica_set(self.namespace).items
        )
        return found

    def pods(self) -> list[client.V1Pod]:
        """The pods that are not about to end."""
        found = self.core.list_namespaced_pod(self.namespace).items
        return [one for one in found if one.metadata.deletion_timestamp is None]


@pytest.fixture(scope="session")
def k8s_stage(session_folder: Path, lab_registry: str) -> Stage:
    """The models of all yards, and their images, which the workers of a session share."""

    def make(folder: Path) -> None:
        place = Place(folder=folder, home=folder / "home", cache=folder / "cache", port=0)
        place.run(str(folder), main=make_told_arrays).expect(0)
        place.configure(CONFIG.format(registry=lab_registry, credentials=[], ready_timeout=60, k8s={}))
        for version in range(1, len(FACTORS) + 1):
            place.run("build", "-m", f"models:/{ARRAY}/{version}", "--json").expect(0)

    return Stage(folder=make_once(session_folder / "k8s-stage", make))


@pytest.fixture(scope="module")
def models(k8s_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The user's folder for the tests of a module."""
    return k8s_stage.open_place(tmp_path_factory.mktemp("k8s") / "place")


@contextmanager
def open_yard(models: Place, kubeconfig: Path, registry: str) -> Iterator[Yard]:
    """A yard of which nothing is left afterwards."""
    with open_namespace(kubeconfig) as (namespace, core):
        models.extra["KUBECONFIG"] = str(allow(core, namespace, kubeconfig, models.folder))
        yard = Yard(place=models, namespace=namespace, core=core, registry=registry)
        yard.configure()
        yield yard
        yard.configure()
        if models.run("status", "k8s/shop", "--json").result["rows"]:
            models.run("delete", "k8s/shop", "--yes", "--json").expect(0)
        assert yard.versions() == {}
        assert yard.pods() == []


@pytest.fixture(scope="module")
def yard(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Yard]:
    """The yard of a module's tests."""
    with open_yard(models, lab_kubeconfig, lab_registry) as opened:
        yield opened


def allow(core: client.CoreV1Api, namespace: str, kubeconfig: Path, folder: Path) -> Path:
    """The client configuration of an account that may do what the how-to guide says, and nothing else."""
    (text,) = re.findall(r"(apiVersion: rbac.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    role, rbac = yaml.safe_load(text), client.RbacAuthorizationV1Api(core.api_client)
    rbac.create_namespaced_role(namespace, role)
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "deployer"}})
    subject = {"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]}
    binding = {"metadata": {"name": "deployer"}, "subjects": [subject], "roleRef": reference}
    rbac.create_namespaced_role_binding(namespace, binding)
    token = core.create_namespaced_service_account_token("deployer", namespace, {"spec": {}}).status.token
    configuration = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    configuration["users"] = [{"name": one["name"], "user": {"token": token}} for one in configuration["users"]]
    path = folder / f"{namespace}.kubeconfig"
    path.write_text(yaml.safe_dump(configuration))
    return path


def answers(host: str) -> bool:
    """Whether the Service is known to the machine's own network by now."""
    connection = http.client.HTTPConnection(host, 80, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
