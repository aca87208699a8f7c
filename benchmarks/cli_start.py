"""How long the command line takes to say its help, beside MLflow's.

Prints the median of several starts in new processes, after one that warms the files. `--check` fails above the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT_SECONDS = 0.250
TOOLS = Path(sys.executable).parent
OURS = (("dockyard", "--help"), ("deploy", "--help"))
THEIRS = ("mlflow", "--help")


def measure_start(command: tuple[str, ...], rounds: int) -> float:
    """The median time in seconds from start to end."""
    program = [str(TOOLS / command[0]), *command[1:]]
    # A user's shell has none of these; without byte code every import would be compiled anew.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    times = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        subprocess.run(program, env=environ, capture_output=True, check=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true", help=f"fail when ours takes more than {LIMIT_SECONDS * 1000:.0f} ms")
    arguments = parser.parse_args()
    theirs = measure_start(THEIRS, arguments.rounds)
    ours = {command: measure_start(command, arguments.rounds) for command in OURS}
    print(f"start to end, median of {arguments.rounds}")
    print(f"  {' '.join(THEIRS):<16} {theirs * 1000:6.0f} ms")
    for command, seconds in ours.items():
        print(f"  {' '.join(command):<16} {seconds * 1000:6.0f} ms   {theirs / seconds:4.1f} times as fast")
    return int(arguments.check and max(ours.values()) > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
