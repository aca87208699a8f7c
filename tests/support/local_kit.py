"""The local target's real parts around a stand-in scorer, and a look at everything that they may leave behind."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.images.library import ImageLibrary
from dockyard.adapters.local.containers import ContainerRuntime
from dockyard.adapters.local.host import LOOPBACK, Host, Surroundings
from dockyard.adapters.local.inventory import Inventory
from dockyard.adapters.local.layout import DeploymentFolder
from dockyard.adapters.local.orphans import Orphans
from dockyard.adapters.local.process import ProcessRuntime
from dockyard.adapters.local.pythons import Pythons
from dockyard.domain.deployment import DeploymentKey, LocalRevision, LocalSettings, LocalSpec, RevisionStatus, Runtime
from dockyard.domain.image import Fingerprint
from dockyard.testing.surroundings import ManualClock
from dockyard_image import ImageStore, host_base
from dockyard_image.unpacked import PYTHON_LABEL
from support import images
from support.local_values import KEY, make_model
from support.patience import wait_for
from support.ports import reserve_port

STAND_IN = Path(__file__).parent / "stand_in" / "__main__.py"
FINGERPRINT = Fingerprint("sha256:" + "5" * 64)
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalKit:
    """A home with one image in its store."""

    home: Path
    runtime: Runtime
    host: Host
    inventory: Inventory
    containers: ContainerRuntime
    library: ImageLibrary
    clock: ManualClock

    def make_spec(self, version: int = 1, behaviour: str = "good", **settings: object) -> LocalSpec:
        """A revision of the stand-in that answers with its version."""
        env = (("STAND_IN", behaviour), ("STAND_IN_ANSWER", str(version)))
        defaults: dict[str, object] = {"runtime": self.runtime, "env": env, "grace_seconds": 3}
        return LocalSpec(
            model=make_model(version),
            fingerprint=FINGERPRINT,
            settings=LocalSettings(**{**defaults, **settings}),  # type: ignore[arg-type]
        )

    def find(self, number: int) -> LocalRevision:
        """A revision as it is now."""
        revision = self.host.describe_deployment(KEY).find_revision(number)
        assert revision is not None
        return revision

    def start(self, number: int, behaviour: str = "good", **settings: object) -> LocalRevision:
        """Start a revision whose version is its number, and wait until it is ready."""
        self.host.start_revision(KEY, number, self.make_spec(number, behaviour, **settings))
        wait_for(lambda: self.find(number).status is RevisionStatus.READY)
        return self.find(number)

    def serve(self, number: int, port: int | None = None) -> int:
        """Start a revision and give it the traffic; returns the port."""
        self.start(number)
        local = self.host.describe_deployment(KEY)
        chosen = port or local.port or reserve_port()
        self.host.route_traffic(KEY, number, chosen)
        return chosen

    @property
    def folder(self) -> DeploymentFolder:
        """Where the deployment's files lie."""
        return DeploymentFolder(path=self.home / "local" / KEY.environment / KEY.name)


def open_kit(home: Path, library: ImageLibrary, runtime: Runtime = Runtime.PROCESS, *, home_id: str = "test") -> LocalKit:
    """The parts as wiring puts them together, but that the host's clock stands still unless a test lets time pass."""
    containers = ContainerRuntime(library, home_id)
    processes = ProcessRuntime(library, Pythons(os.environ), home / "cache", os.environ)
    runtimes: Mapping[Runtime, ProcessRuntime | ContainerRuntime] = {Runtime.PROCESS: processes, Runtime.DOCKER: containers}
    clock = ManualClock()
    host = Host(Surroundings(home=home, runtimes=runtimes, images=library, clock=clock, first_port=reserve_port()))
    orphans = Orphans(home, containers, listen_on=LOOPBACK)
    inventory = Inventory(home, host=host, logs=runtimes, orphans=orphans)
    return LocalKit(
        home=home, runtime=runtime, host=host, inventory=inventory, containers=containers, library=library, clock=clock
    )


def build_stand_in(folder: Path) -> ImageLibrary:
    """A store with an image of the stand-in that runs under this Python, without a base."""
    store, image = images.build_image(
        folder,
        base=host_base(PYTHON),
        python=PYTHON,
        scorer_files={"__main__.py": STAND_IN.read_bytes()},
        labels={PYTHON_LABEL: PYTHON},
    )
    store.add(image, fingerprint=FINGERPRINT)
    return open_library(store, folder / "unpacked")


def open_library(store: ImageStore, unpacked: Path) -> ImageLibrary:
    """Images whose layers are all in the store."""
    return ImageLibrary(store=store, unpacked=unpacked, fetch_base=lambda _: None)


def ask(port: int, request: object = None) -> Mapping[str, object]:
    """What the stand-in behind a port answers to a request; fails for other statuses than 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/invocations", body=json.dumps(request or {}))
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        value: Mapping[str, object] = json.loads(content)
        return value
    finally:
        connection.close()


def ask_version(port: int) -> str:
    """Which version of the stand-in answers."""
    predictions = ask(port)["predictions"]
    assert isinstance(predictions, list)
    return str(predictions[0])


@contextmanager
def leaving_nothing(kit: LocalKit, keys: tuple[DeploymentKey, ...] = (KEY,)) -> Iterator[None]:
    """Delete what the block has left deployed, then see that no process, folder or orphan is left."""
    try:
        yield
    finally:
        for key in {*keys, *kit.inventory.list_deployments()}:
            kit.inventory.delete_deployment(key)
    assert kit.inventory.list_orphans() == ()
    assert find_processes(kit.home) == []
    assert not (kit.home / "local").exists()


def find_processes(home: Path) -> list[str]:
    """Command lines of living processes that name a folder below a home, in their arguments or their working folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                if line and (f"{home}/local" in line or str((entry / "cwd").readlink()).startswith(f"{home}/local")):
                    found.append(f"{entry.name} {line}")
            except OSError:
                continue
    return found
