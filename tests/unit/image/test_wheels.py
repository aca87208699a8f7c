"""Wheels are fetched once, resumed when a connection breaks, and kept only when they are what the lock says."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_image import IndexSettings, LockError, LockRequest, WheelCache, WheelError, lock_requirements, read_index_settings
from dockyard_image.lockfile import Lock, make_lock
from support.images import IMPATIENT, lock_files, make_wheel
from support.package_index import PackageIndex


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "links", "big", "1.0", {"big.bin": os.urandom(300_000)})


def settings(home: Path, **environ: str) -> IndexSettings:
    return read_index_settings({"PATH": os.environ["PATH"], "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0", **environ}, home)


def locked(wheel: Path, url: str) -> Lock:
    return make_lock([replace(lock_files(wheel).wheels[0], url=url)])


def open_cache(folder: Path) -> WheelCache:
    return WheelCache(folder / "wheels", indexes=settings(folder), policy=IMPATIENT)


def fetch_one(folder: Path, lock: Lock) -> bytes:
    (file,) = open_cache(folder).fetch(lock).values()
    return file.read_bytes()


def test_second_fetch_asks_nobody(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
        assert fetch_one(tmp_path, lock) == wheel.read_bytes()
    assert fetch_one(tmp_path, lock) == wheel.read_bytes()


def test_broken_connection_is_resumed_where_it_broke(tmp_path: Path, wheel: Path) -> None:
    steps: list[int] = []
    with PackageIndex(wheel.parent) as index:
        index.fail_next = [0, 503]
        lock = locked(wheel, index.file_url(wheel))
        files = open_cache(tmp_path).fetch(lock, lambda _what, done, _total: steps.append(done))
        assert files[lock.wheels[0]].read_bytes() == wheel.read_bytes()
        ranges = [asked for _, asked in index.requests]
    assert ranges[0] == ""
    assert ranges[1] == ranges[2] == f"bytes={wheel.stat().st_size // 2}-"
    assert steps[-1] == wheel.stat().st_size


def test_server_without_ranges_is_read_from_the_start_again(tmp_path: Path, wheel: Path) -> None:
    steps: list[int] = []
    with PackageIndex(wheel.parent, ranges=False) as index:
        index.fail_next = [0]
        lock = locked(wheel, index.file_url(wheel))
        files = open_cache(tmp_path).fetch(lock, lambda _what, done, _total: steps.append(done))
        assert files[lock.wheels[0]].read_bytes() == wheel.read_bytes()
    assert steps[-1] == wheel.stat().st_size


def test_download_goes_on_after_a_killed_process(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
        partial = tmp_path / "wheels" / lock.wheels[0].sha256 / f"{wheel.name}.part"
        partial.parent.mkdir(parents=True)
        partial.write_bytes(wheel.read_bytes()[:1000])
        assert fetch_one(tmp_path, lock) == wheel.read_bytes()
        assert [asked for _, asked in index.requests] == ["bytes=1000-"]
    assert not partial.exists()


def test_overlong_partial_file_is_thrown_away(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
        partial = tmp_path / "wheels" / lock.wheels[0].sha256 / f"{wheel.name}.part"
        partial.parent.mkdir(parents=True)
        partial.write_bytes(wheel.read_bytes() + b"more")
        assert fetch_one(tmp_path, lock) == wheel.read_bytes()


def test_other_content_than_locked_is_never_kept(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
        wheel.write_bytes(b"something else")
        with pytest.raises(WheelError) as caught:
            open_cache(tmp_path).fetch(lock)
    assert caught.value.code == "index-unreachable"
    assert "digest" in caught.value.message
    assert [path for path in (tmp_path / "wheels").rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_wheel_that_is_gone_is_named(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
        wheel.unlink()
        with pytest.raises(WheelError, match=wheel.name) as caught:
            open_cache(tmp_path).fetch(lock)
        assert len(index.requests) == 1
    assert caught.value.code == "wheel-unavailable"


def test_index_that_stays_away_is_said_so_after_all_tries(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent) as index:
        lock = locked(wheel, index.file_url(wheel))
    with pytest.raises(WheelError, match="nothing accepts connections") as caught:
        open_cache(tmp_path).fetch(lock)
    assert caught.value.code == "index-unreachable"


def test_wheel_in_a_folder_is_copied(tmp_path: Path, wheel: Path) -> None:
    assert fetch_one(tmp_path, locked(wheel, wheel.as_uri())) == wheel.read_bytes()


def test_wheel_that_left_its_folder_is_named(tmp_path: Path, wheel: Path) -> None:
    lock = locked(wheel, wheel.as_uri())
    wheel.unlink()
    with pytest.raises(WheelError, match="the file is gone") as caught:
        open_cache(tmp_path).fetch(lock)
    assert caught.value.code == "wheel-unavailable"


def test_many_wheels_come_at_once_and_the_first_failure_is_told(tmp_path: Path) -> None:
    links = tmp_path / "links"
    wheels = [make_wheel(links, f"w{number}", "1.0", {f"w{number}.py": str(number)}) for number in range(20)]
    with PackageIndex(links) as index:
        lock = make_lock(replace(lock_files(wheel).wheels[0], url=index.file_url(wheel)) for wheel in wheels)
        files = open_cache(tmp_path).fetch(lock)
        assert sorted(file.name for file in files.values()) == sorted(wheel.name for wheel in wheels)
        wheels[7].unlink()
        with pytest.raises(WheelError, match=r"w7-1\.0"):
            open_cache(tmp_path / "other").fetch(lock)


def test_private_index_is_locked_and_fetched_from_without_its_password_in_the_lock(tmp_path: Path, wheel: Path) -> None:
    with PackageIndex(wheel.parent, login=("anna", "hunter2")) as index:
        own = settings(tmp_path, UV_DEFAULT_INDEX=index.url.replace("//", "//anna:hunter2@"))
        lock = lock_requirements(LockRequest(requirements=("big",), cache=tmp_path, indexes=own))
        files = WheelCache(tmp_path / "wheels", indexes=own, policy=IMPATIENT).fetch(lock)
        assert files[lock.wheels[0]].read_bytes() == wheel.read_bytes()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "locks").iterdir()) + repr(lock).encode()
    assert b"hunter2" not in kept
    assert index.host not in lock.text


@pytest.mark.parametrize("address", ["http://{}/simple", "http://anna:wrong@{}/simple"])
def test_index_that_refuses_the_user_is_told_apart(tmp_path: Path, wheel: Path, address: str) -> None:
    with PackageIndex(wheel.parent, login=("anna", "hunter2")) as index:
        own = settings(tmp_path, UV_DEFAULT_INDEX=address.format(index.host))
        with pytest.raises(LockError) as caught:
            lock_requirements(LockRequest(requirements=("big",), cache=tmp_path, indexes=own))
    assert caught.value.code == "index-refused"
    assert "wrong" not in str(caught.value)


def test_index_that_nobody_answers_for_is_unreachable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    own = settings(tmp_path, UV_DEFAULT_INDEX=f"http://127.0.0.1:{port}/simple")
    with pytest.raises(LockError) as caught:
        lock_requirements(LockRequest(requirements=("big",), cache=tmp_path, indexes=own))
    assert caught.value.code == "index-unreachable"
