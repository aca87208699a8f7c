"""Owns the port LearningContainers: which AWS Deep Learning Container fits the region, the instances and the model's Python.

Contacts nothing: what there is stands in the SageMaker SDK. That the image is there is for whoever pulls it to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from packaging.version import InvalidVersion, Version

from dockyard.adapters.sagemaker.instances import ARM_PLATFORM, find_platform
from dockyard.adapters.sagemaker.sdk_images import SdkImages, Wanted
from dockyard.domain.errors import NotFoundError
from dockyard.domain.learning_container import LearningContainer
from dockyard.domain.sagemaker import Instances, SageMakerSettings

_X86_SCOPE, _ARM_SCOPE = "inference", "inference_graviton"
_SERVERLESS_STAND_IN = "ml.m5.large"
"""Serverless endpoints have no instance type; their containers are those of x86 without an accelerator."""
_PYTHON = re.compile(r"py(3)(\d{1,2})")
_MOST_TOLD = 12


class Place(Protocol):
    """Where the endpoint is to be."""

    @property
    def region(self) -> str:
        """The region. Raises UsageError `region-unknown`."""
        ...


class Logins(Protocol):
    """Who signs in to registries of the account's."""

    def trust_host(self, host: str) -> None:
        """Sign in to that host, too."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One image of a framework: a version for a Python, where it is."""

    version: Version
    name: str
    """The version as the SDK writes it."""
    python: str
    regions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} (Python {self.python})"


class SdkLearningContainers:
    """What the SageMaker SDK knows of Deep Learning Containers."""

    def __init__(self, place: Place, logins: Logins, sdk: SdkImages) -> None:
        self._place = place
        self._logins = logins
        self._sdk = sdk

    def find_reference(self, wanted: LearningContainer, settings: SageMakerSettings, python: str) -> str:
        """The container's address. Its registry is signed in to with the account's credentials from then on."""
        region, instance = self._place.region, _choose_instance(settings)
        scope = _choose_scope(instance)
        releases = list_releases(self._read(wanted.framework, scope), scope)
        fitting = [
            one for one in releases if one.python == python and region in one.regions and _is_wanted(one, wanted.version)
        ]
        if not fitting:
            raise self._refuse(wanted, releases, f"with Python {python} for {instance} in {region}")
        chosen = max(fitting, key=lambda one: one.version)
        asked = Wanted(
            framework=wanted.framework,
            version=chosen.name,
            python="py" + python.replace(".", ""),
            region=region,
            instance_type=instance,
            scope=scope,
        )
        reference = self._sdk.make_address(asked)
        self._logins.trust_host(reference.partition("/")[0])
        return reference

    def _read(self, framework: str, scope: str) -> Mapping[str, Any]:
        known = self._sdk.list_frameworks()
        if framework in known:
            return self._sdk.read_framework(framework)
        usable = [one for one in known if list_releases(self._sdk.read_framework(one), scope)]
        raise NotFoundError(
            "base-not-found",
            f"there is no AWS Deep Learning Container of `{framework}`",
            hint=f"there are those of {', '.join(usable)}",
        )

    def _refuse(self, wanted: LearningContainer, releases: Iterable[Release], what: str) -> NotFoundError:
        region = self._place.region
        newest = sorted((one for one in releases if region in one.regions), key=lambda one: one.version, reverse=True)
        told = ", ".join(str(one) for one in newest[:_MOST_TOLD]) or "none that tells its Python"
        return NotFoundError(
            "base-not-found",
            f"there is no AWS Deep Learning Container `{wanted}` {what}",
            hint=f"of {wanted.framework} there are for such instances, newest first: {told}; or name another image",
        )


def list_releases(framework: Mapping[str, Any], scope: str) -> tuple[Release, ...]:
    """All releases of a framework for a scope that tell their Python's minor version.

    The data has versions either at its top, with the scopes that they are for, or for each scope by itself.
    """
    part = framework if "versions" in framework else framework.get(scope)
    if not isinstance(part, Mapping) or ("scope" in part and scope not in part["scope"]):
        return ()
    return tuple(one for name, version in part.get("versions", {}).items() for one in _read_version(name, version))


def _read_version(name: str, version: Mapping[str, Any]) -> Iterator[Release]:
    """A version is one image for several Pythons, or has one for each below its name."""
    try:
        number = Version(name)
    except InvalidVersion:
        return
    images = dict.fromkeys(version.get("py_versions") or (), version) if "repository" in version else version
    for python, image in images.items():
        found = _PYTHON.fullmatch(python)
        if found and isinstance(image, Mapping):
            regions = frozenset(image.get("registries", ()))
            yield Release(version=number, name=name, python=f"{found[1]}.{found[2]}", regions=regions)


def _choose_instance(settings: SageMakerSettings) -> str:
    capacity = settings.capacity
    return capacity.instance_type if isinstance(capacity, Instances) else _SERVERLESS_STAND_IN


def _choose_scope(instance: str) -> str:
    return _ARM_SCOPE if find_platform(instance) == ARM_PLATFORM else _X86_SCOPE


def _is_wanted(release: Release, version: str | None) -> bool:
    """Whether it is that version, or one that the given digits begin."""
    if version is None:
        return True
    parts = Version(version).release
    return release.version.release[: len(parts)] == parts
