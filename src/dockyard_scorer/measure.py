"""What serving the model took so far: the most memory, and the processor time from the process's start.

Owns where a process reads that of itself. Linux tells the peak of this very program in /proc; `getrusage` would count what
its parent had as well. Processor time, and not the clock's: it hardly depends on what else the machine does.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def measure_cpu_seconds() -> float:
    """Processor time of all threads since the process began."""
    return time.process_time()


def dump_measured(cpu_seconds: float, status: Path = _STATUS) -> bytes | None:
    """The measured as JSON: `peak_kib` of memory in use at once, and `cpu_seconds`. None where the system tells no peak."""
    peak = _PEAK.search(status.read_text(encoding="utf-8")) if status.exists() else None
    return json.dumps({"peak_kib": int(peak[1]), "cpu_seconds": cpu_seconds}).encode() if peak else None
