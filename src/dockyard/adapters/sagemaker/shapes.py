"""Owns reading botocore's service models from its files: the shapes of requests. Makes no client and contacts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol, cast


class Shape(Protocol):
    """What is used of botocore's Shape."""

    name: str
    type_name: str
    metadata: Mapping[str, object]


class Structure(Shape, Protocol):
    """An object with named members."""

    members: Mapping[str, Shape]
    required_members: list[str]
    is_tagged_union: bool
    is_document_type: bool


class ListOf(Shape, Protocol):
    """A list of one kind of thing."""

    member: Shape


class MapOf(Shape, Protocol):
    """Keys and values, each of one kind."""

    key: Shape
    value: Shape


class _Operation(Protocol):
    input_shape: Structure | None


class _Service(Protocol):
    def operation_model(self, operation_name: str) -> _Operation: ...

    def shape_for(self, shape_name: str) -> Shape: ...


def find_input(service: str, operation: str) -> Structure | None:
    """The shape of an operation's request; None for one without."""
    return _load(service).operation_model(operation).input_shape


def find_shape(service: str, name: str) -> Shape:
    """A shape by its name."""
    return _load(service).shape_for(name)


def list_values(shape: Shape) -> tuple[str, ...]:
    """What an enumeration may be; nothing for other shapes."""
    return tuple(cast("list[str]", shape.metadata.get("enum") or ()))


@cache
def _load(service: str) -> _Service:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return cast("_Service", ServiceModel(Loader().load_service_model(service, "service-2"), service))
