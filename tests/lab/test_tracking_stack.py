"""The chart on a real cluster, with MySQL and S3: a client's whole round trip, and a database that goes away and comes back."""

from __future__ import annotations

import base64
import filecmp
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from kubernetes import client
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

import leaks
from dockyard.domain.image import ImageDigest
from support.certificates import make_pair
from support.cluster_stand_in import wait_until
from support.model_folder import write_model_folder
from support.secret_scan import find_secrets, open_repository, scan_image
from support.tracking_drills import Bursts, run_as_root, write_blocks
from support.tracking_stack import NEXT_PASSWORD, ROOT, ROOT_PASSWORD, SEEDED, Stack, install_stack

pytestmark = pytest.mark.lab

CONNECT = """
for end in "$@"; do
  (timeout 3 bash -c "exec 3<>/dev/tcp/${end/://}" 2>/dev/null && echo "open $end") &
done
wait
"""
DOORS = (("server", "5000"), ("mysql", "3306"), ("s3", "7070"))
NEWEST = "dc11669786a5"
OLDER = (
    "UPDATE mlflow.alembic_version SET version_num = '75868b020152'",
    "DROP TABLE mlflow.job_locks",
    "DROP TABLE mlflow.scheduler_leases",
    """ALTER TABLE mlflow.jobs DROP INDEX index_jobs_status_lease_expires_at, DROP COLUMN executor_backend,
    DROP COLUMN lease_expires_at, DROP COLUMN status_message, DROP COLUMN progress, DROP COLUMN progress_updated_at,
    DROP COLUMN token_hash, DROP COLUMN scoped_permissions, DROP COLUMN next_attempt_at""",
)
"""Takes back what the newest migration has done; a definition commits what is before it. MLflow's own way back ends midway on
MySQL, by error 1553."""


@pytest.fixture(name="stack", scope="module")
def installed_stack(
    lab_kubeconfig: Path, lab_environment: dict[str, str], tracking_image: ImageDigest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with install_stack(lab_kubeconfig, lab_environment, tracking_image, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


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


def test_idle_server_takes_less_than_half_a_gigabyte(stack: Stack) -> None:
    (server,) = stack.pods()
    said = stack.run(server.metadata.name, "grep", "^Rss:", "/proc/1/smaps_rollup")
    _, kilobytes, unit = said.split()
    assert unit == "kB"
    assert 100_000 < int(kilobytes) < 512 * 1024


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
    assert filecmp.cmp(arrived, sent, shallow=False)
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
    """All evaluated pairs whose ends are pods here and can ask, and the API server of the cluster."""
    described = yaml.safe_load((ROOT / "tests/cases/tracking_network/clients-and-servers.yaml").read_text())
    addresses = {part: stack.find_address(part) for part in ("server", "mysql", "s3")}
    api = stack.core.read_namespaced_service("kubernetes", "default").spec.cluster_ip
    for name in ("client", "neighbour"):
        start_visitor(stack, name, described["ends"][name]["labels"], [f"{addresses[part]}:{port}" for part, port in DOORS])

    def reach(pod: str) -> str:
        ends = [*(f"{addresses[part]}:{port}" for part, port in DOORS), f"{api}:443"]
        return stack.run(pod, "bash", "-c", CONNECT, "connect", *ends)

    (server,) = stack.pods()
    said = {"server": reach(server.metadata.name), "mysql": reach("team-tracking-mysql-0")}
    said |= {name: wait_visitor(stack, name) for name in ("client", "neighbour")}
    checked = 0
    for verdict in ("allowed", "denied"):
        for pair in described["sets"]["bundled"][verdict]:
            source, target, port = re.split(" -> |:", pair)
            if source in said and (target, port) in DOORS:
                assert (f"open {addresses[target]}:{port}\n" in said[source]) == (verdict == "allowed"), pair
                checked += 1
    assert checked >= 8
    assert f"open {api}:443\n" not in said["server"] + said["mysql"]


def start_visitor(stack: Stack, name: str, labels: Mapping[str, str], ends: list[str]) -> None:
    """A pod that is not of the release and tries to reach some ends."""
    (server,) = stack.pods()
    container = {
        "name": "visit",
        "image": server.spec.containers[0].image,
        "command": ["bash", "-c", CONNECT, "connect", *ends],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "restartPolicy": "Never", "securityContext": security}
    stack.core.create_namespaced_pod(stack.namespace, {"metadata": {"name": name, "labels": labels}, "spec": spec})


def wait_visitor(stack: Stack, name: str) -> str:
    wait_until(lambda: stack.core.read_namespaced_pod(name, stack.namespace).status.phase == "Succeeded")
    said: str = stack.core.read_namespaced_pod_log(name, stack.namespace)
    return said


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


def describe_models(uri: str, folder: Path) -> dict[str, object]:
    """What must come through whatever happens: runs, versions, tags, aliases, artifacts by checksum."""
    mlflow = MlflowClient(uri)
    experiments = mlflow.search_experiments()
    runs = mlflow.search_runs([one.experiment_id for one in experiments])
    (model,) = mlflow.search_registered_models()
    (version,) = mlflow.search_model_versions("name = 'TrainedKNNModel'")
    arrived = download_artifacts(str(version.source), dst_path=str(folder), tracking_uri=uri)
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
    before = describe_models(f"http://{stack.host}", tmp_path / "before")

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

    assert describe_models(f"http://{stack.host}", tmp_path / "after") == before


def test_older_schema_with_data_and_plain_http_are_left_behind_by_one_upgrade(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = describe_models(f"http://{stack.host}", tmp_path / "before")
    run_as_root(stack.find_address("mysql"), ROOT_PASSWORD, *((statement, ()) for statement in OLDER))
    wait_until(lambda: stack.ask("/ready", host=stack.host)[1] != '{"status": "ready"}')

    pair = make_pair(tmp_path / "door", f"team-tracking.{stack.namespace}.svc", stack.host)
    stack.make_secret("door", {file.name: file.read_text() for file in pair.iterdir()})
    newer = tmp_path / "newer.yaml"
    newer.write_text(json.dumps({"tls": {"secretName": "door"}, "migration": {"mode": "helm-hook"}}))
    stack.call("upgrade", "--without-backup", "--values", str(stack.values), "--values", str(newer))

    (migration,) = (text for name, text in read_logs(stack).items() if "-migration-" in name)
    assert re.findall(r"Schema tracking: (\w+)\.", migration) == [NEWEST]
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(pair / "tls.crt"))
    assert describe_models(f"https://{stack.host}", tmp_path / "after") == before
    with pytest.raises(ssl.SSLCertVerificationError):
        open_door(stack.host, ssl.create_default_context())
    open_door(stack.host, ssl.create_default_context(cafile=str(pair / "tls.crt")))
    assert stack.ask("/health", host=stack.host, port=443)[0] != 200


def open_door(host: str, context: ssl.SSLContext) -> None:
    """Ask over TLS whether the server is alive."""
    connection = http.client.HTTPSConnection(host, timeout=10, context=context)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


def read_logs(stack: Stack) -> dict[str, str]:
    """What every container of every pod has said, by pod and container."""
    found = {}
    for pod in stack.core.list_namespaced_pod(stack.namespace).items:
        for container in pod.spec.containers:
            name = pod.metadata.name
            said = stack.core.read_namespaced_pod_log(name, stack.namespace, container=container.name)
            found[f"{name}/{container.name}"] = said
    return found


def test_secrets_are_in_no_object_but_their_own_and_in_no_log(stack: Stack) -> None:
    api, namespace = stack.core.api_client, stack.namespace
    lists = [
        client.AppsV1Api(api).list_namespaced_deployment(namespace),
        client.AppsV1Api(api).list_namespaced_stateful_set(namespace),
        client.BatchV1Api(api).list_namespaced_job(namespace),
        client.BatchV1Api(api).list_namespaced_cron_job(namespace),
        stack.core.list_namespaced_config_map(namespace),
        stack.core.list_namespaced_event(namespace),
        stack.core.list_namespaced_pod(namespace),
    ]
    seen = {str(number): json.dumps(api.sanitize_for_serialization(one)) for number, one in enumerate(lists)}
    seen |= read_logs(stack) | dict(read_releases(stack))
    assert sum("backup" in name or "restore" in name for name in seen) >= 3
    assert sum("helm.release" in name for name in seen) >= 2
    for name, text in seen.items():
        assert find_secrets(io.BytesIO(text.encode()), SEEDED) == set(), name
        assert [line for line in text.splitlines() if list(leaks.find_secrets(line))] == [], name


def read_releases(stack: Stack) -> Iterator[tuple[str, str]]:
    """What Helm keeps of each of its releases: values and manifests."""
    for secret in stack.core.list_namespaced_secret(stack.namespace, label_selector="owner=helm").items:
        packed = base64.b64decode(base64.b64decode(secret.data["release"]))
        yield secret.metadata.name, gzip.decompress(packed).decode()


def test_secrets_are_in_no_layer_and_not_in_the_configuration_of_the_image(tracking_image: ImageDigest) -> None:
    name, _, digest = str(tracking_image).partition("@")
    registry, _, repository = name.partition("/")
    fetch = open_repository(registry, repository)
    assert scan_image(fetch, digest, SEEDED) == {}
    with fetch(f"manifests/{digest}") as stream:
        config = json.loads(stream.read())["config"]["digest"]
    with fetch(f"blobs/{config}") as stream:
        lines = json.dumps(json.loads(stream.read()), indent=1).splitlines()
    assert len(lines) > 50
    assert [line for line in lines if list(leaks.find_secrets(line))] == []
