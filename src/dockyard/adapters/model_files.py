"""Owns reading a model's folder: which files it has, their digest, and what its MLmodel file says.

Reads MLflow's own format (https://mlflow.org/docs/latest/ml/model/) without MLflow. Must not look anything up elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

import yaml

from dockyard.domain.errors import UsageError
from dockyard.domain.model import ModelDigest, digest_files
from dockyard_image.errors import LockError
from dockyard_image.requirements import RequirementSet
from dockyard_image.requirements import read_requirements as read_requirement_files

MLMODEL = "MLmodel"
NOT_OF_THE_MODEL = "registered_model_meta"
"""MLflow adds this file when it downloads a registered model: the same model would get another digest by another way."""
_SERVING_EXAMPLE = "serving_input_example.json"
_PYFUNC = "python_function"
_VERSION = re.compile(r"(\d+\.\d+)(\.\S*)?")
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What MLmodel says, as far as serving needs it."""

    flavors: tuple[str, ...]
    python: str
    signature: str | None = None
    created: str | None = None
    model_id: str | None = None
    run_id: str | None = None
    serving_example: str = _SERVING_EXAMPLE


def parse_mlmodel(content: bytes, what: str) -> ModelFacts:
    """Parse an MLmodel file; `what` names the model in errors.

    Raises UsageError `model-invalid`, `model-without-pyfunc`.
    """
    fields = _load_mapping(content, what)
    flavors = fields.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise invalid_model(what, "its MLmodel names no flavors")
    pyfunc = flavors.get(_PYFUNC)
    if pyfunc is None:
        there = ", ".join(sorted(map(str, flavors)))
        hint = "log it with a flavor that MLflow can serve, or wrap it in mlflow.pyfunc.PythonModel"
        raise UsageError("model-without-pyfunc", f"{what} has no python_function flavor, only {there}", hint=hint)
    if not isinstance(pyfunc, dict) or not pyfunc.get("loader_module"):
        raise invalid_model(what, "its python_function flavor names no loader_module")
    example = fields.get("saved_input_example_info")
    return ModelFacts(
        flavors=tuple(sorted(map(str, flavors))),
        python=_parse_python(pyfunc.get("python_version"), what),
        signature=_parse_signature(fields.get("signature"), what),
        created=_parse_time(fields.get("utc_time_created")),
        model_id=_text(fields.get("model_id")),
        run_id=_text(fields.get("run_id")),
        serving_example=_text(example.get("serving_input_path") if isinstance(example, dict) else None) or _SERVING_EXAMPLE,
    )


def read_facts(folder: Path, what: str) -> ModelFacts:
    """Read a folder's MLmodel. Raises UsageError `model-invalid`, `model-without-pyfunc`."""
    try:
        content = (folder / MLMODEL).read_bytes()
    except OSError as error:
        reason = "has no MLmodel file" if isinstance(error, FileNotFoundError) else f"MLmodel cannot be read: {error.strerror}"
        raise invalid_model(what, reason) from error
    return parse_mlmodel(content, what)


def read_requirements(folder: Path, what: str) -> RequirementSet:
    """Read a folder's requirements.txt; without one, the pip section of its conda.yaml, as old models have it.

    Raises UsageError `model-invalid` for what no other machine could install: editable and local sources.
    """
    try:
        if (folder / "requirements.txt").is_file():
            return read_requirement_files(folder / "requirements.txt")
        if (folder / "conda.yaml").is_file():
            lines = _pip_section(_load_mapping((folder / "conda.yaml").read_bytes(), what))
            return RequirementSet(requirements=tuple(lines), constraints=())
    except LockError as error:
        raise invalid_model(what, f"its requirements cannot be used: {error.message}") from error
    except OSError as error:
        raise invalid_model(what, f"its requirements cannot be read: {error.strerror}") from error
    return RequirementSet(requirements=(), constraints=())


def list_files(folder: Path, what: str) -> tuple[str, ...]:
    """Return the relative POSIX paths of a model's files, sorted. Links to files count as files.

    Raises UsageError `model-invalid` for what cannot be copied faithfully: links to folders, dangling links, pipes, sockets.
    """
    return tuple(sorted(path.relative_to(folder).as_posix() for path in _walk(folder, what) if path.name != NOT_OF_THE_MODEL))


def hash_file(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest_folder(folder: Path, files: tuple[str, ...]) -> ModelDigest:
    """Return the model digest of a folder's files."""
    return digest_files({name: hash_file(folder / name) for name in files})


def has_example(folder: Path, facts: ModelFacts) -> bool:
    """Whether the body of a prediction request, made from the input example, was logged with the model."""
    path = PurePosixPath(facts.serving_example)
    return not path.is_absolute() and ".." not in path.parts and (folder / path).is_file()


def invalid_model(what: str, reason: str) -> UsageError:
    """The error for a folder that is no model."""
    return UsageError(
        "model-invalid", f"{what}: {reason}", hint="a model's folder is what mlflow's log_model or save_model writes"
    )


def _walk(folder: Path, what: str) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise invalid_model(what, f"its files cannot be read: {error.strerror}") from error

    for root, folders, names in os.walk(folder, onerror=fail):
        linked = next((name for name in folders if (Path(root) / name).is_symlink()), None)
        if linked is not None:
            raise invalid_model(what, f"`{linked}` is a link to a folder, which an image cannot hold")
        for name in names:
            path = Path(root) / name
            if not path.is_file():
                raise invalid_model(what, f"`{name}` is not a regular file")
            yield path


def _load_mapping(content: bytes, what: str) -> Mapping[str, object]:
    try:
        # A base loader makes texts, lists and mappings only: 3.10 must not become the number 3.1.
        fields = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise invalid_model(what, "its YAML cannot be parsed" + (f" (line {mark.line + 1})" if mark else "")) from None
    if not isinstance(fields, dict):
        raise invalid_model(what, "its MLmodel is not a mapping")
    return fields


def _pip_section(conda: Mapping[str, object]) -> list[str]:
    dependencies = conda.get("dependencies")
    sections = (
        [one["pip"] for one in dependencies if isinstance(one, dict) and "pip" in one] if isinstance(dependencies, list) else []
    )
    return [str(line) for section in sections if isinstance(section, list) for line in section]


def _parse_python(text: object, what: str) -> str:
    match = _VERSION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise invalid_model(what, "its python_function flavor does not say which Python it was logged with (python_version)")
    return match[1]


def _parse_signature(value: object, what: str) -> str | None:
    if not isinstance(value, dict):
        return None
    try:
        parts = {name: json.loads(text) if isinstance(text, str) and text else None for name, text in value.items()}
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise invalid_model(what, "its signature is not JSON") from error


def _parse_time(text: object) -> str | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value not in {"", "null", "~"} else None
