"""The in-memory parts: failures where a test wants them, and what they remember."""

from __future__ import annotations

import pytest

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus
from dockyard.domain.deployment import DeploymentKey, RevisionStatus, Runtime
from dockyard.domain.errors import ConflictError, UnavailableError
from dockyard.ports import Request
from dockyard.testing.attempts import MemoryJournal, MemoryLocks, MemoryScorer
from dockyard.testing.faults import Faults
from dockyard.testing.local import MemoryMachine
from support.local_values import KEY, make_spec

REQUEST = Request(body=b"{}", content_type="application/json")


class KilledError(BaseException):
    """Stands for kill -9."""


@pytest.mark.parametrize("has_effect", [False, True])
def test_call_fails_before_or_after_its_effect_and_only_that_one(has_effect: bool) -> None:
    faults = Faults(error=KilledError(), at=2, has_effect=has_effect)
    machine = MemoryMachine(faults=faults)
    machine.start_revision(KEY, 1, make_spec(1))
    with pytest.raises(KilledError):
        machine.start_revision(KEY, 2, make_spec(2))
    assert len(machine.describe_deployment(KEY).revisions) == (2 if has_effect else 1)
    machine.start_revision(KEY, 2, make_spec(2))
    assert faults.calls == ["start_revision 1", "start_revision 2", "start_revision 2"]


def test_scorer_answers_at_the_revision_and_at_the_port_that_leads_to_it() -> None:
    machine = MemoryMachine()
    scorer = MemoryScorer(host=machine, inventory=machine)
    machine.start_revision(KEY, 1, make_spec(1))
    machine.route_traffic(KEY, 1, 1234)
    address = machine.describe_deployment(KEY).revisions[0].address
    assert address is not None
    assert scorer.wait_ready(address, 1)
    assert scorer.invoke("127.0.0.1:1234", REQUEST, 1).value == {"predictions": [1]}
    machine.kill_forwarder(KEY)
    with pytest.raises(UnavailableError):
        scorer.invoke("127.0.0.1:1234", REQUEST, 1)
    machine.crash(KEY, 1, "last words")
    assert not scorer.wait_ready(address, 1)
    assert machine.describe_deployment(KEY).revisions[0].status is RevisionStatus.FAILED
    assert list(machine.read_logs(KEY, 1, follow=False, tail=1)) == ["last words"]


def test_scorer_fails_and_differs_as_told() -> None:
    machine = MemoryMachine()
    failure = UnavailableError("scorer-unreachable", "gone")
    scorer = MemoryScorer(host=machine, inventory=machine, failures={"invoke": failure}, difference="predictions[0]")
    with pytest.raises(UnavailableError):
        scorer.invoke("anywhere", REQUEST, 1)
    assert scorer.find_difference(make_spec(1).fingerprint, {}) == "predictions[0]"


def test_journal_gives_the_last_attempt_of_a_deployment() -> None:
    journal = MemoryJournal()
    assert journal.find_attempt(KEY) is None
    for number in ("1", "2"):
        journal.save_attempt(
            Attempt(id=number, key=KEY, kind=AttemptKind.DEPLOY, status=AttemptStatus.RUNNING, actor="ann", started="now")
        )
    found = journal.find_attempt(KEY)
    assert found is not None
    assert found.id == "2"
    assert journal.find_attempt(DeploymentKey(environment="prod", name="other")) is None


def test_lock_has_one_holder() -> None:
    locks = MemoryLocks()
    with locks.hold(KEY, "ann", 0), pytest.raises(ConflictError, match="ann"), locks.hold(KEY, "bob", 5):
        raise AssertionError("it is held")
    with locks.hold(KEY, "bob", 0):
        assert locks.holders == {KEY: "bob"}


def test_machine_chooses_the_runtime_as_it_was_told() -> None:
    assert MemoryMachine(has_engine=True).choose_runtime(Runtime.AUTO) is Runtime.DOCKER
    assert MemoryMachine().choose_runtime(Runtime.AUTO) is Runtime.PROCESS
    with pytest.raises(UnavailableError):
        MemoryMachine().choose_runtime(Runtime.DOCKER)


def test_orphans_are_those_that_were_put_there() -> None:
    machine = MemoryMachine(orphans=["container x"])
    assert machine.list_orphans() == ("container x",)
    machine.delete_orphans()
    assert machine.list_orphans() == ()
