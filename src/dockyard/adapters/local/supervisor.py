"""The program that keeps one revision's scorer alive: `python -m dockyard.adapters.local.supervisor FOLDER`.

It lives on when its starter ends. It runs what FOLDER/launch.json says, writes what the scorer prints to the log, and tells
how it is in FOLDER/status.json. A scorer that ends before it was ever ready has failed for good; one that was ready is started
again, on the same port, after a pause that grows. SIGTERM ends the scorer within its grace, then the supervisor; so does the
loss of FOLDER. Must import the standard library only: there is one of these per revision.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dockyard.adapters.local.daemon import detach, hold_pid_file, holds
from dockyard.adapters.local.launch import Launch, Phase, Status, read_launch, write_status
from dockyard.adapters.local.layout import RevisionFolder
from dockyard.adapters.local.logfile import RotatingLog
from dockyard.adapters.local.scorer_process import ScorerProcess

_STARTING_LOOK_SECONDS = 0.1
_LOOK_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_STABLE_SECONDS = 60.0
"""A scorer that was up for so long is not one that crashes over and over."""
_MANY_RESTARTS = 3
_NOT_STARTED = 127


class Supervisor:
    """Runs a scorer until it is told to stop."""

    def __init__(
        self, launch: Launch, folder: RevisionFolder, reservation: socket.socket, *, is_needed: Callable[[], bool]
    ) -> None:
        """`reservation` is bound to the scorer's port without listening, which keeps the port ours while nobody listens."""
        self._launch = launch
        self._folder = folder
        self._port: int = reservation.getsockname()[1]
        self._is_needed = is_needed
        self._log = RotatingLog(folder.log, max_bytes=launch.log_bytes)
        self._selector = selectors.DefaultSelector()
        self._was_ready = False
        self._restarts = 0
        self._told_to_stop = False
        self._tell(Phase.STARTING)

    def wake_by(self, descriptor: int) -> None:
        """Look up at once when there is something to read: a signal has come."""
        self._selector.register(descriptor, selectors.EVENT_READ, lambda: os.read(descriptor, 512))

    def stop(self, *_: object) -> None:
        """Stop the scorer, then end. May be called in a signal handler."""
        self._told_to_stop = True

    def run(self) -> int:
        """Keep the scorer alive. Returns 0 when it was told to stop, 1 when the scorer failed for good."""
        try:
            while True:
                code = self._run_scorer()
                if not self._keep_on():
                    self._folder.status.unlink(missing_ok=True)
                    return 0
                if not self._was_ready:
                    self._tell(Phase.FAILED, code)
                    return 1
                self._pause(code)
        finally:
            self._selector.close()
            self._log.close()

    def _keep_on(self) -> bool:
        return not self._told_to_stop and self._is_needed()

    def _run_scorer(self) -> int:
        """Start the scorer and stay with it to its end. Returns its exit code, as a shell would have it."""
        if not self._keep_on():
            return 0
        started = time.monotonic()
        try:
            scorer = ScorerProcess(self._launch, self._port)
        except OSError as error:
            self._log.note(f"the scorer cannot be started: {error.strerror}")
            return _NOT_STARTED
        code = self._stay_with(scorer)
        self._log.note(f"the scorer ended, {_describe_exit(code)}")
        if time.monotonic() - started >= _STABLE_SECONDS:
            self._restarts = 0
        return code

    def _stay_with(self, scorer: ScorerProcess) -> int:
        is_ready = False
        with scorer, self._reading(scorer):
            while (code := scorer.poll()) is None:
                self._wait(_LOOK_SECONDS if is_ready else _STARTING_LOOK_SECONDS)
                if not is_ready and scorer.is_ready():
                    is_ready = self._was_ready = True
                    self._tell(Phase.READY)
                if not self._keep_on():
                    is_ready = False  # look often: its grace may be over at any moment
                    scorer.end()
        return code

    @contextmanager
    def _reading(self, scorer: ScorerProcess) -> Iterator[None]:
        """Put what the scorer prints into the log while it runs, and what is left when it has ended."""

        def pass_output() -> None:
            data = scorer.read()
            self._log.write(data)
            if not data:  # it has closed its output
                self._selector.unregister(scorer.output)

        self._selector.register(scorer.output, selectors.EVENT_READ, pass_output)
        try:
            yield
        finally:
            if scorer.output in self._selector.get_map():
                self._selector.unregister(scorer.output)
            while data := scorer.read():
                self._log.write(data)

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(max(seconds, 0)):
            key.data()

    def _pause(self, code: int) -> None:
        self._restarts += 1
        self._tell(Phase.FAILED if self._restarts >= _MANY_RESTARTS else Phase.RESTARTING, code)
        pause = min(self._launch.first_pause_seconds * 2 ** (self._restarts - 1), _LONGEST_PAUSE_SECONDS)
        self._log.note(f"it is started again in {pause:g} s")
        deadline = time.monotonic() + pause
        while self._keep_on() and (remaining := deadline - time.monotonic()) > 0:
            self._wait(min(remaining, _LOOK_SECONDS))

    def _tell(self, phase: Phase, code: int | None = None) -> None:
        try:
            write_status(self._folder.status, Status(phase=phase, port=self._port, restarts=self._restarts, exit_code=code))
        except OSError as error:  # a full disk, or no folder any more: no reason to take a scorer down
            self._log.note(f"the status could not be written: {error.strerror}")


def reserve_port(host: str) -> socket.socket:
    """Bind a free port without listening: nobody else is given it, yet the scorer can listen, setting SO_REUSEADDR as we do."""
    reservation = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind((host, 0))
    return reservation


def _describe_exit(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def main(arguments: list[str]) -> int:
    """Become a daemon and supervise."""
    folder = RevisionFolder(path=Path(arguments[0]))
    say_ready = detach()
    held = hold_pid_file(folder.pid_file)
    if held is None:
        return 1
    launch = read_launch(folder.launch)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with reserve_port(launch.host) as reservation:
        supervisor = Supervisor(launch, folder, reservation, is_needed=lambda: holds(folder.pid_file, held))
        signal.signal(signal.SIGTERM, supervisor.stop)
        supervisor.wake_by(reading)
        say_ready()
        return supervisor.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
