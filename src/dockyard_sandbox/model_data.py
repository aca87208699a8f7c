"""Models' data in S3, brought into folders that containers see.

Owns the download, and what SageMaker does not accept. A folder is made once for each version of the data.
https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-uncompressed.html
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from dockyard_image.files import PARTIAL_PREFIX
from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.s3_uris import split_uri
from dockyard_sandbox.surroundings import ModelDataError, ModelSource


class S3ModelData:
    """Models' data below a folder of this machine."""

    def __init__(self, aws: Aws, folder: Path) -> None:
        self._aws = aws
        self._folder = folder
        self._lock = threading.Lock()

    def is_there(self, source: ModelSource) -> bool:
        """Whether there is an object, or at least one under the prefix."""
        try:
            bucket, key = split_uri(source.uri)
            if source.compressed:
                self._aws.call("s3", source.region, "head_object", Bucket=bucket, Key=key)
                return True
            return next(self._aws.list_keys(source.region, bucket, key), None) is not None
        except (AwsError, ValueError):
            return False

    def fetch(self, source: ModelSource) -> Path:
        """A folder with the data. Raises ModelDataError."""
        try:
            with self._lock:
                return self._fetch_archive(source) if source.compressed else self._fetch_prefix(source)
        except (AwsError, ValueError) as error:
            raise ModelDataError(f"Failed to download model data from {source.uri}: {error}") from error
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ModelDataError(f"Failed to extract model data from {source.uri}: it is no gzipped tar archive") from error

    def _fetch_archive(self, source: ModelSource) -> Path:
        bucket, key = split_uri(source.uri)
        version = self._aws.call("s3", source.region, "head_object", Bucket=bucket, Key=key).text("ETag")
        target = self._name(source.uri, version)
        if target.is_dir():
            return target
        partial = self._start()
        try:
            with tempfile.TemporaryFile(dir=self._folder) as archive:
                for chunk in self._aws.read_object(source.region, bucket, key):
                    archive.write(chunk)
                archive.seek(0)
                with tarfile.open(fileobj=archive, mode="r:gz") as members:
                    members.extractall(partial, filter="data")
            return _finish(partial, target)
        except BaseException:
            shutil.rmtree(partial)
            raise

    def _fetch_prefix(self, source: ModelSource) -> Path:
        bucket, prefix = split_uri(source.uri)
        keys = sorted(self._aws.list_keys(source.region, bucket, prefix))
        partial = self._start()
        try:
            hasher = hashlib.sha256()
            for key in keys:
                file = partial / _name_file(key, prefix, keys)
                file.parent.mkdir(parents=True, exist_ok=True)
                hasher.update(f"{key}\0".encode())
                _write_file(file, self._aws.read_object(source.region, bucket, key), hasher)
            target = self._name(source.uri, hasher.hexdigest())
            return target if target.is_dir() else _finish(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _start(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=self._folder))

    def _name(self, uri: str, version: str) -> Path:
        return self._folder / hashlib.sha256(f"{uri}\0{version}".encode()).hexdigest()


def _name_file(key: str, prefix: str, keys: list[str]) -> str:
    """Where a key's file goes below the prefix. Raises ModelDataError for keys that make SageMaker fail."""
    if key.endswith("/"):
        raise ModelDataError(f"Failed to download model data: the key {key} names a folder, which cannot be downloaded")
    if any(other.startswith(f"{key}/") for other in keys):
        raise ModelDataError(f"Failed to download model data: {key} is a file and a folder at once")
    return key.removeprefix(prefix)


def _write_file(file: Path, chunks: Iterable[bytes], hasher: hashlib._Hash) -> None:
    with file.open("wb") as content:
        for chunk in chunks:
            content.write(chunk)
            hasher.update(chunk)


def _finish(partial: Path, target: Path) -> Path:
    partial.chmod(0o755)  # a container may run as any user
    partial.rename(target)
    return target
