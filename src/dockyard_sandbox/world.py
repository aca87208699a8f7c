"""The state of SageMaker in one region: named records under one lock, and the rules of existence.

Owns what exists, what is visible yet (eventual consistency), and tags. Must not check shapes, nor run anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dockyard_sandbox.arns import Place, find_place, read_kind
from dockyard_sandbox.endpoint_state import Component, Endpoint
from dockyard_sandbox.errors import ApiError, refuse, refuse_existing, refuse_missing
from dockyard_sandbox.fields import Fields

LABELS = {
    "model": "model",
    "endpoint-config": "endpoint configuration",
    "endpoint": "endpoint",
    "inference-component": "inference component",
    "model-package-group": "model package group",
    "model-package": "model package",
    "transform-job": "transform job",
}
"""Kinds of resources, as in ARNs, and what messages call them."""
MAX_TAGS = 50

Delay = Callable[[str], float]
"""Seconds for which a new resource of a kind (or `tags`) is not seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A resource. `request` is what it was made with; `state` is what changes about it (whole new records replace old ones)."""

    kind: str
    name: str
    arn: str
    request: Fields
    created: float
    modified: float
    visible_from: float
    state: Fields


class Table:
    """The resources of one kind. Guarded by its world's lock."""

    def __init__(self, world: World, kind: str) -> None:
        self.kind = kind
        self._world = world
        self._records: dict[str, Record] = {}

    def add(self, name: str, request: Fields, state: Fields | None = None) -> Record:
        """A new resource with its tags. Raises ApiError where there is one of this name, visible yet or not."""
        now = time.time()
        arn = self._world.place.name_resource(self.kind, name)
        with self._world.lock:
            if name.lower() in self._records:
                raise refuse_existing(LABELS[self.kind], arn)
            record = Record(
                kind=self.kind,
                name=name,
                arn=arn,
                request=request,
                created=now,
                modified=now,
                visible_from=now + self._world.delay(self.kind),
                state=state or Fields({}),
            )
            self._records[name.lower()] = record
            self._world.tags.put(arn, read_tags(request))
        return record

    def find(self, name: str) -> Record | None:
        """The resource of this name, unless it does not exist or is not seen yet."""
        with self._world.lock:
            record = self._records.get(name.lower())
        return record if record is not None and record.visible_from <= time.time() else None

    def require(self, name: str) -> Record:
        """The resource of this name. Raises ApiError where there is none, or none yet."""
        record = self.find(name)
        if record is None:
            raise refuse_missing(LABELS[self.kind], self._world.place.name_resource(self.kind, name))
        return record

    def change(self, name: str, **state: object) -> None:
        """Set members of its state; nothing where it is gone."""
        with self._world.lock:
            record = self._records.get(name.lower())
            if record is not None:
                self.replace_state(name, Fields({**record.state, **state}))

    def replace_state(self, name: str, state: Fields) -> None:
        """Set its whole state. The resource exists."""
        with self._world.lock:
            record = self._records[name.lower()]
            self._records[name.lower()] = replace(record, state=state, modified=time.time())

    def remove(self, name: str) -> Record:
        """Take the resource away with its tags. Raises ApiError where there is none."""
        with self._world.lock:
            record = self._records.pop(name.lower(), None)
            if record is None:
                raise refuse_missing(LABELS[self.kind], self._world.place.name_resource(self.kind, name))
            self._world.tags.forget(record.arn)
        return record

    def list_records(self) -> tuple[Record, ...]:
        """All that are seen, oldest first."""
        now = time.time()
        with self._world.lock:
            return tuple(record for record in self._records.values() if record.visible_from <= now)

    def list_all(self) -> tuple[Record, ...]:
        """All, seen yet or not, oldest first."""
        with self._world.lock:
            return tuple(self._records.values())

    def holds(self, name: str) -> bool:
        """Whether there is one of this name, seen yet or not."""
        with self._world.lock:
            return name.lower() in self._records


class Tags:
    """The tags of all resources. Guarded by the world's lock."""

    def __init__(self, lock: threading.RLock, delay: Delay) -> None:
        self._lock = lock
        self._delay = delay
        self._tags: dict[str, dict[str, str]] = {}
        self._older: dict[str, tuple[float, dict[str, str]]] = {}

    def put(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags or change their values. Raises ApiError where they become too many."""
        with self._lock:
            before = self._tags.get(arn, {})
            after = {**before, **tags}
            if len(after) > MAX_TAGS:
                raise ApiError(
                    "ResourceLimitExceeded", f"The number of tags on {arn} would be {len(after)}; the limit is {MAX_TAGS}."
                )
            self._write(arn, before, after)

    def remove(self, arn: str, keys: tuple[str, ...]) -> None:
        """Take tags away; those that are not there are no error."""
        with self._lock:
            before = self._tags.get(arn, {})
            self._write(arn, before, {key: value for key, value in before.items() if key not in keys})

    def find(self, arn: str) -> dict[str, str]:
        """The tags as they are seen now."""
        with self._lock:
            seen_from, older = self._older.get(arn, (0.0, {}))
            return dict(older if time.time() < seen_from else self._tags.get(arn, {}))

    def forget(self, arn: str) -> None:
        """The resource is gone."""
        with self._lock:
            self._tags.pop(arn, None)
            self._older.pop(arn, None)

    def _write(self, arn: str, before: dict[str, str], after: dict[str, str]) -> None:
        self._tags[arn] = after
        delay = self._delay("tags")
        if delay:
            self._older[arn] = (time.time() + delay, before)


class World:
    """One region's resources. `lock` guards all of them: hold it over a check and the change that depends on it."""

    def __init__(self, place: Place, delay: Delay) -> None:
        self.place = place
        self.delay = delay
        self.lock = threading.RLock()
        self.tags = Tags(self.lock, delay)
        self.tables = {kind: Table(self, kind) for kind in LABELS if kind not in {"endpoint", "inference-component"}}
        self.endpoints: dict[str, Endpoint] = {}
        self.components: dict[str, Component] = {}

    def table(self, kind: str) -> Table:
        """The table of a kind: every one of LABELS but endpoints and inference components, which have their own records."""
        return self.tables[kind]

    def find_endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of this name."""
        with self.lock:
            return self.endpoints.get(name.lower())

    def require_endpoint(self, name: str) -> Endpoint:
        """The endpoint of this name. Raises ApiError."""
        endpoint = self.find_endpoint(name)
        if endpoint is None:
            raise refuse_missing("endpoint", self.place.name_resource("endpoint", name))
        return endpoint

    def require_seen_endpoint(self, name: str) -> Endpoint:
        """The endpoint of this name, for who asks from outside. Raises ApiError where there is none, or none yet."""
        endpoint = self.require_endpoint(name)
        if endpoint.visible_from > time.time():
            raise refuse_missing("endpoint", endpoint.arn)
        return endpoint

    def list_seen_endpoints(self) -> tuple[Endpoint, ...]:
        """All that are seen, oldest first."""
        with self.lock:
            return tuple(endpoint for endpoint in self.endpoints.values() if endpoint.visible_from <= time.time())

    def put_endpoint(self, endpoint: Endpoint) -> Endpoint:
        """Add or replace an endpoint."""
        with self.lock:
            self.endpoints[endpoint.name.lower()] = endpoint
        return endpoint

    def require_component(self, name: str) -> Component:
        """The inference component of this name. Raises ApiError."""
        with self.lock:
            component = self.components.get(name.lower())
        if component is None:
            raise refuse_missing("inference component", self.place.name_resource("inference-component", name))
        return component

    def require_seen_component(self, name: str) -> Component:
        """The inference component of this name, for who asks from outside. Raises ApiError where there is none, or none yet."""
        component = self.require_component(name)
        if component.visible_from > time.time():
            raise refuse_missing("inference component", component.arn)
        return component

    def list_seen_components(self) -> tuple[Component, ...]:
        """All that are seen, oldest first."""
        with self.lock:
            return tuple(component for component in self.components.values() if component.visible_from <= time.time())

    def put_component(self, component: Component) -> Component:
        """Add or replace an inference component."""
        with self.lock:
            self.components[component.name.lower()] = component
        return component

    def exists(self, arn: str) -> bool:
        """Whether a resource of this ARN exists."""
        try:
            kind, name = read_kind(arn)
        except ValueError:
            return False
        if arn != self.place.name_resource(kind, name):
            return False
        with self.lock:
            if kind == "endpoint":
                return name in self.endpoints
            if kind == "inference-component":
                return name in self.components
            return kind in self.tables and self.tables[kind].holds(name)


class Worlds:
    """The regions of the account. A region begins to exist when it is asked for."""

    def __init__(self, delay: Delay = lambda _kind: 0.0) -> None:
        self._delay = delay
        self._lock = threading.Lock()
        self._worlds: dict[str, World] = {}

    def in_region(self, region: str) -> World:
        """The region's world."""
        with self._lock:
            if region not in self._worlds:
                self._worlds[region] = World(find_place(region), self._delay)
            return self._worlds[region]

    def __iter__(self) -> Iterator[World]:
        with self._lock:
            return iter(list(self._worlds.values()))


def read_tags(request: Fields) -> dict[str, str]:
    """The tags in a request. Raises ApiError for a key that is there twice or begins with AWS's prefix."""
    tags: dict[str, str] = {}
    for tag in request.items_of("Tags"):
        key = tag.text("Key")
        if key in tags:
            raise refuse(f"Duplicate tag key {key!r}.")
        if key.lower().startswith("aws:"):
            raise refuse(f"Tag key {key!r} must not begin with 'aws:'.")
        tags[key] = tag.text("Value")
    return tags
