"""The wine example: its numbers, what it leaves in the store, and that the model it registers answers a request."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from examples.training import EXAMPLES, Training, answer, train_wine

PROJECT = EXAMPLES / "sklearn_elasticnet_wine"
MODEL = "my_first_model"
EXPECTED = {"rmse": 0.82224284975954, "mae": 0.6278761410160691, "r2": 0.12678721972772689}


@pytest.fixture(scope="module")
def training(session_folder: Path) -> Training:
    return train_wine(session_folder)


def test_printed_metrics_are_the_published_ones(training: Training) -> None:
    printed = {name.lower(): float(value) for name, value in re.findall(r"(RMSE|MAE|R2): (\S+)", training.stdout)}
    assert printed == pytest.approx(EXPECTED, abs=1e-9, rel=0)


def test_logged_metrics_and_parameters_are_those_of_the_run(training: Training) -> None:
    logged = training.run_of(MODEL).data
    assert logged.metrics == pytest.approx(EXPECTED, abs=1e-9, rel=0)
    assert {name: logged.params[name] for name in ("alpha", "l1_ratio")} == {"alpha": "0.5", "l1_ratio": "0.5"}


def test_model_is_registered_and_its_version_is_printed(training: Training) -> None:
    assert training.client().get_model_version(MODEL, "1").status == "READY"
    assert f"Registered {MODEL} version 1\n" in training.stdout


def test_run_lands_in_the_experiment_named_on_the_command_line(training: Training) -> None:
    assert training.experiment_of(MODEL) == "wine"


def test_serving_input_example_is_small_and_gets_a_score_for_each_row(training: Training) -> None:
    folder = training.model_folder(MODEL)
    body = (folder / "serving_input_example.json").read_text(encoding="utf-8")
    scores = answer(folder, body)["predictions"]
    assert len(json.loads(body)["dataframe_split"]["data"]) == 2
    assert scores == pytest.approx([5.898, 5.895], abs=1e-3)


def test_deployed_model_answers_in_the_readme_what_mlflow_answers(training: Training) -> None:
    answered = answer(training.model_folder(MODEL), (PROJECT / "request.json").read_text(encoding="utf-8"))
    shown = re.search(r'^{"predictions".+$', (EXAMPLES.parent / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown is not None
    assert json.loads(shown[0])["predictions"] == pytest.approx(answered["predictions"], rel=1e-9)


def test_signature_takes_floats_only(training: Training) -> None:
    described = yaml.safe_load((training.model_folder(MODEL) / "MLmodel").read_text(encoding="utf-8"))
    columns = json.loads(described["signature"]["inputs"])
    assert [column["type"] for column in columns] == ["double"] * 11


def test_model_requires_what_serves_it_and_no_more(training: Training) -> None:
    requirements = (training.model_folder(MODEL) / "requirements.txt").read_text(encoding="utf-8").split()
    assert [line.partition("==")[0] for line in requirements] == [
        "mlflow",
        "numpy",
        "pandas",
        "scikit-learn",
        "scipy",
        "skops",
    ]


def test_training_raises_no_warning(training: Training) -> None:
    assert not re.search(r"warn", training.stderr, flags=re.IGNORECASE)


def test_project_environment_names_versions_of_the_locked_development_environment() -> None:
    environment = yaml.safe_load((PROJECT / "python_env.yaml").read_text(encoding="utf-8"))
    locked = (EXAMPLES.parent / "requirements" / "dev.txt").read_text(encoding="utf-8").split()
    assert [pin for pin in environment["dependencies"] if pin not in locked] == []
