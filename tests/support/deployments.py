"""Dockyard as its users have it: the real command line in processes of its own, on a home, a store and a folder of its own.

Owns the making of such a place from a stage that is made once per test session, and the proof that a test has left nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockyard.adapters.local.daemon import find_holder
from dockyard.adapters.local.ports import is_port_free
from dockyard_image.config import SCORER
from support.commands import Command, Main, run_dockyard
from support.local_kit import STAND_IN
from support.ports import reserve_port
from support.session import make_once
from support.told_models import BODY, FOLDERS, SOUND, make_array_models, make_models

_SCRIPTS = Path(sys.executable).parent
_TIMEOUT_SECONDS = 240
_GONE_SECONDS = 10.0
_NOT_PASSED = ("DOCKYARD_", "MLFLOW_", "DOCKER_", "PYTHONDONTWRITEBYTECODE")
CONFIG = """\
environments:
  local: {{runtime: process, port: {port}, smoke_requests: 3, grace_seconds: 5, history_limit: {history_limit}}}
  staging: {{runtime: process, smoke_requests: 3, grace_seconds: 5}}
"""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document that it printed."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def envelope(self) -> dict[str, Any]:
        """The envelope of our JSON output."""
        assert {"schema", "command", "status", "exit_code", "result", "errors"} == self.document.keys()
        assert self.document["exit_code"] == self.code
        return self.document

    @property
    def result(self) -> dict[str, Any]:
        """The result in it."""
        found: dict[str, Any] = self.envelope["result"]
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The first error in it."""
        found: dict[str, Any] = self.envelope["errors"][0]
        return found

    def expect(self, code: int) -> Ended:
        """The same, having checked its exit code."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


@dataclass(kw_only=True)
class Place:
    """A user's folder with configuration and store, and a home. `name` is the deployment that most commands are about."""

    folder: Path
    home: Path
    """Where Dockyard keeps its state."""
    cache: Path
    port: int
    name: str = "shop"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> str:
        """The address of the MLflow store."""
        return f"sqlite:///{self.folder}/mlflow.db"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of commands."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED)}
        return kept | {
            "DOCKYARD_HOME": str(self.home),
            "DOCKYARD_CACHE": str(self.cache),
            "MLFLOW_TRACKING_URI": self.store,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **self.extra,
        }

    def configure(self, text: str) -> None:
        """Write `dockyard.yaml`."""
        (self.folder / "dockyard.yaml").write_text(text)

    def begin(self, *arguments: str, main: Main = run_dockyard) -> Command:
        """Start `dockyard` with these arguments."""
        return Command(arguments=arguments, folder=self.folder, environ=self.environ, main=main)

    def run(self, *arguments: str, main: Main = run_dockyard) -> Ended:
        """Run `dockyard` with these arguments to its end."""
        return finish(self.begin(*arguments, main=main))

    def run_program(self, *command: str) -> Ended:
        """Run a program to its end; a name without slash may be one of our console scripts."""
        done = subprocess.run(
            [str(_SCRIPTS / command[0]), *command[1:]],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def deploy_arguments(self, *more: str, model: str = f"models:/{SOUND}/1") -> tuple[str, ...]:
        """The arguments that deploy a model under this place's name."""
        return ("deploy", "local", "-m", model, "--name", self.name, "--json", *more)

    def deploy(self, *more: str, model: str = f"models:/{SOUND}/1") -> Ended:
        """Deploy a model under this place's name."""
        return self.run(*self.deploy_arguments(*more, model=model))

    def state(self) -> dict[str, Any]:
        """This deployment's row of `status`."""
        rows: list[dict[str, Any]] = self.run("status", self.name, "--json").expect(0).result["rows"]
        return rows[0]

    def history(self) -> list[dict[str, Any]]:
        """The attempts, newest first."""
        attempts: list[dict[str, Any]] = self.run("history", self.name, "--json").expect(0).result["attempts"]
        return attempts

    def supervisors(self) -> dict[int, int]:
        """The process ids of the supervisors that run, by revision."""
        files = self.home.glob(f"local/*/{self.name}/revisions/*/supervisor.pid")
        pids = {int(path.parent.name): find_holder(path) for path in files}
        return {number: pid for number, pid in sorted(pids.items()) if pid is not None}

    def close(self) -> None:
        """Take every deployment away, and prove that nothing of them is left: process, port, folder, garbage."""
        try:
            for path in self.home.glob("local/*/*"):
                self.run("delete", f"{path.parent.name}/{path.name}", "--yes", "--json").expect(0)
            self.assert_nothing_left()
        finally:
            end_processes(self.folder)
            end_processes(self.home)

    def assert_nothing_left(self) -> None:
        """No process of this place runs, its port is free, and its home has no deployment, lock or waiting record."""
        left = [*wait_until_none(self.folder), *wait_until_none(self.home)]
        assert left == [], f"processes are left: {left}"
        assert is_port_free("127.0.0.1", self.port)
        assert not (self.home / "local").exists()
        assert list(self.home.glob("locks/*")) == []
        assert list(self.home.glob("queue/*")) == []


def ask(port: int, body: bytes | None = BODY, path: str = "/invocations") -> object:
    """What is answered on a port of this machine, to a GET where there is no body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def finish(command: Command) -> Ended:
    """Wait for a command's end."""
    try:
        code, out, err = command.wait(_TIMEOUT_SECONDS)
        assert code is not None, f"it does not end\n{out}\n{err}"
    finally:
        command.kill()
    return Ended(code=code, out=out, err=err)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all tests of a session begin with: registered models, two of them built, in a home to copy, and a warm cache."""

    folder: Path

    def open_place(self, folder: Path, *, is_warm: bool = True, history_limit: int = 5, kind: str = "own") -> Place:
        """Make a place in `folder`; a warm one has the images of the sound model's first two versions.

        All places of a worker and kind have one home, emptied in between: Python's compiled files are kept by path.
        """
        home = self.folder / "homes" / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{kind}"
        place = self.visit_home(home, folder, history_limit=history_limit)
        shutil.rmtree(home, ignore_errors=True)
        if is_warm:
            # Images and what is unpacked of them never change once they are written, so links do.
            _link(self.folder / "home", home)
            compiled = place.cache / "pycache"  # by whole paths
            if not (compiled / home.relative_to("/")).exists():
                _link(compiled / (self.folder / "home").relative_to("/"), compiled / home.relative_to("/"))
        return place

    def open_hurried_place(self, folder: Path, *, history_limit: int = 5) -> Place:
        """Make a place whose images have a stand-in for their scorer, which answers as their proofs say.

        For tests that start so many revisions that MLflow's import would take most of their time, and that ask for no more
        than which revision answers. Images that are built there cannot be proved.
        """
        place = self.open_place(folder, history_limit=history_limit, kind="hurried")
        (program,) = place.home.glob(f"unpacked/*/{SCORER}/__main__.py")
        program.unlink()  # it is linked to the stage's own
        shutil.copyfile(STAND_IN, program)
        return place

    def visit_home(self, home: Path, folder: Path, *, history_limit: int = 5) -> Place:
        """Make a user's folder over a home that may be another place's, too, where neither of them changes it."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.folder / "mlflow.db", folder / "mlflow.db")
        place = Place(folder=folder, home=home, cache=self.folder / "cache", port=reserve_port())
        place.configure(CONFIG.format(port=place.port, history_limit=history_limit))
        return place


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=os.link, symlinks=True)


def make_stage(folder: Path) -> Stage:
    """Make the stage in `folder`, or take the one that another worker of the session has made there."""
    return Stage(folder=make_once(folder, _make_stage))


def _make_stage(folder: Path) -> None:
    place = make_told_place(folder)
    for version in (1, 2):
        place.run("build", "-m", f"models:/{SOUND}/{version}", "--base", "host", "--json").expect(0)
        place.run("build", "-m", str(folder / FOLDERS[version - 1]), "--base", "host", "--json").expect(0)


def make_told_place(folder: Path) -> Place:
    """Make a place that keeps all in `folder`, with the told models in its store, and without a port of its own."""
    place = Place(folder=folder, home=folder / "home", cache=folder / "cache", port=0)
    place.run(str(folder), main=make_told_models).expect(0)
    return place


def make_told_arrays(arguments: list[str]) -> int:
    """Make the models that take a tensor, beside those, in a process that ends."""
    make_array_models(Path(arguments[0]))
    return 0


def make_told_models(arguments: list[str]) -> int:
    """Make the models in a process that ends: MLflow keeps databases open."""
    make_models(Path(arguments[0]))
    return 0


def wait_until_none(folder: Path) -> list[str]:
    """The processes that have to do with `folder`, once there are none, or after some seconds."""
    deadline = time.monotonic() + _GONE_SECONDS
    while (left := list(find_processes(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [f"{pid} {command}" for pid, command in left]


def find_processes(folder: Path) -> Iterator[tuple[int, str]]:
    """Processes with the folder in their command, environment or working folder, but for this one."""
    mark = os.fsencode(str(folder))
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            seen = (command, (path / "environ").read_bytes(), os.fsencode((path / "cwd").readlink()))
        except OSError:  # it has ended, or is somebody else's
            continue
        if int(path.name) != os.getpid() and any(mark + b"/" in one + b"/" for one in seen):
            yield int(path.name), command.replace(b"\0", b" ").decode("utf-8", "replace")


def end_processes(folder: Path) -> None:
    """Kill what a failed test has left behind."""
    for pid, _ in find_processes(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
