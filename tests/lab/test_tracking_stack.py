"""The chart on a real cluster, with MySQL and S3: a client's whole round trip, and a database that goes away and comes back."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

import leaks
from dockyard.domain.image import ImageDigest
from support.cluster_stand_in import open_namespace, wait_until
from support.model_folder import write_model_folder
from support.tracking_drills import Bursts, hash_file, run_as_root, run_in_pod, write_blocks

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
PASSWORD = "Mysql1234#"
NEXT_PASSWORD = """a b'"%#@:/?\\&next"""
ROOT_PASSWORD = "root-of-a-test"
S3_KEY = "key-of-a-test"
SERVER = "dockyard.io/stack=team-tracking,app.kubernetes.io/component=server"


@dataclass(kw_only=True)
class Stack:
    """An installed chart."""

    namespace: str
    core: client.CoreV1Api
    environment: dict[str, str]
    host: str = ""

    def call(self, verb: str, *arguments: str) -> dict[str, object]:
        """`dockyard stack`, as a person at a shell: what it answers."""
        command = [str(Path(sys.executable).with_name("dockyard")), "stack", verb, "--name", "team", "--json", *arguments]
        ended = subprocess.run(command, env=os.environ | self.environment, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        result: dict[str, object] = json.loads(ended.stdout)["result"]
        return result

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

    def scale(self, part: str, replicas: int) -> None:
        """Stop or start the database (`mysql`) or the object store (`s3`)."""
        body = {"spec": {"replicas": replicas}}
        apps = client.AppsV1Api(self.core.api_client)
        apps.patch_namespaced_stateful_set_scale(f"team-tracking-{part}", self.namespace, body)


@pytest.fixture(name="stack", scope="module")
def installed_stack(
    lab_kubeconfig: Path, lab_environment: dict[str, str], tracking_image: ImageDigest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with open_namespace(lab_kubeconfig) as (namespace, core):
        folder = tmp_path_factory.mktemp("stack")
        environment = lab_environment | {"KUBECONFIG": str(lab_kubeconfig), "XDG_STATE_HOME": str(folder)}
        stack = Stack(namespace=namespace, core=core, environment=environment)
        make_secret(stack, "db", {"password": PASSWORD, "root-password": ROOT_PASSWORD})  # not a secret: of this test
        make_secret(stack, "seal", {"backup-key": base64.b64encode(bytes(32)).decode()})
        make_secret(stack, "s3", {"access-key-id": "dockyard", "secret-access-key": S3_KEY})
        repository, _, digest = str(tracking_image).partition("@")
        values = {
            "image": {"repository": repository, "digest": digest},
            "database": {"secretName": "db"},
            "mysql": {"enabled": True, "resources": {"requests": {"cpu": "20m"}}},
            "artifacts": {"bucket": "models", "secretName": "s3"},
            "objectStore": {"enabled": True, "resources": {"requests": {"cpu": "20m"}}},
            "resources": {"requests": {"cpu": "20m"}, "limits": {"memory": "640Mi"}},
            "gc": {"enabled": True, "olderThan": "1s", "resources": {"requests": {"cpu": "20m"}}},
            "migration": {"resources": {"requests": {"cpu": "20m"}}},
            "backup": {"enabled": True, "keySecretName": "seal", "resources": {"requests": {"cpu": "20m"}}},
            "allowedHosts": ["10.*"],  # this machine calls the Service by its address
            "replicas": 1,
        }
        file = folder / "values.yaml"
        file.write_text(json.dumps(values))
        stack.call("up", "--k8s", "--namespace", namespace, "--chart", str(ROOT / "helm/tracking"), "--values", str(file))
        stack.host = core.read_namespaced_service("team-tracking", namespace).spec.cluster_ip
        wait_until(lambda: stack.ask("/health", host=stack.host)[0] == 200)
        yield stack


def make_secret(stack: Stack, name: str, content: dict[str, str]) -> None:
    stack.core.create_namespaced_secret(stack.namespace, {"metadata": {"name": name}, "stringData": content})


def hash_folder(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_model_that_is_logged_and_registered_through_the_service_comes_back_byte_by_byte(stack: Stack, tmp_path: Path) -> None:
    mlflow = MlflowClient(f"http://{stack.host}")
    model = write_model_folder(tmp_path / "model")
    (model / "weights.bin").write_bytes(os.urandom(24_000_000))
    run = mlflow.create_run(mlflow.create_experiment("wine"))
    mlflow.log_metric(run.info.run_id, "rmse", 0.78)
    mlflow.log_artifacts(run.info.run_id, str(model), "model")
    mlflow.create_registered_model("TrainedKNNModel")
    version = mlflow.create_model_version("TrainedKNNModel", f"{run.info.artifact_uri}/model", run.info.run_id)
    mlflow.set_registered_model_alias("TrainedKNNModel", "champion", version.version)

    assert mlflow.get_run(run.info.run_id).data.metrics == {"rmse": 0.78}
    found = mlflow.get_model_version_by_alias("TrainedKNNModel", "champion")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    arrived = download_artifacts(str(found.source), dst_path=str(tmp_path / "back"), tracking_uri=f"http://{stack.host}")
    assert hash_folder(Path(arrived)) == hash_folder(model)


def test_server_answers_to_its_names_and_to_no_other(stack: Stack) -> None:
    path = "/api/2.0/mlflow/registered-models/search"
    for name in ("team-tracking", f"team-tracking.{stack.namespace}.svc.cluster.local", f"team-tracking.{stack.namespace}:80"):
        assert stack.ask(path, host=name)[0] == 200, name
    assert stack.ask(path, host="evil.example")[0] == 403
    assert stack.ask("/ready", host="evil.example")[0] == 200


def test_file_larger_than_the_servers_memory_goes_through_it_and_is_gone_with_its_deleted_run(
    stack: Stack, tmp_path: Path
) -> None:
    mlflow = MlflowClient(f"http://{stack.host}")
    run = mlflow.create_run(mlflow.get_experiment_by_name("wine").experiment_id).info
    sent = tmp_path / "weights.bin"
    write_blocks(sent, 1_000_000_000, os.urandom(8_000_000))
    mlflow.log_artifact(run.run_id, str(sent))
    arrived = download_artifacts(
        f"{run.artifact_uri}/weights.bin", dst_path=str(tmp_path / "back"), tracking_uri=f"http://{stack.host}"
    )
    assert Path(arrived).stat().st_size == 1_000_000_000
    assert hash_file(Path(arrived)) == hash_file(sent)
    assert count_restarts(stack) == [0]

    kept = f"/data/models/mlflow/{run.artifact_uri.removeprefix('mlflow-artifacts:/')}/weights.bin"
    assert kept in stack.run("team-tracking-s3-0", "ls", kept)
    mlflow.delete_run(run.run_id)
    batch = client.BatchV1Api(stack.core.api_client)
    template = batch.read_namespaced_cron_job("team-tracking-gc", stack.namespace).spec.job_template
    batch.create_namespaced_job(stack.namespace, {"metadata": {"name": "gc-now"}, "spec": template.spec})
    wait_until(lambda: bool(batch.read_namespaced_job("gc-now", stack.namespace).status.succeeded))
    assert "No such file" in stack.run("team-tracking-s3-0", "ls", kept)


def test_policies_hold_on_the_cluster_as_they_are_evaluated(stack: Stack) -> None:
    (server,) = stack.pods()
    ask = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2); print('open')"

    def reaches(host: str, port: int) -> bool:
        said = stack.run(server.metadata.name, "python", "-S", "-c", ask, host, str(port))
        assert "open" in said or "imed out" in said or "refused" in said, said
        return "open" in said

    api = stack.core.read_namespaced_service("kubernetes", "default").spec.cluster_ip
    assert reaches("team-tracking-mysql", 3306)
    assert reaches("team-tracking-s3", 7070)
    assert not reaches(api, 443)
    assert not reaches("team-tracking", 80)


def test_other_password_and_a_rolling_restart_cost_no_request(stack: Stack) -> None:
    (before,) = stack.pods()
    mysql = stack.core.read_namespaced_pod("team-tracking-mysql-0", stack.namespace).status.pod_ip
    with Bursts(host=stack.host, path="/api/2.0/mlflow/registered-models/get?name=TrainedKNNModel") as load:
        change = "ALTER USER 'mlflow'@'%%' IDENTIFIED BY %s RETAIN CURRENT PASSWORD"
        run_as_root(mysql, ROOT_PASSWORD, (change, (NEXT_PASSWORD,)))
        secret = {"stringData": {"password": NEXT_PASSWORD}}
        stack.core.patch_namespaced_secret("db", stack.namespace, secret)
        wait_until(lambda: is_renewed(stack, before))
        run_as_root(mysql, ROOT_PASSWORD, ("ALTER USER 'mlflow'@'%%' DISCARD OLD PASSWORD", ()))
        answered = load.answered
        wait_until(lambda: load.answered > answered + 40)
        (same,) = stack.pods()
        assert (same.metadata.uid, count_restarts(stack)) == (before.metadata.uid, [0])

        annotations = {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}
        apps = client.AppsV1Api(stack.core.api_client)
        apps.patch_namespaced_deployment("team-tracking", stack.namespace, annotations)
        wait_until(lambda: [one.metadata.uid for one in stack.pods()] not in ([], [before.metadata.uid]))
        wait_until(lambda: before.metadata.uid not in [one.metadata.uid for one in stack.pods()])
    assert load.failures == []
    assert load.answered > 100


def is_renewed(stack: Stack, pod: client.V1Pod) -> bool:
    """Whether the pod's file holds the next password. An annotation has kubelet look now, and not after a minute."""
    annotations = {"metadata": {"annotations": {"looked": secrets.token_hex(4)}}}
    stack.core.patch_namespaced_pod(pod.metadata.name, stack.namespace, annotations)
    return NEXT_PASSWORD in stack.run(pod.metadata.name, "cat", "/run/dockyard/database/password")


def count_restarts(stack: Stack) -> list[int]:
    return [one.restart_count for pod in stack.pods() for one in pod.status.container_statuses]


def test_stopped_object_store_loses_no_metadata_and_is_named_by_the_error(stack: Stack, tmp_path: Path) -> None:
    mlflow = MlflowClient(f"http://{stack.host}")
    run = mlflow.create_run(mlflow.get_experiment_by_name("wine").experiment_id).info
    stack.scale("s3", 0)
    wait_until(lambda: not stack.core.read_namespaced_endpoints("team-tracking-s3", stack.namespace).subsets)
    path = f"/api/2.0/mlflow-artifacts/artifacts/{run.artifact_uri.removeprefix('mlflow-artifacts:/')}/small"
    status, body = stack.ask(path, host=stack.host, seconds=120)
    assert (status, json.loads(body)["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "team-tracking-s3:7070" in body
    mlflow.log_metric(run.run_id, "rmse", 0.5)
    assert stack.ask("/ready", host=stack.host)[0] == 200
    stack.scale("s3", 1)
    wait_until(lambda: bool(stack.core.read_namespaced_endpoints("team-tracking-s3", stack.namespace).subsets))
    small = tmp_path / "small"
    small.write_text("weights")
    mlflow.log_artifact(run.run_id, str(small))
    assert mlflow.get_run(run.run_id).data.metrics == {"rmse": 0.5}
    assert count_restarts(stack) == [0]


def test_password_is_in_no_object_but_its_secret_and_in_no_log(stack: Stack) -> None:
    api, namespace = stack.core.api_client, stack.namespace
    lists = [
        client.AppsV1Api(api).list_namespaced_deployment(namespace),
        client.AppsV1Api(api).list_namespaced_stateful_set(namespace),
        client.BatchV1Api(api).list_namespaced_job(namespace),
        stack.core.list_namespaced_config_map(namespace),
        stack.core.list_namespaced_event(namespace),
        stack.core.list_namespaced_pod(namespace),
    ]
    seen = json.dumps([api.sanitize_for_serialization(one) for one in lists])
    for pod in stack.core.list_namespaced_pod(namespace).items:
        seen += stack.core.read_namespaced_pod_log(pod.metadata.name, namespace)
    assert "team-tracking" in seen
    for secret in (PASSWORD, "Mysql1234%23", NEXT_PASSWORD, ROOT_PASSWORD, S3_KEY):
        assert secret not in seen
    assert [line for line in seen.splitlines() if list(leaks.find_secrets(line))] == []


def test_stopped_database_fails_readiness_only_and_needs_no_restart_when_it_is_back(stack: Stack) -> None:
    (pod,) = stack.pods()
    address = pod.status.pod_ip

    def probe(path: str) -> tuple[int, str]:
        return stack.ask(path, host=address, address=address, port=5000)

    assert probe("/ready") == (200, '{"status": "ready"}')
    stack.scale("mysql", 0)
    wait_until(lambda: probe("/ready") == (503, '{"status": "database-unreachable"}'))
    assert probe("/health")[0] == 200
    stack.scale("mysql", 1)
    wait_until(lambda: probe("/ready")[0] == 200)
    (pod,) = stack.pods()
    assert [one.restart_count for one in pod.status.container_statuses] == [0]
    status, body = probe("/api/2.0/mlflow/registered-models/get?name=TrainedKNNModel")
    assert (status, json.loads(body)["registered_model"]["name"]) == (200, "TrainedKNNModel")


def describe_models(host: str, folder: Path) -> dict[str, object]:
    """Everything that a backup must bring back: runs, versions, tags, aliases, artifacts by checksum."""
    mlflow = MlflowClient(f"http://{host}")
    experiments = mlflow.search_experiments()
    runs = mlflow.search_runs([one.experiment_id for one in experiments])
    (model,) = mlflow.search_registered_models()
    (version,) = mlflow.search_model_versions("name = 'TrainedKNNModel'")
    arrived = download_artifacts(str(version.source), dst_path=str(folder), tracking_uri=f"http://{host}")
    return {
        "experiments": sorted((one.experiment_id, one.name, one.creation_time) for one in experiments),
        "runs": [run.to_dictionary() for run in runs],
        "model": (model.tags, model.aliases, model.creation_timestamp),
        "version": (version.version, version.run_id, version.source, dict(version.tags), version.aliases),
        "artifacts": hash_folder(Path(arrived)),
    }


def test_stack_that_was_destroyed_comes_back_from_its_backup_as_it_was(stack: Stack, tmp_path: Path) -> None:
    mlflow = MlflowClient(f"http://{stack.host}")
    mlflow.set_model_version_tag("TrainedKNNModel", "1", "dockyard.prod.wine", '{"größe": 1}')
    before = describe_models(stack.host, tmp_path / "before")

    taken = stack.call("backup")["answer"]
    assert isinstance(taken, dict)
    assert (taken["artifacts"] > 1, taken["bytes"] > 24_000_000) == (True, True)
    script = (
        'export MYSQL_PWD="$(cat /run/dockyard/root-password)"; mysql -uroot -e "DROP DATABASE mlflow; CREATE DATABASE mlflow"'
    )
    stack.run("team-tracking-mysql-0", "sh", "-euc", script)
    stack.run("team-tracking-s3-0", "rm", "-r", "/data/models/mlflow")
    wait_until(lambda: stack.ask("/ready", host=stack.host)[0] != 200)

    assert stack.call("restore", "--verify")["answer"] == {
        key: taken[key] for key in taken if not key.endswith(("_artifacts", "_backups"))
    }
    stack.call("restore", "--backup", str(taken["backup"]))
    wait_until(lambda: stack.ask("/ready", host=stack.host)[0] == 200)
    assert stack.call("status")["is_ready"] is True

    assert describe_models(stack.host, tmp_path / "after") == before
