"""The main job through the real command line: deploy, look, update, go back, promote, drift, clean up, delete."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.bench_changes import read_mutating_calls, run_recorded
from support.deployments import Ended, Place, Stage, ask
from support.told_models import ANSWERS, SOUND

pytestmark = pytest.mark.process


@pytest.fixture
def cold(stage: Stage, tmp_path: Path) -> Iterator[Place]:
    """A place without a single image."""
    place = stage.open_place(tmp_path / "cold", is_warm=False)
    yield place
    place.close()


@pytest.fixture(scope="module")
def served(shared_place: Place) -> tuple[Place, Ended]:
    """A place with a deployment, and what the program that deployed it said."""
    ended = shared_place.run_program("deploy", "local", "-m", f"models:/{SOUND}/1", "--name", "shop").expect(0)
    return shared_place, ended


def wait_until(holds: Callable[[], bool], timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_first_deploy_builds_proves_serves_and_records(cold: Place) -> None:
    result = cold.deploy(model=SOUND).expect(0)
    assert result.envelope["status"] == "deployed"
    assert result.result["endpoint"] == f"http://127.0.0.1:{cold.port}"
    assert [one["step"] for one in result.result["outcomes"]] == [
        *("BuildImage", "StartRevision", "WaitReady", "SmokeTest", "ShiftTraffic", "WriteRecord")
    ]
    assert result.result["model"]["version"] == "3", "a name alone is the newest version"
    assert ask(cold.port) == ANSWERS[2]
    assert ask(cold.port, None, "/version")["revision"] == 1  # type: ignore[index]
    state = cold.state()
    assert (state["state"], state["revision"], state["is_recorded"]) == ("serving", 1, True)
    (attempt,) = cold.history()
    assert (attempt["kind"], attempt["status"], attempt["revision"]) == ("deploy", "succeeded", 1)
    assert cold.run("gc", "--plan", "--json").expect(0).result["items"] == []


def test_stdout_is_the_endpoint_and_progress_is_on_stderr(served: tuple[Place, Ended]) -> None:
    place, ended = served
    assert ended.out == f"http://127.0.0.1:{place.port}\n"
    assert "smoke-test revision 1" in ended.err
    again = place.run_program("dockyard", "deploy", "local", "-m", f"models:/{SOUND}/1", "--name", "shop").expect(0)
    assert again.out == ended.out
    assert "unchanged" in again.err


def test_plan_and_second_deploy_make_no_mutating_call(hurried_place: Place) -> None:
    planned = hurried_place.run(*hurried_place.deploy_arguments("--plan"), main=run_recorded).expect(0)
    assert planned.envelope["status"] == "planned"
    assert read_mutating_calls(hurried_place.folder) == []
    assert not (hurried_place.home / "local").exists()

    assert hurried_place.run(*hurried_place.deploy_arguments(), main=run_recorded).expect(0).envelope["status"] == "deployed"
    assert {"host.start_revision", "host.route_traffic", "writer.write_entry"} <= set(read_mutating_calls(hurried_place.folder))

    second = hurried_place.run(*hurried_place.deploy_arguments(), main=run_recorded).expect(0)
    assert second.envelope["status"] == "unchanged"
    assert read_mutating_calls(hurried_place.folder) == ["locks.hold"]
    planned = hurried_place.run(*hurried_place.deploy_arguments("--plan", "--detailed-exitcode"), main=run_recorded).expect(0)
    assert planned.envelope["status"] == "unchanged"
    assert read_mutating_calls(hurried_place.folder) == []
    assert len(hurried_place.history()) == 1


def test_update_rollback_and_delete_leave_one_revision_serving_each_time(hurried_place: Place) -> None:
    hurried_place.deploy().expect(0)
    assert ask(hurried_place.port) == ANSWERS[0]

    plan = hurried_place.deploy("--plan", "--detailed-exitcode", model=f"models:/{SOUND}/2").expect(4)
    assert plan.envelope["status"] == "planned"
    assert [step["type"] for step in plan.result["plan"]["steps"]] == [
        *("StartRevision", "WaitReady", "SmokeTest", "ShiftTraffic", "StopRevision", "WriteRecord")
    ]
    hurried_place.deploy(model=f"models:/{SOUND}/2").expect(0)
    assert ask(hurried_place.port) == ANSWERS[1]
    assert list(hurried_place.supervisors()) == [2]

    rolled = hurried_place.run("rollback", "shop", "--json").expect(0)
    assert (rolled.envelope["status"], rolled.result["revision"], rolled.result["previous"]) == ("rolled-back", 1, 2)
    assert ask(hurried_place.port) == ANSWERS[0]
    assert list(hurried_place.supervisors()) == [1]
    hurried_place.run("rollback", "shop", "--revision", "2", "--json").expect(0)
    assert ask(hurried_place.port) == ANSWERS[1]
    assert hurried_place.run("rollback", "shop", "--revision", "7", "--json").expect(2).error["code"] == "no-revision"

    assert [(one["kind"], one["status"], one["revision"]) for one in hurried_place.history()] == [
        *(("rollback", "succeeded", 2), ("rollback", "succeeded", 1), ("deploy", "succeeded", 2), ("deploy", "succeeded", 1)),
    ]
    assert (
        hurried_place.run("delete", "shop", "--plan", "--detailed-exitcode", "--json").expect(4).envelope["status"] == "planned"
    )
    assert ask(hurried_place.port) == ANSWERS[1]
    assert hurried_place.run("delete", "shop", "--json").expect(0).envelope["status"] == "deleted"
    hurried_place.assert_nothing_left()
    assert hurried_place.run("delete", "shop", "--json").expect(2).error["code"] == "deployment-not-found"
    assert hurried_place.history()[0]["kind"] == "delete"
    collected = hurried_place.run("gc", "--json").expect(0)
    assert {item["kind"] for item in collected.result["items"]} == {"image"}
    assert collected.result["freed_bytes"] > 0
    assert [path for path in hurried_place.home.glob("unpacked/*") if path.is_dir()] == [], "nor is anything left unpacked"
    assert hurried_place.run("gc", "--json").expect(0).envelope["status"] == "unchanged"


def test_predict_and_logs_speak_with_the_revision_that_serves(served: tuple[Place, Ended]) -> None:
    place, _ = served
    example = place.run("predict", "shop", "--json").expect(0)
    assert example.result["value"] == ANSWERS[0]
    typed = place.run("predict", "local/shop", "--data", '{"dataframe_records": [{"value": 5}]}').expect(0)
    assert json.loads(typed.out) == {"predictions": [10.0]}
    assert place.run("predict", "shop", "--data", "nonsense", "--json").expect(1).error["code"] == "smoke-test-failed"
    lines = place.run("logs", "shop", "--tail", "500").expect(0).out.splitlines()
    assert any("/invocations" in line for line in lines)
    assert not any("nonsense" in line for line in lines)


def test_scorer_that_is_killed_is_started_again_by_its_supervisor(served: tuple[Place, Ended]) -> None:
    place, _ = served
    (scorer,) = children_of(place.supervisors()[1])
    os.kill(scorer, signal.SIGKILL)
    wait_until(lambda: children_of(place.supervisors()[1]) not in ([], [scorer]))
    wait_until(lambda: place.state()["state"] == "serving")
    assert ask(place.port) == ANSWERS[0]


def test_drift_tells_of_an_alias_that_moved_and_promote_moves_it_back(hurried_place: Place) -> None:
    hurried_place.deploy("--env", "staging", "--port", str(hurried_place.port), "--promote").expect(0)
    assert hurried_place.run("drift", "staging/shop", "--json").expect(0).envelope["status"] == "done"
    assert hurried_place.run("promote", "staging/shop", "--json").expect(0).envelope["status"] == "unchanged"

    point_alias(hurried_place, "staging", "2")
    drifted = hurried_place.run("drift", "--json").expect(4)
    (deployment,) = drifted.result["deployments"]
    assert [finding["code"] for finding in deployment["findings"]] == ["alias-moved"]
    promoted = hurried_place.run("promote", "staging/shop", "--json").expect(0)
    assert (promoted.result["version"], promoted.result["previous_version"]) == ("1", "2")
    hurried_place.run("drift", "--json").expect(0)


def point_alias(place: Place, alias: str, version: str) -> None:
    """Do in a process of its own what a person does in MLflow's own user interface."""
    code = "import sys; from mlflow import MlflowClient; MlflowClient().set_registered_model_alias(*sys.argv[1:])"
    place.run_program("python", "-c", code, SOUND, alias, version).expect(0)


def test_drift_tells_of_a_revision_that_was_killed_and_deploy_brings_it_back(hurried_place: Place) -> None:
    hurried_place.deploy().expect(0)
    os.kill(hurried_place.supervisors()[1], signal.SIGKILL)
    wait_until(lambda: not hurried_place.supervisors())
    assert hurried_place.state()["state"] == "down"
    drifted = hurried_place.run("drift", "shop", "--json").expect(4)
    assert drifted.result["deployments"][0]["plan"]["steps"][0]["type"] == "StartRevision"
    hurried_place.deploy().expect(0)
    assert ask(hurried_place.port) == ANSWERS[0]
    assert hurried_place.state()["revision"] == 1
    hurried_place.run("drift", "shop", "--json").expect(0)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
