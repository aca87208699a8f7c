"""Owns how what was typed becomes the wish for a stack. Must not contact anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import UsageError
from dockyard.domain.stack import StackKind, StackWish

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """What was typed after `stack up`."""

    local: bool
    k8s: bool
    external: str | None
    name: str
    port: int | None
    runtime: Runtime | None
    chart: str
    image: str | None
    values: tuple[str, ...]
    context: str | None
    namespace: str | None


def make_wish(choice: StackChoice, here: Path) -> StackWish:
    """Return the wish. Raises UsageError `usage`, `name-invalid`."""
    if [choice.local, choice.k8s, choice.external is not None].count(True) != 1:
        raise UsageError("usage", "say where the stack is to run", hint="give one of `--local`, `--k8s` and `--external FILE`")
    if choice.runtime and not choice.local:
        raise UsageError("usage", "`--runtime` is for a stack on this machine")
    if not _NAME.fullmatch(choice.name):
        raise UsageError("name-invalid", f"`{choice.name}` is no name for a stack", hint="use small letters, digits and `-`")
    if choice.local:
        return _make_local(choice)
    files = (*((choice.external,) if choice.external else ()), *choice.values)
    chart = (here / choice.chart).resolve()
    return StackWish(
        name=choice.name,
        kind=StackKind.K8S,
        context=choice.context,
        namespace=choice.namespace,
        chart=str(chart) if chart.is_dir() else choice.chart,
        values=find_values(files, here),
        image=choice.image,
    )


def _make_local(choice: StackChoice) -> StackWish:
    if choice.values or choice.context or choice.namespace:
        raise UsageError("usage", "`--values`, `--context` and `--namespace` are for a stack in a cluster")
    if choice.image and choice.runtime is Runtime.PROCESS:
        raise UsageError("usage", "`--image` is for containers, and `--runtime process` runs none")
    runtime = choice.runtime or Runtime.AUTO
    return StackWish(name=choice.name, kind=StackKind.LOCAL, port=choice.port or 0, runtime=runtime, image=choice.image)


def find_values(files: tuple[str, ...], here: Path) -> tuple[str, ...]:
    """Return where files with the chart's values are. Raises UsageError `usage` for one that is not there."""
    found = [(here / Path(file).expanduser()).resolve() for file in files]
    for file in found:
        if not file.is_file():
            raise UsageError("usage", f"there is no file {file}", hint="give values for the chart, as YAML or JSON")
    return tuple(map(str, found))
