"""Owns the route: which revision a deployment's port leads to, in a file that the host writes and the forwarder reads.

The file is the only truth about which revision serves, and it changes in one instant. Standard library only.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.files import write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A revision and where it listens."""

    revision: int
    address: str
    """`host:port`"""
    since: str | None = None
    """When the revision got the traffic, ISO 8601 in UTC."""

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.address.rpartition(":")
        return host, int(port)


def write_route(path: Path, route: Route) -> None:
    """Put a route in force."""
    write_file(path, json.dumps(dataclasses.asdict(route)).encode())


def read_route(path: Path) -> Route | None:
    """The route in force; None where there is none. Raises ValueError for a file that is no route."""
    try:
        fields = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    match fields:
        case {"revision": int(revision), "address": str(address)}:
            return Route(revision=revision, address=address, since=fields.get("since"))
        case _:
            raise ValueError(f"{path.name} is not a route")


class RouteReader:
    """Reads the route before every request, and the file only when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._route: Route | None = None

    def read(self) -> Route | None:
        """The route in force at this moment; None where there is none, or none that can be read."""
        try:
            found = self._path.stat()
            seen = (found.st_ino, found.st_mtime_ns)
            if seen != self._seen:
                self._route, self._seen = read_route(self._path), seen
        except (OSError, ValueError):
            self._route, self._seen = None, None
        return self._route
