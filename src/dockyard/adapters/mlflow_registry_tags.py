"""Owns the record of a deployment as a tag on its model version. MLflow has no compare-and-swap: the last writer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.domain.attempt import TagWrite
from dockyard.domain.record import DeploymentRecord, decode_tag, encode_tag, is_late

if TYPE_CHECKING:
    from mlflow import MlflowClient


def find_tag(client: MlflowClient, name: str, version: str, key: str) -> DeploymentRecord | None:
    """The record under a tag's key; None where there is no such tag or version, or the tag is somebody else's."""
    tags = _find_tags(client, name, version) or {}
    return decode_tag(tags.get(key, ""))


def write_tag(client: MlflowClient, tag: TagWrite) -> None:
    """Write a record, unless it is there already or a newer one is: a record that waited in the queue comes late.

    A version that was deleted since, and a model that was never registered, have no place for a tag.
    """
    tags = _find_tags(client, tag.name, tag.version) if tag.version else None
    if tags is None:
        return
    value = encode_tag(tag.record)
    if tags.get(tag.key) != value and not is_late(tag.record, decode_tag(tags.get(tag.key, ""))):
        client.set_model_version_tag(tag.name, tag.version, tag.key, value)


def _find_tags(client: MlflowClient, name: str, version: str) -> dict[str, str] | None:
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_model_version(name, version).tags)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
