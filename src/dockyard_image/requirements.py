"""The requirements of a model, made ready to be locked.

Owns reading a model's requirement files and swapping in what a serving image needs. Must not resolve anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from dockyard_image.errors import LockError

_ALWAYS = ("numpy", "pandas")  # MLflow's request parsing imports both; mlflow-skinny brings neither
_INDEX_OPTIONS = ("-i", "-f", "--index-url", "--extra-index-url", "--find-links", "--pre")
_SLIM_SINCE = "2.21"  # before, MLflow's request parsing imported its web server, which only the full package brings
_INLINE_OPTION = re.compile(r"(?<=\S)\s+--?[A-Za-z].*")  # `--hash=…`: which files are right is for the lock to say
_COMMENT = re.compile(r"(^|\s)#.*")
_INCLUDES = {"-r": "requirement", "--requirement": "requirement", "-c": "constraint", "--constraint": "constraint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """The lines of requirement files, with the files that they point to read in."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]


def read_requirements(path: Path) -> RequirementSet:
    """Read a requirements file and the `-r` and `-c` files beside it.

    Raises LockError: `requirements-unsupported` for what cannot be locked to wheels (editable and local sources, files
    outside the folder), `requirements-unreadable`.
    """
    found: dict[str, list[str]] = {"requirement": [], "constraint": [], "read": []}
    _collect(path, "requirement", path.parent.resolve(), found)
    return RequirementSet(requirements=tuple(found["requirement"]), constraints=tuple(found["constraint"]))


def rewrite_requirements(lines: Iterable[str], extra: Iterable[str]) -> tuple[str, ...]:
    """The lines for a serving image: small MLflow, what the scorer needs (`extra`), and pandas and numpy if missing.

    `mlflow==X` becomes `mlflow-skinny==X`, which has all of MLflow that answers a request at a third of the size.
    `mlflow[something]==X` and other forms stay: whoever wrote them wanted the full package.
    """
    rewritten = [_slim_mlflow(line) for line in _clean(lines)]
    rewritten += [line for line in _clean(extra) if line not in rewritten]
    named = {name for name in map(_name, rewritten) if name}
    return (*rewritten, *(name for name in _ALWAYS if name not in named))


def _slim_mlflow(line: str) -> str:
    requirement = _parse(line)
    if requirement is None or canonicalize_name(requirement.name) != "mlflow" or requirement.extras or requirement.url:
        return line
    pinned = [specifier for specifier in requirement.specifier if specifier.operator in {"==", "==="}]
    if len(pinned) != 1 or len(requirement.specifier) != 1 or _is_older(pinned[0].version, _SLIM_SINCE):
        return line
    requirement.name = "mlflow-skinny"
    return str(requirement)


def _is_older(version: str, than: str) -> bool:
    """Whether a pinned version is older; one that is none (`2.*`) counts as old, for it may become anything."""
    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return True


def _name(line: str) -> str:
    requirement = _parse(line)
    unconditional = requirement is not None and requirement.marker is None
    return canonicalize_name(requirement.name) if requirement is not None and unconditional else ""


def _parse(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _clean(lines: Iterable[str]) -> Iterator[str]:
    """Lines without comments, blanks and requirements' own options; `#` begins a comment at the start or after white space."""
    for line in lines:
        text = _INLINE_OPTION.sub("", _COMMENT.sub("", line).strip())
        if text:
            yield text


def _collect(path: Path, kind: str, root: Path, found: dict[str, list[str]]) -> None:
    if not path.resolve().is_relative_to(root):
        raise _unsupported(f"{path.name} lies outside the model's folder")
    if str(path.resolve()) in found["read"]:
        return
    found["read"].append(str(path.resolve()))
    for line in _clean(_read_lines(path)):
        option, _, value = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
        if option in _INCLUDES:
            _collect(path.parent / value.strip(), _INCLUDES[option], root, found)
        elif line.startswith("-") and option not in _INDEX_OPTIONS:
            raise _unsupported(f"{path.name} uses {option}")
        elif line not in found[kind]:
            found[kind].append(line)


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").replace("\\\r\n", " ").replace("\\\n", " ").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LockError("requirements-unreadable", f"{path.name} cannot be read: {type(error).__name__}") from error


def _unsupported(message: str) -> LockError:
    return LockError(
        "requirements-unsupported",
        f"{message}, which cannot be locked to wheels",
        "List plain requirements, or build with the engine builder.",
    )
