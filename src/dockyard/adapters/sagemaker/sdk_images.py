"""Owns the way to `image_uris` of the SageMaker SDK: data in a package of hundreds of megabytes, imported when it is asked.

Must not decide which image. What is called of it here contacts nothing and reports nothing; its log is made quiet.
https://sagemaker.readthedocs.io/en/stable/api/utility/image_uris.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from dockyard.domain.errors import NotFoundError, UsageError

_MODULE = "sagemaker.core.image_uris"
_FOLDER = "image_uri_config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an image's address follows from."""

    framework: str
    version: str
    python: str
    """As the SDK writes it: `py311`."""
    region: str
    instance_type: str
    scope: str


class SdkImages(Protocol):
    """What is asked of the SDK."""

    def list_frameworks(self) -> tuple[str, ...]:
        """All that it has data of, sorted."""
        ...

    def read_framework(self, framework: str) -> Mapping[str, Any]:
        """The data of one of them."""
        ...

    def make_address(self, wanted: Wanted) -> str:
        """The address of an image. Raises NotFoundError `base-not-found`."""
        ...


class InstalledSdk:
    """The SDK of this Python. Raises UsageError `dependency-missing` where there is none."""

    def list_frameworks(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(sorted(file.stem for file in self._folder().glob("*.json")))

    def read_framework(self, framework: str) -> Mapping[str, Any]:
        """The content of a file."""
        content: Mapping[str, Any] = json.loads((self._folder() / f"{framework}.json").read_text("utf-8"))
        return content

    def make_address(self, wanted: Wanted) -> str:
        """What the SDK makes of it."""
        module = _import_sdk()
        try:
            return str(
                module.retrieve(
                    wanted.framework,
                    wanted.region,
                    version=wanted.version,
                    py_version=wanted.python,
                    instance_type=wanted.instance_type,
                    image_scope=wanted.scope,
                )
            )
        except (ValueError, KeyError, TypeError, OSError, NotImplementedError) as error:
            raise NotFoundError(
                "base-not-found",
                f"the SageMaker SDK knows no image of {wanted.framework} {wanted.version} for {wanted.instance_type} in "
                f"{wanted.region}: {_first_sentence(error)}",
                hint="choose another version or instance type, or name an image",
            ) from error

    def _folder(self) -> Path:
        return Path(str(_import_sdk().__file__)).parent / _FOLDER


def _import_sdk() -> Any:  # noqa: ANN401  the SDK has no types
    """Import it. Nothing is contacted by that."""
    _silence(("sagemaker", "sagemaker.config", "sagemaker.core"))
    try:
        return import_module(_MODULE)
    except ImportError as error:
        raise UsageError(
            "dependency-missing",
            f"AWS Deep Learning Containers are looked up in the SageMaker SDK, which cannot be imported: {error}",
            hint="pip install 'dockyard[sagemaker-sdk]', or name the image itself as `image.base`",
        ) from error


def _silence(names: Iterable[str]) -> None:
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". You may")[0] or type(error).__name__
