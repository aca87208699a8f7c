"""Owns the layers of the configuration and their end: Settings in which every value knows where it came from."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from dockyard.adapters.config_environ import Setting
from dockyard.adapters.config_k8s import make_k8s_place
from dockyard.adapters.config_model import Configuration, Environment, Image, Reference, Registry
from dockyard.adapters.config_sagemaker import make_place
from dockyard.adapters.config_yaml import KeyPath
from dockyard.domain.deployment import Target
from dockyard.domain.image import ImageSettings
from dockyard.domain.settings import (
    EnvironmentSettings,
    ImageAccess,
    Provenance,
    RegistryCredentials,
    RegistrySettings,
    SecretRef,
    Settings,
    Source,
)

_OF_THEIR_OWN = (Target.SAGEMAKER, Target.K8S)
"""Targets that have a section called as they are."""
_MADE_APART = frozenset({"env", *(one.value for one in _OF_THEIR_OWN)})
_SHOWN_SECRET = "***"  # noqa: S105 - what is shown in a secret's place


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from."""

    source: Source
    origin: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}" if self.line else self.origin


@dataclass(slots=True, kw_only=True)
class Layers:
    """The file's values with variables and flags laid over them one by one."""

    values: dict[str, object]
    lines: Mapping[KeyPath, int]
    file: str
    _over: dict[KeyPath, Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = _drop_empty(copy.deepcopy(self.values))

    def lay(self, settings: Iterable[Setting], source: Source, *, only_missing: bool = False) -> None:
        """Lay values over those that are there, or with `only_missing` under them."""
        for setting in settings:
            if not (only_missing and setting.path in self.lines) and self._set(setting.path, setting.value):
                self._over[setting.path] = Origin(source=source, origin=setting.origin)

    def find_origin(self, path: KeyPath) -> Origin:
        """Where the value of a key came from, or of the section around it, or below it."""
        for length in range(len(path), 0, -1):
            prefix = path[:length]
            if prefix in self._over:
                return self._over[prefix]
            if prefix in self.lines:
                return Origin(source=Source.FILE, origin=self.file, line=self.lines[prefix])
        below = (origin for over, origin in self._over.items() if over[: len(path)] == path)
        return next(below, Origin(source=Source.FILE, origin=self.file))

    @property
    def overlaid(self) -> Iterable[KeyPath]:
        """The keys that variables and flags set."""
        return self._over

    def is_set(self, path: KeyPath) -> bool:
        """Whether anything but a default sets a key, or the whole mapping that it is in."""
        return path in self._over or path in self.lines or path[:-1] in self._over

    def _set(self, path: KeyPath, value: object) -> bool:
        place = self.values
        for key in path[:-1]:
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                return False  # the file has something else there, which checking reports
            place = inner
        place[path[-1]] = value
        return True


def _drop_empty(values: dict[str, object]) -> dict[str, object]:
    """Take a section or key without a value as left out: what remains when all below it is commented out."""
    environments = values.get("environments")
    if isinstance(environments, dict):
        filled = {name: {} if one is None else one for name, one in environments.items()}
        values["environments"] = {name: _drop_nulls(one, Environment) for name, one in filled.items()}
    for name, model in (("registry", Registry), ("image", Image)):
        values[name] = _drop_nulls(values.get(name), model)
    return {name: one for name, one in values.items() if one is not None or name not in Configuration.model_fields}


def _drop_nulls(section: object, model: type[BaseModel]) -> object:
    if not isinstance(section, dict):
        return section
    return {key: value for key, value in section.items() if value is not None or key not in model.model_fields}


def make_settings(
    configuration: Configuration, layers: Layers, homes: tuple[Provenance, Provenance], file: Path | None
) -> Settings:
    """Make the domain's settings of a checked configuration."""
    implicit = {one.value: Environment(target=one) for one in Target}
    environments = {**implicit, **{name: _aim(name, one) for name, one in configuration.environments.items()}}
    state, cache = homes
    base = file.parent if file else Path()
    return Settings(
        state_home=Path(str(state.value)),
        cache_home=Path(str(cache.value)),
        registry=_make_registry(configuration.registry, base),
        image=_make_image(configuration.image),
        access=_make_access(configuration.image, base),
        environments=tuple(
            _make_environment(name, one, base, is_configured=name not in implicit or name in configuration.environments)
            for name, one in environments.items()
        ),
        config_file=file,
        provenance=(*_trace(configuration, environments, layers), *homes),
    )


def _aim(name: str, environment: Environment) -> Environment:
    """The environment that is called as a target is for that target, unless it says otherwise."""
    own = next((one for one in _OF_THEIR_OWN if one.value == name), None)
    if own is None or "target" in environment.model_fields_set:
        return environment
    return environment.model_copy(update={"target": own})


def _make_registry(registry: Registry, base: Path) -> RegistrySettings:
    return RegistrySettings(tracking_uri=_refer(registry.tracking_uri, base), registry_uri=_refer(registry.registry_uri, base))


def _make_image(image: Image) -> ImageSettings:
    return ImageSettings(
        builder=image.builder,
        base=image.base,
        platform=image.platform,
        format=image.format,
        repository=image.repository,
        system_packages=tuple(image.system_packages),
    )


def _make_access(image: Image, base: Path) -> ImageAccess:
    credentials = (
        RegistryCredentials(host=one.host, username=_refer_text(one.username, base), password=_refer_secret(one.password, base))
        for one in image.credentials
    )
    return ImageAccess(
        mirrors=tuple((host, tuple(addresses)) for host, addresses in sorted(image.mirrors.items())),
        insecure_registries=tuple(image.insecure_registries),
        credentials=tuple(credentials),
    )


def _make_environment(name: str, environment: Environment, base: Path, *, is_configured: bool) -> EnvironmentSettings:
    values = {key: getattr(environment, key) for key in Environment.model_fields if key not in _MADE_APART}
    env = tuple((variable, _refer_text(value, base)) for variable, value in sorted(environment.env.items()))
    sagemaker, k8s = make_place(environment.sagemaker), make_k8s_place(environment.k8s)
    return EnvironmentSettings(name=name, env=env, is_configured=is_configured, sagemaker=sagemaker, k8s=k8s, **values)


def _refer(value: str | Reference | None, base: Path) -> str | SecretRef | None:
    return None if value is None else _refer_text(value, base)


def _refer_text(value: str | Reference, base: Path) -> str | SecretRef:
    return value if isinstance(value, str) else _refer_secret(value, base)


def _refer_secret(reference: Reference, base: Path) -> SecretRef:
    """A file is looked for beside the configuration file, or in the working folder where there is none."""
    file = str(base / Path(reference.file).expanduser()) if reference.file is not None else None
    return SecretRef(env=reference.env, file=file)


def _trace(configuration: Configuration, environments: Mapping[str, Environment], layers: Layers) -> Iterator[Provenance]:
    for name in ("registry", "image"):
        yield from _trace_section(getattr(configuration, name), (name,), layers)
    for name, environment in environments.items():
        yield from _trace_section(environment, ("environments", name), layers)


def _trace_section(section: BaseModel, path: KeyPath, layers: Layers) -> Iterator[Provenance]:
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(section, Environment) and not _counts(section, (*path, key), layers):
            continue
        if isinstance(value, BaseModel) and not isinstance(value, Reference):
            yield from _trace_section(value, (*path, key), layers)
        elif isinstance(value, dict) and value:
            yield from (_trace_value(one, (*path, key, inner), layers) for inner, one in value.items())
        else:
            yield _trace_value(value, (*path, key), layers)


def _counts(environment: Environment, path: KeyPath, layers: Layers) -> bool:
    """Whether a key is no other target's section, of which nobody has said anything."""
    own = next((one for one in _OF_THEIR_OWN if one.value == path[-1]), None)
    return own in {None, environment.target} or any(known[: len(path)] == path for known in (*layers.lines, *layers.overlaid))


def _trace_value(value: object, path: KeyPath, layers: Layers) -> Provenance:
    shown = _show(value)
    if not layers.is_set(path):
        return Provenance(path=".".join(path), value=shown, source=Source.DEFAULT)
    origin = layers.find_origin(path)
    return Provenance(path=".".join(path), value=shown, source=origin.source, origin=str(origin))


def _show(value: object) -> object:
    """The value as it may be shown. An address holds no password here: it would be a reference."""
    if isinstance(value, Reference):
        return _SHOWN_SECRET
    if isinstance(value, list):
        return tuple(_show(one) for one in value)
    if isinstance(value, BaseModel):
        return {key: _show(getattr(value, key)) for key in type(value).model_fields}
    return getattr(value, "value", value)
