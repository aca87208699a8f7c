"""Which processes a runner has started, on disk: so that none outlives a sandbox that was killed.

Owns the records. A pid is told from a later process of the same number by the time at which the kernel started it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_START_TIME = 19  # field 22 of /proc/<pid>/stat, counted after the command's closing bracket: proc(5)


def note_process(folder: Path, pid: int) -> Path:
    """Remember a process that leads its own group; the file is removed when it has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / str(pid)
    record.write_text(_read_start_time(pid))
    return record


def end_noted_processes(folder: Path) -> int:
    """Kill what is still alive of the processes that were noted, with their groups; returns how many were."""
    ended = 0
    for record in sorted(folder.glob("*")):
        pid, started = int(record.name), record.read_text()
        if started and _read_start_time(pid) == started:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
                ended += 1
        record.unlink(missing_ok=True)
    return ended


def _read_start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_START_TIME]
