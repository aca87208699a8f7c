"""The command line in a process of its own, started in milliseconds: a fork of a process that has imported everything.

Owns the fork server. Each command gets its own environment, working folder and output files, and its exit code is that of the
process; a test that is about starting runs the console script instead.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import dockyard

_CONTEXT = multiprocessing.get_context("forkserver")
_SDKS = (
    *("mlflow", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store", "docker"),
    *("matplotlib.backends.backend_agg", "matplotlib.figure"),
)


def list_modules() -> Iterator[str]:
    """Whatever a command imports on its way: SDKs, and all of Dockyard."""
    yield from _SDKS
    source = Path(dockyard.__file__).parent
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source.parent).with_suffix("").parts)
        yield name.removesuffix(".__init__")


_CONTEXT.set_forkserver_preload(list(list_modules()))

Main = Callable[[list[str]], int]
"""What is called in the process; it must be importable by name."""


def run_dockyard(arguments: list[str]) -> int:
    """Run `dockyard` in this process."""
    from dockyard.cli.main import main

    return main(arguments)


@dataclass(kw_only=True)
class Command:
    """A command that runs."""

    arguments: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    main: Main = run_dockyard

    def __post_init__(self) -> None:
        self.output = Path(self.folder, f".output-{os.urandom(4).hex()}")
        process = _CONTEXT.Process(
            target=_run, args=(self.main, list(self.arguments), self.folder, dict(self.environ), self.output), daemon=True
        )
        process.start()
        self.process: ForkServerProcess = process

    def wait(self, timeout: float) -> tuple[int | None, str, str]:
        """Wait for its end; return exit code (negative: the signal; None: it still runs), stdout and stderr."""
        self.process.join(timeout)
        texts = [self.output.with_suffix(suffix) for suffix in (".out", ".err")]
        out, err = (path.read_text() if path.exists() else "" for path in texts)
        if self.process.exitcode is not None:
            for path in texts:
                path.unlink(missing_ok=True)
        return self.process.exitcode, out, err

    def kill(self) -> None:
        """Kill it where it still runs, and free what is known of it."""
        self.process.kill()
        self.process.join()


def _run(main: Main, arguments: list[str], folder: Path, environ: dict[str, str], output: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    _redirect(0, os.open(os.devnull, os.O_RDONLY))
    _redirect(1, os.open(output.with_suffix(".out"), os.O_WRONLY | os.O_CREAT, 0o600))
    _redirect(2, os.open(output.with_suffix(".err"), os.O_WRONLY | os.O_CREAT, 0o600))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  the process's own, to its end
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    sys.exit(main(arguments))


def _redirect(number: int, descriptor: int) -> None:
    os.dup2(descriptor, number)
    os.close(descriptor)
