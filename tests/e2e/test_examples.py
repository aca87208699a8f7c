"""The two examples, from training to an answer over HTTP."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from examples.training import answer, train_knn, train_wine
from support.deployments import Place

pytestmark = pytest.mark.process

WINE_COLUMNS = (
    *("fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides", "free sulfur dioxide"),
    *("total sulfur dioxide", "density", "pH", "sulphates", "alcohol"),
)
WINES = [
    [7.0, 0.27, 0.36, 20.7, 0.045, 45, 170, 1.001, 3.0, 0.45, 8.8],
    [6.3, 0.3, 0.34, 1.6, 0.049, 14, 132, 0.994, 3.3, 0.49, 9.5],
]


def ask(place: Place, body: str) -> object:
    """What `curl -d BODY -H 'Content-Type: application/json' URL/invocations` prints."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}/invocations", data=body.encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def test_knn_example_answers_c2_to_the_bare_list_and_wine_answers_as_mlflow_does(place: Place, session_folder: Path) -> None:
    run = train_knn(session_folder)
    place.extra["MLFLOW_TRACKING_URI"] = run.store_uri
    place.deploy(model="TrainedKNNModel").expect(0)
    assert ask(place, "[[2, 10]]") == {"predictions": ["C2"]}

    run = train_wine(session_folder)
    place.extra["MLFLOW_TRACKING_URI"] = run.store_uri
    place.deploy(model="my_first_model").expect(0)
    body = json.dumps({"dataframe_split": {"columns": WINE_COLUMNS, "data": WINES}})
    assert ask(place, body) == answer(run.model_folder("my_first_model"), body)
