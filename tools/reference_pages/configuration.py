"""Owns the page of the configuration, made from the example and the schema."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dockyard.adapters.config_environ import spell_variable
from dockyard.adapters.config_model import Configuration, Credentials, Environment, Reference
from dockyard.adapters.config_schema import make_schema
from dockyard.adapters.config_section import Section
from reference_pages.markdown import block, code, page, table

ABOUT = """
`dockyard.yaml` is looked for in the working folder and above it, up to the root of the git repository; outside of a repository
in the working folder only. `--config FILE` or `DOCKYARD_CONFIG` names another.

A value comes from, in this order: a flag, an environment variable, the file, the default. `dockyard config show` says which.
An unknown key is an error that names the nearest known one, and all problems are told at once: `dockyard config validate`.

A secret is never a value of the file. Its place holds a reference, `{env: NAME}` or `{file: PATH}` (seen from the
configuration file), and `config show` prints `***`. A model's variable whose name says that it holds a secret (`…_PASSWORD`,
`…_TOKEN`, `…_API_KEY` and the like) needs one too.

Editors check the file with its JSON Schema, [dockyard.schema.json](dockyard.schema.json), which `dockyard config schema`
prints.
"""

_FORMS: Mapping[object, str] = {list: "with commas, or JSON", dict: "JSON"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the file."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def title(self) -> str:
        """The key, with `<name>` where the user chooses a name."""
        return ".".join(self.path)

    @property
    def default(self) -> str:
        """The default as the file would have it."""
        value = self.field.get_default(call_default_factory=True)
        if self.field.is_required():
            return "required"
        return "" if value is None else code(json.dumps(getattr(value, "value", value)))

    @property
    def variable(self) -> str:
        """The environment variable."""
        return spell_variable(self.path)

    @property
    def form(self) -> str:
        """How a variable writes the value, where that is not the value itself."""
        if self.path[-1] == "env":
            return "JSON, or a variable for each name"
        return _FORMS.get(typing.get_origin(self.field.annotation), "") if self.path[-1] != "credentials" else "JSON"


def list_keys() -> Iterator[Key]:
    """Yield every key that holds a value."""
    for section, model in (("registry", _section("registry")), ("image", _section("image"))):
        yield from _list_section((section,), model)
    yield from _list_section(("environments", "<name>"), Environment)


def render_configuration(example: str) -> str:
    """Return the page."""
    keys = [(code(key.title), key.default, key.field.description or "") for key in list_keys()]
    parts = [ABOUT, "## The whole file", block(example, "yaml"), "## Keys", table(("key", "default", "meaning"), keys)]
    for title, model in (("An entry of `image.credentials`", Credentials), ("A reference to a secret", Reference)):
        rows = [(code(name), field.description or "") for name, field in model.model_fields.items()]
        parts += [f"## {title}", table(("key", "meaning"), rows)]
    return page("Configuration", *parts)


def render_schema() -> str:
    """Return the JSON Schema's text."""
    return json.dumps(make_schema(), indent=2) + "\n"


def list_variables() -> list[tuple[str, str, str]]:
    """Each key's environment variable, the key, and how its value is written."""
    return [(key.variable, key.title, key.form) for key in list_keys()]


def _list_section(path: tuple[str, ...], model: type[BaseModel]) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        inner = _find_section(field.annotation)
        if inner is None:
            yield Key(path=(*path, name), field=field)
        else:
            yield from _list_section((*path, name), inner)


def _find_section(annotation: object) -> type[BaseModel] | None:
    """The section that a key holds, or may hold; a reference to a secret is a value."""
    alternatives = (annotation, *typing.get_args(annotation)) if typing.get_origin(annotation) not in {list, dict} else ()
    sections = (one for one in alternatives if isinstance(one, type) and issubclass(one, Section))
    return next((one for one in sections if one is not Reference), None)


def _section(name: str) -> type[BaseModel]:
    annotation = Configuration.model_fields[name].annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise TypeError(f"{name} is no section")
    return annotation
