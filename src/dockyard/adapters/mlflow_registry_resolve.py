"""Owns pinning: from what the user typed to one immutable source, in one go, before anything is downloaded.

Aliases, stages and `latest` become a version number first, and everything after that is asked by number: an alias that moves
in between changes nothing. Reads only.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dockyard.adapters.mlflow_errors import not_found
from dockyard.domain.errors import NotFoundError
from dockyard.domain.reference import LATEST, ModelRef, RefKind, parse_model_ref

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

T = TypeVar("T")

_MODEL_SOURCE = re.compile(r"models:/+(m-[0-9a-f]{32})")
_GIT_TAG = "mlflow.source.git.commit"
_DEEPEST = 5
"""How many references may lead from one to the next: a copied version to a version to a logged model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One model's files, and what the registry knows of them."""

    location: str
    """Where the files are, as an artifact store's address."""
    name: str | None = None
    version: str | None = None
    model_id: str | None = None
    run_id: str | None = None
    aliases: tuple[str, ...] = ()
    created: str | None = None
    """When it was registered or logged; only None where files may change behind the address."""


def pin_model(client: MlflowClient, ref: ModelRef) -> Pinned:
    """Pin a reference that only MLflow can resolve. Raises NotFoundError `model-not-found`, `alias-not-found`."""
    match ref.kind:
        case RefKind.LOGGED_MODEL:
            return _pin_logged_model(client, ref.path or "")
        case RefKind.RUN:
            return _pin_run(client, ref.run_id or "", ref.path or "")
        case _:
            return _pin_version(client, ref.name or "", _find_version(client, ref))


def find_alias(client: MlflowClient, name: str, alias: str) -> str | None:
    """The version that an alias points to; None where there is no such alias or model."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        # A missing alias is an INVALID_PARAMETER_VALUE, as is a name that no alias can have: neither is there.
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def find_git_revision(client: MlflowClient, run_id: str | None) -> str | None:
    """The commit that a run was made from; None where it does not say, or the run is gone."""
    if run_id is None:
        return None
    run = _find(lambda: client.get_run(run_id))
    return str(run.data.tags[_GIT_TAG]) if run is not None and _GIT_TAG in run.data.tags else None


def quote(text: str) -> str:
    """Return a text as a literal of MLflow's search language, which has no escape: a text with both quotes is nobody's."""
    mark = "'" if "'" not in text else '"'
    if mark in text:
        raise not_found(f"there is no `{text}`")
    return f"{mark}{text}{mark}"


def _find_version(client: MlflowClient, ref: ModelRef) -> str:
    name = ref.name or ""
    if ref.kind is RefKind.ALIAS:
        version = find_alias(client, name, ref.alias or "")
        if version is None:
            raise _no_alias(client, name, ref.alias or "")
        return version
    if ref.kind is RefKind.STAGE:
        return _find_stage(client, name, ref.version or "")
    return _find_newest(client, name) if ref.version in {None, LATEST} else str(ref.version)


def _find_newest(client: MlflowClient, name: str) -> str:
    found = client.search_model_versions(f"name={quote(name)}", max_results=1, order_by=["version_number DESC"])
    if not found:
        raise _no_model(client, name, "has no version")
    return str(found[0].version)


def _find_stage(client: MlflowClient, name: str, stage: str) -> str:
    with warnings.catch_warnings():  # stages are deprecated, and people still use them
        warnings.simplefilter("ignore", FutureWarning)
        found = client.get_latest_versions(name, [stage])
    if not found:
        raise _no_model(client, name, f"has no version in stage {stage}")
    return str(max(int(one.version) for one in found))


def _pin_version(client: MlflowClient, name: str, version: str) -> Pinned:
    found: ModelVersion | None = _find(lambda: client.get_model_version(name, version))
    if found is None:
        raise _no_model(client, name, f"has no version {version}")
    location = _follow(client, str(client.get_model_version_download_uri(name, version)))
    return Pinned(
        location=location.location,
        name=name,
        version=version,
        model_id=found.model_id or location.model_id or _read_model_id(str(found.source)),
        run_id=found.run_id or location.run_id,
        aliases=tuple(sorted(map(str, found.aliases))),
        created=str(found.creation_timestamp),
    )


def _read_model_id(source: str) -> str | None:
    """A server keeps `models:/m-…` as the source of a version that was registered from a logged model, and tells no id."""
    match = _MODEL_SOURCE.fullmatch(source)
    return match[1] if match else None


def _follow(client: MlflowClient, uri: str, depth: int = 0) -> Pinned:
    """Where a version's files are: its source may itself be a run's artifact, a logged model or another version."""
    if not uri.startswith(("models:", "runs:")) or depth >= _DEEPEST:
        return Pinned(location=uri)
    ref = parse_model_ref(uri)
    if ref.kind is RefKind.VERSION and ref.version != LATEST:
        return _follow(client, str(client.get_model_version_download_uri(ref.name, ref.version)), depth + 1)
    return pin_model(client, ref)


def _pin_logged_model(client: MlflowClient, path: str) -> Pinned:
    model_id, _, below = path.partition("/")
    model = _find(lambda: client.get_logged_model(model_id))
    if model is None:
        raise not_found(f"there is no logged model {model_id}")
    return _describe_logged_model(model, below)


def _pin_run(client: MlflowClient, run_id: str, path: str) -> Pinned:
    """A run's model is a logged model of that name since MLflow 3, and an artifact of the run before."""
    run = _find(lambda: client.get_run(run_id))
    if run is None:
        raise not_found(f"there is no run {run_id}")
    name, _, below = path.partition("/")
    model = _find_model_of_run(client, str(run.info.experiment_id), run_id, name)
    if model is not None:
        return _describe_logged_model(model, below)
    return Pinned(location=f"{str(run.info.artifact_uri).rstrip('/')}/{path}", run_id=run_id)


def _find_model_of_run(client: MlflowClient, experiment_id: str, run_id: str, name: str) -> LoggedModel | None:
    models = _find(
        lambda: client.search_logged_models(
            [experiment_id],
            filter_string=f"name={quote(name)} AND source_run_id={quote(run_id)}",
            order_by=[{"field_name": "creation_timestamp", "ascending": False}],
            max_results=1,
        )
    )
    return models[0] if models else None


def _describe_logged_model(model: LoggedModel, below: str) -> Pinned:
    location = str(model.artifact_location).rstrip("/")
    return Pinned(
        location=f"{location}/{below}" if below else location,
        model_id=str(model.model_id),
        run_id=model.source_run_id or None,
        created=str(model.creation_timestamp) if str(model.status) == "READY" else None,
    )


def _find(look: Callable[[], T]) -> T | None:
    from mlflow.exceptions import MlflowException

    try:
        return look()
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND"}:  # the last: an MLflow 2 server
            return None
        raise


def _no_model(client: MlflowClient, name: str, lacks: str) -> NotFoundError:
    if _find(lambda: client.get_registered_model(name)) is None:
        return NotFoundError(
            "model-not-found",
            f"there is no registered model `{name}`",
            hint="is it in this registry? A folder is given with a slash, as `./name`",
        )
    return NotFoundError("model-not-found", f"registered model `{name}` {lacks}", hint=_list_versions(client, name))


def _no_alias(client: MlflowClient, name: str, alias: str) -> NotFoundError:
    model = _find(lambda: client.get_registered_model(name))
    if model is None:
        return _no_model(client, name, "")
    there = ", ".join(f"`{one}`" for one in sorted(model.aliases))
    hint = f"it has {there}" if there else "it has no aliases at all"
    return NotFoundError("alias-not-found", f"registered model `{name}` has no alias `{alias}`", hint=hint)


def _list_versions(client: MlflowClient, name: str) -> str:
    found = client.search_model_versions(f"name={quote(name)}", max_results=5, order_by=["version_number DESC"])
    there = ", ".join(str(one.version) for one in found)
    return f"its newest versions are {there}" if there else "nothing was registered under that name yet"
