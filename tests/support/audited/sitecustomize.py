"""Put on a process's PYTHONPATH, this notes which files it writes and whom it connects to.

Owns nothing but the file named by `TEST_AUDIT_FILE`: one line an action, `write PATH` or `connect ADDRESS`.
"""

from __future__ import annotations

import os
import sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_CHANGING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.move"}
_CALLING = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}

_notes = os.open(os.environ["TEST_AUDIT_FILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING) or event in _CHANGING:
        os.write(_notes, f"write {arguments[0]}\n".encode())
    elif event in _CALLING:
        os.write(_notes, f"connect {arguments[:2]}\n".encode())


sys.addaudithook(_note)
os.close(os.open(os.devnull, os.O_WRONLY))  # so that a reader of the notes can tell that they are being taken
