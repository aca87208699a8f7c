"""Deploys that go wrong in every way there is, under load: the old revision answers every request, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.deployments import Place
from support.steady_load import SteadyLoad
from support.told_models import RAISING, SOUND, UNSATISFIABLE, print_version

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def serving(shared_place: Place, load: Callable[[Place], SteadyLoad]) -> Iterator[tuple[Place, SteadyLoad]]:
    """A deployment whose first revision serves, and a load on it that goes on through all tests."""
    shared_place.deploy().expect(0)
    with load(shared_place) as running:
        yield shared_place, running


@pytest.mark.parametrize(
    ("model", "options", "code", "detail"),
    [
        pytest.param(RAISING, (), "model-does-not-answer", "", id="prediction raises at build"),
        pytest.param(UNSATISFIABLE, (), "requirements-unsatisfiable", "", id="requirements cannot be met"),
        pytest.param(
            SOUND, ("-e", "TOLD_PREDICT=raise"), "smoke-test-failed", "proof-failed", id="prediction raises when deployed"
        ),
        pytest.param(SOUND, ("-e", "TOLD_PREDICT=shift"), "wrong-answer", "proof-differs", id="another answer than at build"),
        pytest.param(SOUND, ("-e", "TOLD_LOAD=hang"), "revision-not-ready", "", id="never ready"),
        pytest.param(SOUND, ("-e", "TOLD_LOAD=crash"), "revision-crashed", "", id="crash at start"),
    ],
)
def test_broken_deploy_leaves_the_old_revision_serving_and_nothing_else(
    serving: tuple[Place, SteadyLoad], model: str, options: tuple[str, ...], code: str, detail: str
) -> None:
    place, running = serving
    version = "2" if model == SOUND else "1"
    before = place.supervisors()
    running.wait_for(20)

    ended = place.deploy(*options, "--timeout", "8", model=f"models:/{model}/{version}").expect(1)
    assert ended.error["code"] == code
    assert ended.error["hint"]
    assert detail in "\n".join(ended.error["details"])
    running.wait_for(20)
    running.assert_whole()
    assert len(running.answers) == 1, "all by the old revision"

    assert place.supervisors() == before
    assert [path.name for path in place.home.glob(f"local/local/{place.name}/revisions/*")] == ["1"]
    assert [item for item in place.run("gc", "--plan", "--json").result["items"] if item["kind"] != "image"] == []
    state = place.state()
    assert (state["state"], state["revision"], state["revisions"], state["is_recorded"]) == ("serving", 1, [1], True)
    attempt = place.history()[0]
    assert (attempt["status"], attempt["failure"]["code"]) == ("failed", code)
    record = place.run(model, version, place.name, main=print_version).expect(0).document["record"]
    assert (record["status"], record["error_code"], record["traffic_percent"]) == ("failed", code, 0)


def test_failed_deploy_of_what_serves_leaves_the_record_of_what_serves(serving: tuple[Place, SteadyLoad]) -> None:
    place, running = serving
    place.deploy("-e", "TOLD_LOAD=crash", model=f"models:/{SOUND}/1").expect(1)
    record = place.run(SOUND, "1", place.name, main=print_version).expect(0).document["record"]
    assert (record["status"], record["revision"]) == ("serving", 1)
    assert place.history()[0]["status"] == "failed"
    running.assert_whole()
