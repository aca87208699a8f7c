"""Owns `doctor`'s looks over the network: the MLflow registry, the Docker engine, the image registry. One try each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dockyard.adapters.secret_source import reveal_text
from dockyard.domain.errors import DockyardError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.settings import RegistrySettings, SecretRef, Settings

_VERSION = re.compile(r"[0-9]+(\.[0-9A-Za-z]+)+")


def _ask_registry(registry: RegistrySettings, environ: Mapping[str, str]) -> str:
    from dockyard.adapters.mlflow_session import MlflowSession

    session = MlflowSession(_reveal(registry.tracking_uri, environ), _reveal(registry.registry_uri, environ))
    missing = session.find_missing_store()
    if missing is not None:  # no error: a model that is a folder can be deployed without it
        return f"{missing} is not there yet; the first model that MLflow logs makes it"
    with session.open_client("ask the registry") as client:
        client.search_registered_models(max_results=1)
    version = _ask_version(session.tracking_uri)
    return f"MLflow registry {session.name} answers" + (f", version {version}" if version else "")


def _ask_version(uri: str) -> str | None:
    """The version that a tracking server tells; None for stores without a server, and where it does not tell."""
    from dockyard_image.errors import ImageError
    from dockyard_image.retry import TransientError
    from dockyard_image.transport import Transport, TransportError, read_all

    if not uri.startswith(("http://", "https://")):
        return None
    transport = Transport()
    try:
        text = read_all(transport.send("GET", f"{uri.rstrip('/')}/version", {}), 100).decode("ascii", "replace").strip()
    except (TransientError, TransportError, ImageError):
        return None
    finally:
        transport.close()
    return text if _VERSION.fullmatch(text) else None


def _reveal(value: str | SecretRef | None, environ: Mapping[str, str]) -> str | None:
    return None if value is None else reveal_text(value, environ)


def _ask_engine() -> str:
    from dockyard.adapters.local.engine import open_engine, translated_engine

    engine = open_engine(5)
    try:
        with translated_engine("tell its version"):
            return str(engine.version()["Version"])
    finally:
        engine.close()


def _ask_image_registry(url: str) -> int:
    from dockyard.domain.errors import UnavailableError
    from dockyard_image.retry import TransientError
    from dockyard_image.transport import Transport, TransportError

    transport = Transport()
    try:
        response = transport.send("GET", url, {})
        response.drain_conn()
    except (TransientError, TransportError) as error:
        hint = "check image.repository, image.insecure_registries and the network"
        raise UnavailableError("registry-unreachable", f"{url} does not answer: {error}", hint=hint) from error
    else:
        return int(response.status)
    finally:
        transport.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingCheck:
    """The MLflow registry."""

    ask: Callable[[], str]
    """Ask it for something small, and say what it is; raises DockyardError."""

    @classmethod
    def of(cls, registry: RegistrySettings, environ: Mapping[str, str]) -> TrackingCheck:
        """The check of a configured registry."""
        return cls(ask=lambda: _ask_registry(registry, environ))

    def examine(self) -> tuple[Finding, ...]:
        """Ask it."""
        try:
            return (Finding(code="registry", severity=Severity.OK, message=self.ask()),)
        except DockyardError as error:
            return (Finding(code="registry", severity=Severity.ERROR, message=error.message, remedy=error.hint),)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCheck:
    """The Docker engine."""

    ask: Callable[[], str] = _ask_engine

    def examine(self) -> tuple[Finding, ...]:
        """Ask for its version."""
        try:
            return (Finding(code="docker", severity=Severity.OK, message=f"Docker engine {self.ask()} answers"),)
        except DockyardError as error:
            message = f"{error.message}; models run as processes, and none that needs a compiler can be built"
            return (Finding(code="docker", severity=Severity.WARNING, message=message, remedy=error.hint),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRegistryCheck:
    """The registry that images are pushed to."""

    repository: str | None
    insecure: tuple[str, ...] = ()
    ask: Callable[[str], int] = _ask_image_registry
    """The status that a GET of an address answers with; raises DockyardError."""

    @classmethod
    def of(cls, settings: Settings) -> ImageRegistryCheck:
        """The check of a configured repository."""
        return cls(repository=settings.image.repository, insecure=settings.access.insecure_registries)

    def examine(self) -> tuple[Finding, ...]:
        """Ask its root, which every registry has; that it wants credentials is an answer too."""
        if self.repository is None:
            message = "image.repository is not set; images stay on this machine"
            return (Finding(code="image-registry", severity=Severity.OK, message=message),)
        host = self.repository.partition("/")[0]
        scheme = "http" if host in self.insecure else "https"
        try:
            status = self.ask(f"{scheme}://{host}/v2/")
        except DockyardError as error:
            return (Finding(code="image-registry", severity=Severity.ERROR, message=error.message, remedy=error.hint),)
        if status in {200, 401, 403}:
            return (Finding(code="image-registry", severity=Severity.OK, message=f"{host} answers"),)
        message = f"{host} answers {status}, as no image registry does"
        return (Finding(code="image-registry", severity=Severity.ERROR, message=message, remedy="check image.repository"),)
