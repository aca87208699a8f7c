"""Owns the Protocols between use cases and the world, at most five methods each. Must not implement any.

Reads are find_, list_, describe_ or read_; everything else changes something, except where the docstring says otherwise.
All raise DockyardError families only; adapters translate what their SDKs raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dockyard.domain.attempt import Attempt, Failure, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey, LocalSpec, Runtime
from dockyard.domain.finding import Finding
from dockyard.domain.image import BuiltImage, Fingerprint, Footprint, ImageDigest, ImageRecipe, ImageSettings
from dockyard.domain.model import ModelIdentity, ModelVersion
from dockyard.domain.observed import ObservedLocal
from dockyard.domain.record import DeploymentRecord
from dockyard.domain.reference import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModel:
    """A model version and its files, downloaded once into a folder of the cache that nobody writes to again."""

    version: ModelVersion
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answered: the JSON value of a 200, and how long it took."""

    value: object
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request body as a client sends it."""

    body: bytes
    content_type: str


class ModelRegistry(Protocol):
    """The MLflow model registry, or a file beside the config for models that are folders."""

    def resolve_model(self, ref: ModelRef) -> ResolvedModel:
        """Resolve a reference and download its files, once. Changes nothing but the cache.

        Raises `model-not-found`, `alias-not-found`, `model-invalid`, `model-without-pyfunc`, `tracking-unreachable`,
        `credentials-refused`.
        """
        ...

    def find_record(self, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
        """The record of a deployment on a model version."""
        ...

    def find_alias(self, name: str, alias: str) -> str | None:
        """The version that an alias points to; None where there is no such alias or model."""
        ...

    def list_attempts(self, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
        """The newest attempts of a deployment, newest first; only the fields of history are filled."""
        ...


class RegistryWriter(Protocol):
    """What writes to the registry."""

    def write_entry(self, entry: RegistryEntry) -> str | None:
        """Write tags and history run of an attempt; return the run's id. Writing the same entry again writes nothing twice."""
        ...

    def write_tags(self, tags: tuple[TagWrite, ...]) -> None:
        """Write records of models that belong to this registry, for an attempt whose history belongs to another."""
        ...

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        ...


class EntryQueue(Protocol):
    """Registry entries that could not be written, kept until `sync`."""

    def put_entry(self, entry: RegistryEntry) -> None:
        """Keep an entry, replacing one of the same attempt."""
        ...

    def list_entries(self) -> tuple[RegistryEntry, ...]:
        """All kept entries, oldest first."""
        ...

    def delete_entry(self, attempt_id: str) -> None:
        """Forget an entry; one that is not there is no error."""
        ...

    def list_damaged(self) -> tuple[Failure, ...]:
        """A `state-corrupt` for each entry that cannot be read; they keep no other entry back."""
        ...


class ImageFactory(Protocol):
    """Decides recipes, builds images into the local store, and finds them there."""

    def describe_recipe(self, model: ResolvedModel, settings: ImageSettings) -> ImageRecipe:
        """Lock the requirements, look the base up and choose the builder. Changes nothing but caches."""
        ...

    def find_image(self, fingerprint: Fingerprint) -> BuiltImage | None:
        """The image of a fingerprint in the local store."""
        ...

    def build_image(self, recipe: ImageRecipe, model: ResolvedModel) -> BuiltImage:
        """Build the image and record its answer to the model's input example."""
        ...

    def push_image(self, image: BuiltImage, reference: str) -> ImageDigest:
        """Send an image to a registry; return `repository@sha256:…`."""
        ...

    def read_proof(self, fingerprint: Fingerprint, image: ImageDigest | None = None) -> Request | None:
        """The input example that the image was proved with; None where the model has none.

        Where the image is not in the local store, the registry is asked that `image`, `repository@sha256:…`, names.
        """
        ...

    def read_footprint(self, image: ImageDigest) -> Footprint | None:
        """What was measured of an image that was pushed, `repository@sha256:…`; None where it does not say."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleCache:
    """The entries of one cache that nobody has used for long."""

    name: str
    """What they are, as `packages`."""
    entries: int
    size_bytes: int


class CacheCleaner(Protocol):
    """Frees downloads, which only save time."""

    def list_stale(self, days: int) -> tuple[StaleCache, ...]:
        """The caches that have entries which nobody has used for so many days."""
        ...

    def delete_stale(self, name: str, days: int) -> int:
        """Remove those entries of a cache; return the bytes freed."""
        ...


class ImageCleaner(Protocol):
    """Frees what no revision needs."""

    def list_unused_images(self, keep: frozenset[Fingerprint]) -> tuple[BuiltImage, ...]:
        """Images of the local store that are not among those to keep."""
        ...

    def delete_image(self, fingerprint: Fingerprint) -> int:
        """Remove an image with everything that only it needs; return the bytes freed."""
        ...


class LocalHost(Protocol):
    """The machine that local deployments run on. Every method may be repeated: what is done already is left alone."""

    def describe_deployment(self, key: DeploymentKey) -> ObservedLocal:
        """How a deployment is, looked at now. Changes nothing."""
        ...

    def start_revision(self, key: DeploymentKey, number: int, spec: LocalSpec) -> None:
        """Start a revision on a port of its own, without traffic; one that runs is left alone."""
        ...

    def stop_revision(self, key: DeploymentKey, number: int) -> None:
        """Drain and stop a revision and keep what starting it again needs."""
        ...

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Stop a revision and forget it."""
        ...

    def route_traffic(self, key: DeploymentKey, number: int | None, port: int) -> None:
        """Send the port's traffic to a revision, starting the forwarder where it is not running; None closes the port.

        Requests that are under way finish where they are; none is lost. Returns when the new route is in force and
        nothing is under way to the old one any more.
        """
        ...


class LocalInventory(Protocol):
    """What there is on the machine, over all deployments."""

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of which there is anything."""
        ...

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Stop and forget all of a deployment: forwarder, revisions, logs."""
        ...

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged, without line ends."""
        ...

    def list_orphans(self) -> tuple[str, ...]:
        """Containers, processes and folders of Dockyard's that belong to no deployment, as a person would name them."""
        ...

    def delete_orphans(self) -> None:
        """End and remove all orphans."""
        ...


class LocalMachine(Protocol):
    """What the machine can do, before anything is planned."""

    def choose_runtime(self, wanted: Runtime) -> Runtime:
        """DOCKER where an engine answers and PROCESS otherwise, for AUTO; else what is wanted.

        Raises `docker-unavailable` where Docker is wanted and no engine answers.
        """
        ...

    def is_port_free(self, port: int) -> bool:
        """Whether the forwarder could listen on the port."""
        ...


class Invoker(Protocol):
    """What answers requests: a running revision at `host:port`, or an endpoint by its name."""

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """Send a request to /invocations. Raises `scorer-unreachable`, `smoke-test-failed` for other statuses than 200."""
        ...

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where an answer differs from the one recorded at build time, as a path; never the values."""
        ...


class Scorer(Invoker, Protocol):
    """The HTTP face of a running revision. Addresses are `host:port`."""

    def wait_ready(self, address: str, timeout_seconds: float) -> bool:
        """Wait until it says that it is ready; False when the time is up."""
        ...


class Journal(Protocol):
    """The attempt of each deployment that runs or ran last, saved after every step."""

    def save_attempt(self, attempt: Attempt) -> None:
        """Save it so that it survives a kill at any moment."""
        ...

    def find_attempt(self, key: DeploymentKey) -> Attempt | None:
        """The attempt that was saved last."""
        ...

    def list_running(self) -> tuple[Attempt, ...]:
        """The attempts of all deployments that run, or were killed and not closed since."""
        ...


class Locks(Protocol):
    """One writer for each deployment."""

    def hold(self, key: DeploymentKey, owner: str, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold the deployment's lock; it is free again when the holder ends, however it ends.

        Raises ConflictError `lock-held`, which says who holds it since when.
        """
        ...

    def check(self, key: DeploymentKey) -> None:
        """Look whether a lock is still held that this process holds. Raises ConflictError `lock-lost`."""
        ...


class Clock(Protocol):
    """Time and fresh ids."""

    def now(self) -> datetime:
        """The time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def fresh_id(self) -> str:
        """An id that nobody else has."""
        ...


class Progress(Protocol):
    """Where long work says how far it is. Never holds secrets or payloads."""

    def begin(self, what: str) -> AbstractContextManager[None]:
        """Something begins; it ends with the context."""
        ...

    def advance(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes, files or requests."""
        ...

    def note(self, text: str) -> None:
        """Tell something worth knowing."""
        ...


class Check(Protocol):
    """One of `doctor`'s looks at the surroundings."""

    def examine(self) -> tuple[Finding, ...]:
        """Look, and say what was found. Changes nothing and raises nothing."""
        ...
