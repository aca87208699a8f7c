"""What is running: versions and the labels of the image.

Owns the content of /version. Reads image.json and installed metadata only; imports neither MLflow nor the model.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import dockyard_scorer

_METRIC_LABELS = ("name", "version", "id", "digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answers here."""

    image: Mapping[str, str] = field(default_factory=dict)
    """The image's labels."""
    revision: int | None = None
    mlflow: str | None = None

    def describe(self) -> dict[str, object]:
        """The answer of /version."""
        return {
            "scorer": dockyard_scorer.__version__,
            "mlflow": self.mlflow,
            "python": platform.python_version(),
            "revision": self.revision,
            "image": dict(self.image),
        }

    def metric_labels(self) -> dict[str, str]:
        """Labels of the model info metric; empty where the image does not tell."""
        labels = {name: self.image.get(f"dockyard.model.{name}", "") for name in _METRIC_LABELS}
        return {**labels, "revision": "" if self.revision is None else str(self.revision)}


def read_identity(image_json: Path, revision: int | None) -> Identity:
    """Identity from the image's labels. An image without the file (a bare model folder) has none."""
    return Identity(image=_read_labels(image_json), revision=revision, mlflow=_find_mlflow_version())


def _read_labels(image_json: Path) -> dict[str, str]:
    try:
        labels = json.loads(image_json.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError:
        return {"error": f"{image_json.name} is not JSON"}
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}


def _find_mlflow_version() -> str | None:
    for distribution in ("mlflow", "mlflow-skinny"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None
