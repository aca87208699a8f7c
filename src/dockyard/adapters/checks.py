"""Owns `doctor`'s looks at the surroundings, one Check each. They change nothing and raise nothing; the first is the file.

A finding is an ERROR only where nothing can be deployed from here; what costs one way of doing it is a WARNING.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.config_file import Surroundings, load_defaults, load_settings
from dockyard.adapters.network_checks import EngineCheck, ImageRegistryCheck, TrackingCheck
from dockyard.domain.errors import DockyardError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.settings import Settings
from dockyard.ports import Check, EntryQueue

_MINORS = ("3.10", "3.11", "3.12", "3.13")
_WANTED_BYTES, _NEEDED_BYTES = 5_000_000_000, 500_000_000


def list_checks(settings: Settings, queue: EntryQueue, environ: Mapping[str, str]) -> tuple[Check, ...]:
    """All checks of this machine, in the order in which they are shown."""
    from dockyard.adapters.local.pythons import Pythons

    return (
        PythonCheck(version=sys.version_info[:2]),
        FolderCheck(code="state-folder", folder=settings.state_home, variable="DOCKYARD_HOME"),
        FolderCheck(code="cache-folder", folder=settings.cache_home, variable="DOCKYARD_CACHE"),
        UvCheck(find=_find_uv),
        TrackingCheck.of(settings.registry, environ),
        EngineCheck(),
        InterpretersCheck(find=Pythons(environ).find),
        ImageRegistryCheck.of(settings),
        QueueCheck(queue=queue),
    )


def examine_configuration(surroundings: Surroundings) -> tuple[Settings, Finding]:
    """Read the configuration; where it is wrong, go on with the defaults so that the other checks can run."""
    try:
        settings = load_settings(surroundings)
    except DockyardError as error:
        remedy = "; ".join((*error.details, error.hint or "")) or None
        return load_defaults(surroundings), Finding(
            code="configuration", severity=Severity.ERROR, message=error.message, remedy=remedy
        )
    file = settings.config_file
    message = f"{file} is valid" if file else "there is no dockyard.yaml; the defaults count"
    return settings, Finding(code="configuration", severity=Severity.OK, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCheck:
    """The Python that runs Dockyard."""

    version: tuple[int, ...]

    def examine(self) -> tuple[Finding, ...]:
        """Look at its version."""
        minor = ".".join(str(part) for part in self.version)
        if minor in _MINORS:
            return (Finding(code="python", severity=Severity.OK, message=f"Python {minor}, {platform.machine()}"),)
        message = f"Python {minor} is not among those that Dockyard is tested with ({', '.join(_MINORS)})"
        return (
            Finding(code="python", severity=Severity.WARNING, message=message, remedy="install Dockyard under one of them"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCheck:
    """A folder that Dockyard writes to, which need not exist yet."""

    code: str
    folder: Path
    variable: str
    find_free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def examine(self) -> tuple[Finding, ...]:
        """Look whether it can be written to and has room."""
        there = next(folder for folder in (self.folder, *self.folder.parents) if folder.exists())
        remedy = f"give it room and rights, or name another folder with {self.variable}"
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            message = f"{self.folder} cannot be written to"
            return (Finding(code=self.code, severity=Severity.ERROR, message=message, remedy=remedy),)
        free = self.find_free(there)
        message = f"{self.folder} has {free / 1e9:.1f} GB free"
        if free >= _WANTED_BYTES:
            return (Finding(code=self.code, severity=Severity.OK, message=message),)
        severity = Severity.WARNING if free >= _NEEDED_BYTES else Severity.ERROR
        return (Finding(code=self.code, severity=severity, message=message, remedy=remedy),)


@dataclass(frozen=True, slots=True, kw_only=True)
class UvCheck:
    """The program `uv`, which locks requirements."""

    find: Callable[[], str]

    def examine(self) -> tuple[Finding, ...]:
        """Look for it."""
        try:
            message = f"uv is {self.find()}"
        except (ImportError, OSError):
            remedy = "install it again: `pip install --force-reinstall uv`"
            return (Finding(code="uv", severity=Severity.ERROR, message="uv is not found", remedy=remedy),)
        return (Finding(code="uv", severity=Severity.OK, message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretersCheck:
    """The Pythons that the process runtime can run models under."""

    find: Callable[[str], str]

    def examine(self) -> tuple[Finding, ...]:
        """Look which minor versions there are."""
        found = [minor for minor in _MINORS if self._has(minor)]
        missing = ", ".join(minor for minor in _MINORS if minor not in found)
        needed = f"; those of {missing} need an engine" if missing else ""
        if found:
            message = f"models of Python {', '.join(found)} can run without a Docker engine{needed}"
            return (Finding(code="interpreters", severity=Severity.OK, message=message),)
        remedy = f"install the one that your models were logged with, as in `uv python install {_MINORS[-1]}`"
        message = "no Python is found to run models under without a Docker engine"
        return (Finding(code="interpreters", severity=Severity.WARNING, message=message, remedy=remedy),)

    def _has(self, minor: str) -> bool:
        try:
            return bool(self.find(minor))
        except DockyardError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCheck:
    """Records that wait for the registry."""

    queue: EntryQueue

    def examine(self) -> tuple[Finding, ...]:
        """Count them, and name those that cannot be read."""
        damaged = tuple(
            Finding(code="queue", severity=Severity.ERROR, message=failure.message, remedy=failure.hint)
            for failure in self.queue.list_damaged()
        )
        return (*self._count(), *damaged)

    def _count(self) -> tuple[Finding, ...]:
        waiting = len(self.queue.list_entries())
        if not waiting:
            return (Finding(code="queue", severity=Severity.OK, message="no record waits to be written"),)
        noun = "record waits" if waiting == 1 else "records wait"
        message = f"{waiting} {noun} to be written to the registry"
        return (Finding(code="queue", severity=Severity.WARNING, message=message, remedy="send them with `dockyard sync`"),)


def _find_uv() -> str:
    import uv

    return uv.find_uv_bin()
