"""Owns TCP ports on this machine: whether one is free, which one is, and taking one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection

from dockyard.domain.errors import UsageError

FIRST_PORT = 1234
"""MLflow's own documentation serves models there."""
_CANDIDATES = 1000


def take_port(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to a port. Raises UsageError `port-in-use`."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen()  # two sockets may be bound to a port, but only one of them can listen
    except (OSError, OverflowError) as error:
        taken.close()
        raise _unusable(host, port, error) from error
    return taken


def is_port_free(host: str, port: int) -> bool:
    """Whether somebody could listen on a port now."""
    try:
        take_port(host, port).close()
    except UsageError:
        return False
    return True


def find_free_port(host: str, reserved: Collection[int] = (), *, first: int = FIRST_PORT) -> int | None:
    """The first port from `first` on that is free and not reserved; None where there is none among a thousand."""
    candidates = (port for port in range(first, first + _CANDIDATES) if port not in reserved)
    return next((port for port in candidates if is_port_free(host, port)), None)


def find_any_port(host: str) -> int:
    """A port that the kernel says is free."""
    with socket.create_server((host, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _unusable(host: str, port: int, error: OSError | OverflowError) -> UsageError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return UsageError(
            "port-in-use",
            f"another program listens on port {port} of {host}",
            hint=f"choose another port, or end that program: `ss -ltnp 'sport = :{port}'` shows it",
        )
    reason = error.strerror if isinstance(error, OSError) else "ports go from 1 to 65535"
    return UsageError("port-in-use", f"port {port} of {host} cannot be used: {reason}", hint="choose another port")
