"""Owns DeploymentRecord: the observed state of a deployment, written as a tag of at most 4 kB on the model version.

The tag's key is `dockyard.<environment>.<deployment>`, its value the record as JSON. MLflow keeps such a value in a TEXT
column, and tools show it in one line, hence the limit.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

RECORD_SCHEMA = 1
MAX_TAG_BYTES = 4096
_MAX_TEXT_BYTES = 256


class RecordStatus(str, Enum):
    """What a record says of its deployment."""

    DEPLOYING = "deploying"
    """Begun and not waited for."""
    SERVING = "serving"
    SHADOW = "shadow"
    """It gets copies of requests that another version answers."""
    SUPERSEDED = "superseded"
    FAILED = "failed"
    DELETED = "deleted"

    @property
    def is_final(self) -> bool:
        """Whether the deployment has come to be what was wanted."""
        return self in {RecordStatus.SERVING, RecordStatus.DELETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """Where and how a model version is deployed; one per deployment on the model version."""

    status: RecordStatus
    revision: int | None
    image: str | None
    """Digest of the image, with its repository where it was pushed."""
    endpoint: str | None
    """URL that clients use."""
    traffic_percent: int
    settings_hash: str
    git_revision: str | None
    actor: str
    time: str
    """ISO 8601, UTC."""
    attempt_id: str
    run_id: str | None = None
    """The history run in the experiment `dockyard`."""
    error_code: str | None = None
    model_package: str | None = None
    """ARN of its version in SageMaker Model Registry, while it serves."""
    schema: int = RECORD_SCHEMA

    @property
    def is_claim(self) -> bool:
        """Whether it says that its revision serves, is about to, or is tried."""
        return self.status in {RecordStatus.SERVING, RecordStatus.DEPLOYING, RecordStatus.SHADOW}


def encode_tag(record: DeploymentRecord) -> str:
    """Return the record as the tag's JSON: ASCII, sorted keys, at most MAX_TAG_BYTES whatever its texts hold."""
    fields = {name: _shorten(value) for name, value in dataclasses.asdict(record).items() if value is not None}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def decode_tag(text: str) -> DeploymentRecord | None:
    """Return the record that a tag holds; None where the text is not one of this schema (somebody else's tag)."""
    try:
        fields = json.loads(text)
        known = {field.name for field in dataclasses.fields(DeploymentRecord)}
        if not isinstance(fields, dict) or fields.get("schema") != RECORD_SCHEMA or not set(fields) <= known:
            return None
        optional = dict.fromkeys(("revision", "image", "endpoint", "git_revision"))
        return DeploymentRecord(**{**optional, **fields, "status": RecordStatus(fields["status"])})
    except (ValueError, TypeError, KeyError):
        return None


def is_late(record: DeploymentRecord, there: DeploymentRecord | None) -> bool:
    """Whether the record that is there tells of a later moment: a record that waited in a queue must not replace it."""
    return there is not None and there.attempt_id != record.attempt_id and _moment(there) > _moment(record)


def _moment(record: DeploymentRecord) -> datetime:
    try:
        time = datetime.fromisoformat(record.time.replace("Z", "+00:00"))
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _shorten(value: object) -> object:
    if not isinstance(value, str):
        return value
    if len(json.dumps(value)) <= _MAX_TEXT_BYTES:
        return str(value.value) if isinstance(value, Enum) else value
    kept = value[:_MAX_TEXT_BYTES]
    while len(json.dumps(kept + "...")) > _MAX_TEXT_BYTES:
        kept = kept[: len(kept) * 3 // 4]
    return kept + "..."
