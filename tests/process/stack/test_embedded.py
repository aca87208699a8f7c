"""An embedded stack is a real MLflow server that is started again when it ends, and comes back from its backup."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from dockyard.adapters.local.daemon import find_holder
from support.patience import wait_for
from support.ports import reserve_port
from support.stack_command import call_stack

pytestmark = pytest.mark.process

Call = Callable[..., dict[str, object]]


@pytest.fixture(name="state")
def own_state(tmp_path: Path) -> Path:
    return tmp_path / "dockyard/stacks/tracking"


@pytest.fixture(name="call")
def call_on_a_home_of_its_own(tmp_path: Path) -> Iterator[Call]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DOCKYARD_"))}

    def call(verb: str, *arguments: str) -> dict[str, object]:
        return call_stack(verb, *arguments, environment=environment | {"XDG_STATE_HOME": str(tmp_path)}, folder=tmp_path)

    yield call
    call("down")


def ask(url: str, body: dict[str, str] | None = None) -> dict[str, object]:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def is_ready(url: str) -> bool:
    try:
        return ask(f"{url}/ready") == {"status": "ready"}
    except (URLError, OSError):
        return False


def find_server(daemon: int) -> int:
    """The server that a daemon looks after."""
    children = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def test_stack_survives_its_servers_end_and_its_own(call: Call, state: Path) -> None:
    up = ("up", "--local", "--runtime", "process", "--port", str(reserve_port()))
    url = str(call(*up)["url"])
    ask(f"{url}/api/2.0/mlflow/registered-models/create", {"name": "TrainedKNNModel"})
    daemon = find_holder(state / "pid")
    assert daemon is not None
    os.kill(find_server(daemon), signal.SIGKILL)
    wait_for(lambda: not is_ready(url))
    wait_for(lambda: is_ready(url), seconds=60)

    taken = call("backup")["answer"]
    call("down", "--delete-data", "--yes-delete-data", "tracking")
    assert find_holder(state / "pid") is None
    assert not (state / "data").exists()
    call(*up)
    told = call("restore")["answer"]

    assert isinstance(taken, dict)
    assert isinstance(told, dict)
    assert told["backup"] == taken["backup"]
    found = ask(f"{url}/api/2.0/mlflow/registered-models/get?name=TrainedKNNModel")["registered_model"]
    assert isinstance(found, dict)
    assert found["name"] == "TrainedKNNModel"
