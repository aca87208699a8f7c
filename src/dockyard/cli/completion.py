"""Owns what the shell completes beside commands and options: environments and deployments. Must stay silent on errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.domain.settings import Settings


def complete_environment(incomplete: str) -> list[str]:
    """The configured environments that begin so."""
    settings = _load_settings()
    names = [one.name for one in settings.environments] if settings else []
    return [name for name in names if name.startswith(incomplete)]


def complete_deployment(incomplete: str) -> list[str]:
    """The deployments of this machine that begin so, as NAME in the environment `local`, else as ENVIRONMENT/NAME."""
    from dockyard.domain.settings import DEFAULT_ENVIRONMENT

    settings = _load_settings()
    found = sorted(settings.state_home.glob("local/*/*/deployment.json")) if settings else []
    keys = [f"{file.parent.parent.name}/{file.parent.name}" for file in found]
    names = [key.removeprefix(f"{DEFAULT_ENVIRONMENT}/") for key in keys]
    return [name for name in names if name.startswith(incomplete)]


def _load_settings() -> Settings | None:
    from dockyard.adapters.config_file import Surroundings, load_settings
    from dockyard.domain.errors import DockyardError

    try:
        return load_settings(Surroundings(folder=Path.cwd(), environ=os.environ))
    except (DockyardError, OSError):
        return None
