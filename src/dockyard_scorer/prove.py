"""`prove`: asks the model its own input example twice and writes the proof, and what loading and answering took.

Owns that command, which the image builder runs in the finished image. Its answers come by the code path of
/invocations. Exit codes: 0 written, 1 the model cannot be loaded, 3 the model fails on its example, 4 it has none; what
loading took is written then as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dockyard_scorer.errors import EXIT_NO_EXAMPLE, ModelError
from dockyard_scorer.logs import EventLog, LibraryLogHandler
from dockyard_scorer.measure import dump_measured, measure_cpu_seconds
from dockyard_scorer.proof import Proof, dump_proof, find_difference
from dockyard_scorer.settings import Settings
from dockyard_scorer.startup import answer_proof, load_quietly


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Which files `prove` writes."""

    proof: Path
    measured: Path


def prove(settings: Settings, outputs: Outputs, *, log: EventLog, library_logs: LibraryLogHandler) -> int:
    """Write the proof of the model, and what was measured meanwhile. Returns the exit code."""
    try:
        model = load_quietly(settings)
    except ModelError as error:
        log.error(error.code, message=error.message, where=error.where)
        return error.exit_code
    loaded = measure_cpu_seconds()
    library_logs.words_are_safe = False
    example = model.find_example()
    if example is None:
        log.error("no-input-example", message="The model was logged without an input example.")
        _write_measured(outputs.measured, loaded)
        return EXIT_NO_EXAMPLE
    content_type, body = example
    try:
        first, second = (json.loads(answer_proof(model, content_type, body)) for _ in range(2))
    except ModelError as error:
        log.error(error.code, message=error.message, where=error.where)
        return error.exit_code
    deterministic = find_difference(first, second) is None
    proof = Proof(content_type=content_type, body=body, answer=first, deterministic=deterministic)
    outputs.proof.write_bytes(dump_proof(proof))
    _write_measured(outputs.measured, loaded)
    log.info("proof-written", deterministic=deterministic)
    return 0


def _write_measured(file: Path, cpu_seconds: float) -> None:
    measured = dump_measured(cpu_seconds)
    if measured is not None:
        file.write_bytes(measured)
