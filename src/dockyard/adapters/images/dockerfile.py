"""Owns the Dockerfile of the engine builder and the build context around it. Must not talk to an engine."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jinja2 import Environment, PackageLoader, StrictUndefined

PREFIX = "/opt/dockyard"
ENTRYPOINT = ("python3", "-s", f"{PREFIX}/scorer")
ENV: Mapping[str, str] = {
    "PYTHONPATH": f"{PREFIX}/site-packages",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "HOME": "/tmp",  # noqa: S108  # the only place that a container of ours may write to
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """All that a Docker build of a serving image reads."""

    base: str
    """The base image by digest, as the engine is to pull it."""
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    system_packages: tuple[str, ...]
    scorer_files: Mapping[str, bytes]
    model: Path
    labels: Mapping[str, str]


def render_dockerfile(context: BuildContext) -> str:
    """Return the Dockerfile's text; the same context gives the same text."""
    loader = PackageLoader("dockyard", "templates")
    # Not HTML: values are quoted for Docker by the filter, and a missing one is an error.
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    environment.filters["docker_quote"] = quote_value
    return environment.get_template("Dockerfile.j2").render(
        base=context.base,
        prefix=PREFIX,
        system_packages=context.system_packages,
        env=ENV,
        labels=dict(sorted(context.labels.items())),
        entrypoint=list(ENTRYPOINT),
    )


def quote_value(value: str) -> str:
    """Quote a label's value for a Dockerfile: backslash, quote, dollar (which would be a variable) and line ends."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + " ".join(escaped.split("\n")) + '"'


def write_context(context: BuildContext, file: IO[bytes]) -> None:
    """Write the context as a tar with fixed times and owners, so that Docker's cache finds equal files equal."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(_texts(context).items()):
            _add(archive, name, len(content), io.BytesIO(content))
        for path in sorted(path for path in context.model.rglob("*") if path.is_file()):
            with path.open("rb") as source:
                _add(archive, f"model/{path.relative_to(context.model).as_posix()}", path.stat().st_size, source)


def _texts(context: BuildContext) -> Mapping[str, bytes]:
    labels = json.dumps(dict(context.labels), sort_keys=True, indent=1)
    return {
        "Dockerfile": render_dockerfile(context).encode(),
        "requirements.txt": "".join(f"{line}\n" for line in context.requirements).encode(),
        "constraints.txt": "".join(f"{line}\n" for line in context.constraints).encode(),
        "image.json": labels.encode(),
        **{f"scorer/{name}": content for name, content in context.scorer_files.items()},
    }


def _add(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    for folder in _missing_folders(archive, name):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    archive.addfile(entry, content)


def _missing_folders(archive: tarfile.TarFile, name: str) -> Iterator[str]:
    known = {member.name for member in archive.getmembers() if member.isdir()}
    parts = name.split("/")[:-1]
    folders = ("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return (folder for folder in folders if folder not in known)
