"""What is particular to MLflow: what a history run holds, downloads that happen once, and silence on stdout."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from dockyard.adapters.codec import decode
from dockyard.adapters.mlflow_history_tags import describe_tags
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.adapters.mlflow_registry_history import EXPERIMENT
from dockyard.adapters.mlflow_registry_history import write_run as write_history
from dockyard.domain.attempt import Attempt, AttemptStatus
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import NotFoundError, UnavailableError
from dockyard.domain.plan import Plan
from dockyard.domain.record import RecordStatus, decode_tag
from dockyard.domain.reference import parse_model_ref
from support.attempts import LATENCIES, SECRET, make_attempt, make_entry, make_failure
from support.local_values import make_model
from support.registry_stages import Stage, fresh_key, stage_mlflow
from support.tracking import TrackingServer

pytestmark = pytest.mark.process


@pytest.fixture(params=["sqlite", "server"])
def uri(request: pytest.FixtureRequest) -> str:
    """The address of a real store of either kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_store"))
    server: TrackingServer = request.getfixturevalue("tracking_server")
    return server.uri


@pytest.fixture(scope="module")
def seeded() -> dict[str, Stage]:
    """The stages by address: models are logged once, and each test has a deployment of its own."""
    return {}


@pytest.fixture
def stage(uri: str, seeded: dict[str, Stage], tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A real store with two versions of a model."""
    if uri not in seeded:
        seeded[uri] = stage_mlflow(uri, tmp_path_factory.mktemp("seeded"))
    return dataclasses.replace(seeded[uri], key=fresh_key())


def write_run(stage: Stage, uri: str, attempt: Attempt, status: RecordStatus = RecordStatus.SERVING) -> Run:
    """Write an attempt and return its run."""
    run_id = stage.registry.write_entry(make_entry(attempt, status))
    return MlflowClient(uri, uri).get_run(run_id)


def test_run_has_the_attempts_name_times_status_and_tags(stage: Stage, uri: str) -> None:
    attempt = make_attempt(stage.key, stage.model())
    run = write_run(stage, uri, attempt)
    assert run.info.run_name == f"{stage.key} r1 succeeded"
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 60_000
    tags: Mapping[str, str] = run.data.tags
    assert tags["dockyard.attempt-id"] == attempt.id
    assert tags["dockyard.environment"] == stage.key.environment
    assert tags["dockyard.deployment"] == stage.key.name
    assert tags["dockyard.model-version"] == "1"
    assert tags["dockyard.image"] == "sha256:image"
    assert tags["mlflow.user"] == "ann@laptop"
    assert decode_tag(tags["dockyard.record"]) is not None


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (AttemptStatus.FAILED, "FAILED"),
        (AttemptStatus.INTERRUPTED, "KILLED"),
        (AttemptStatus.PARTIAL, "FINISHED"),
    ],
)
def test_run_ends_as_the_attempt_did(stage: Stage, uri: str, status: AttemptStatus, shown: str) -> None:
    run = write_run(
        stage, uri, make_attempt(stage.key, stage.model(), status=status, failure=make_failure()), RecordStatus.FAILED
    )
    assert run.info.status == shown
    assert run.data.tags["dockyard.error-code"] == "revision-crashed"


def test_run_has_the_smoke_tests_latencies_and_the_seconds_of_each_step(stage: Stage, uri: str) -> None:
    run = write_run(stage, uri, make_attempt(stage.key, stage.model()))
    metrics: Mapping[str, float] = run.data.metrics
    assert (metrics["smoke test/p50 ms"], metrics["smoke test/p95 ms"], metrics["smoke test/max ms"]) == (8.0, 11.0, 11.0)
    assert metrics["step seconds/01 BuildImage"] == 12.5
    history = MlflowClient(uri, uri).get_metric_history(run.info.run_id, "smoke test/latency ms")
    assert [one.value for one in sorted(history, key=lambda one: int(one.step))] == [
        pytest.approx(seconds * 1000) for seconds in LATENCIES
    ]


def test_runs_files_are_the_attempt_without_its_secrets(stage: Stage, uri: str, tmp_path: Path) -> None:
    attempt = make_attempt(stage.key, stage.model())
    files = _download(uri, write_run(stage, uri, attempt), tmp_path)
    assert sorted(files) == ["attempt.json", "latency.png", "outcomes.json", "plan.json"]
    assert files["latency.png"].startswith(b"\x89PNG")
    assert SECRET not in "".join(content.decode("latin-1") for content in files.values())
    assert decode(Attempt, files["attempt.json"]).outcomes == attempt.outcomes
    steps = decode(Plan, files["plan.json"]).steps
    assert [step.type for step in steps] == ["BuildImage", "StartRevision", "SmokeTest", "WriteRecord"]
    assert [one["step"] for one in json.loads(files["outcomes.json"])] == ["BuildImage", "StartRevision", "SmokeTest"]


def test_attempt_without_plan_and_smoke_test_has_a_run_too(stage: Stage, uri: str, tmp_path: Path) -> None:
    attempt = make_attempt(stage.key, stage.model(), plan=None, outcomes=(), revision=None, finished=None)
    files = _download(uri, write_run(stage, uri, attempt), tmp_path)
    assert sorted(files) == ["attempt.json"]


def test_run_that_a_kill_left_unfinished_is_completed_and_not_doubled(stage: Stage, uri: str, tmp_path: Path) -> None:
    # A kill between any two calls leaves a run that has not ended: here the first call alone, which sets all tags.
    client = MlflowClient(uri, uri)
    stage.registry.write_entry(make_entry(make_attempt(stage.key, stage.model(), number=1)))
    killed = make_attempt(stage.key, stage.model(), number=2)
    experiment_id = client.get_experiment_by_name(EXPERIMENT).experiment_id
    begun = client.create_run(experiment_id, tags=dict(describe_tags(make_entry(killed))))
    assert stage.registry.write_entry(make_entry(killed)) == begun.info.run_id
    files = _download(uri, client.get_run(begun.info.run_id), tmp_path)
    assert "latency.png" in files
    assert client.get_run(begun.info.run_id).info.status == "FINISHED"


def test_history_goes_on_after_the_experiment_was_deleted(sqlite_store: str, tmp_path: Path) -> None:
    stage = stage_mlflow(sqlite_store, tmp_path)
    stage.registry.write_entry(make_entry(make_attempt(stage.key, stage.model(), number=1)))
    client = MlflowClient(sqlite_store, sqlite_store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    client.delete_experiment(experiment.experiment_id)
    stage.registry.write_entry(make_entry(make_attempt(stage.key, stage.model(), number=2)))
    assert stage.registry.list_attempts(stage.key, 1)[0].revision == 2
    assert client.get_experiment_by_name(EXPERIMENT).lifecycle_stage == "active"


def test_embedded_stores_history_lies_beside_its_other_files(sqlite_store: str, tmp_path: Path) -> None:
    # MLflow itself would put a new experiment's files into whatever folder this process happens to be in.
    stage = stage_mlflow(sqlite_store, tmp_path)
    stage.registry.write_entry(make_entry(make_attempt(stage.key, stage.model())))
    folder = Path(sqlite_store.removeprefix("sqlite:///")).parent
    location = str(MlflowClient(sqlite_store, sqlite_store).get_experiment_by_name(EXPERIMENT).artifact_location)
    assert Path(location.removeprefix("file://")).is_relative_to(folder)


def test_second_resolve_downloads_nothing(uri: str, tmp_path: Path) -> None:
    stage = stage_mlflow(uri, tmp_path)
    first = stage.resolve(stage.refs[1])
    by_id = stage.resolve(f"models:/{stage.model_id}")
    get_artifact_repository(first.identity.source, tracking_uri=uri).delete_artifacts("")
    assert stage.resolve(stage.refs[1]) == first
    assert stage.resolve(f"models:/{stage.model_id}") == by_id
    with pytest.raises(NotFoundError):
        MlflowRegistry(uri, None, tmp_path / "empty").resolve_model(parse_model_ref(stage.refs[1]))


def test_reading_makes_no_experiment_and_no_run(sqlite_store: str, tmp_path: Path) -> None:
    client = MlflowClient(sqlite_store, sqlite_store)
    stage = stage_mlflow(sqlite_store, tmp_path)
    before = _count(client)
    model = stage.model()
    stage.registry.find_record(stage.key, model)
    stage.registry.list_attempts(stage.key, 10)
    stage.registry.find_alias(stage.name, "prod")
    assert _count(client) == before


def test_store_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/typo.db", None, tmp_path / "cache")
    assert registry.list_attempts(DeploymentKey(environment="prod", name="nothing"), 10) == ()
    assert registry.find_alias("wine", "prod") is None
    assert registry.find_record(DeploymentKey(environment="prod", name="nothing"), make_model()) is None
    with pytest.raises(NotFoundError) as missing:
        registry.resolve_model(parse_model_ref("wine"))
    assert missing.value.code == "model-not-found"
    assert f"sqlite:///{tmp_path}/typo.db" in missing.value.message
    with pytest.raises(UnavailableError) as caught:
        registry.set_alias("wine", "prod", "1")
    assert caught.value.code == "tracking-unreachable"
    assert list(tmp_path.iterdir()) == []


def test_entry_for_another_registry_waits_for_its_own(stage: Stage) -> None:
    attempt = make_attempt(stage.key, stage.model())
    entry = make_entry(attempt)
    elsewhere = type(entry)(attempt=attempt, tags=entry.tags, registry="http://mlflow.example.com")
    with pytest.raises(UnavailableError) as caught:
        stage.registry.write_entry(elsewhere)
    assert caught.value.code == "tracking-unreachable"
    assert "http://mlflow.example.com" in caught.value.message
    stage.registry.write_tags(tuple(dataclasses.replace(tag, registry="http://mlflow.example.com") for tag in entry.tags))
    assert stage.registry.list_attempts(stage.key, 10) == ()
    assert stage.registry.find_record(stage.key, stage.model()) is None


def test_folder_is_taken_by_mlflow_too(sqlite_store: str, tmp_path: Path) -> None:
    stage = stage_mlflow(sqlite_store, tmp_path)
    by_folder = stage.resolve(str(tmp_path / "v1")).identity
    assert (by_folder.digest, by_folder.name) == (stage.model(1).digest, None)


def test_two_that_make_the_experiment_at_once_write_to_one(sqlite_store: str, tmp_path: Path) -> None:
    class SlowerClient(MlflowClient):  # type: ignore[misc]
        """Sees no experiment at the first look: another process makes it right after that."""

        looks = 0

        def get_experiment_by_name(self, name: str) -> object:
            self.looks += 1
            return None if self.looks == 1 else super().get_experiment_by_name(name)

    stage = stage_mlflow(sqlite_store, tmp_path)
    stage.registry.write_entry(make_entry(make_attempt(stage.key, stage.model(), number=1)))
    entry = make_entry(make_attempt(stage.key, stage.model(), number=2))
    write_history(SlowerClient(sqlite_store, sqlite_store), entry, artifact_location=None)
    assert [one.revision for one in stage.registry.list_attempts(stage.key, 10)] == [2, 1]


def test_version_that_was_deleted_since_keeps_the_entry_from_nothing(sqlite_store: str, tmp_path: Path) -> None:
    stage = stage_mlflow(sqlite_store, tmp_path)
    entry = make_entry(make_attempt(stage.key, stage.model(1)))
    MlflowClient(sqlite_store, sqlite_store).delete_model_version(stage.name, "1")
    assert stage.registry.write_entry(entry) is not None
    assert len(stage.registry.list_attempts(stage.key, 10)) == 1


def test_stage_resolves_to_its_newest_version(sqlite_store: str, tmp_path: Path) -> None:
    stage = stage_mlflow(sqlite_store, tmp_path)
    client = MlflowClient(sqlite_store, sqlite_store)
    with pytest.warns(FutureWarning, match="deprecated"):
        client.transition_model_version_stage(stage.name, "1", "Production")
    assert stage.resolve(f"models:/{stage.name}/production").identity.version == "1"


@pytest.mark.process
def test_registered_model_whose_source_is_a_reference_is_followed(tracking_server: TrackingServer, tmp_path: Path) -> None:
    stage = stage_mlflow(tracking_server.uri, tmp_path)
    client = MlflowClient(tracking_server.uri, tracking_server.uri)
    client.copy_model_version(f"models:/{stage.name}/1", f"{stage.name} copy")
    copied = stage.resolve(f"models:/{stage.name} copy/1").identity
    assert copied.digest == stage.model(1).digest
    assert copied.name == f"{stage.name} copy"
    assert stage.model(2).model_id == stage.model_id


def test_nothing_is_printed(sqlite_store: str, tmp_path: Path) -> None:
    # A process of its own: what MLflow says, it says while it is imported and when a run ends.
    stage = stage_mlflow(sqlite_store, tmp_path)
    script = """
import sys
from pathlib import Path
from support.attempts import make_attempt, make_entry
from dockyard.adapters.mlflow_history_tags import describe_tags
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.reference import parse_model_ref
registry = MlflowRegistry(sys.argv[1], None, Path(sys.argv[2]))
model = registry.resolve_model(parse_model_ref(sys.argv[3])).version.identity
registry.write_entry(make_entry(make_attempt(DeploymentKey(environment="prod", name="silent"), model)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, sqlite_store, str(tmp_path / "other"), stage.refs[0]],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "MPLCONFIGDIR": str(tmp_path), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _download(uri: str, run: Run, folder: Path) -> dict[str, bytes]:
    target = folder / "downloaded"
    target.mkdir()
    MlflowClient(uri, uri).download_artifacts(run.info.run_id, "", str(target))
    return {path.name: path.read_bytes() for path in target.iterdir()}


def _count(client: MlflowClient) -> tuple[int, int]:
    experiments = client.search_experiments(view_type=ViewType.ALL)
    runs = client.search_runs([one.experiment_id for one in experiments], run_view_type=ViewType.ALL)
    return len(experiments), len(runs)
