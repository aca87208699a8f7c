"""Owns ModelRef: what the user typed, parsed once, at the edge. Must not look anything up.

Forms, as MLflow's model URIs have them (https://mlflow.org/docs/latest/ml/model-registry/) and one of our own:

    my_first_model                 a folder with an MLmodel file if there is one of that name, else the registered
                                   model's newest version
    ./folder  /folder  file:///x   a folder
    runs:/<run id>/<path>          what a run logged
    models:/name/3  …/latest  …/Production (a stage)    models:/name@champion    models:/m-<id> (a logged model)
    s3://…  gs://…  …              an artifact location
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, unquote, urlsplit

from dockyard.domain.errors import UsageError

LATEST = "latest"
STAGES = ("Production", "Staging", "Archived", "None")

_RUN = re.compile(r"runs:/{1,3}(?P<run>[A-Za-z0-9_-]+)/(?P<path>[^/].*)")
_LOGGED = re.compile(r"models:/{1,3}(?P<id>m-[0-9a-f]{32})(?P<path>/.*)?")
_ALIAS = re.compile(r"models:/{1,3}(?P<name>[^/:@]+)@(?P<alias>[A-Za-z0-9_-]{1,255})")
_VERSION = re.compile(r"models:/{1,3}(?P<name>[^/:@]+)/(?P<version>[^/:@]+)")
_NAME_ONLY = re.compile(r"models:/{1,3}(?P<name>[^/:@]+)")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):")
_BARE_NAME = re.compile(r"[^/:@\\]+")
_MAX_LENGTH = 2048


class RefKind(str, Enum):
    """Which of the forms a ModelRef has."""

    NAME = "name"
    FOLDER = "folder"
    RUN = "run"
    VERSION = "version"
    STAGE = "stage"
    ALIAS = "alias"
    LOGGED_MODEL = "logged-model"
    LOCATION = "location"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """A parsed reference to a model. `text` is what was typed; the other fields are set as `kind` needs them."""

    text: str
    kind: RefKind
    name: str | None = None
    version: str | None = None
    """A version number, `latest`, or a stage (with kind STAGE)."""
    alias: str | None = None
    run_id: str | None = None
    path: str | None = None
    """A folder, a run's artifact path, a logged model's id, or an artifact location."""

    def __str__(self) -> str:
        return self.text


def parse_model_ref(text: str) -> ModelRef:
    """Parse what a user typed for `-m`.

    Raises UsageError `model-ref-invalid` where the text has none of the forms.
    """
    if not text.strip() or text != text.strip() or len(text) > _MAX_LENGTH or not text.isprintable():
        raise _invalid(text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _parse_plain(text)
    kind = scheme["scheme"].lower()
    if kind == "models":
        return _parse_models(text)
    if kind == "runs":
        return _parse_run(text)
    if kind == "file":
        return _parse_file(text)
    return _parse_location(text)


def _parse_plain(text: str) -> ModelRef:
    if "/" in text or text in {".", ".."} or text.startswith("~"):
        return ModelRef(text=text, kind=RefKind.FOLDER, path=text)
    if not _BARE_NAME.fullmatch(text):
        raise _invalid(text)
    return ModelRef(text=text, kind=RefKind.NAME, name=text, path=text)


def _parse_models(text: str) -> ModelRef:
    if match := _LOGGED.fullmatch(text):
        return ModelRef(text=text, kind=RefKind.LOGGED_MODEL, path=match["id"] + (match["path"] or "").rstrip("/"))
    if match := _ALIAS.fullmatch(text):
        return ModelRef(text=text, kind=RefKind.ALIAS, name=match["name"], alias=match["alias"])
    if match := _VERSION.fullmatch(text):
        return _parse_version(text, match["name"], match["version"])
    if match := _NAME_ONLY.fullmatch(text):
        return ModelRef(text=text, kind=RefKind.VERSION, name=match["name"], version=LATEST)
    raise _invalid(text)


def _parse_version(text: str, name: str, version: str) -> ModelRef:
    if version.isascii() and version.isdigit():
        return ModelRef(text=text, kind=RefKind.VERSION, name=name, version=str(int(version)))
    if version.lower() == LATEST:
        return ModelRef(text=text, kind=RefKind.VERSION, name=name, version=LATEST)
    for stage in STAGES:
        if version.lower() == stage.lower():
            return ModelRef(text=text, kind=RefKind.STAGE, name=name, version=stage)
    raise _invalid(text)


def _parse_run(text: str) -> ModelRef:
    match = _RUN.fullmatch(text)
    if match is None:
        raise _invalid(text)
    return ModelRef(text=text, kind=RefKind.RUN, run_id=match["run"], path=match["path"].rstrip("/"))


def _parse_file(text: str) -> ModelRef:
    parts = _split(text)
    if parts.netloc not in {"", "localhost"} or not parts.path:
        raise _invalid(text)
    return ModelRef(text=text, kind=RefKind.FOLDER, path=unquote(parts.path))


def _parse_location(text: str) -> ModelRef:
    parts = _split(text)
    if not parts.netloc or not parts.path.strip("/") or "@" in parts.netloc:
        raise _invalid(text)
    return ModelRef(text=text, kind=RefKind.LOCATION, path=text.rstrip("/"))


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise _invalid(text) from error


def _invalid(text: str) -> UsageError:
    shown = text if len(text) <= 120 and text.isprintable() else ascii(text[:120]) + "…"
    return UsageError(
        "model-ref-invalid",
        f"`{shown}` does not name a model",
        hint="use a registered model's name, models:/name/3, models:/name@alias, runs:/<run id>/<path>, a folder or s3://…",
    )
