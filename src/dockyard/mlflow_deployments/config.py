"""Owns what `-C key=value` means: a setting, as in `dockyard.yaml`, or an option of the call. Must not check settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockyard.adapters.config_environ import read_text
from dockyard.adapters.config_file import Flag
from dockyard.adapters.config_k8s import K8s
from dockyard.adapters.config_model import Environment
from dockyard.adapters.config_sagemaker import SageMaker
from dockyard.adapters.config_section import Section
from dockyard.adapters.config_yaml import KeyPath
from dockyard.domain.deployment import Target
from dockyard.domain.errors import UsageError

Config = Mapping[str, object]
"""As MLflow hands it over: text from its command line, any value from Python."""
SECTIONS: Mapping[Target, type[Section]] = {Target.K8S: K8s, Target.SAGEMAKER: SageMaker}
OPTIONS: Mapping[str, str] = {
    "promote": "Whether the alias that is called as the environment is pointed at the version once it serves.",
    "lock_wait": "How many seconds to wait while another command changes the deployment.",
    "yes": "Whether what outlives a deployment may be made: an image repository, an execution role.",
}
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is no setting; see OPTIONS."""

    promote: bool = False
    lock_wait: float = 0.0
    yes: bool = False


def read_options(config: Config) -> Options:
    """Return the options among what was given. Raises UsageError `usage`."""
    return Options(
        promote=_read_switch("promote", config.get("promote", False)),
        lock_wait=_read_seconds(config.get("lock_wait", 0.0)),
        yes=_read_switch("yes", config.get("yes", False)),
    )


def list_flags(config: Config, environment: str, target: Target) -> Iterator[Flag]:
    """Everything else, as settings of an environment, or of images where the key begins with `image.`."""
    for key, value in config.items():
        if key not in OPTIONS:
            path = _find_path(key.split("."), environment, target)
            yield Flag(path=path, value=read_text(path, value) if isinstance(value, str) else value, name=f"-C {key}")


def _find_path(parts: list[str], environment: str, target: Target) -> KeyPath:
    if parts[0] == "image":
        return tuple(parts)
    section = SECTIONS.get(target)
    is_own = section is not None and (parts[0] in section.model_fields or parts[0] not in Environment.model_fields)
    return ("environments", environment, *((target.value,) if is_own else ()), *parts)


def _read_switch(key: str, value: object) -> bool:
    found = value if isinstance(value, bool) else _WORDS.get(str(value).lower())
    if found is None:
        raise UsageError("usage", f"`-C {key}` is neither true nor false", hint=f"as in `-C {key}=true`")
    return found


def _read_seconds(value: object) -> float:
    try:
        return max(0.0, float(str(value)))
    except ValueError as error:
        raise UsageError("usage", "`-C lock_wait` is no number of seconds", hint="as in `-C lock_wait=60`") from error
