"""Owns where the configuration comes from: finds `dockyard.yaml`, lays variables and flags over it, and checks the whole.

Order: flag > environment variable > file > default. Reads the file and the environment that it is given; contacts nothing.
All problems are reported at once. A problem never repeats a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from dockyard.adapters.config_environ import Setting, read_environ, read_fallbacks
from dockyard.adapters.config_model import Configuration
from dockyard.adapters.config_problems import Problem, describe_problems, raise_problems
from dockyard.adapters.config_settings import Layers, make_settings
from dockyard.adapters.config_yaml import Document, KeyPath, UnreadableError, read_document
from dockyard.domain.errors import UsageError
from dockyard.domain.settings import Provenance, Settings, Source

FILE_NAME = "dockyard.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A value that the command line sets, such as `--port`."""

    path: KeyPath
    value: object
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the configuration is read from."""

    folder: Path
    """The working folder, where the search for the file begins."""
    environ: Mapping[str, str] = field(repr=False)
    named_file: str | None = None
    """What `--config` names."""
    flags: tuple[Flag, ...] = ()


def load_settings(surroundings: Surroundings) -> Settings:
    """Return the merged and checked configuration.

    Raises UsageError `config-not-found`, `config-invalid` with every problem.
    """
    file = find_file(surroundings)
    document = Document() if file is None else _read_file(file)
    shown = _shorten(file, surroundings.folder) if file else FILE_NAME
    layers = _lay(document, shown, surroundings)
    try:
        configuration = Configuration.model_validate(layers.values)
    except ValidationError as error:
        raise_problems(shown, describe_problems(error, layers))
    homes = _find_homes(surroundings)
    return make_settings(configuration, layers, homes, file)


def load_defaults(surroundings: Surroundings) -> Settings:
    """Return the settings that there are without a file, variables for keys, and flags."""
    return make_settings(Configuration(), Layers(values={}, lines={}, file=FILE_NAME), _find_homes(surroundings), None)


def find_file(surroundings: Surroundings) -> Path | None:
    """Return the file to read: what `--config` or DOCKYARD_CONFIG names, else `dockyard.yaml` here or above.

    The search ends at the root of the git repository; outside of one it looks in the working folder only, so that nobody
    else's file is picked up. Raises UsageError `config-not-found` for a named file that is not there.
    """
    named = surroundings.named_file or surroundings.environ.get("DOCKYARD_CONFIG")
    if named:
        file = surroundings.folder / Path(named).expanduser()
        if not file.is_file():
            raise UsageError(
                "config-not-found", f"there is no configuration file `{named}`", hint="check `--config` and DOCKYARD_CONFIG"
            )
        return file
    return next((file for folder in _list_folders(surroundings.folder) if (file := folder / FILE_NAME).is_file()), None)


def _list_folders(start: Path) -> Iterable[Path]:
    folders = (start, *start.parents)
    root = next((folder for folder in folders if (folder / ".git").exists()), start)
    return folders[: folders.index(root) + 1]


def _read_file(file: Path) -> Document:
    try:
        return read_document(file.read_bytes())
    except UnreadableError as error:
        raise_problems(file.name, [Problem(message=error.message, origin=file.name, line=error.line)])
    except OSError as error:
        raise UsageError("config-not-found", f"`{file.name}` cannot be read: {error.strerror}") from error


def _lay(document: Document, shown: str, surroundings: Surroundings) -> Layers:
    configured = document.values.get("environments")
    names = tuple(configured) if isinstance(configured, dict) else ()
    flags = tuple(Setting(path=flag.path, value=flag.value, origin=flag.name) for flag in surroundings.flags)
    layers = Layers(values=document.values, lines=document.lines, file=shown)
    layers.lay(read_fallbacks(surroundings.environ), Source.ENVIRONMENT, only_missing=True)
    layers.lay(read_environ(surroundings.environ, (*names, "local")), Source.ENVIRONMENT)
    layers.lay(flags, Source.FLAG)
    return layers


def _find_homes(surroundings: Surroundings) -> tuple[Provenance, Provenance]:
    return (
        _find_home(surroundings, "state_home", "DOCKYARD_HOME", ("XDG_STATE_HOME", ".local/state")),
        _find_home(surroundings, "cache_home", "DOCKYARD_CACHE", ("XDG_CACHE_HOME", ".cache")),
    )


def _find_home(surroundings: Surroundings, key: str, variable: str, standard: tuple[str, str]) -> Provenance:
    environ = surroundings.environ
    if own := environ.get(variable):
        return Provenance(
            path=key, value=surroundings.folder / Path(own).expanduser(), source=Source.ENVIRONMENT, origin=variable
        )
    xdg, below_home = standard
    # The XDG specification says that a relative path is to be ignored.
    if (base := environ.get(xdg)) and Path(base).is_absolute():
        return Provenance(path=key, value=Path(base) / "dockyard", source=Source.ENVIRONMENT, origin=xdg)
    return Provenance(path=key, value=_find_user_home(environ) / below_home / "dockyard", source=Source.DEFAULT)


def _find_user_home(environ: Mapping[str, str]) -> Path:
    if home := environ.get("HOME"):
        return Path(home)
    try:
        return Path.home()
    except RuntimeError as error:
        raise UsageError(
            "config-invalid", "this user has no home folder", hint="set DOCKYARD_HOME and DOCKYARD_CACHE"
        ) from error


def _shorten(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
