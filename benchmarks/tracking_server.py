"""Idle memory, time to the first answer, requests a second and their cost of the tracking server, beside `mlflow server`.

The stock server is started with what the stock image and the official chart start it with: their command, its defaults, four
workers and job runners. Both are of one MLflow, in one Python, on one database that is at its head, one after the other. The
images themselves are not run: what differs between them and this installation is what else is installed.

The database is an SQLite file, or the MySQL that `--mysql` or DOCKYARD_TEST_MYSQL names: mysql://USER:PASSWORD@HOST[:PORT]/NAME.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIMIT_MIB = 512
CONNECTIONS = 16
MARK = "DOCKYARD_BENCH"
API = "/api/2.0/mlflow"
READ = f"{API}/registered-models/search?max_results=1"
TIMEOUT_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A way to start a tracking server."""

    title: str
    command: Sequence[str]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Requests a second, and what each costs the server in milliseconds of processor time, whatever else the machine does."""

    requests: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one of them came to. Memory in MiB: each page counts once, however many processes share it."""

    processes: int
    idle: float
    loaded: float
    first_answer: float
    reads: Rate
    writes: Rate


def list_contestants(folder: Path, url: str, port: int) -> list[Contestant]:
    """Stock; ours as the chart starts it; ours with as many workers as stock has."""
    stock = ("mlflow", "server", "--host=0.0.0.0", f"--port={port}", "--workers=4")
    told = {"MLFLOW_BACKEND_STORE_URI": render_url(url), "MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts")}
    ours = ("dockyard_tracking", "serve")
    environ = describe_ours(folder, url) | {"DOCKYARD_TRACKING_PORT": str(port)}
    return [
        Contestant(title="mlflow server --workers=4", command=stock, environ=told),
        Contestant(title="ours", command=ours, environ=environ),
        Contestant(title="ours, 4 workers", command=ours, environ=environ | {"DOCKYARD_TRACKING_WORKERS": "4"}),
    ]


def render_url(url: str) -> str:
    """The database's address for SQLAlchemy."""
    return url.replace("mysql://", "mysql+pymysql://", 1)


def describe_ours(folder: Path, url: str) -> dict[str, str]:
    """The same database and folder of artifacts, in settings of ours; the password goes into a file."""
    parts = urlsplit(url)
    settings = {"ARTIFACTS": str(folder / "artifacts"), "DATABASE_DIALECT": parts.scheme, "DATABASE_NAME": parts.path[1:]}
    if parts.scheme == "mysql":
        password = folder / "password"
        password.write_text(unquote(parts.password or ""), encoding="utf-8")
        settings |= {"DATABASE_HOST": parts.hostname or "", "DATABASE_PORT": str(parts.port or 3306)}
        settings |= {"DATABASE_USER": unquote(parts.username or ""), "DATABASE_PASSWORD_FILE": str(password)}
    return {f"DOCKYARD_TRACKING_{name}": value for name, value in settings.items()}


def start(folder: Path, command: Sequence[str], environ: Mapping[str, str], mark: str = "") -> subprocess.Popen[bytes]:
    """A module of this Python in `folder`, with none of this shell's variables for MLflow and none that keep byte code away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHONDONT"))}
    told = {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", **environ, MARK: mark}
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", *command], cwd=folder, env=told, stdout=log, stderr=log)


@contextmanager
def running(folder: Path, one: Contestant) -> Iterator[str]:
    """The server, and the mark by which all of its processes are known. They all end with the block."""
    mark = secrets.token_hex(8)
    process = start(folder, one.command, one.environ, mark)
    try:
        yield mark
    finally:
        process.send_signal(signal.SIGTERM)
        with_grace = time.monotonic() + 10
        while list_processes(mark) and time.monotonic() < with_grace:
            process.poll()
            time.sleep(0.2)
        for number in list_processes(mark):
            os.kill(number, signal.SIGKILL)
        process.wait()


def list_processes(mark: str) -> list[int]:
    """Those that have inherited it, in whatever session they are."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def measure_memory(mark: str) -> tuple[int, float]:
    """How many processes, and what they take in MiB."""
    count, total = 0, 0
    for number in list_processes(mark):
        try:
            text = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        count += 1
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return count, total / 1024


def measure_processor(mark: str) -> float:
    """Seconds of processor time that its processes have had."""
    total = 0
    for number in list_processes(mark):
        try:
            fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wait_idle(mark: str) -> tuple[int, float]:
    """Memory once it has stayed as it is for ten seconds."""
    before = 0.0
    for _ in range(12):
        time.sleep(10)
        count, now = measure_memory(mark)
        if abs(now - before) < 0.01 * now:
            return count, now
        before = now
    raise AssertionError("its memory does not settle")


def ask(connection: http.client.HTTPConnection, path: str, body: Mapping[str, object] | None = None) -> bytes:
    """The answer to a GET, or to a POST of JSON."""
    text = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", path, text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status} {said[:300]!r}")
    return said


def wait_answer(port: int, begin: float) -> float:
    """Seconds from `begin` to the first request that the database answers."""
    while time.monotonic() < begin + TIMEOUT_SECONDS:
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), READ)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return time.monotonic() - begin
    raise AssertionError("no answer")


def measure_rate(mark: str, port: int, seconds: float, call: Callable[[http.client.HTTPConnection], object]) -> Rate:
    """Requests over connections that stay open, for so long."""
    end = time.monotonic() + seconds
    before = measure_processor(mark)

    def repeat(_number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        count = 0
        while time.monotonic() < end:
            call(connection)
            count += 1
        return count

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        count = sum(pool.map(repeat, range(CONNECTIONS)))
    return Rate(requests=count / seconds, cost=(measure_processor(mark) - before) / count * 1000)


def measure(folder: Path, one: Contestant, port: int, seconds: float) -> Figures:
    """Start it, look, ask, and end it."""
    begin = time.monotonic()
    with running(folder, one) as mark:
        first_answer = wait_answer(port, begin)
        processes, idle = wait_idle(mark)
        made = ask(http.client.HTTPConnection("127.0.0.1", port), f"{API}/runs/create", {"experiment_id": "0", "start_time": 1})
        metric = {"run_id": json.loads(made)["run"]["info"]["run_id"], "key": "rmse", "value": 0.5, "timestamp": 1}
        reads = measure_rate(mark, port, seconds, lambda connection: ask(connection, READ))
        writes = measure_rate(mark, port, seconds, lambda connection: ask(connection, f"{API}/runs/log-metric", metric))
        loaded = measure_memory(mark)[1]
    return Figures(processes=processes, idle=idle, loaded=loaded, first_answer=first_answer, reads=reads, writes=writes)


def find_port() -> int:
    """A free one on loopback."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def render(all_figures: Mapping[str, Figures]) -> Iterator[str]:
    """A table, and each of ours against the first."""
    heads = ("processes", "idle", "loaded", "first answer", "reads", "writes")
    yield " ".join([f"{'':<25}", *(f"{head:>18}" for head in heads)])
    for title, one in all_figures.items():
        rates = [f"{rate.requests:.0f}/s, {rate.cost:.1f} ms" for rate in (one.reads, one.writes)]
        cells = [str(one.processes), f"{one.idle:.0f} MiB", f"{one.loaded:.0f} MiB", f"{one.first_answer:.1f} s", *rates]
        yield " ".join([f"{title:<25}", *(f"{cell:>18}" for cell in cells)])
    (_, stock), *ours = all_figures.items()
    for title, one in ours:
        yield (
            f"{title}, of stock's: memory {one.idle / stock.idle:.2f}, time {one.first_answer / stock.first_answer:.2f}, "
            f"reads {one.reads.requests / stock.reads.requests:.2f}, writes {one.writes.requests / stock.writes.requests:.2f}, "
            f"cost of a read {one.reads.cost / stock.reads.cost:.2f}, of a write {one.writes.cost / stock.writes.cost:.2f}"
        )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mysql", default=os.environ.get("DOCKYARD_TEST_MYSQL", ""), metavar="URL")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each kind of request is sent")
    parser.add_argument("--check", action="store_true", help=f"fail when ours takes more than {LIMIT_MIB} MiB when idle")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), find_port()
        url = arguments.mysql or f"sqlite:///{folder}/mlflow.db"
        if start(folder, ["dockyard_tracking", "migrate"], describe_ours(folder, url)).wait() != 0:
            sys.exit((folder / "server.log").read_text())
        contestants = list_contestants(folder, url, port)
        figures = {one.title: measure(folder, one, port, arguments.seconds) for one in contestants}
    print(f"{urlsplit(url).scheme}, {os.cpu_count()} processors, {CONNECTIONS} connections")
    print("\n".join(render(figures)))
    return int(arguments.check and figures["ours"].idle > LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())
