"""Tests of proving a model at start, of the `prove` command and of the command line."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dockyard_scorer import command
from dockyard_scorer.errors import ModelError
from dockyard_scorer.logs import EventLog, LibraryLogHandler
from dockyard_scorer.proof import Proof, dump_proof, read_proof
from dockyard_scorer.prove import Outputs, prove
from dockyard_scorer.served_model import ServedModel
from dockyard_scorer.settings import Settings
from dockyard_scorer.startup import load_quietly, prove_model, ready_model
from support import models

SaveModel = Callable[[Path], Path]
Load = Callable[[SaveModel], ServedModel]
Saved = Callable[[SaveModel], Path]


@dataclass(frozen=True)
class Desk:
    """Settings with a proof file to be, and a log to read."""

    settings: Settings
    stream: io.StringIO
    log: EventLog
    library_logs: LibraryLogHandler

    def write_proof(self, proof: Proof) -> None:
        self.settings.proof.write_bytes(dump_proof(proof))

    def prove(self, model: Path) -> int:
        settings = replace(self.settings, model=model)
        outputs = Outputs(proof=self.settings.proof, measured=self.measured)
        return prove(settings, outputs, log=self.log, library_logs=self.library_logs)

    @property
    def measured(self) -> Path:
        return self.settings.proof.with_name("measured.json")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    stream = io.StringIO()
    log = EventLog(stream)
    settings = Settings(proof=tmp_path / "proof.json")
    return Desk(settings=settings, stream=stream, log=log, library_logs=LibraryLogHandler(log))


def _ask_knn(answer: object, *, deterministic: bool = True) -> Proof:
    body = json.dumps({"inputs": [[2.0, 10.0]]})
    labels: Any = {"predictions": answer}
    return Proof(content_type="application/json", body=body, answer=labels, deterministic=deterministic)


def test_written_proof_proves_the_same_model(desk: Desk, saved: Saved, loaded: Load) -> None:
    assert desk.prove(saved(models.save_sklearn_model)) == 0
    proof = read_proof(desk.settings.proof)
    assert proof.deterministic
    assert json.loads(proof.body)["dataframe_split"]["columns"] == ["acid", "sugar", "alcohol"]
    assert prove_model(loaded(models.save_sklearn_model), desk.settings) == "proof"


def test_proof_of_the_same_model_has_the_same_bytes(desk: Desk, saved: Saved) -> None:
    desk.prove(saved(models.save_sklearn_model))
    first = desk.settings.proof.read_bytes()
    desk.prove(saved(models.save_sklearn_model))
    assert desk.settings.proof.read_bytes() == first


def test_random_model_is_found_out_and_proved_by_shape(desk: Desk, saved: Saved, loaded: Load) -> None:
    assert desk.prove(saved(models.save_random_model)) == 0
    assert not read_proof(desk.settings.proof).deterministic
    assert prove_model(loaded(models.save_random_model), desk.settings) == "proof"


def test_model_that_raises_cannot_be_proved(desk: Desk, saved: Saved) -> None:
    assert desk.prove(saved(models.save_raising_model)) == 3
    assert not desk.settings.proof.exists()
    event = desk.events()[-1]
    assert (event["level"], event["event"]) == ("error", "proof-failed")
    assert event["message"] == "The proof was answered prediction-failed."
    assert "raising.py" in event["where"]


def test_model_without_example_cannot_write_a_proof(desk: Desk, saved: Saved) -> None:
    assert desk.prove(saved(models.save_unsigned_knn_model)) == 4
    assert json.loads(desk.measured.read_bytes())["peak_kib"] > 10_000
    assert desk.events()[-1]["event"] == "no-input-example"


def test_folder_without_model_cannot_be_proved(desk: Desk, tmp_path: Path) -> None:
    assert desk.prove(tmp_path) == 1
    assert desk.events()[-1]["event"] == "model-load-failed"


def test_other_answer_than_at_build_time_is_a_failure_at_its_path(desk: Desk, loaded: Load) -> None:
    desk.write_proof(_ask_knn(["C3"]))
    with pytest.raises(ModelError) as failure:
        prove_model(loaded(models.save_knn_model), desk.settings)
    assert failure.value.code == "proof-differs"
    assert failure.value.message.endswith("at predictions[0].")


def test_proof_of_a_random_model_compares_shape_only(desk: Desk, loaded: Load) -> None:
    desk.write_proof(_ask_knn(["C3"], deterministic=False))
    assert prove_model(loaded(models.save_knn_model), desk.settings) == "proof"


def test_damaged_proof_is_a_failure(desk: Desk, loaded: Load) -> None:
    desk.settings.proof.write_text("{")
    with pytest.raises(ModelError) as failure:
        prove_model(loaded(models.save_knn_model), desk.settings)
    assert failure.value.code == "proof-unreadable"


def test_model_without_proof_must_answer_its_example(desk: Desk, loaded: Load) -> None:
    assert prove_model(loaded(models.save_sklearn_model), desk.settings) == "input-example"
    with pytest.raises(ModelError) as failure:
        prove_model(loaded(models.save_raising_model), desk.settings)
    assert failure.value.code == "proof-failed"


def test_model_with_neither_proof_nor_example_is_ready_when_loaded(desk: Desk, loaded: Load) -> None:
    assert prove_model(loaded(models.save_unsigned_knn_model), desk.settings) == "loaded"


@pytest.mark.parametrize("is_there", [True, False])
def test_garbage_is_looked_for_again_after_a_load_but_not_among_what_was_loaded(
    desk: Desk, saved: Saved, is_there: bool
) -> None:
    gc.unfreeze()
    model = saved(models.save_knn_model) if is_there else desk.settings.proof.parent
    with suppress(ModelError):
        load_quietly(replace(desk.settings, model=model))
    assert (gc.isenabled(), gc.get_freeze_count() > 10_000) == (True, True)
    gc.unfreeze()


def test_library_words_are_hidden_before_the_first_payload(desk: Desk, saved: Saved) -> None:
    seen: list[bool] = []
    settings = replace(desk.settings, model=saved(models.save_knn_model))
    readied = ready_model(
        settings,
        log=desk.log,
        library_logs=desk.library_logs,
        on_loaded=lambda: seen.append(desk.library_logs.words_are_safe),
    )
    assert seen == [True]
    assert not desk.library_logs.words_are_safe
    assert readied.load_seconds > 0
    assert [event["event"] for event in desk.events()][-2:] == ["model-loaded", "model-proved"]


@pytest.mark.parametrize("arguments", [["fly"], ["prove"], ["serve", "--port", "1"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    assert "usage: scorer" in capsys.readouterr().err
