"""Owns the ports ModelRegistry and RegistryWriter over MLflow: resolve once, download once, write tags, alias and history."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dockyard.adapters.mlflow_errors import not_found
from dockyard.adapters.mlflow_registry_history import EXPERIMENT, find_record_of_run, list_runs, write_run
from dockyard.adapters.mlflow_registry_resolve import Pinned, find_alias, find_git_revision, pin_model
from dockyard.adapters.mlflow_registry_tags import find_tag, write_tag
from dockyard.adapters.mlflow_session import MlflowSession
from dockyard.adapters.model_cache import CachedModel, ModelCache
from dockyard.adapters.model_files import MLMODEL, invalid_model
from dockyard.adapters.model_version import describe_version
from dockyard.adapters.redaction import strip_credentials
from dockyard.domain.attempt import Attempt, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import NotFoundError, UnavailableError, UsageError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import DeploymentRecord
from dockyard.domain.reference import ModelRef, RefKind
from dockyard.ports import ResolvedModel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.artifact.artifact_repo import ArtifactRepository


class MlflowRegistry:
    """The registry of one MLflow server or embedded store.

    `cache` is the folder for downloads, which need not exist. An address of None is what MLflow itself would take.
    """

    def __init__(self, tracking_uri: str | None, registry_uri: str | None, cache: Path) -> None:
        self._session = MlflowSession(tracking_uri, registry_uri)
        self._cache = ModelCache(cache / "models")

    @property
    def name(self) -> str:
        """The registry's address without credentials, as ModelIdentity.registry has it."""
        return self._session.name

    def resolve_model(self, ref: ModelRef) -> ResolvedModel:
        """Resolve a reference and download its files, once. Changes nothing but the cache."""
        if ref.kind in {RefKind.LOCATION, RefKind.FOLDER}:
            return self._resolve_location(ref)
        missing = self._session.find_missing_store()
        if missing is not None:
            hint = "set MLFLOW_TRACKING_URI, or `registry` in dockyard.yaml; a folder is given with a slash, as `./name`"
            raise NotFoundError("model-not-found", f"there is no `{ref}`, for there is no MLflow store {missing}", hint=hint)
        with self._session.open_client(f"resolve `{ref}`") as client:
            pinned = pin_model(client, ref)
            cached = self._fetch(pinned, f"`{ref}`", registry=self.name)
            model = _describe(pinned, cached, f"`{ref}`", self.name)
            git_revision = find_git_revision(client, pinned.run_id)
        version = dataclasses.replace(model.version, git_revision=git_revision, aliases=pinned.aliases)
        return dataclasses.replace(model, version=version)

    def find_record(self, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
        """The record of a deployment on a model version; for a model without a name the newest one in its history."""
        if self._session.find_missing_store() is not None:
            return None
        with self._session.open_client(f"read the record of {key}") as client:
            if model.name is None or model.version is None:
                return find_record_of_run(client, key, model.digest)
            return find_tag(client, model.name, model.version, key.tag)

    def find_alias(self, name: str, alias: str) -> str | None:
        """The version that an alias points to; None where there is no such alias or model."""
        if self._session.find_missing_store() is not None:
            return None
        with self._session.open_client(f"look up alias `{name}@{alias}`") as client:
            return find_alias(client, name, alias)

    def list_attempts(self, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
        """The newest attempts of a deployment, newest first, as their history runs tell them."""
        if self._session.find_missing_store() is not None:
            return ()
        with self._session.open_client(f"list the history of {key}") as client:
            return list_runs(client, key, limit)

    def write_entry(self, entry: RegistryEntry) -> str | None:
        """Write the history run, then the tags, which name it; return the run's id. What is there already is not written again.

        Raises `tracking-unreachable` for an entry that is for another registry than this, so that it waits for its own.
        """
        if entry.registry not in {None, self.name}:
            hint = f"set MLFLOW_TRACKING_URI to that address, then `dockyard sync`; the present one is {self.name}"
            raise UnavailableError("tracking-unreachable", f"the record is for the registry {entry.registry}", hint=hint)
        with self._session.open_client(f"write the record of {entry.attempt.key}") as client:
            run_id = write_run(client, entry, artifact_location=self._choose_artifact_location(client))
            for tag in entry.tags:
                write_tag(client, dataclasses.replace(tag, record=dataclasses.replace(tag.record, run_id=run_id)))
        return run_id

    def write_tags(self, tags: tuple[TagWrite, ...]) -> None:
        """Write records on versions of this registry. Those for a registry that is no longer configured are left out."""
        own = [tag for tag in tags if tag.registry in {None, self.name}]
        if own:
            with self._session.open_client("write the records of superseded versions") as client:
                for tag in own:
                    write_tag(client, tag)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        with self._session.open_client(f"point alias `{name}@{alias}` at version {version}") as client:
            client.set_registered_model_alias(name, alias, version)

    def _resolve_location(self, ref: ModelRef) -> ResolvedModel:
        pinned = Pinned(location=ref.path or "")
        with self._session.translate(f"download `{ref}`"):
            cached = self._fetch(pinned, f"`{ref}`", registry=None)
        # Without any store the records beside the config tell of it.
        registry = self.name if self._session.find_missing_store() is None else None
        return _describe(pinned, cached, f"`{ref}`", registry)

    def _fetch(self, pinned: Pinned, what: str, *, registry: str | None) -> CachedModel:
        """Find the files in the cache, or download them. Only what cannot change behind its address is looked for."""
        source = None
        if registry is not None and pinned.created is not None:
            facts = (pinned.name, pinned.version, pinned.model_id, strip_credentials(pinned.location), pinned.created)
            source = (registry, *(fact or "" for fact in facts))
        found = self._cache.find_model(source) if source else None
        return found or self._cache.add_model(lambda folder: self._download(pinned.location, folder, what), what, source)

    def _download(self, location: str, folder: Path, what: str) -> Path:
        """Download a model's files, after a look whether there is a model at all."""
        repository = self._open_repository(location, what)
        names = {PurePosixPath(one.path).name for one in repository.list_artifacts(None)}
        if not names:
            raise not_found(f"there is nothing at {strip_credentials(location)}, where {what} should be")
        if MLMODEL not in names:
            raise invalid_model(what, f"there is no MLmodel file at {strip_credentials(location)}")
        return Path(repository.download_artifacts("", dst_path=str(folder)))

    def _open_repository(self, location: str, what: str) -> ArtifactRepository:
        from mlflow.exceptions import MlflowException
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        session = self._session
        try:
            return get_artifact_repository(location, tracking_uri=session.tracking_uri, registry_uri=session.registry_uri)
        except MlflowException as error:
            if "registered artifact repository" not in error.message:
                raise
            hint = "MLflow reads file, s3, gs, wasbs, abfss, hdfs, ftp, sftp, dbfs, http and mlflow-artifacts"
            raise UsageError(
                "model-ref-invalid", f"{what} is in a kind of store that MLflow does not know", hint=hint
            ) from error

    def _choose_artifact_location(self, client: MlflowClient) -> str | None:
        """Where an embedded store's history goes: beside its other experiments, not into whatever folder this process is in."""
        if self._session.tracking_uri.startswith(("http:", "https:", "databricks")):
            return None
        default = client.get_experiment("0").artifact_location
        return f"{str(default).rpartition('/')[0]}/{EXPERIMENT}"


def _describe(pinned: Pinned, cached: CachedModel, what: str, registry: str | None) -> ResolvedModel:
    origin = ModelIdentity(
        digest=cached.digest,
        source=strip_credentials(pinned.location),
        name=pinned.name,
        version=pinned.version,
        model_id=pinned.model_id,
        run_id=pinned.run_id,
        registry=registry,
    )
    return describe_version(cached, origin, what)
