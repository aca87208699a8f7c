"""Owns the page of `--json`: the envelope, and every object that can be in it, with the source's own words."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Iterator

from dockyard.cli.render import ENVELOPE_SCHEMA, Result
from dockyard.domain.attempt import Failure
from reference_pages.field_docs import read_fields, read_summary
from reference_pages.markdown import block, code, page, table

ABOUT = f"""
With `--json` a command prints one JSON document on stdout, whether it succeeds or fails, and stderr has progress at most.
Keys are added within schema {ENVELOPE_SCHEMA}, and never renamed, removed or given another meaning: read what you know and
ignore the rest.
"""
ENVELOPE = (
    ("schema", "The version of this form."),
    ("command", "The verb, as `deploy local`; empty where none was recognised."),
    (
        "status",
        "How it ended in one word: that of the result, or `done`, `drifted`, `unhealthy`, `partial`, `failed`, `interrupted`.",
    ),
    ("exit_code", "The exit code, see [exit-codes.md](exit-codes.md)."),
    ("result", "What the command found or did: one of the objects below; null where it failed."),
    ("errors", "What went wrong: a list of `Failure`. With a result too where the command is partial."),
)
EXAMPLE = """
{
  "schema": 1,
  "command": "predict",
  "status": "failed",
  "exit_code": 2,
  "result": null,
  "errors": [
    {
      "code": "deployment-not-found",
      "message": "there is no deployment `wine` in environment `local`",
      "hint": "`dockyard status` shows what is deployed",
      "details": []
    }
  ]
}
"""
COMMANDS = {
    "deploy local": "DeployResult",
    "deploy sagemaker": "DeployResult",
    "deploy k8s": "DeployResult",
    "batch sagemaker": "BatchResult",
    "rollback": "DeployResult",
    "delete": "DeleteResult",
    "promote": "PromoteResult",
    "build": "BuildResult",
    "render k8s": "RenderResult",
    "render terraform": "RenderResult",
    "status": "StatusResult",
    "history": "HistoryResult",
    "logs": "LogsResult",
    "predict": "PredictResult",
    "drift": "DriftResult",
    "gc": "GcResult",
    "sync": "SyncResult",
    "doctor": "DoctorResult",
    "config show": "ConfigResult",
    "config validate": "ValidationResult",
    "config schema": "SchemaResult",
    "sandbox up": "SandboxResult",
    "sandbox env": "SandboxResult",
    "sandbox status": "SandboxResult",
    "sandbox down": "SandboxResult",
    "stack up": "StackResult",
    "stack status": "StackResult",
    "stack logs": "StackLogsResult",
    "stack migrate": "StackResult",
    "stack upgrade": "StackResult",
    "stack backup": "StackResult",
    "stack restore": "StackResult",
    "stack down": "StackResult",
}
REMARKS = """
Enums are their values; moments are ISO 8601 in UTC; sizes are bytes. A plan's step also has `phase` and `description`. `facts`
of an outcome is an object. `env` of a revision's settings names the model's variables with `***` for each value.
"""


def render_json_output() -> str:
    """Return the page."""
    commands = [(code(f"dockyard {command}"), _link(name)) for command, name in COMMANDS.items()]
    return page(
        "JSON output",
        ABOUT,
        table(("key", "meaning"), [(code(key), text) for key, text in ENVELOPE]),
        block(EXAMPLE, "json"),
        "## The result of each command",
        table(("command", "result"), commands),
        "## Objects",
        REMARKS,
        *(_describe(one) for one in sorted(set(list_objects()), key=lambda one: one.__name__)),
        "## Words",
        *(_describe_words(one) for one in sorted(set(list_words()), key=lambda one: one.__name__)),
    )


def list_objects() -> Iterator[type]:
    """Yield every dataclass that can be in a document."""
    return _collect((*typing.get_args(Result), Failure), set())


def list_words() -> Iterator[type[enum.Enum]]:
    """Yield every enum that can be in a document."""
    for one in list_objects():
        for hint in typing.get_type_hints(one).values():
            yield from (part for part in _parts(hint) if isinstance(part, type) and issubclass(part, enum.Enum))


def _collect(found: tuple[object, ...], seen: set[type]) -> Iterator[type]:
    for one in found:
        if not (isinstance(one, type) and dataclasses.is_dataclass(one)) or one in seen:
            continue
        seen.add(one)
        yield one
        for hint in typing.get_type_hints(one).values():
            yield from _collect(tuple(_parts(hint)), seen)


def _parts(hint: object) -> Iterator[object]:
    yield hint
    for inner in typing.get_args(hint):
        yield from _parts(inner)


def _describe(one: type) -> str:
    fields = [(code(field.name), code(_plain(field.type)), field.text) for field in read_fields(one)]
    return "\n\n".join((f"### {one.__name__}", read_summary(one), table(("key", "type", "meaning"), fields)))


def _describe_words(one: type[enum.Enum]) -> str:
    values = ", ".join(code(word.value) for word in one)
    return f"**{one.__name__}**: {values}"


def _plain(annotation: str) -> str:
    return annotation.replace("tuple[", "list[").replace(", ...]", "]").replace("None", "null")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"
