"""Owns which environment variable sets which key. Must not check values: they are checked with those of the file.

A key's variable is `DOCKYARD_` and the key's path in capitals, joined by two underscores:

    image.base                       DOCKYARD_IMAGE__BASE
    environments.prod-eu.port        DOCKYARD_ENVIRONMENTS__PROD_EU__PORT
    environments.prod-eu.env.NAME    DOCKYARD_ENVIRONMENTS__PROD_EU__ENV__NAME
    image.insecure_registries        DOCKYARD_IMAGE__INSECURE_REGISTRIES: `a:5000,b:5000`, or a list in JSON
    image.mirrors                    DOCKYARD_IMAGE__MIRRORS: JSON

An empty variable counts as not set. A variable that holds a secret is referred to, never copied.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from dockyard.adapters.config_model import Configuration, Environment, has_password, is_secret_name
from dockyard.adapters.config_yaml import KeyPath, UnreadableError, read_value

PREFIX = "DOCKYARD_"
SEPARATOR = "__"
FALLBACKS: Mapping[KeyPath, str] = {
    ("registry", "tracking_uri"): "MLFLOW_TRACKING_URI",
    ("registry", "registry_uri"): "MLFLOW_REGISTRY_URI",
}
"""MLflow's own variables, which count where neither a flag nor our variable nor the file says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value that a variable or flag sets, with the name of that variable or flag."""

    path: KeyPath
    value: object
    origin: str


def read_environ(environ: Mapping[str, str], environments: Iterable[str]) -> tuple[Setting, ...]:
    """Return what variables set; `environments` are the names in the file, which variables spell in capitals.

    A variable of our form that is no key becomes a setting of the path that it spells, so that checking names it.
    """
    spelled = {_spell(name): name for name in environments}
    ours = ((name, value) for name, value in sorted(environ.items()) if value and _is_ours(name))
    return tuple(_read_variable(name, value, spelled) for name, value in ours)


def read_fallbacks(environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """Return what MLflow's own variables set."""
    found = ((path, name, environ.get(name)) for path, name in FALLBACKS.items())
    return tuple(Setting(path=path, value=_refer(name, value, path), origin=name) for path, name, value in found if value)


def spell_variable(path: KeyPath) -> str:
    """The variable of a key."""
    return PREFIX + SEPARATOR.join(_spell(part) for part in path)


def is_structured(annotation: object) -> bool:
    """Whether values of a type are lists or mappings, which variables spell in JSON."""
    return any(typing.get_origin(one) in {list, dict} for one in _alternatives(annotation))


def read_text(path: KeyPath, text: str) -> object:
    """Return the value that text stands for at a path."""
    return _read_structured(text) if is_structured(_find_annotation(path)) else text


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and SEPARATOR in name[len(PREFIX) :].strip("_")


def _spell(part: str) -> str:
    return part.upper().replace("-", "_")


def _read_variable(name: str, text: str, spelled: Mapping[str, str]) -> Setting:
    parts = name[len(PREFIX) :].split(SEPARATOR)
    path = _find_path(parts, spelled)
    value = read_text(path, text)
    return Setting(path=path, value=_refer(name, value, path) if isinstance(value, str) else value, origin=name)


def _find_path(parts: list[str], spelled: Mapping[str, str]) -> KeyPath:
    keys = [part.lower() for part in parts]
    if keys[0] != "environments":
        return tuple(keys)
    keys[1] = spelled.get(parts[1], keys[1])
    if keys[2:3] == ["env"] and len(parts) > 3:
        return (*keys[:3], SEPARATOR.join(parts[3:]))
    return tuple(keys)


def _find_annotation(path: KeyPath) -> object:
    """The type of a key's value; None for what is no key, or one below a mapping that is free."""
    section: type[BaseModel] = Configuration
    if path[0] == "environments":
        section, path = Environment, path[2:]
    for depth, key in enumerate(path):
        field = section.model_fields.get(key)
        if field is None:
            return None
        if depth == len(path) - 1:
            return field.annotation
        sections = [one for one in _alternatives(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not sections:
            return None
        section = sections[0]
    return None


def _alternatives(annotation: object) -> tuple[object, ...]:
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return typing.get_args(annotation)
    return (annotation,)


def _read_structured(text: str) -> object:
    if text.lstrip()[:1] not in {"[", "{"}:
        return [part.strip() for part in text.split(",")]
    try:
        return read_value(text)
    except UnreadableError:
        return text  # checking says that it is no list


def _refer(name: str, text: str, path: KeyPath) -> object:
    is_secret = has_password(text) or (path[2:3] == ("env",) and is_secret_name(path[-1]))
    return {"env": name} if is_secret else text
