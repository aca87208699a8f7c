"""What a backup holds, and how it is found again.

Owns the manifest and the place's files by name. A backup without a readable manifest is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from dockyard_tracking.errors import TrackingError

FORMAT = 1
ID_FORM = "%Y%m%dT%H%M%SZ"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """The rows of one table: how many, their sum, and the checksum of the file before it was sealed."""

    name: str
    columns: Sequence[str]
    rows: int
    digest: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact. The stamp is the store's, by which the next backup knows that it has not changed."""

    key: str
    size: int
    sha256: str
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup that is complete."""

    backup: str
    made_at: str
    dialect: str
    mlflow: str
    revisions: Mapping[str, str]
    """Of each schema, by its title."""
    tables: Sequence[TableFile]
    artifacts: int
    bytes: int
    """Of all artifacts."""
    artifacts_sha256: str

    @property
    def time(self) -> datetime:
        """When its database was read."""
        return datetime.fromisoformat(self.made_at)


def parse_time(backup: str) -> datetime:
    """When a backup of that name was begun."""
    return datetime.strptime(backup.partition("-")[0], ID_FORM).replace(tzinfo=timezone.utc)


def name_file(backup: str, name: str) -> str:
    """Where a file of a backup lies."""
    return f"backups/{backup}/{name}"


def name_table(table: str) -> str:
    """The file of a table."""
    return f"tables/{table}.gz"


ARTIFACTS = "artifacts.gz"


def name_object(sha256: str) -> str:
    """Where a content lies."""
    return f"objects/{sha256[:2]}/{sha256}"


def render_manifest(manifest: Manifest) -> str:
    """As it is written: with the format's number and its own checksum."""
    content = asdict(manifest)
    return json.dumps({"format": FORMAT, "sha256": _sum(content), "manifest": content}, indent=1) + "\n"


def parse_manifest(text: str) -> Manifest:
    """Raises TrackingError `backup-damaged`."""
    try:
        said = json.loads(text)
        content = said["manifest"]
        if said["format"] != FORMAT or said["sha256"] != _sum(content):
            raise ValueError(text)
        tables = tuple(TableFile(**one) for one in content.pop("tables"))
        return Manifest(**content, tables=tables)
    except (ValueError, KeyError, TypeError) as error:
        raise TrackingError("backup-damaged", "The manifest is damaged, or of another version.") from error


def _sum(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def hash_file(file: Path) -> str:
    """The SHA-256 of a file."""
    counted = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            counted.update(piece)
    return counted.hexdigest()


def render_artifact(one: Artifact) -> bytes:
    """A line."""
    return json.dumps([one.key, one.size, one.sha256, one.stamp]).encode() + b"\n"


def parse_artifacts(lines: Iterator[bytes]) -> Iterator[Artifact]:
    """From lines."""
    for line in lines:
        key, size, sha256, stamp = json.loads(line)
        yield Artifact(key=key, size=size, sha256=sha256, stamp=stamp)
