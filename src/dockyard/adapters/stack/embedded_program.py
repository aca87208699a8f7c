"""The program behind an embedded stack: keeps its server running until it is told to end.

Owns that process and its child. A server that ends by itself is started again, after a pause that grows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from dockyard.adapters.local.daemon import detach, hold_pid_file, watch_for_end
from dockyard.adapters.stack.embedded import PID_FILE, SETTINGS_FILE

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_STEADY_SECONDS = 60.0
_GRACE_SECONDS = 26.0
_POLL_SECONDS = 0.2


def main(folder: Path) -> int:
    """Serve until SIGTERM. Exits before it stands where another one holds the folder."""
    say_ready = detach()
    if hold_pid_file(folder / PID_FILE) is None:
        return 1
    ending = watch_for_end()
    variables = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    say_ready()
    pause = _FIRST_PAUSE_SECONDS
    while not ending.is_set():
        began = time.monotonic()
        _serve({**os.environ, **variables}, folder, ending)
        pause = _FIRST_PAUSE_SECONDS if time.monotonic() - began > _STEADY_SECONDS else min(pause * 2, _LONGEST_PAUSE_SECONDS)
        ending.wait(pause)
    return 0


def _serve(environment: dict[str, str], folder: Path, ending: threading.Event) -> None:
    command = [sys.executable, "-m", "dockyard_tracking", "serve"]
    with subprocess.Popen(command, env=environment, cwd=folder) as server:
        while server.poll() is None and not ending.wait(_POLL_SECONDS):
            pass
        server.terminate()
        try:
            server.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
