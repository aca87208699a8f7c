"""Owns the page of environment variables."""

from __future__ import annotations

import dataclasses

from dockyard_scorer.settings import Settings
from reference_pages.configuration import list_variables
from reference_pages.markdown import code, page, table

GENERAL = (
    ("DOCKYARD_CONFIG", "The configuration file, where `--config` is not given."),
    ("DOCKYARD_ENV", "The environment, where `--env` is not given; `local` without both."),
    (
        "DOCKYARD_HOME",
        "The folder for what must survive. Else `$XDG_STATE_HOME/dockyard`, else `~/.local/state/dockyard`.",
    ),
    (
        "DOCKYARD_CACHE",
        "The folder for what may be deleted at any time. Else `$XDG_CACHE_HOME/dockyard`, else `~/.cache/dockyard`.",
    ),
    ("MLFLOW_TRACKING_URI", "The MLflow tracking server or store, where neither flag, variable nor file names one."),
    ("MLFLOW_REGISTRY_URI", "The model registry, likewise."),
    (
        "MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN",
        "Credentials of the tracking server; MLflow reads them.",
    ),
    ("DOCKER_HOST", "The Docker engine; its own default without it."),
    ("DOCKER_CONFIG", "The folder of Docker's configuration, for credentials of image registries."),
    ("NO_COLOR", "No colours and no bars on stderr; plain lines instead."),
)
SCORER = {
    "DOCKYARD_HOST": ("host", "The address that it listens on."),
    "PORT": ("port", "The port that it listens on. `SAGEMAKER_BIND_TO_PORT` counts more."),
    "DOCKYARD_MODEL": ("model", "The model's folder."),
    "DOCKYARD_PROOF": ("proof", "The input example with the answer that the build recorded."),
    "DOCKYARD_IMAGE_JSON": ("image_json", "What `GET /version` tells of the image."),
    "DOCKYARD_PREFIX": (None, "The folder that the two files above are in by default."),
    "DOCKYARD_MAX_BODY_BYTES": ("max_body_bytes", "The largest request body that is taken."),
    "DOCKYARD_GRACE_SECONDS": ("grace_seconds", "From SIGTERM to the end of the process, at most."),
    "DOCKYARD_QUIET_SECONDS": ("quiet_seconds", "While it drains: how long no request has come before the port closes."),
    "DOCKYARD_REQUEST_TIMEOUT_SECONDS": ("request_timeout_seconds", "How long one prediction may take."),
    "DOCKYARD_THREADS": ("threads", "How many predictions run at once."),
    "DOCKYARD_MAX_REQUESTS": ("max_requests", "How many requests may be under way at once; one more is answered 503."),
    "DOCKYARD_REVISION": ("revision", "The revision's number, as `GET /version` tells it."),
}
_DEPENDS_ON_MACHINE = frozenset({"threads"})
ABOUT_KEYS = """
The variable of a key is `DOCKYARD_` and the key's path in capitals, joined by two underscores; `-` in an environment's name is
`_`. A list is written with commas or as JSON, a mapping as JSON. An empty variable counts as not set. A variable with two
underscores that is no key is an error, as it would be in the file. A model's variable is
`DOCKYARD_ENVIRONMENTS__<NAME>__ENV__<VARIABLE>`.
"""


def render_environment() -> str:
    """Return the page."""
    keys = [(code(variable), code(key), form) for variable, key, form in list_variables()]
    general = [(", ".join(code(name) for name in names.split(", ")), text) for names, text in GENERAL]
    return page(
        "Environment variables",
        "## Of the command line",
        table(("variable", "meaning"), general),
        "## One for each key of the configuration",
        ABOUT_KEYS,
        table(("variable", "key", "written as"), keys),
        "## Of the scorer, in an image",
        "They are set by whoever starts the image. A deployment sets those that its environment's settings decide.",
        table(("variable", "default", "meaning"), _describe_scorer()),
    )


def _describe_scorer() -> list[tuple[str, str, str]]:
    defaults = dataclasses.asdict(Settings())
    return [(code(name), _default(defaults, field), text) for name, (field, text) in SCORER.items()]


def _default(defaults: dict[str, object], field: str | None) -> str:
    if field is None:
        return code("/opt/dockyard")
    if field in _DEPENDS_ON_MACHINE:
        return "the number of processors and 4 more, at most 32"
    return "" if defaults[field] is None else code(defaults[field])
