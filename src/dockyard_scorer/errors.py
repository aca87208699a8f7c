"""The errors that the scorer answers with: stable codes, statuses, messages.

Owns the catalogue, and the exit codes that tell how the proof went. A message is written here or from the model's
signature; it must never hold a word of a payload or of another exception, because payloads are other people's data and
exceptions quote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATUS_BY_CODE: Mapping[str, int] = MappingProxyType(
    {
        "invalid-input": 400,
        "not-found": 404,
        "method-not-allowed": 405,
        "body-timeout": 408,
        "body-too-large": 413,
        "unsupported-media-type": 415,
        "client-gone": 499,
        "prediction-failed": 500,
        "answer-not-json": 500,
        "internal-error": 500,
        "not-ready": 503,
        "overloaded": 503,
        "timeout": 504,
    }
)


EXIT_UNUSABLE = 1
EXIT_PROOF_FAILED = 3
EXIT_NO_EXAMPLE = 4
EXIT_DIFFERS = 5
_EXIT_BY_CODE: Mapping[str, int] = MappingProxyType({"proof-failed": EXIT_PROOF_FAILED, "proof-differs": EXIT_DIFFERS})


class ScorerError(Exception):
    """A request that is answered with an error.

    `where` is for the log: the type of the cause and the code lines it went through, no text of it.
    """

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS_BY_CODE[code]
        self.message = message
        self.where = where


class ModelError(Exception):
    """The model cannot be served at all. The process ends with it; `code` and text go to the log.

    `exit_code` tells whoever started the process, without reading its log, whether the model failed its proof.
    """

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = _EXIT_BY_CODE.get(code, EXIT_UNUSABLE)
        self.message = message
        self.where = where
