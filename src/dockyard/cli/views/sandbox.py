"""Owns how the result of `dockyard sandbox` looks."""

from __future__ import annotations

import shlex

from dockyard.cli.views.view import View
from dockyard.domain.result import ResultStatus, SandboxResult


def view_sandbox(result: SandboxResult) -> View:
    """stdout: the address of a sandbox that is up, or, where the environment was asked for, lines for a shell.

    `eval "$(dockyard sandbox up)"` reads those.
    """
    if not result.is_up:
        told = "no sandbox is up" if result.status is ResultStatus.UNCHANGED else "the sandbox is down"
        return View(status=result.status.value, err=(told,))
    told = f"the sandbox is up at {result.url}, runner `{result.runner}`; a browser shows its state there"
    if result.environment is None:
        return View(status=result.status.value, out=(str(result.url),), err=(told,))
    out = tuple(f"export {name}={shlex.quote(value)}" for name, value in sorted(result.environment.items()))
    return View(status=result.status.value, out=out, err=(told,))
