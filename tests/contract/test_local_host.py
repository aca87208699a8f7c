"""What every local host promises: the in-memory machine, processes, and containers."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from dockyard.adapters.images.library import ImageLibrary
from dockyard.domain.deployment import DeploymentKey, LocalRevision, LocalSpec, ProofFailure, RevisionStatus, Runtime
from dockyard.domain.errors import BuildError, ConflictError, NotFoundError, UnhealthyError, UsageError
from dockyard.domain.image import Fingerprint
from dockyard.ports import LocalHost, LocalInventory
from dockyard.testing.local import Behaviour, MemoryMachine
from dockyard.testing.surroundings import ManualClock
from support.docker_stand_in import build_docker_stand_in, list_containers
from support.local_kit import LocalKit, build_stand_in, leaving_nothing, open_kit
from support.local_values import KEY, make_spec
from support.patience import wait_for

BEHAVIOURS = {
    "good": Behaviour.READY,
    "crashes": Behaviour.CRASHES,
    "never-ready": Behaviour.NEVER_READY,
    "fails-proof": Behaviour.FAILS_PROOF,
    "differs": Behaviour.DIFFERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A host under test. `make_spec(version, behaviour)` gives the spec of a revision that behaves so."""

    host: LocalHost
    inventory: LocalInventory
    make_spec: Callable[[int, str], LocalSpec]
    take_port: Callable[[], int]
    """Have another program listen on a port, and say which."""
    clock: ManualClock

    def find(self, number: int, key: DeploymentKey = KEY) -> LocalRevision:
        found = self.host.describe_deployment(key).find_revision(number)
        assert found is not None
        return found

    def status(self, number: int) -> RevisionStatus:
        return self.find(number).status

    def start(self, number: int, version: int | None = None, behaviour: str = "good", key: DeploymentKey = KEY) -> None:
        """Start a revision and wait until it is what its behaviour makes it."""
        self.host.start_revision(key, number, self.make_spec(version or number, behaviour))
        wanted = {"good": RevisionStatus.READY, "never-ready": RevisionStatus.STARTING}.get(behaviour, RevisionStatus.FAILED)
        wait_for(lambda: self.find(number, key).status is wanted)

    def serve(self, number: int, key: DeploymentKey = KEY) -> int:
        """Start a good revision and give it the traffic of a free port; return the port."""
        self.start(number, key=key)
        local = self.host.describe_deployment(key)
        port = local.port or local.free_port
        assert port is not None
        self.host.route_traffic(key, number, port)
        return port


@pytest.fixture
def memory_subject() -> Subject:
    clock = ManualClock()
    machine = MemoryMachine(clock=clock)

    def make(version: int, behaviour: str) -> LocalSpec:
        spec = make_spec(version)
        machine.behaviours[spec.fingerprint] = BEHAVIOURS[behaviour]
        return spec

    def take_port() -> int:
        machine.ports_in_use.add(4321)
        return 4321

    return Subject(host=machine, inventory=machine, make_spec=make, take_port=take_port, clock=clock)


def open_subject(kit: LocalKit, sockets: list[socket.socket]) -> Subject:
    def take_port() -> int:
        sockets.append(socket.create_server(("127.0.0.1", 0)))
        port: int = sockets[-1].getsockname()[1]
        return port

    return Subject(host=kit.host, inventory=kit.inventory, make_spec=kit.make_spec, take_port=take_port, clock=kit.clock)


@pytest.fixture
def process_subject(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    kit = open_kit(tmp_path, build_stand_in(tmp_path_factory.mktemp("images")))
    yield from give(kit)


@pytest.fixture(scope="module")
def docker_stand_in(lab_engine: str, lab_registry: str, tmp_path_factory: pytest.TempPathFactory) -> ImageLibrary:  # noqa: ARG001 - the base image comes from there
    return build_docker_stand_in(lab_engine, tmp_path_factory.mktemp("docker-image"))


@pytest.fixture
def docker_subject(
    lab_engine: str, docker_stand_in: ImageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Subject]:
    monkeypatch.setenv("DOCKER_HOST", lab_engine)
    home_id = secrets.token_hex(4)
    yield from give(open_kit(tmp_path, docker_stand_in, Runtime.DOCKER, home_id=home_id))
    assert list_containers(lab_engine, home_id) == []


def give(kit: LocalKit) -> Iterator[Subject]:
    sockets: list[socket.socket] = []
    try:
        with leaving_nothing(kit):
            yield open_subject(kit, sockets)
    finally:
        for each in sockets:
            each.close()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("process", marks=pytest.mark.process),
        pytest.param("docker", marks=pytest.mark.lab),
    ]
)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.getfixturevalue(f"{request.param}_subject")
    return found


def test_deployment_that_nobody_made_is_empty_and_offered_a_port(subject: Subject) -> None:
    local = subject.host.describe_deployment(KEY)
    assert (local.exists, local.serving, local.port, local.is_forwarding, local.next_number) == (False, None, None, False, 1)
    assert local.free_port is not None
    assert subject.inventory.list_deployments() == ()


def test_started_revision_gets_ready_without_traffic(subject: Subject) -> None:
    subject.start(1)
    local = subject.host.describe_deployment(KEY)
    revision = subject.find(1)
    assert (revision.status, revision.has_served, local.serving, local.is_forwarding) == (
        RevisionStatus.READY,
        False,
        None,
        False,
    )
    assert revision.address is not None
    assert revision.spec.spec_hash == subject.make_spec(1, "good").spec_hash
    assert local.next_number == 2
    assert subject.inventory.list_deployments() == (KEY,)


def test_starting_again_leaves_a_running_revision_alone(subject: Subject) -> None:
    subject.start(1)
    before = subject.find(1)
    subject.start(1)
    assert subject.find(1) == before


def test_number_of_another_revision_is_refused(subject: Subject) -> None:
    subject.start(1)
    with pytest.raises(ConflictError) as refused:
        subject.host.start_revision(KEY, 1, subject.make_spec(2, "good"))
    assert refused.value.code == "plan-stale"


def test_missing_image_is_told_before_anything_is_made(subject: Subject) -> None:
    spec = LocalSpec(
        model=subject.make_spec(1, "good").model,
        fingerprint=Fingerprint("fp-missing"),
        settings=subject.make_spec(1, "good").settings,
    )
    if isinstance(subject.host, MemoryMachine):
        subject.host.missing_images.add(spec.fingerprint)
    with pytest.raises(BuildError) as missing:
        subject.host.start_revision(KEY, 1, spec)
    assert missing.value.code == "image-missing"
    assert subject.inventory.list_deployments() == ()


def test_routed_revision_serves(subject: Subject) -> None:
    port = subject.serve(1)
    local = subject.host.describe_deployment(KEY)
    assert (local.serving, local.port, local.is_forwarding) == (1, port, True)
    assert subject.find(1).has_served


def test_traffic_moves_and_the_old_revision_runs_until_it_is_stopped(subject: Subject) -> None:
    port = subject.serve(1)
    assert subject.serve(2) == port
    local = subject.host.describe_deployment(KEY)
    assert (local.serving, subject.status(1)) == (2, RevisionStatus.READY)
    subject.host.stop_revision(KEY, 1)
    assert (subject.find(1).status, subject.find(1).address, subject.find(1).is_running) == (
        RevisionStatus.STOPPED,
        None,
        False,
    )
    assert subject.find(1).has_served


def test_stopped_revision_starts_again_and_serves(subject: Subject) -> None:
    port = subject.serve(1)
    subject.serve(2)
    subject.host.stop_revision(KEY, 1)
    subject.start(1)
    subject.host.route_traffic(KEY, 1, port)
    assert subject.host.describe_deployment(KEY).serving == 1


def test_revision_serves_since_it_got_the_traffic_whenever_it_was_made_and_however_often_it_is_sent(subject: Subject) -> None:
    def serve_a_minute_later(number: int) -> str:
        subject.clock.sleep(60)
        subject.host.route_traffic(KEY, number, port)
        return str(subject.host.describe_deployment(KEY).serving_since)

    port = subject.serve(1)
    since = subject.host.describe_deployment(KEY).serving_since
    assert since == subject.clock.now().isoformat(timespec="seconds")
    assert serve_a_minute_later(1) == since
    subject.start(2)
    assert [serve_a_minute_later(number)[14:16] for number in (2, 2, 1, 1)] == ["02", "02", "04", "04"]
    subject.host.stop_revision(KEY, 1)
    subject.start(1)
    assert serve_a_minute_later(1)[14:16] == "04"
    subject.host.route_traffic(KEY, None, port)
    assert subject.host.describe_deployment(KEY).serving_since is None


def test_everything_may_be_repeated(subject: Subject) -> None:
    port = subject.serve(1)
    subject.host.route_traffic(KEY, 1, port)
    for _ in range(2):
        subject.host.stop_revision(KEY, 1)
    for _ in range(2):
        subject.host.route_traffic(KEY, None, port)
    for _ in range(2):
        subject.host.remove_revision(KEY, 1)
        subject.inventory.delete_deployment(KEY)
        subject.inventory.delete_orphans()
    assert not subject.host.describe_deployment(KEY).exists


def test_number_of_a_removed_revision_is_not_given_again(subject: Subject) -> None:
    subject.start(1)
    subject.start(2)
    subject.host.remove_revision(KEY, 2)
    local = subject.host.describe_deployment(KEY)
    assert ([one.number for one in local.revisions], local.next_number) == ([1], 3)


def test_last_revision_takes_the_deployment_with_it(subject: Subject) -> None:
    subject.start(1)
    subject.host.remove_revision(KEY, 1)
    assert not subject.host.describe_deployment(KEY).exists
    assert subject.inventory.list_deployments() == ()


def test_closed_port_leads_nowhere_and_keeps_the_revisions(subject: Subject) -> None:
    port = subject.serve(1)
    subject.host.route_traffic(KEY, None, port)
    local = subject.host.describe_deployment(KEY)
    assert (local.serving, local.port, local.is_forwarding) == (None, None, False)
    assert subject.status(1) is RevisionStatus.READY


def test_deployment_moves_to_another_port(subject: Subject) -> None:
    first = subject.serve(1)
    other = DeploymentKey(environment="prod", name="other")
    second = subject.host.describe_deployment(other).free_port
    assert second is not None
    assert second != first
    subject.host.route_traffic(KEY, 1, second)
    local = subject.host.describe_deployment(KEY)
    assert (local.port, local.is_forwarding) == (second, True)


def test_port_of_another_program_is_refused_before_anything_changes(subject: Subject) -> None:
    port = subject.serve(1)
    subject.start(2)
    before = subject.host.describe_deployment(KEY)
    taken = subject.take_port()
    with pytest.raises(UsageError) as refused:
        subject.host.route_traffic(KEY, 2, taken)
    assert refused.value.code == "port-in-use"
    assert str(taken) in refused.value.message
    after = subject.host.describe_deployment(KEY)
    assert (after.serving, after.port, after.is_forwarding) == (1, port, True)
    assert after.revisions == before.revisions


def test_traffic_goes_to_no_revision_that_is_not_there(subject: Subject) -> None:
    with pytest.raises(NotFoundError) as missing:
        subject.host.route_traffic(KEY, 1, 1)
    assert missing.value.code == "no-revision"


def test_traffic_goes_to_no_revision_that_does_not_run(subject: Subject) -> None:
    subject.start(1)
    subject.host.stop_revision(KEY, 1)
    port = subject.host.describe_deployment(KEY).free_port
    assert port is not None
    with pytest.raises(UnhealthyError) as refused:
        subject.host.route_traffic(KEY, 1, port)
    assert refused.value.code == "revision-crashed"
    assert subject.host.describe_deployment(KEY).port is None


def test_revision_that_ends_before_it_is_ready_has_failed_and_says_why(subject: Subject) -> None:
    subject.start(1, behaviour="crashes")
    lines = list(subject.inventory.read_logs(KEY, 1, follow=False, tail=20))
    assert any("the model cannot be loaded" in line for line in lines)
    subject.host.remove_revision(KEY, 1)
    assert not subject.host.describe_deployment(KEY).exists


@pytest.mark.parametrize(
    ("behaviour", "proof_failure"), [("crashes", None), ("fails-proof", ProofFailure.RAISES), ("differs", ProofFailure.DIFFERS)]
)
def test_revision_that_failed_its_proof_is_told_from_one_that_crashed(
    subject: Subject, behaviour: str, proof_failure: ProofFailure | None
) -> None:
    subject.start(1, behaviour=behaviour)
    assert subject.find(1).proof_failure is proof_failure


def test_failed_revision_is_started_anew_when_asked(subject: Subject) -> None:
    subject.start(1, behaviour="crashes")
    subject.start(1, behaviour="crashes")
    lines = list(subject.inventory.read_logs(KEY, 1, follow=False, tail=20))
    assert len([line for line in lines if "the model cannot be loaded" in line]) == 2


def test_revision_that_never_gets_ready_keeps_starting_and_can_be_removed(subject: Subject) -> None:
    subject.start(1, behaviour="never-ready")
    assert subject.find(1).address is not None
    subject.host.remove_revision(KEY, 1)
    assert not subject.host.describe_deployment(KEY).exists


def test_logs_give_the_last_lines_and_follow_ends_with_the_revision(subject: Subject) -> None:
    subject.start(1)
    last = list(subject.inventory.read_logs(KEY, 1, follow=False, tail=1))
    assert last == ["ready"]
    assert list(subject.inventory.read_logs(KEY, 1, follow=False, tail=0)) == []
    followed = subject.inventory.read_logs(KEY, 1, follow=True, tail=1)
    assert list(islice(followed, 1)) == ["ready"]
    subject.host.stop_revision(KEY, 1)
    assert isinstance(list(followed), list)
    assert list(subject.inventory.read_logs(KEY, 9, follow=True, tail=9)) == []


def test_deployments_with_names_alike_do_not_meet(subject: Subject) -> None:
    one = DeploymentKey(environment="a-b", name="c")
    two = DeploymentKey(environment="a", name="b-c")
    first, second = subject.serve(1, one), subject.serve(1, two)
    assert first != second
    subject.inventory.delete_deployment(one)
    assert subject.inventory.list_deployments() == (two,)
    local = subject.host.describe_deployment(two)
    assert (local.serving, local.is_forwarding) == (1, True)


def test_deleted_deployment_leaves_nothing(subject: Subject) -> None:
    subject.serve(1)
    subject.serve(2)
    subject.start(3, behaviour="never-ready")
    subject.inventory.delete_deployment(KEY)
    assert not subject.host.describe_deployment(KEY).exists
    assert subject.inventory.list_deployments() == ()
    assert subject.inventory.list_orphans() == ()
