"""Owns the tags that lead from an AWS resource back to the deployment, the registry and the revision's settings.

Some tags are for people and for cost reports; those called `dockyard:spec.<n>` hold the revision itself, packed, because tags
take few characters. The model's environment is not among them: the service keeps it with the model.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockyard.adapters.codec import decode, encode
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import DockyardError
from dockyard.domain.sagemaker import SageMakerSpec

SERVED = "dockyard:served"
PACKAGE_GROUP = "dockyard:package-group"
"""The model package group that a revision is registered in."""
_PURPOSE, _JOBS, _SHADOW, _HOST = "dockyard:purpose", "batch", "shadow", "inference-component"
_ENVIRONMENT = "dockyard:environment"
_DEPLOYMENT = "dockyard:deployment"
_REVISION = "dockyard:revision"
_SPEC = "dockyard:spec."
_VALUE_LENGTH = 256
_REFUSED = re.compile(r"[^\w .:/=+\-@]")

Tags = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a resource is."""

    key: DeploymentKey
    number: int | None
    spec: SageMakerSpec | None
    """Without the model's environment."""
    has_served: bool
    is_for_jobs: bool = False
    """Whether it was made for batch transform jobs, and is no revision's."""
    is_for_shadow: bool = False
    """Whether it brings two revisions together, and is neither's."""
    is_for_host: bool = False
    """Whether it has instances for an inference component, and is no revision's."""
    package_group: str | None = None
    """The model package group that the revision is registered in."""


def tag_deployment(key: DeploymentKey, own: Iterable[tuple[str, str]] = ()) -> Tags:
    """Tags of what belongs to a deployment and to no revision; `own` are the user's."""
    return _list({_ENVIRONMENT: key.environment, _DEPLOYMENT: key.name, **dict(own)})


def tag_revision(key: DeploymentKey, number: int, spec: SageMakerSpec) -> Tags:
    """Tags of a revision's model and endpoint configuration."""
    values = {_REVISION: str(number), **tell_origin(spec)}
    return [*tag_deployment(key, spec.settings.tags), *_list({**values, **_pack(spec)})]


def tag_job_model(key: DeploymentKey, spec: SageMakerSpec) -> Tags:
    """Tags of a model that is made for jobs: they make no revision of it."""
    return [*tag_deployment(key, spec.settings.tags), *_list({_PURPOSE: _JOBS, **tell_origin(spec)})]


def tag_shadow(key: DeploymentKey, spec: SageMakerSpec) -> Tags:
    """Tags of a configuration that has a revision in the shadow of another, which has that spec."""
    return [*tag_deployment(key, spec.settings.tags), *_list({_PURPOSE: _SHADOW})]


def tag_host(key: DeploymentKey, own: Iterable[tuple[str, str]] = ()) -> Tags:
    """Tags of an endpoint for inference components, and of its configurations."""
    return [*tag_deployment(key, own), *_list({_PURPOSE: _HOST})]


def read_owner(tags: Iterable[Mapping[str, str]]) -> Owner | None:
    """Whose a resource is by its tags; None where they are not ours or have been changed."""
    values = {tag["Key"]: tag["Value"] for tag in tags}
    if not {_ENVIRONMENT, _DEPLOYMENT} <= values.keys():
        return None
    key = DeploymentKey(environment=values[_ENVIRONMENT], name=values[_DEPLOYMENT], target=Target.SAGEMAKER)
    number = values.get(_REVISION, "")
    return Owner(
        key=key,
        number=int(number) if number.isdecimal() else None,
        spec=_unpack(values),
        has_served=SERVED in values,
        is_for_jobs=values.get(_PURPOSE) == _JOBS,
        is_for_shadow=values.get(_PURPOSE) == _SHADOW,
        is_for_host=values.get(_PURPOSE) == _HOST,
        package_group=values.get(PACKAGE_GROUP),
    )


def list_properties(key: DeploymentKey, number: int, name: str, spec: SageMakerSpec) -> dict[str, str]:
    """What leads from a version in the model registry back to revision, deployment and MLflow."""
    told = {_ENVIRONMENT: key.environment, _DEPLOYMENT: key.name, _REVISION: str(number), "dockyard:revision-name": name}
    registry = {"dockyard:model-registry": _clean(spec.model.registry)} if spec.model.registry else {}
    return {**told, **tell_origin(spec), **registry}


def tell_origin(spec: SageMakerSpec) -> dict[str, str]:
    """What leads back to the registry."""
    model = spec.model
    told = {
        "dockyard:model-name": model.name,
        "dockyard:model-version": model.version,
        "dockyard:model-id": model.model_id,
        "dockyard:run-id": model.run_id,
        "dockyard:model-digest": model.digest,
        "dockyard:fingerprint": spec.fingerprint,
    }
    return {name: _clean(value) for name, value in told.items() if value}


def _pack(spec: SageMakerSpec) -> dict[str, str]:
    bare = dataclasses.replace(spec, settings=dataclasses.replace(spec.settings, env=()))
    text = base64.urlsafe_b64encode(zlib.compress(encode(bare), 9)).decode()
    parts = [text[start : start + _VALUE_LENGTH] for start in range(0, len(text), _VALUE_LENGTH)]
    return {f"{_SPEC}{number:02}": part for number, part in enumerate(parts)}


def _unpack(values: Mapping[str, str]) -> SageMakerSpec | None:
    text = "".join(values[name] for name in sorted(values) if name.startswith(_SPEC))
    try:
        return decode(SageMakerSpec, zlib.decompress(base64.urlsafe_b64decode(text)), what="the tags of a revision")
    except (binascii.Error, zlib.error, DockyardError):
        return None


def _clean(value: str) -> str:
    return _REFUSED.sub("_", value)[:_VALUE_LENGTH]


def _list(values: Mapping[str, str]) -> Tags:
    return [{"Key": key, "Value": value} for key, value in values.items()]
