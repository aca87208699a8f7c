"""Owns the way in which a host asks a forwarder how far a switch is: a Unix socket in the deployment's folder.

Whoever connects is told, as one JSON object; nothing can be changed here, and the public port never leads here.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_SECONDS = 5.0
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderStatus:
    """What a forwarder says of itself."""

    revision: int | None
    """Where new requests go."""
    under_way: frozenset[int]
    """The revisions that requests are under way to."""

    def is_settled(self, revision: int | None) -> bool:
        """Whether the revision has all the traffic, to the last request that is under way."""
        return self.revision == revision and self.under_way <= {revision}


async def start_control(name: str, describe: Callable[[], dict[str, object]]) -> asyncio.AbstractServer:
    """Answer at the socket `name` in the working folder: a relative path, because the whole one may be too long."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001  asyncio's signature
        writer.write(json.dumps(describe()).encode())
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_unix_server(answer, name)


def ask_forwarder(path: Path) -> ForwarderStatus | None:
    """Ask the forwarder that answers at the socket `path`; None when none does."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")  # short, however long the folder's own path is
            fields = json.loads(_read_all(connection))
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)
    return ForwarderStatus(revision=fields["revision"], under_way=frozenset(int(one) for one in fields["under_way"]))


def _read_all(connection: socket.socket) -> bytes:
    content = b""
    while len(content) < _MAX_BYTES and (part := connection.recv(65536)):
        content += part
    return content
