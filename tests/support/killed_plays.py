"""Commands in processes of their own that are killed at a call: before it is sent, or once it has had its effect.

They are forks of a process that has imported everything and made its clients, and has contacted nobody yet.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from support.commands import list_modules
from support.quick_aws import SERVICES, open_quick_session
from support.sagemaker_plays import Play
from support.sagemaker_scene import Scene, Wire, keep_in_files, open_wire
from support.sagemaker_things import Eyes

_LOOKS = ("Describe", "List", "Get", "Head", "Invoke", "Simulate")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([*list_modules(), __name__])


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be called, and where it is to die: `before` or `after` the `number`-th call that changes something."""

    name: str
    folder: Path
    command: str
    at: int
    number: int
    when: str


@dataclass(kw_only=True)
class Mother:
    """The process that the others are forked from."""

    connection: Connection

    def run_killed(self, play: Play, number: int, when: str) -> int:
        """Call a play's command in a process; returns how it ended."""
        local = play.scene.local
        order = Order(name=play.scene.name, folder=local.folder, command=play.command, at=play.at, number=number, when=when)
        self.connection.send(order)
        assert self.connection.poll(60)
        return int(self.connection.recv())


@contextmanager
def open_mother(environ: Mapping[str, str], folder: Path) -> Iterator[Mother]:
    """The process, for as long as a block lasts."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=bear, args=(theirs, dict(environ), folder), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Mother(connection=ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()
        process.join()


def bear(connection: Connection, environ: Mapping[str, str], folder: Path) -> None:
    """Fork for every order, and tell how that ended, until nobody gives any more."""
    wire = open_wire(open_quick_session(environ), folder)
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            carry_out(order, wire)
            os._exit(0)
        connection.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def carry_out(order: Order, wire: Wire) -> None:
    """Call the command, and die on the way."""
    counted = 0

    def pass_by(when: str) -> None:
        nonlocal counted
        counted += when == "before"
        if (counted, when) == (order.number, order.when):
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event_name: str, **_: object) -> None:
        event, _service, operation = event_name.split(".")
        if not operation.startswith(_LOOKS):
            pass_by("before" if event == "before-send" else "after")

    for service in SERVICES:
        events = wire.session.client(service).meta.events
        events.register("before-send", watch)
        events.register("response-received", watch)
    scene = Scene(name=order.name, wire=wire, local=keep_in_files(order.folder), pass_by=pass_by)
    eyes = Eyes(session=wire.session, endpoint=scene.endpoint)
    ending = Play(command=order.command, scene=scene, eyes=eyes, at=order.at).act()
    assert ending.is_done, ending
