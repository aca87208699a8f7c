"""Owns Session: the streams, switches and surroundings of one call of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from dockyard.adapters.config_file import Flag, Surroundings
    from dockyard.cli.kit import Kit, OpenKit
    from dockyard.cli.render import Result
    from dockyard.domain.settings import Settings


class ReaderGoneError(Exception):
    """Who read what we print has gone away, as `head` does."""


@dataclass(slots=True, kw_only=True)
class Session:
    """What a command may use beside its own options."""

    command: str
    """The verb, as `deploy local`."""
    as_json: bool
    """Guessed at first, so that wrong usage is told in the right form too; known once the command is parsed."""
    is_verbose: bool
    open_kit: OpenKit
    stdin: TextIO
    out: TextIO
    err: TextIO
    folder: Path
    environ: Mapping[str, str] = field(repr=False)

    def surroundings(self, config: str | None, *flags: Flag) -> Surroundings:
        """What the configuration is read from."""
        from dockyard.adapters.config_file import Surroundings

        return Surroundings(folder=self.folder, environ=self.environ, named_file=config, flags=flags)

    def load_settings(self, config: str | None, *flags: Flag) -> Settings:
        """Return the configuration. Raises UsageError `config-invalid`, `config-not-found`."""
        from dockyard.adapters.config_file import load_settings

        return load_settings(self.surroundings(config, *flags))

    def load_kit(self, config: str | None) -> Kit:
        """Return the use cases for a configuration."""
        return self.open_kit(self.load_settings(config))

    def show(self, result: Result, *, tells_changes: bool = False) -> int:
        """Show a result and return the exit code; with `tells_changes` a plan with changes is code 4."""
        from dockyard.cli.render import show_result

        return show_result(result, self, tells_changes=tells_changes)


def find_session(context: typer.Context, *, json: bool, verbose: bool) -> Session:
    """Return the call's session, with the switches that the command was given."""
    session = context.find_object(Session)
    if session is None:
        raise TypeError("commands run under `dockyard.cli.main.main` only")
    session.as_json, session.is_verbose = json, verbose
    return session
