"""The port: opened once, and closed so that no connection that the kernel took is dropped.

Owns the listening socket's options. Knows nothing of HTTP.
"""

from __future__ import annotations

import ctypes
import socket
from contextlib import suppress

_BACKLOG = 2048
_SO_ATTACH_FILTER = 26  # Linux, asm-generic/socket.h; Python's socket module does not name it
_RETURN_NOTHING = (0x06, 0, 0, 0)  # BPF_RET | BPF_K with 0: keep no byte of any packet, that is, drop it


class _Instruction(ctypes.Structure):
    """`struct sock_filter` of linux/filter.h."""

    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def open_listener(host: str, port: int) -> socket.socket:
    """The bound and listening port; 0 is any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def take_no_more(listener: socket.socket) -> None:
    """Let the kernel open no new connection, while those it has opened can still be accepted.

    Closing a listening socket resets the connections that wait in its queue, with requests that their clients have
    already sent. A filter that drops every packet for the listener lets the queue run empty first; who knocks in the
    meantime knocks again a second later and is refused. Where a kernel has no such filter nothing happens.
    """
    instruction = _Instruction(*_RETURN_NOTHING)
    program = _Program(1, ctypes.pointer(instruction))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(program))
