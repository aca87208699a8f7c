"""Stages for the registry contract: each has a registry with two versions of one model in it, empty of records."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.folder_registry import FolderRegistry
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.adapters.routing_registry import WritableRegistry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.model import ModelDigest, ModelIdentity, ModelVersion
from dockyard.domain.reference import parse_model_ref
from dockyard.ports import ResolvedModel
from dockyard.testing.registry import MemoryRegistry
from support.model_folder import write_model_folder
from support.tracking import COMMIT, seed_model

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A registry, and how its models are referred to."""

    registry: WritableRegistry
    refs: tuple[str, str]
    """What to type for version 1 and version 2."""
    key: DeploymentKey
    """A deployment that nobody else has."""
    name: str = ""
    """The registered model's name."""
    run_id: str = ""
    model_id: str = ""

    def resolve(self, text: str) -> ModelVersion:
        """Resolve what a user would type."""
        return self.registry.resolve_model(parse_model_ref(text)).version

    def model(self, version: int = 1) -> ModelIdentity:
        """The identity of a version."""
        return self.resolve(self.refs[version - 1]).identity


def stage_mlflow(uri: str, folder: Path, registry: WritableRegistry | None = None) -> Stage:
    """Two versions in a real store, under a name of their own."""
    name = f"wine {next(_numbers)}"
    seeded = seed_model(uri, name, folder)
    return Stage(
        registry=registry or MlflowRegistry(uri, None, folder / "cache"),
        refs=(f"models:/{name}/1", f"models:/{name}/2"),
        key=fresh_key(),
        name=name,
        run_id=seeded.run_id,
        model_id=seeded.model_id,
    )


def stage_folders(folder: Path) -> Stage:
    """Two folders, and records beside the config."""
    paths = [write_model_folder(folder / f"v{number}", content=f"weights {number}") for number in (1, 2)]
    registry = FolderRegistry(folder / "project", folder / "cache")
    return Stage(registry=registry, refs=(str(paths[0]), str(paths[1])), key=fresh_key())


def stage_memory(folder: Path) -> Stage:
    """The fake, with the same models in it."""
    registry = MemoryRegistry()
    run_id, model_id = "0" * 32, "m-" + "1" * 32
    files = write_model_folder(folder / "files")
    for number, artifact in ((1, "model"), (2, "other")):
        texts = [f"runs:/{run_id}/{artifact}", *([f"models:/{model_id}"] if number == 2 else [])]
        named = _make_model(files, number, name="wine", version=str(number), run_id=run_id)
        registry.add_model(named)
        registry.add_model(_make_model(files, number, run_id=run_id), *texts)
    refs = ("models:/wine/1", "models:/wine/2")
    return Stage(registry=registry, refs=refs, key=fresh_key(), name="wine", run_id=run_id, model_id=model_id)


STAGES: dict[str, Callable[[Path], Stage]] = {"memory": stage_memory, "folder": stage_folders}
"""Those that need nothing; the others are made by `stage_mlflow`."""


def fresh_key() -> DeploymentKey:
    """A deployment that nobody else has, so that there is no record of it."""
    return DeploymentKey(environment="prod", name=f"wine-{next(_numbers)}")


def _make_model(folder: Path, number: int, **identity: str) -> ResolvedModel:
    version = ModelVersion(
        identity=ModelIdentity(
            digest=ModelDigest(f"sha256:{number:064x}"), source=f"models/{number}", registry="memory", **identity
        ),
        flavors=("python_function", "sklearn"),
        signature=None,
        requirements=("mlflow-skinny==3.17.2", "scikit-learn==1.9.1"),
        python="3.11",
        size_bytes=1000,
        created="2026-11-22T06:32:19.123456+00:00",
        has_input_example=True,
        git_revision=COMMIT,
    )
    return ResolvedModel(version=version, folder=folder)
