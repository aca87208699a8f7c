"""Work that fails is seen, and none is left."""

from __future__ import annotations

import threading

from dockyard_sandbox.events import Events
from dockyard_sandbox.workers import Workers


def test_exception_in_a_worker_is_told_as_a_defect() -> None:
    events = Events()
    workers = Workers(events)

    def fail() -> None:
        raise RuntimeError("not foreseen")

    workers.run("work", fail)
    workers.join()
    (event,) = events.list_events()
    assert (event.kind, event.resource) == ("defect", "work")
    assert "not foreseen" in event.text


def test_join_waits_for_all_work() -> None:
    workers = Workers(Events())
    go, done = threading.Event(), []
    for number in range(3):
        workers.run(f"work {number}", lambda number=number: done.append(number) if go.wait(10) else None)  # type: ignore[misc]
    go.set()
    workers.join()
    assert sorted(done) == [0, 1, 2]
