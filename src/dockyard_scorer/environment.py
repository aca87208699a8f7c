"""Prepares the process for the libraries in it.

Owns the environment variables that they read while they are imported. Must run before the first import of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

# What somebody set on purpose (in the image's or the deployment's environment) stays.
_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "_MLFLOW_IS_IN_SERVING_ENVIRONMENT": "true",  # as MLflow's own server sets it: input is checked against type hints
        "PROMETHEUS_DISABLE_CREATED_SERIES": "true",  # a second series for each, which hardly anybody reads
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108  the one writable folder of a read-only root
    }
)


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what serving needs: no telemetry, nothing written outside /tmp."""
    for name, value in _DEFAULTS.items():
        environment.setdefault(name, value)
