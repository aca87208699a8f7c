"""Owns the text of `mlflow deployments help`: what a target is called, and the keys that `-C` sets."""

from __future__ import annotations

from dockyard.adapters.config_model import Environment
from dockyard.domain.deployment import Target
from dockyard.mlflow_deployments.config import OPTIONS, SECTIONS

_OTHERS = frozenset({"target", "runtime", "port", *(target.value for target in SECTIONS)})
"""What of an environment is of no interest for these targets, or has its own list."""


def describe_target(plugin: str, target: Target) -> str:
    """Return the text for a plugin."""
    section = SECTIONS[target]
    common = {name: field for name, field in Environment.model_fields.items() if name not in _OTHERS}
    lines = [
        f"{plugin} deploys to the environment `{target.value}` of dockyard.yaml, {plugin}:/NAME to another one.",
        "Without the file it works with the defaults.",
        "",
        "-C KEY=VALUE sets what the file may say; a.b is the key b in a, lists are a,b or JSON:",
        *(f"  {name}: {field.description}" for name, field in sorted(section.model_fields.items())),
        *(f"  {name}: {field.description}" for name, field in sorted(common.items())),
        "  image.KEY: what the file may say about images, as image.repository.",
        "",
        "and for the call:",
        *(f"  {name}: {text}" for name, text in sorted(OPTIONS.items())),
    ]
    return "\n".join(lines)
