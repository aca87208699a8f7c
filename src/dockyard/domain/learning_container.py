"""Owns LearningContainer: an AWS Deep Learning Container, named by framework, to be a base. Must not look anything up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard.domain.errors import UsageError

PREFIX = "dlc:"
_FORM = re.compile(r"dlc:(?P<framework>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:@(?P<version>\d+(?:\.\d+){0,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningContainer:
    """What `dlc:pytorch@2.6` says. Without a version it is the newest that has the model's Python."""

    framework: str
    version: str | None = None
    """One of the framework's, also in short: `2.6` is the newest `2.6.x`."""

    def __str__(self) -> str:
        return f"{self.framework}@{self.version}" if self.version else self.framework


def parse_learning_container(base: str | None) -> LearningContainer | None:
    """Read `dlc:<framework>` or `dlc:<framework>@<version>`; None for any other base.

    Raises UsageError `setting-invalid` for one that begins so and goes on otherwise.
    """
    if base is None or not base.startswith(PREFIX):
        return None
    found = _FORM.fullmatch(base)
    if found is None:
        raise UsageError(
            "setting-invalid",
            f"`image.base` is `{base}`, which names no AWS Deep Learning Container",
            hint=f"write `{PREFIX}<framework>` or `{PREFIX}<framework>@<version>`, such as `{PREFIX}pytorch@2.6`",
        )
    return LearningContainer(framework=found["framework"], version=found["version"])
