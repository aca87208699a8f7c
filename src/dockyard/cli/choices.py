"""Owns how what was typed becomes keys, references and requests. Must not contact anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.domain.deployment import READY_SECONDS, DeploymentKey, LocalSettings, Runtime, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.image import BuilderKind, ImageSettings
from dockyard.domain.names import check_name
from dockyard.domain.reference import ModelRef, RefKind, parse_model_ref
from dockyard.domain.request import (
    BatchRequest,
    BuildRequest,
    K8sDeployRequest,
    LocalDeployRequest,
    SageMakerDeployRequest,
    choose_deployment_name,
)
from dockyard.domain.settings import DEFAULT_ENVIRONMENT, EnvironmentSettings, SecretRef, Settings

if TYPE_CHECKING:
    from dockyard.adapters.config_file import Flag
    from dockyard.cli.session import Session


_KUBECTLS_FLAGS = {"impersonate": "--as", "impersonate_groups": "--as-group"}


def choose_environment(
    settings: Settings, given: str | None, environ: Mapping[str, str], default: str = DEFAULT_ENVIRONMENT
) -> EnvironmentSettings:
    """Return the environment that `--env` names, else DOCKYARD_ENV, else the default one.

    Raises UsageError `name-invalid`, `environment-unknown`.
    """
    name = given or environ.get("DOCKYARD_ENV") or default
    return settings.find_environment(check_name("environment", name))


def require_target(place: EnvironmentSettings, target: Target) -> EnvironmentSettings:
    """Return an environment that is for a target. Raises UsageError `environment-unknown`."""
    if place.target is target:
        return place
    raise UsageError(
        "environment-unknown",
        f"environment `{place.name}` is for {place.target.value}, not for {target.value}",
        hint=f"`dockyard deploy {place.target.value} --env {place.name}`, or name another environment",
    )


def name_deployment(ref: ModelRef, name: str | None, folder: Path) -> str:
    """Return the deployment's name: the one that was given, else one made of the reference."""
    if name is not None:
        return check_name("deployment", name)
    if ref.kind is RefKind.FOLDER and ref.path:
        ref = dataclasses.replace(ref, path=str((folder / Path(ref.path).expanduser()).resolve()))
    return choose_deployment_name(ref)


def make_local_settings(environment: EnvironmentSettings, given: tuple[str, ...], environ: Mapping[str, str]) -> LocalSettings:
    """Return the settings of a revision: those of the environment, with the variables that were given over its own.

    Raises UsageError `usage`, `secret-unavailable`.
    """
    return LocalSettings(
        runtime=environment.runtime,
        env=_merge_variables(environment, given, environ),
        ready_timeout_seconds=environment.ready_timeout_seconds or READY_SECONDS,
        grace_seconds=environment.grace_seconds,
        request_timeout_seconds=environment.request_timeout_seconds,
        max_body_bytes=environment.max_body_bytes,
    )


def choose_image_flags(builder: BuilderKind | None, base: str | None, repository: str | None = None) -> tuple[Flag, ...]:
    """Return the flags about images as settings; they are checked together with the file's."""
    from dockyard.adapters.config_file import Flag

    given = (("builder", builder.value if builder else None), ("base", base), ("repository", repository))
    return tuple(Flag(path=("image", key), value=value, name=f"--{key}") for key, value in given if value is not None)


def load_target_settings(
    session: Session, where: tuple[str | None, str | None, Target], given: Mapping[str, object], flags: tuple[Flag, ...]
) -> tuple[Settings, EnvironmentSettings]:
    """Return the configuration and the environment that was chosen, with flags laid over its target's own section.

    `where` are configuration file, environment and target; `given` are those flags by key, None where one was not
    given. Raises UsageError `config-invalid`, `environment-unknown`.
    """
    from dockyard.adapters.config_file import Flag

    def list_flags(name: str) -> tuple[Flag, ...]:
        path, chosen = ("environments", name, where[2].value), given.items()
        own = (Flag(path=(*path, *key.split(".")), value=one, name=_name_flag(key)) for key, one in chosen if one is not None)
        return (*flags, *own)

    return load_environment(session, where, list_flags)


def load_environment(
    session: Session, where: tuple[str | None, str | None, Target], list_flags: Callable[[str], tuple[Flag, ...]]
) -> tuple[Settings, EnvironmentSettings]:
    """Return the configuration and the environment that was chosen, with the flags that there are for its name.

    `where` are configuration file, environment and target. Raises UsageError `config-invalid`, `environment-unknown`.
    """
    config, environment, target = where
    name = choose_environment(session.load_settings(config), environment, session.environ, target.value).name
    settings = session.load_settings(config, *list_flags(name))
    return settings, require_target(settings.find_environment(name), target)


def _name_flag(key: str) -> str:
    if key in _KUBECTLS_FLAGS:
        return _KUBECTLS_FLAGS[key]
    return "--" + key.rpartition(".")[2].removesuffix("_seconds").removesuffix("_mb").replace("_", "-")


def lay_flags(
    environment: EnvironmentSettings, *, runtime: Runtime | None = None, port: int | None = None, timeout: int | None = None
) -> EnvironmentSettings:
    """Return the environment with the flags that were given laid over it."""
    return dataclasses.replace(
        environment,
        runtime=runtime or environment.runtime,
        port=port or environment.port,
        ready_timeout_seconds=timeout or environment.ready_timeout_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a deploy was told beside the settings of its environment."""

    model: str
    name: str | None
    variables: tuple[str, ...]
    promote: bool
    lock_wait: float
    waits: bool = True
    """Whether the command stays until the revision serves."""


def make_deploy_request(wish: Wish, place: EnvironmentSettings, image: ImageSettings, session: Session) -> LocalDeployRequest:
    """Return the request for an environment and what was typed.

    Raises UsageError `model-ref-invalid`, `name-invalid`, `usage`, `secret-unavailable`.
    """
    ref = parse_model_ref(wish.model)
    name = name_deployment(ref, wish.name, session.folder)
    return LocalDeployRequest(
        ref=ref,
        key=DeploymentKey(environment=place.name, name=name, target=place.target),
        settings=make_local_settings(place, wish.variables, session.environ),
        image=image,
        port=place.port,
        promote=wish.promote,
        history_limit=place.history_limit,
        smoke_requests=place.smoke_requests,
        lock_wait_seconds=wish.lock_wait,
    )


def make_sagemaker_request(
    wish: Wish, place: EnvironmentSettings, image: ImageSettings, session: Session
) -> SageMakerDeployRequest:
    """Return the request for an environment on SageMaker and what was typed.

    Raises UsageError `model-ref-invalid`, `name-invalid`, `usage`, `secret-unavailable`.
    """
    ref = parse_model_ref(wish.model)
    variables = _merge_variables(place, wish.variables, session.environ)
    return SageMakerDeployRequest(
        ref=ref,
        key=DeploymentKey(environment=place.name, name=name_deployment(ref, wish.name, session.folder), target=place.target),
        settings=dataclasses.replace(place.sagemaker.settings, env=variables),
        image=image,
        policy=dataclasses.replace(place.sagemaker.policy, wait=wish.waits),
        promote=wish.promote,
        history_limit=place.history_limit,
        smoke_requests=place.smoke_requests,
        lock_wait_seconds=wish.lock_wait,
    )


def make_k8s_request(wish: Wish, place: EnvironmentSettings, image: ImageSettings, session: Session) -> K8sDeployRequest:
    """Return the request for an environment on Kubernetes and what was typed.

    Raises UsageError `model-ref-invalid`, `name-invalid`, `usage`, `setting-invalid` for a variable that is a secret.
    """
    ref = parse_model_ref(wish.model)
    hint = "put it into a Secret of the namespace, and name that in `k8s.env_secrets`"
    refuse_secret_variables(place, "the Deployment", hint)
    settings = dataclasses.replace(
        place.k8s.settings,
        env=_merge_variables(place, wish.variables, session.environ),
        ready_timeout_seconds=place.ready_timeout_seconds,
        grace_seconds=place.grace_seconds,
        request_timeout_seconds=place.request_timeout_seconds,
        max_body_bytes=place.max_body_bytes,
    )
    return K8sDeployRequest(
        ref=ref,
        key=DeploymentKey(environment=place.name, name=name_deployment(ref, wish.name, session.folder), target=place.target),
        settings=settings,
        image=image,
        policy=dataclasses.replace(place.k8s.policy, history_limit=place.history_limit),
        rollout=place.k8s.rollout,
        promote=wish.promote,
        history_limit=place.history_limit,
        smoke_requests=place.smoke_requests,
        lock_wait_seconds=wish.lock_wait,
    )


def refuse_secret_variables(place: EnvironmentSettings, where: str, hint: str) -> None:
    """Raise UsageError `setting-invalid` for a variable that is a secret, which would stand somewhere to be read."""
    secret = next((name for name, value in place.env if isinstance(value, SecretRef)), None)
    if secret is not None:
        raise UsageError(
            "setting-invalid",
            f"the secret {secret} would stand in {where}, where everybody reads it who may read that",
            hint=hint,
        )


def make_batch_request(
    deploy: SageMakerDeployRequest, place: EnvironmentSettings, places: tuple[str, str], *, waits: bool
) -> BatchRequest:
    """Return the request for a job; `places` are its input and output."""
    return BatchRequest(deploy=deploy, input=places[0], output=places[1], settings=place.sagemaker.batch, waits=waits)


def make_build_request(model: str, image: ImageSettings, *, push: bool, tag: str | None) -> BuildRequest:
    """Return the request for what was typed.

    Raises UsageError `model-ref-invalid`, `usage`.
    """
    if push and image.repository is None:
        raise UsageError(
            "usage", "`--push` needs a repository", hint="give `--repository`, or set image.repository in dockyard.yaml"
        )
    return BuildRequest(ref=parse_model_ref(model), image=image, push=push, tag=tag)


def _merge_variables(
    environment: EnvironmentSettings, given: tuple[str, ...], environ: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    variables = {name: _reveal(value, environ) for name, value in environment.env}
    variables |= dict(_split_variable(one, environ) for one in given)
    return tuple(sorted(variables.items()))


def _reveal(value: str | SecretRef, environ: Mapping[str, str]) -> str:
    from dockyard.adapters.secret_source import reveal_text

    return reveal_text(value, environ)


def _split_variable(given: str, environ: Mapping[str, str]) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name.isascii() and name.isidentifier()):
        raise UsageError(
            "usage", "`-e` needs KEY=VALUE, with letters, digits and `_` in KEY", hint="as in `-e OMP_NUM_THREADS=2`"
        )
    if equals:
        return name, value
    if name not in environ:
        raise UsageError(
            "usage", f"`-e {name}` takes a variable that is not set here", hint=f"write `-e {name}=VALUE`, or set it"
        )
    return name, environ[name]
