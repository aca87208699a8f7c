"""The second example, from training to an answer over HTTP; the first is what the tutorial deploys."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from examples.training import train_knn
from support.deployments import Place

pytestmark = pytest.mark.process


def ask(place: Place, body: str) -> object:
    """What `curl -d BODY -H 'Content-Type: application/json' URL/invocations` prints."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}/invocations", data=body.encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def test_knn_example_answers_c2_to_the_bare_list(place: Place, session_folder: Path) -> None:
    run = train_knn(session_folder)
    place.extra["MLFLOW_TRACKING_URI"] = run.store_uri
    place.deploy(model="TrainedKNNModel").expect(0)
    assert ask(place, "[[2, 10]]") == {"predictions": ["C2"]}
