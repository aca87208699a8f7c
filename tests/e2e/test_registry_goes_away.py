"""The registry goes away between deploy and record: the deployment stands, and `sync` makes it as if it had never been away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.bench_changes import run_killing_server
from support.deployments import Place, Stage
from support.told_models import FOLDERS, SOUND, print_version, register_at_server
from support.tracking import TrackingServer

pytestmark = pytest.mark.process


@pytest.fixture
def server(tmp_path: Path, open_server: Callable[[Path], TrackingServer]) -> Iterator[TrackingServer]:
    """A server of this test's own, because it is killed."""
    server = open_server(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def remote(server: TrackingServer, place: Place, stage: Stage) -> Place:
    """A place whose registry is a server with the sound model in it. The place is left before the server ends."""
    place.extra["MLFLOW_TRACKING_URI"] = server.uri
    for folder in FOLDERS[:2]:
        place.run(SOUND, str(stage.folder / folder), main=register_at_server).expect(0)
    return place


def test_deployment_stands_and_sync_writes_tag_alias_and_history_when_the_server_is_back(
    remote: Place, server: TrackingServer
) -> None:
    remote.deploy("--promote").expect(0)
    remote.extra["TEST_KILL_GROUP"] = str(server.group)
    arguments = remote.deploy_arguments("--promote", model=f"models:/{SOUND}/2")
    partial = remote.run(*arguments, main=run_killing_server).expect(3)
    server.stop()
    assert partial.envelope["status"] == "partial"
    assert partial.result["revision"] == 2
    assert "record-pending" in {error["code"] for error in partial.envelope["errors"]}
    assert list(remote.supervisors()) == [2]
    remote.run("predict", "shop", "--data", '{"dataframe_records": [{"value": 1.5}]}').expect(0)
    assert remote.state()["revision"] == 2
    still = remote.run("sync", "--json").expect(1)
    assert [entry["key"]["name"] for entry in still.result["pending"]] == ["shop"]

    server.start()
    assert len(remote.run("sync", "--json").expect(0).result["sent"]) == 1
    assert list((remote.home / "queue").iterdir()) == []
    versions = [remote.run(SOUND, version, "shop", main=print_version).expect(0).document for version in ("1", "2")]
    assert [version["record"]["status"] for version in versions] == ["superseded", "serving"]
    assert [version["aliases"] for version in versions] == [[], ["local"]]
    assert [(one["kind"], one["revision"]) for one in remote.history()] == [("deploy", 2), ("deploy", 1)]
    assert remote.run(*arguments).expect(0).envelope["status"] == "unchanged"
    remote.run("drift", "shop", "--json").expect(0)
