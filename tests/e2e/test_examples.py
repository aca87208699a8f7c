"""The second example, from training to an answer over HTTP; the first is what the tutorial deploys."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.training import train_knn
from support.deployments import Place, ask

pytestmark = pytest.mark.process


def test_knn_example_answers_c2_to_the_bare_list(place: Place, session_folder: Path) -> None:
    run = train_knn(session_folder)
    place.extra["MLFLOW_TRACKING_URI"] = run.store_uri
    place.deploy(model="TrainedKNNModel").expect(0)
    assert ask(place.port, b"[[2, 10]]") == {"predictions": ["C2"]}
