"""The config of a serving image: how it starts, what it is called, and which layers it has.

Owns that document. The time in it is the model's, never the clock's. Must not know where layers come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockyard_image.base import ResolvedBase
from dockyard_image.image import HISTORY_PREFIX, read_diff_ids
from dockyard_image.manifest import encode_json

ROOT = "opt/dockyard"
SITE_PACKAGES = f"{ROOT}/site-packages"
SCORER = f"{ROOT}/scorer"
MODEL = "opt/ml/model"
PORT = 8080
USER = "65532:65532"  # a group as well: a user alone would keep group 0
CREATED_LABEL = "org.opencontainers.image.created"
_EPOCH = "1970-01-01T00:00:00Z"
_ENVIRONMENT = {
    "PYTHONPATH": f"/{SITE_PACKAGES}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "HOME": "/tmp",  # noqa: S108 - the one folder that every place we run in lets us write to
}


def make_config(base: ResolvedBase, layers: Sequence[tuple[str, str]], labels: Mapping[str, str]) -> bytes:
    """The config of `base` with our `layers`, pairs of kind and diff id, on top."""
    created = labels.get(CREATED_LABEL, _EPOCH)
    system, _, architecture = base.platform.partition("/")
    stack = [*(("base", diff_id) for diff_id in base.diff_ids), *layers]
    return encode_json(
        {
            "architecture": architecture,
            "os": system,
            "created": created,
            "config": _settings(base, labels),
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in stack]},
            "history": [_history(kind, created) for kind, _ in stack],
        }
    )


def extend_config(config: Mapping[str, Any], kind: str, diff_id: str) -> bytes:
    """The config with one more layer on top."""
    diff_ids = [*read_diff_ids(config), diff_id]
    history = config.get("history")
    extended = {**config, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    if isinstance(history, list) and history:
        extended["history"] = [*history, _history(kind, str(config.get("created") or _EPOCH))]
    return encode_json(extended)


def label_config(config: Mapping[str, Any], labels: Mapping[str, str]) -> bytes:
    """The config with more labels."""
    settings = config.get("config") or {}
    return encode_json({**config, "config": {**settings, "Labels": {**(settings.get("Labels") or {}), **labels}}})


def _settings(base: ResolvedBase, labels: Mapping[str, str]) -> dict[str, Any]:
    inherited = [variable for variable in base.environment if variable.partition("=")[0] not in _ENVIRONMENT]
    return {
        "Entrypoint": ["python3", "-s", f"/{SCORER}"],
        "Cmd": ["serve"],
        "User": USER,
        "WorkingDir": f"/{ROOT}",
        "ExposedPorts": {f"{PORT}/tcp": {}},
        "Env": [*inherited, *(f"{name}={value}" for name, value in _ENVIRONMENT.items())],
        "StopSignal": "SIGTERM",
        "Labels": dict(labels),
    }


def _history(kind: str, created: str) -> dict[str, str]:
    return {"created": created, "created_by": f"{HISTORY_PREFIX}{kind}"}
