"""Owns which registry a model belongs to: MLflow's, or the records beside the config for a model that is a folder.

MLflow is opened only when a model of its needs it: a folder is deployed on a machine that has no tracking server.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

from dockyard.domain.attempt import Attempt, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import DeploymentRecord
from dockyard.domain.reference import ModelRef, RefKind
from dockyard.ports import ModelRegistry, RegistryWriter, ResolvedModel


class WritableRegistry(ModelRegistry, RegistryWriter, Protocol):
    """A registry that is read and written."""


class RoutingRegistry:
    """One registry out of two. Implements ModelRegistry and RegistryWriter."""

    def __init__(self, folders: WritableRegistry, open_mlflow: Callable[[], WritableRegistry]) -> None:
        self._folders = folders
        self._open_mlflow = open_mlflow

    @cached_property
    def _mlflow(self) -> WritableRegistry:
        return self._open_mlflow()

    def resolve_model(self, ref: ModelRef) -> ResolvedModel:
        """Resolve a folder as a folder, a bare name as a folder where there is one with an MLmodel file, the rest by MLflow."""
        if ref.kind is RefKind.FOLDER or (ref.kind is RefKind.NAME and Path(ref.text, "MLmodel").is_file()):
            return self._folders.resolve_model(ref)
        return self._mlflow.resolve_model(ref)

    def find_record(self, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
        """Look where the model belongs."""
        return self._of(model.registry).find_record(key, model)

    def find_alias(self, name: str, alias: str) -> str | None:
        """Only registered models have aliases."""
        return self._mlflow.find_alias(name, alias)

    def list_attempts(self, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
        """The attempts of both; those of folders alone where MLflow does not answer and there are any."""
        attempts = self._folders.list_attempts(key, limit)
        try:
            attempts = (*attempts, *self._mlflow.list_attempts(key, limit))
        except DockyardError:
            if not attempts:
                raise
        return tuple(sorted(attempts, key=lambda attempt: attempt.started, reverse=True)[:limit])

    def write_entry(self, entry: RegistryEntry) -> str | None:
        """Write the history where the attempt's model belongs, and each tag where its model does."""
        own = tuple(tag for tag in entry.tags if tag.registry == entry.registry)
        run_id = self._of(entry.registry).write_entry(dataclasses.replace(entry, tags=own))
        self.write_tags(tuple(tag for tag in entry.tags if tag.registry != entry.registry))
        return run_id

    def write_tags(self, tags: tuple[TagWrite, ...]) -> None:
        """Write each tag where its model belongs."""
        for registry in {tag.registry for tag in tags}:
            self._of(registry).write_tags(tuple(tag for tag in tags if tag.registry == registry))

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Only registered models have aliases."""
        self._mlflow.set_alias(name, alias, version)

    def _of(self, registry: str | None) -> WritableRegistry:
        return self._folders if registry is None else self._mlflow
