"""`prove`: asks the model its own input example twice and writes the proof.

Owns that command, which the image builder runs in the finished image. Its answers come by the code path of
/invocations. Exit codes: 0 written, 1 the model cannot be loaded, 3 the model fails on its example, 4 it has none.
"""

from __future__ import annotations

import json
from pathlib import Path

from dockyard_scorer.errors import EXIT_NO_EXAMPLE, ModelError
from dockyard_scorer.logs import EventLog, LibraryLogHandler
from dockyard_scorer.proof import Proof, dump_proof, find_difference
from dockyard_scorer.settings import Settings
from dockyard_scorer.startup import answer_proof, load_quietly


def prove(settings: Settings, output: Path, *, log: EventLog, library_logs: LibraryLogHandler) -> int:
    """Write the proof of the model to `output`. Returns the exit code."""
    try:
        model = load_quietly(settings)
    except ModelError as error:
        log.error(error.code, message=error.message, where=error.where)
        return error.exit_code
    library_logs.words_are_safe = False
    example = model.find_example()
    if example is None:
        log.error("no-input-example", message="The model was logged without an input example.")
        return EXIT_NO_EXAMPLE
    content_type, body = example
    try:
        first, second = (json.loads(answer_proof(model, content_type, body)) for _ in range(2))
    except ModelError as error:
        log.error(error.code, message=error.message, where=error.where)
        return error.exit_code
    deterministic = find_difference(first, second) is None
    proof = Proof(content_type=content_type, body=body, answer=first, deterministic=deterministic)
    output.write_bytes(dump_proof(proof))
    log.info("proof-written", deterministic=deterministic)
    return 0
