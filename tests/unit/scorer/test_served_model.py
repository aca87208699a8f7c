"""Tests of the loaded model: errors and their secrecy, the bare list, the input example, failures to load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from dockyard_scorer.errors import ModelError, ScorerError
from dockyard_scorer.served_model import ServedModel, load_model
from support import models

SaveModel = Callable[[Path], Path]
Load = Callable[[SaveModel], ServedModel]
CANARY = "canary-4711"
JSON = "application/json"


def _refuse(model: ServedModel, body: object, content_type: str = JSON) -> ScorerError:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(ScorerError) as refusal:
        model.answer(text.encode(), content_type)
    return refusal.value


def _command(command: str, value: float = 1.0) -> object:
    return {"dataframe_records": [{"command": command, "value": value}]}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"{CANARY}", JSON),
        (f'["{CANARY}', JSON),
        (f'{{"{CANARY}": 1}}', JSON),
        ({"dataframe_split": {"columns": ["acid", "sugar", "alcohol"], "data": [[CANARY, 1, 1]]}}, JSON),
        ({"dataframe_split": {"columns": [CANARY], "data": [[1]]}}, JSON),
        ({"dataframe_records": [{"acid": 1, "sugar": 2, "alcohol": {CANARY: CANARY}}]}, JSON),
        ({"inputs": {CANARY: [1]}}, JSON),
        ({"instances": [CANARY]}, JSON),
        ([[CANARY, 1, 1]], JSON),
        (f"acid,sugar,alcohol\n{CANARY},1,1", "text/csv"),
        ("{}", f"application/{CANARY}"),
        ("{}", f"{JSON}; charset={CANARY}"),
    ],
)
def test_refused_input_is_never_quoted(loaded: Load, body: object, content_type: str) -> None:
    error = _refuse(loaded(models.save_sklearn_model), body, content_type)
    assert error.status in {400, 415}
    assert CANARY not in error.message + error.where + str(error)


def test_invalid_input_names_the_inputs_that_the_signature_wants(loaded: Load) -> None:
    error = _refuse(loaded(models.save_sklearn_model), {"dataframe_records": [{"acid": 1}]})
    assert error.code == "invalid-input"
    assert "acid, sugar, alcohol" in error.message


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [("raise", "prediction-failed", 500), ("exit", "prediction-failed", 500), ("unserializable", "answer-not-json", 500)],
)
def test_what_a_model_does_wrong_is_told_apart(commanded: ServedModel, command: str, code: str, status: int) -> None:
    error = _refuse(commanded, _command(command))
    assert (error.code, error.status) == (code, status)
    assert "commanded.py" in error.where or code == "answer-not-json"


def test_model_that_quotes_its_input_is_not_quoted(loaded: Load) -> None:
    body = {"dataframe_records": [{"acid": 4711.4711, "sugar": 1.0, "alcohol": 1.0}]}
    error = _refuse(loaded(models.save_raising_model), body)
    assert error.message == "The model raised ValueError."
    assert error.where.startswith("ValueError at raising.py:")
    assert "4711" not in error.message + error.where


def test_model_still_answers_after_one_of_its_predictions_raised(commanded: ServedModel) -> None:
    _refuse(commanded, _command("exit"))
    answer = json.loads(commanded.answer(json.dumps(_command("x", 2.0)).encode(), JSON))
    assert answer == {"predictions": {"command": "x", "doubled": [4.0]}}


@pytest.mark.parametrize("save_model", [models.save_knn_model, models.save_unsigned_knn_model])
@pytest.mark.parametrize("body", ["[[2, 10]]", " [[2.0, 10.0]]\n"])
def test_bare_list_of_the_issue_is_c2(loaded: Load, save_model: SaveModel, body: str) -> None:
    assert json.loads(loaded(save_model).answer(body.encode(), JSON)) == {"predictions": ["C2"]}


def test_bare_list_is_mapped_to_named_columns_by_position(loaded: Load) -> None:
    model = loaded(models.save_sklearn_model)
    named = {"dataframe_split": {"columns": ["acid", "sugar", "alcohol"], "data": [[7, 20, 8], [1, 2, 3]]}}
    assert model.answer(b"[[7, 20, 8], [1, 2, 3]]", JSON) == model.answer(json.dumps(named).encode(), JSON)
    assert _refuse(model, [[7, 20]]).code == "invalid-input"


@pytest.mark.parametrize("body", ["[" * 100_000, '{"inputs": ' + "[" * 100_000, '{"inputs": ' + "1" * 5000 + "}"])
def test_hostile_json_is_invalid_input(loaded: Load, body: str) -> None:
    assert _refuse(loaded(models.save_sklearn_model), body).code == "invalid-input"


def test_example_is_the_request_that_was_logged(loaded: Load, saved: Callable[[SaveModel], Path]) -> None:
    example = loaded(models.save_sklearn_model).find_example()
    text = (saved(models.save_sklearn_model) / "serving_input_example.json").read_text()
    assert example == (JSON, text)


def test_model_without_example_has_none(loaded: Load) -> None:
    assert loaded(models.save_unsigned_knn_model).find_example() is None


@pytest.mark.parametrize("save_model", [models.save_sklearn_model, models.save_knn_model])
def test_example_of_an_older_mlflow_is_made_into_a_request(
    saved: Callable[[SaveModel], Path], tmp_path: Path, save_model: SaveModel
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved(save_model), folder)
    (folder / "serving_input_example.json").unlink()
    metadata = yaml.safe_load((folder / "MLmodel").read_text())
    info = metadata["saved_input_example_info"]
    del info["serving_input_path"]
    if info["type"] == "ndarray":  # older files hold the request's own form
        points = {"inputs": [list(models.KNN_POINTS[0])]}
        (folder / info["artifact_path"]).write_text(json.dumps(points))
    (folder / "MLmodel").write_text(yaml.safe_dump(metadata))
    model = load_model(folder)
    example = model.find_example()
    assert example is not None
    assert json.loads(model.answer(example[1].encode(), example[0]))["predictions"]


def test_example_of_a_form_that_is_not_known_counts_as_none(saved: Callable[[SaveModel], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved(models.save_sklearn_model), folder)
    metadata = yaml.safe_load((folder / "MLmodel").read_text())
    metadata["saved_input_example_info"] = {"artifact_path": "input_example.json", "type": "json_object"}
    (folder / "MLmodel").write_text(yaml.safe_dump(metadata))
    assert load_model(folder).find_example() is None


def test_folder_that_is_no_model_is_a_load_failure_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as failure:
        load_model(tmp_path / "nothing")
    assert failure.value.code == "model-load-failed"
    assert "nothing" in failure.value.message


def test_model_whose_code_exits_while_loading_is_a_load_failure(saved: Callable[[SaveModel], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved(models.save_raising_model), folder)
    (folder / "raising.py").write_text("raise SystemExit('missing weights')")
    with pytest.raises(ModelError) as failure:
        load_model(folder)
    assert (failure.value.code, failure.value.message) == ("model-load-failed", "SystemExit: missing weights")


def test_media_types_are_those_of_the_mlflow_in_the_image() -> None:
    class OlderServer(ModuleType):
        CONTENT_TYPES = ("text/csv", "application/json")

    class Metadata:
        saved_input_example_info = None

        def get_input_schema(self) -> None:
            return None

    class Model:
        metadata = Metadata()

        def predict(self, data: object, params: object = None) -> Any:  # noqa: ANN401
            raise AssertionError((data, params))

    model = ServedModel(Model(), OlderServer("older"), Path())
    assert _refuse(model, "", "application/vnd.apache.parquet").message.endswith("application/json, text/csv.")
