"""The nearest-neighbour example: what it leaves in the store, and the answers of the model it registers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.training import Training, answer, train_knn

MODEL = "TrainedKNNModel"


@pytest.fixture(scope="module")
def training(session_folder: Path) -> Training:
    return train_knn(session_folder)


def test_model_is_registered_and_its_version_is_printed(training: Training) -> None:
    assert training.client().get_model_version(MODEL, "1").status == "READY"
    assert f"Registered {MODEL} version 1\n" in training.stdout


def test_run_lands_in_its_experiment_with_its_settings(training: Training) -> None:
    assert training.experiment_of(MODEL) == "KNNUsingMLFlow"
    assert training.run_of(MODEL).data.params == {"n_neighbors": "4", "metric": "euclidean"}


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ('{"instances": [[2, 10]]}', "C2"),
        ('{"inputs": [[2, 10]]}', "C2"),
        ('{"dataframe_split": {"data": [[2, 10]]}}', "C2"),
        ('{"instances": [[10, 11]]}', "C3"),
        ('{"instances": [[6, 4]]}', "C1"),
    ],
)
def test_point_gets_the_label_of_its_neighbours(training: Training, body: str, label: str) -> None:
    assert answer(training.model_folder(MODEL), body) == {"predictions": [label]}


def test_serving_input_example_gets_an_answer(training: Training) -> None:
    folder = training.model_folder(MODEL)
    body = (folder / "serving_input_example.json").read_text(encoding="utf-8")
    assert answer(folder, body) == {"predictions": ["C2"]}


def test_training_raises_no_warning(training: Training) -> None:
    assert not re.search(r"warn", training.stderr, flags=re.IGNORECASE)
