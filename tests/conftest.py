"""Fixtures that every test may ask for, each in a module of its own under `support`."""

from __future__ import annotations

pytest_plugins = [
    "support.lab",
    "support.measuring",
    "support.sagemaker_cloud",
    "support.sagemaker_sdk",
    "support.session",
    "support.tracking",
]
