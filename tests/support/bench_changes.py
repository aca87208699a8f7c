"""Whole commands on real parts of which one is wrapped: to see what is called, or to have something happen at a moment.

Each function here is a `Main` of `support.commands`, so it runs in the command's own process. What it has to be told is in
environment variables, what it tells is in a file in the working folder.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from dockyard.cli.main import main
from dockyard.domain.attempt import Attempt
from dockyard.domain.settings import Settings
from dockyard.ports import Journal
from dockyard.usecases.site_local import LocalSite
from dockyard.usecases.workbench import Workbench
from dockyard.wiring import DockyardKit, open_workbench
from support.any_bench import OneSite

CALLS = "calls.json"
MUTATING = {
    "writer": {"write_entry", "write_tags", "set_alias"},
    "queue": {"put_entry", "delete_entry"},
    "images": {"build_image", "push_image"},
    "cleaner": {"delete_image"},
    "host": {"start_revision", "stop_revision", "remove_revision", "route_traffic"},
    "inventory": {"delete_deployment", "delete_orphans"},
    "journal": {"save_attempt"},
    "locks": {"hold"},
}
"""The methods of each port that change something."""


def run_changed(arguments: list[str], change: Callable[[Workbench], Workbench]) -> int:
    """Run `dockyard` on a bench that was changed."""

    def open_kit(settings: Settings) -> DockyardKit:
        return DockyardKit(change(open_workbench(settings)), settings)

    return main(arguments, open_kit=open_kit)


class Recorded:
    """A port whose calls are noted."""

    def __init__(self, name: str, port: object, calls: list[str]) -> None:
        self._name = name
        self._port = port
        self._calls = calls

    def __getattr__(self, method: str) -> object:
        self._calls.append(f"{self._name}.{method}")
        return getattr(self._port, method)


def find_local_site(bench: Workbench) -> LocalSite:
    """The site of this machine."""
    site = bench.sites.find("local")
    assert isinstance(site, LocalSite)
    return site


def with_local_site(bench: Workbench, **parts: object) -> Workbench:
    """The bench with other parts in the site of this machine; they have all methods of the ports."""
    site = dataclasses.replace(find_local_site(bench), **parts)  # type: ignore[arg-type]
    return dataclasses.replace(bench, sites=OneSite(site))


def run_recorded(arguments: list[str]) -> int:
    """Run `dockyard`, and write the calls of every port to CALLS."""
    calls: list[str] = []

    def record(bench: Workbench) -> Workbench:
        names = {*MUTATING, "registry"} - {"host", "inventory"}
        ports = {name: Recorded(name, getattr(bench, name), calls) for name in names}
        changed = dataclasses.replace(bench, **ports)  # type: ignore[arg-type]  # they have all methods of the ports
        site = find_local_site(bench)
        parts = {name: Recorded(name, getattr(site, name), calls) for name in ("host", "inventory", "machine", "scorer")}
        return with_local_site(changed, **parts)

    try:
        return run_changed(arguments, record)
    finally:
        Path(CALLS).write_text(json.dumps(calls))


def read_mutating_calls(folder: Path) -> list[str]:
    """Which of the calls that `run_recorded` wrote change something; there were others, too."""
    calls: list[str] = json.loads((folder / CALLS).read_text())
    assert calls
    return [call for call in calls if call.partition(".")[2] in MUTATING.get(call.partition(".")[0], set())]


@dataclasses.dataclass(kw_only=True)
class KillingJournal:
    """A journal that kills its own process at the save of a number: before it, or when it is done."""

    journal: Journal
    save: int
    is_before: bool

    def save_attempt(self, attempt: Attempt) -> None:
        self.save -= 1
        if self.save == 0 and self.is_before:
            os.kill(os.getpid(), signal.SIGKILL)
        self.journal.save_attempt(attempt)
        if self.save == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, method: str) -> object:
        return getattr(self.journal, method)


def run_killed(arguments: list[str]) -> int:
    """Run `dockyard` until the journal's save that TEST_KILL_AT names, as `before 3` or `after 3`."""
    when, number = os.environ["TEST_KILL_AT"].split()

    def change(bench: Workbench) -> Workbench:
        journal = KillingJournal(journal=bench.journal, save=int(number), is_before=when == "before")
        return dataclasses.replace(bench, journal=journal)  # type: ignore[arg-type]  # it has all methods of the port

    return run_changed(arguments, change)


@dataclasses.dataclass(kw_only=True)
class ActingHost:
    """A host that does something right before it moves the traffic."""

    host: object
    act: Callable[[], None]

    def __getattr__(self, method: str) -> object:
        if method == "route_traffic":
            self.act()
        return getattr(self.host, method)


def run_killing_server(arguments: list[str]) -> int:
    """Run `dockyard`, and kill the process group TEST_KILL_GROUP, a registry's server, right before the traffic moves."""

    def change(bench: Workbench) -> Workbench:
        act = lambda: os.killpg(int(os.environ["TEST_KILL_GROUP"]), signal.SIGKILL)  # noqa: E731
        return with_local_site(bench, host=ActingHost(host=find_local_site(bench).host, act=act))

    return run_changed(arguments, change)


def run_waiting(arguments: list[str]) -> int:
    """Run `dockyard`, and right before the traffic moves wait until TEST_WAIT_FOR is there, having made TEST_SAY."""
    import time

    def act() -> None:
        Path(os.environ["TEST_SAY"]).touch()
        deadline = time.monotonic() + 120
        while not Path(os.environ["TEST_WAIT_FOR"]).exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    def change(bench: Workbench) -> Workbench:
        return with_local_site(bench, host=ActingHost(host=find_local_site(bench).host, act=act))

    return run_changed(arguments, change)
