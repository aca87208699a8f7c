"""Owns how the result of `dockyard stack` looks."""

from __future__ import annotations

import json
import shlex

from dockyard.cli.views.view import View, note_lines
from dockyard.domain.result import StackResult


def view_stack(result: StackResult) -> View:
    """stdout: what a command beside the stack told, or lines for a shell that point MLflow's clients to it."""
    state = "ready" if result.is_ready else "up, and not ready" if result.is_up else "not up"
    told = f"the stack `{result.name}` ({result.kind}) is {state}" + (f" at {result.url}" if result.url else "")
    if result.answer is None:
        out = tuple(f"export {name}={shlex.quote(value)}" for name, value in sorted(result.environment.items()))
    else:
        out = (json.dumps(result.answer, indent=2),) if result.answer else ()
    return View(status=result.status.value, out=out, err=(told, *note_lines(result.notes)))
