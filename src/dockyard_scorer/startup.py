"""Loads the model and proves it.

Owns the way from nothing to a proved model. Runs in a thread of its own; must not touch the event loop's state other
than through the callbacks it is given.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dockyard_scorer.errors import ModelError, ScorerError
from dockyard_scorer.logs import EventLog, LibraryLogHandler, take_over_logger
from dockyard_scorer.proof import Proof, ProofError, find_difference, read_proof, round_numbers
from dockyard_scorer.served_model import ServedModel, load_model
from dockyard_scorer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Readied:
    """A model that may serve, and how long it took."""

    model: ServedModel
    load_seconds: float
    proof_seconds: float


def ready_model(
    settings: Settings, *, log: EventLog, library_logs: LibraryLogHandler, on_loaded: Callable[[], None]
) -> Readied:
    """Load and prove the model of `settings`. Raises ModelError."""
    began = time.perf_counter()
    model = load_quietly(settings)
    loaded = time.perf_counter()
    log.info("model-loaded", seconds=round(loaded - began, 3))
    on_loaded()
    library_logs.words_are_safe = False  # the proof is the first payload
    how = prove_model(model, settings)
    proved = time.perf_counter()
    log.info("model-proved", how=how, seconds=round(proved - loaded, 3))
    return Readied(model=model, load_seconds=loaded - began, proof_seconds=proved - loaded)


def load_quietly(settings: Settings) -> ServedModel:
    """Load the model, with MLflow's own log lines sent through ours. Raises ModelError."""
    with _collecting_later():
        try:
            import mlflow.pyfunc  # noqa: F401  it gives itself log handlers when it is imported
        except ImportError as error:
            raise ModelError("mlflow-missing", f"MLflow cannot be imported: {error}") from error
        take_over_logger("mlflow")
        return load_model(settings.model)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Keeps Python from looking for garbage among what is loaded, now (an eighth of the time) and while it serves."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def prove_model(model: ServedModel, settings: Settings) -> str:
    """Prove `model` by the best means there is and tell which: `proof`, `input-example` or `loaded`."""
    if settings.proof.exists():
        _prove_by_proof(model, _read(settings))
        return "proof"
    example = model.find_example()
    if example is None:
        return "loaded"
    answer_proof(model, *example)
    return "input-example"


def answer_proof(model: ServedModel, content_type: str, body: str) -> str:
    """The model's answer to a proof's request, by the code path of /invocations. Raises ModelError."""
    try:
        return model.answer(body.encode(), content_type)
    except ScorerError as error:
        raise ModelError("proof-failed", f"The proof was answered {error.code}.", where=error.where) from error


def _prove_by_proof(model: ServedModel, proof: Proof) -> None:
    answer = json.loads(answer_proof(model, proof.content_type, proof.body))
    difference = find_difference(proof.answer, round_numbers(answer), deterministic=proof.deterministic)
    if difference is not None:
        raise ModelError("proof-differs", f"The answer differs from the one at build time at {difference}.")


def _read(settings: Settings) -> Proof:
    try:
        return read_proof(settings.proof)
    except (ProofError, OSError) as error:
        raise ModelError("proof-unreadable", f"The proof cannot be read: {type(error).__name__}.") from error
