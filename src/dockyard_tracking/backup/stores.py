"""Where files lie under keys: a folder, or a bucket of S3 below a prefix.

Owns listing, reading, writing and deleting. A file is there whole or not at all. Must not know what the files are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dockyard_tracking.errors import TrackingError

_PARTIAL = ".dockyard-partial"
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a store. The stamp differs once the content does; `time` is when it was written, in seconds since 1970."""

    key: str
    size: int
    stamp: str
    time: float


class Store(Protocol):
    """Files under keys."""

    def list_entries(self, prefix: str = "") -> Iterator[Entry]:
        """All files whose keys begin with `prefix`."""

    def read_file(self, key: str, file: Path) -> None:
        """Copy what lies under `key` into `file`. Raises FileNotFoundError."""

    def write_file(self, key: str, file: Path) -> None:
        """Put a copy of `file` under `key`."""

    def delete_file(self, key: str) -> None:
        """Remove what lies under `key`, if anything does."""


def open_store(location: str, kms_key: str = "") -> Store:
    """The store at `s3://bucket/prefix`, or in a folder. `kms_key`: S3 encrypts what is written with that key of KMS."""
    if location.startswith("s3://"):
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        return BucketStore(bucket, f"{prefix.strip('/')}/".lstrip("/"), kms_key)
    return FolderStore(Path(location.removeprefix("file://")))


class FolderStore:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_entries(self, prefix: str = "") -> Iterator[Entry]:
        """All files whose keys begin with `prefix`, which ends a folder's name or is empty."""
        for parent, folders, names in os.walk(self._folder / prefix):
            folders.sort()
            for name in sorted(names):
                file = Path(parent, name)
                if not name.endswith(_PARTIAL) and not file.is_symlink():
                    found = file.stat()
                    key = file.relative_to(self._folder).as_posix()
                    yield Entry(key=key, size=found.st_size, stamp=str(found.st_mtime_ns), time=found.st_mtime)

    def read_file(self, key: str, file: Path) -> None:
        """Copy a file."""
        with _explained(str(self._folder)):
            shutil.copyfile(self._folder / key, file)

    def write_file(self, key: str, file: Path) -> None:
        """Copy a file beside its place, then put it there: who is killed meanwhile leaves no half file under the key."""
        target = self._folder / key
        partial = target.with_name(f"{target.name}{_PARTIAL}")
        with _explained(str(self._folder)):
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb") as reading, partial.open("wb") as writing:
                shutil.copyfileobj(reading, writing, 1 << 20)
                writing.flush()
                os.fsync(writing.fileno())
            partial.replace(target)

    def delete_file(self, key: str) -> None:
        """Remove a file; folders stay."""
        with _explained(str(self._folder)):
            (self._folder / key).unlink(missing_ok=True)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TrackingError("store-unreachable", f"{place}: {error.strerror}.") from error


class BucketStore:
    """A bucket, below a prefix that is empty or ends with a slash."""

    def __init__(self, bucket: str, prefix: str, kms_key: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._encryption: Mapping[str, str] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._client: Any = _connect()  # botocore makes its clients' methods as it runs

    def list_entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects whose keys begin with `prefix`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        with self._answered():
            objects = (one for page in pages for one in page.get("Contents", ()))
            for one in objects:
                key, stamp = one["Key"].removeprefix(self._prefix), one["ETag"].strip('"')
                if not key.endswith("/"):  # made by consoles and by servers over folders
                    yield Entry(key=key, size=one["Size"], stamp=stamp, time=one["LastModified"].timestamp())

    def read_file(self, key: str, file: Path) -> None:
        """Fetch an object, in parts where it is large."""
        with self._answered():
            self._client.download_file(self._bucket, self._prefix + key, str(file))

    def write_file(self, key: str, file: Path) -> None:
        """Send an object, in parts where it is large."""
        with self._answered():
            self._client.upload_file(str(file), self._bucket, self._prefix + key, ExtraArgs=dict(self._encryption))

    def delete_file(self, key: str) -> None:
        """Remove an object."""
        with self._answered():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    @contextmanager
    def _answered(self) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            if error.response["Error"].get("Code") in _ABSENT:
                raise FileNotFoundError(str(error)) from error
            raise TrackingError("store-unreachable", f"s3://{self._bucket}: {error}") from error
        except (BotoCoreError, Boto3Error) as error:
            raise TrackingError("store-unreachable", f"s3://{self._bucket}: {error}") from error


def _connect() -> object:
    import boto3
    from botocore.config import Config

    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
    style = "path" if endpoint else "auto"
    config = Config(s3={"addressing_style": style}, retries={"mode": "standard", "max_attempts": 5})
    return boto3.client("s3", endpoint_url=endpoint, config=config)
