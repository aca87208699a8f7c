"""Owns how a wrong configuration is told: where, which key, what is wrong, and the nearest key. Never tells values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dockyard.adapters.config_model import Configuration
from dockyard.adapters.config_settings import Layers
from dockyard.adapters.config_yaml import KeyPath
from dockyard.domain.errors import UsageError

_MAX_SHOWN = 20
_FORMS = frozenset({"=reference", "=text", "[key]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    message: str
    origin: str
    """The file, variable or flag."""
    line: int | None = None
    path: KeyPath = ()
    nearest: str | None = None
    """The known key that is meant, probably."""

    def __str__(self) -> str:
        where = f"{self.origin}:{self.line}" if self.line else self.origin
        key = f" `{_show_path(self.path)}`" if self.path else ""
        return f"{where}:{key} {self.message}"


def raise_problems(file: str, problems: Iterable[Problem]) -> NoReturn:
    """Raise UsageError `config-invalid` for all of them."""
    found = sorted(problems, key=lambda problem: (problem.line or 0, problem.path))
    nearest = next((problem.nearest for problem in found if problem.nearest), None)
    hint = (
        f"did you mean `{nearest}`?"
        if nearest
        else "`dockyard config schema` and docs/reference/config.md say what may stand there"
    )
    if len(found) == 1:
        raise UsageError("config-invalid", str(found[0]), hint=hint)
    lines = tuple(_tell_nearest(problem) for problem in found[:_MAX_SHOWN])
    more = (f"and {len(found) - _MAX_SHOWN} more",) if len(found) > _MAX_SHOWN else ()
    raise UsageError("config-invalid", f"the configuration ({file}) has {len(found)} problems", hint=hint, details=lines + more)


def describe_problems(error: ValidationError, layers: Layers) -> list[Problem]:
    """Say what pydantic found, in our words and without the values."""
    return [_describe(details, layers) for details in error.errors(include_input=False, include_url=False)]


def _describe(details: ErrorDetails, layers: Layers) -> Problem:
    is_unknown = details["type"] == "extra_forbidden"
    path = _find_path(details["loc"], ends_with_key=is_unknown)
    source = layers.find_origin(path)
    return Problem(
        message=_word(details),
        origin=source.origin,
        line=source.line,
        path=path,
        nearest=_find_nearest(path) if is_unknown else None,
    )


def _find_path(location: tuple[int | str, ...], *, ends_with_key: bool) -> KeyPath:
    """The keys that lead to a value: a location also names the forms of values that were tried. A key may be called as one."""
    parts = [str(part) for part in location]
    last = parts[-1:] if ends_with_key else []
    return tuple([part for part in parts[: len(parts) - len(last)] if part not in _FORMS] + last)


def _word(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    word = _WORDS.get(details["type"])
    return word(context) if word else details["msg"][:1].lower() + details["msg"][1:]


_WORDS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "extra_forbidden": lambda _: "is not a known key",
    "missing": lambda _: "is missing",
    "string_type": lambda _: "must be text; put it in quotes",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"must match {context['pattern']}",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "is too large a number",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "model_type": lambda _: "must be a mapping",
    "dict_type": lambda _: "must be a mapping",
    "list_type": lambda _: "must be a list",
    "enum": lambda context: f"must be {context['expected']}",
}


def _find_nearest(path: KeyPath) -> str | None:
    known = list_keys(path[:-1])
    near = difflib.get_close_matches(path[-1].lower(), known, n=1, cutoff=0.6)
    return near[0] if near else None


def list_keys(section: KeyPath) -> tuple[str, ...]:
    """The keys that may stand in a section; none where it is free or no section."""
    forms: list[object] = [Configuration]
    for part in section:
        forms = [inner for form in forms for inner in _enter(form, part)]
    models = [form for form in forms if isinstance(form, type) and issubclass(form, BaseModel)]
    return tuple(name for model in models for name in model.model_fields)


def _enter(form: object, part: str) -> Iterator[object]:
    """What may stand below one key of a value that has that form."""
    if isinstance(form, type) and issubclass(form, BaseModel):
        field = form.model_fields.get(part)
        if field is not None:
            yield from _list_forms(field.annotation)
    elif get_origin(form) in {dict, list}:
        yield from _list_forms(get_args(form)[-1])


def _list_forms(annotation: object) -> Iterator[object]:
    """The forms of a value that has one of several."""
    if get_origin(annotation) is Annotated:
        yield from _list_forms(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, UnionType}:
        for one in get_args(annotation):
            yield from _list_forms(one)
    else:
        yield annotation


def _tell_nearest(problem: Problem) -> str:
    return f"{problem}; did you mean `{problem.nearest}`?" if problem.nearest else str(problem)


def _show_path(path: KeyPath) -> str:
    text = ".".join(path)
    shown = text if len(text) <= 120 else text[:120] + "…"
    return shown if shown.isprintable() else ascii(shown)[1:-1]
