"""Owns the list of commands: importing them is what adds them to the app."""

from __future__ import annotations

from dockyard.cli.commands import (
    batch,
    build,
    config,
    delete,
    deploy,
    doctor,
    drift,
    gc,
    history,
    logs,
    predict,
    promote,
    render,
    rollback,
    sandbox,
    stack,
    status,
    sync,
)
from dockyard.cli.root import app

COMMANDS = (
    deploy,
    batch,
    build,
    render,
    status,
    history,
    logs,
    predict,
    rollback,
    promote,
    delete,
    drift,
    gc,
    sync,
    doctor,
    config,
    sandbox,
    stack,
)

__all__ = ["COMMANDS", "app"]
