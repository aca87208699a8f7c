"""The cache folder: what was not used for long is found, weighed and removed; what is used stays, however old it is."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dockyard.adapters.caches import FolderCaches
from dockyard.adapters.model_cache import ModelCache
from dockyard.ports import StaleCache
from dockyard.testing.surroundings import ManualClock
from dockyard_image.lockfile import Lock, LockedWheel
from dockyard_image.wheels import WheelCache

DAY = 24 * 3600
OLD = time.time() - 31 * DAY


@pytest.fixture
def caches(tmp_path: Path) -> FolderCaches:
    return FolderCaches(home=tmp_path, clock=ManualClock(start=datetime.now(timezone.utc)))


def put(path: Path, size: int, *, is_old: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    if is_old:
        age(path.parent)
        age(path)


def age(path: Path) -> None:
    os.utime(path, (OLD, OLD))


def test_no_cache_has_nothing_stale(caches: FolderCaches) -> None:
    assert caches.list_stale(30) == ()


def test_what_was_not_used_for_so_long_is_weighed_and_removed_and_nothing_else(caches: FolderCaches, tmp_path: Path) -> None:
    put(tmp_path / "wheels" / "a" / "a.whl", 100)
    put(tmp_path / "wheels" / "b" / "b.whl", 10, is_old=False)
    put(tmp_path / "models" / ("0" * 64) / "files.json", 5)
    put(tmp_path / "models" / "index" / "1.json", 5)
    put(tmp_path / "locks" / "1.json", 7)
    put(tmp_path / "other" / "1.json", 7)
    stale = caches.list_stale(30)
    assert stale == (
        StaleCache(name="packages", entries=1, size_bytes=100),
        StaleCache(name="models", entries=1, size_bytes=5),
    )
    assert caches.list_stale(32) == ()
    assert [caches.delete_stale(one.name, 30) for one in stale] == [100, 5]
    assert caches.list_stale(30) == ()
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["locks/1.json", "models/index/1.json", "other/1.json", "wheels/b/b.whl"]


def test_using_an_entry_keeps_it(caches: FolderCaches, tmp_path: Path) -> None:
    wheel = LockedWheel(name="a", version="1", filename="a.whl", url="file:///nowhere/a.whl", sha256="a", size=1)
    put(tmp_path / "wheels" / "a" / "a.whl", 1)
    model = ModelCache(tmp_path / "models").add_model(fetch_model, "a model")
    age(model.folder.parent)
    assert [one.name for one in caches.list_stale(30)] == ["packages", "models"]

    WheelCache(tmp_path / "wheels").fetch(Lock(text="", digest="", wheels=(wheel,)))
    assert ModelCache(tmp_path / "models").find_digest(model.digest) is not None
    assert caches.list_stale(30) == ()


def fetch_model(folder: Path) -> Path:
    (folder / "MLmodel").write_text("flavors: {}\n")
    return folder
