"""A model that is a folder, with no registry at all: the record is a file beside the configuration."""

from __future__ import annotations

import json
import shutil

import pytest

from support.bench_changes import read_mutating_calls, run_recorded
from support.deployments import Place
from support.told_models import FOLDERS

pytestmark = pytest.mark.process


def test_folder_is_deployed_recorded_beside_the_configuration_and_then_unchanged(place: Place) -> None:
    shutil.copytree(place.cache.parent / FOLDERS[0], place.folder / "shop")
    (place.folder / "mlflow.db").unlink()
    deploy = ("deploy", "local", "-m", "./shop", "--json")
    assert place.run(*deploy).expect(0).result["key"] == {"environment": "local", "name": "shop", "target": "local"}

    records = place.folder / ".dockyard" / "records" / "local.shop.json"
    assert json.loads(records.read_text())["records"][0]["record"]["status"] == "serving"
    assert place.state()["is_recorded"] is True
    again = place.run(*deploy, main=run_recorded).expect(0)
    assert again.envelope["status"] == "unchanged"
    assert read_mutating_calls(place.folder) == ["locks.hold"]

    place.run(*deploy, "-e", "SECOND=1").expect(0)
    place.run("rollback", "shop", "--json").expect(0)
    assert [(one["kind"], one["revision"]) for one in place.history()] == [("rollback", 1), ("deploy", 2), ("deploy", 1)]
    assert place.run("promote", "shop", "--json").expect(2).error["code"] == "usage"
    place.run("delete", "shop", "--json").expect(0)
    assert json.loads(records.read_text())["records"][0]["record"]["status"] == "deleted"
    place.assert_nothing_left()
