"""The chart `tracking` on the lab's cluster, by `dockyard stack up`, with its own MySQL and S3; and what a test does to it."""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client

from dockyard.domain.image import ImageDigest
from support.cluster_stand_in import open_namespace, wait_until
from support.stack_command import call_stack
from support.tracking_drills import run_in_pod

ROOT = Path(__file__).parents[2]
PASSWORD = "Mysql1234#"
NEXT_PASSWORD = """a b'"%#@:/?\\&next"""
ROOT_PASSWORD = "root-of-a-test"
S3_KEY = "key-of-a-test"
BACKUP_KEY = base64.b64encode(bytes(range(32))).decode()
SEEDED = (PASSWORD, NEXT_PASSWORD, ROOT_PASSWORD, S3_KEY, BACKUP_KEY)
"""Every secret that the stack is given."""
SERVER = "dockyard.io/stack=team-tracking,app.kubernetes.io/component=server"


@dataclass(kw_only=True)
class Stack:
    """An installed chart."""

    namespace: str
    core: client.CoreV1Api
    environment: dict[str, str]
    values: Path
    host: str = ""

    def call(self, verb: str, *arguments: str) -> dict[str, object]:
        """`dockyard stack`, as a person at a shell: what it answers."""
        return call_stack(verb, "--name", "team", *arguments, environment=os.environ | self.environment)

    def ask(self, path: str, *, host: str, address: str = "", port: int = 80, seconds: int = 10) -> tuple[int, str]:
        """Status and body of a GET under a name of the server's; status 0 where nobody listens."""
        connection = http.client.HTTPConnection(address or self.host, port, timeout=seconds)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:  # the Service is not known to this machine's network yet
            return 0, str(error)
        finally:
            connection.close()

    def pods(self) -> list[client.V1Pod]:
        """The server's pods."""
        found: list[client.V1Pod] = self.core.list_namespaced_pod(self.namespace, label_selector=SERVER).items
        return found

    def run(self, pod: str, *command: str) -> str:
        """What a program says in a pod."""
        return run_in_pod(os.environ | self.environment, self.namespace, pod, *command)

    def find_address(self, component: str) -> str:
        """Of the pod of a part."""
        selector = f"dockyard.io/stack=team-tracking,app.kubernetes.io/component={component}"
        (pod,) = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        return str(pod.status.pod_ip)

    def make_secret(self, name: str, content: dict[str, str]) -> None:
        """A Secret beside it."""
        self.core.create_namespaced_secret(self.namespace, {"metadata": {"name": name}, "stringData": content})

    def scale(self, part: str, replicas: int) -> None:
        """Stop or start the database (`mysql`) or the object store (`s3`)."""
        body = {"spec": {"replicas": replicas}}
        apps = client.AppsV1Api(self.core.api_client)
        apps.patch_namespaced_stateful_set_scale(f"team-tracking-{part}", self.namespace, body)


@contextmanager
def install_stack(kubeconfig: Path, environment: dict[str, str], image: ImageDigest, folder: Path) -> Iterator[Stack]:
    """The chart in a namespace of its own, which is gone afterwards. Files and this user's book of stacks are in `folder`."""
    with open_namespace(kubeconfig) as (namespace, core):
        told = environment | {"KUBECONFIG": str(kubeconfig), "XDG_STATE_HOME": str(folder)}
        stack = Stack(namespace=namespace, core=core, environment=told, values=folder / "values.yaml")
        stack.make_secret("db", {"password": PASSWORD, "root-password": ROOT_PASSWORD})
        stack.make_secret("seal", {"backup-key": BACKUP_KEY})
        stack.make_secret("s3", {"access-key-id": "dockyard", "secret-access-key": S3_KEY})
        stack.values.write_text(json.dumps(describe_values(image)))
        chart = ("--chart", str(ROOT / "helm/tracking"))
        stack.call("up", "--k8s", "--namespace", namespace, *chart, "--values", str(stack.values))
        stack.host = core.read_namespaced_service("team-tracking", namespace).spec.cluster_ip
        wait_until(lambda: stack.ask("/health", host=stack.host)[0] == 200)
        yield stack


def describe_values(image: ImageDigest) -> dict[str, object]:
    """Everything in the cluster, in one small pod each."""
    repository, _, digest = str(image).partition("@")
    small = {"resources": {"requests": {"cpu": "20m"}}}
    return {
        "image": {"repository": repository, "digest": digest},
        "database": {"secretName": "db"},
        "mysql": {"enabled": True, **small},
        "artifacts": {"bucket": "models", "secretName": "s3"},
        "objectStore": {"enabled": True, **small},
        "resources": {"requests": {"cpu": "20m"}, "limits": {"memory": "640Mi"}},
        "gc": {"enabled": True, "olderThan": "1s", **small},
        "migration": small,
        "backup": {"enabled": True, "keySecretName": "seal", **small},
        "allowedHosts": ["10.*"],  # this machine calls the Service by its address
        "replicas": 1,
    }
