"""A folder and a bucket of S3 are the same to backups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from dockyard_tracking.backup.stores import FolderStore, Store, open_store
from dockyard_tracking.errors import TrackingError


@pytest.fixture(name="aws")
def empty_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")  # not a secret: moto takes anything
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="safe")
        yield


@pytest.fixture(name="store", params=["folder", "bucket", "bucket/with/prefix"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, aws: None) -> Store:  # noqa: ARG001
    kind = str(request.param)
    return open_store(f"file://{tmp_path}/place" if kind == "folder" else f"s3://safe{kind.removeprefix('bucket')}")


def test_what_is_written_is_listed_read_and_deleted(store: Store, tmp_path: Path) -> None:
    file, back = tmp_path / "file", tmp_path / "back"
    for key in ("a/one", "a/two words", "b/üñ"):
        file.write_text(key)
        store.write_file(key, file)
    entries = {one.key: one for one in store.list_entries()}
    assert sorted(entries) == ["a/one", "a/two words", "b/üñ"]
    assert entries["a/one"].size == 5
    assert [one.key for one in store.list_entries("b/")] == ["b/üñ"]
    store.read_file("b/üñ", back)
    assert back.read_text() == "b/üñ"
    file.write_text("1 more")
    store.write_file("a/one", file)
    assert next(iter(store.list_entries("a/"))).stamp != entries["a/one"].stamp
    store.delete_file("a/one")
    store.delete_file("never/there")
    assert [one.key for one in store.list_entries("a/")] == ["a/two words"]
    with pytest.raises(FileNotFoundError):
        store.read_file("a/one", back)


def test_place_that_cannot_be_used_is_named(tmp_path: Path, aws: None) -> None:  # noqa: ARG001
    (tmp_path / "file").write_text("in the way")
    for store in (FolderStore(tmp_path / "file"), open_store("s3://nobody-made-it")):
        with pytest.raises(TrackingError) as raised:
            store.write_file("a/b", tmp_path / "file")
        assert raised.value.code == "store-unreachable"


def test_key_of_kms_is_told_to_s3(tmp_path: Path, aws: None) -> None:  # noqa: ARG001
    (tmp_path / "file").write_text("content")
    open_store("s3://safe/deep", "alias/backups").write_file("a", tmp_path / "file")
    said = boto3.client("s3").head_object(Bucket="safe", Key="deep/a")
    assert (said["ServerSideEncryption"], said["SSEKMSKeyId"]) == ("aws:kms", "alias/backups")
