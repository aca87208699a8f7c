"""Owns the in-memory twin of LearningContainers: what there is is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard.domain.errors import DockyardError, NotFoundError
from dockyard.domain.learning_container import LearningContainer
from dockyard.domain.sagemaker import SageMakerSettings


@dataclass(kw_only=True)
class MemoryLearningContainers:
    """LearningContainers whose releases are the same for all regions and instances."""

    references: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """By framework, version and Python, the newest last."""
    failure: DockyardError | None = None

    def find_reference(self, wanted: LearningContainer, settings: SageMakerSettings, python: str) -> str:
        """The last one that fits."""
        del settings
        if self.failure is not None:
            raise self.failure
        fitting = [
            reference
            for (framework, version, of_python), reference in self.references.items()
            if framework == wanted.framework and of_python == python and _is_wanted(version, wanted.version)
        ]
        if not fitting:
            known = ", ".join(f"{name} {version} (Python {of_python})" for name, version, of_python in self.references)
            raise NotFoundError("base-not-found", f"there is no `{wanted}` with Python {python}", hint=f"there are {known}")
        return fitting[-1]


def _is_wanted(version: str, wanted: str | None) -> bool:
    return wanted is None or f"{version}.".startswith(f"{wanted}.")
