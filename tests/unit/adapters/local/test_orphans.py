"""What belongs to no deployment: found, named for a person, removed; and nothing else is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockyard.adapters.local.folders import Folders
from dockyard.adapters.local.orphans import Orphans
from dockyard.adapters.local.runtime import Place
from dockyard.adapters.local.state import DeploymentState, RevisionEntry, write_state
from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import ImageDigest
from support.local_values import KEY, make_spec


@dataclass(kw_only=True)
class ListedContainers:
    """Containers that are a list of names."""

    names: list[str] = field(default_factory=list)

    def name_container(self, place: Place) -> str:
        return f"{place.key}.{place.number}"

    def list_strays(self, known: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in known)

    def remove_stray(self, name: str) -> None:
        self.names.remove(name)


@pytest.fixture
def containers() -> ListedContainers:
    return ListedContainers()


@pytest.fixture
def orphans(tmp_path: Path, containers: ListedContainers) -> Orphans:
    return Orphans(tmp_path, containers, listen_on="127.0.0.1")


def remember(home: Path, number: int, runtime: Runtime = Runtime.PROCESS) -> Path:
    folder = Folders(home).find(KEY)
    spec = make_spec(number)
    settings = type(spec.settings)(runtime=runtime)
    entry = RevisionEntry(
        number=number,
        spec=type(spec)(model=spec.model, fingerprint=spec.fingerprint, settings=settings),
        image=ImageDigest("sha256:1"),
        created="2026-01-01T00:00:00+00:00",
    )
    write_state(folder.state, DeploymentState(key=KEY).with_revision(entry))
    folder.revision(number).path.mkdir(parents=True)
    return folder.path


def test_deployment_with_its_revisions_is_no_orphan(tmp_path: Path, orphans: Orphans, containers: ListedContainers) -> None:
    remember(tmp_path, 1, Runtime.DOCKER)
    containers.names.append("prod/wine.1")
    assert orphans.find() == ()


def test_folder_without_state_goes_with_its_parents(tmp_path: Path, orphans: Orphans) -> None:
    (tmp_path / "local" / "prod" / "wine" / "revisions" / "1").mkdir(parents=True)
    (found,) = orphans.find()
    assert found.title == f"folder {tmp_path}/local/prod/wine"
    found.remove()
    assert not (tmp_path / "local").exists()


def test_revision_that_is_not_remembered_goes_alone(tmp_path: Path, orphans: Orphans) -> None:
    folder = remember(tmp_path, 1)
    (folder / "revisions" / "7" / "work").mkdir(parents=True)
    (found,) = orphans.find()
    assert found.title == f"folder {folder}/revisions/7"
    found.remove()
    assert [path.name for path in (folder / "revisions").iterdir()] == ["1"]
    assert orphans.find() == ()


def test_container_that_is_not_remembered_goes(tmp_path: Path, orphans: Orphans, containers: ListedContainers) -> None:
    remember(tmp_path, 1, Runtime.DOCKER)
    containers.names += ["prod/wine.1", "prod/wine.2"]
    (found,) = orphans.find()
    assert found.title == "container prod/wine.2"
    found.remove()
    assert containers.names == ["prod/wine.1"]


def test_damaged_state_is_told_before_anything_is_taken_for_an_orphan(tmp_path: Path, orphans: Orphans) -> None:
    folder = remember(tmp_path, 1)
    (folder / "deployment.json").write_text("{")
    with pytest.raises(DockyardError) as damaged:
        orphans.find()
    assert damaged.value.code == "state-corrupt"


def test_home_without_deployments_has_no_orphans(orphans: Orphans) -> None:
    assert orphans.find() == ()
