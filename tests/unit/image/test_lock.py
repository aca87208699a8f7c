"""Locking runs the real uv on a folder of tiny wheels: no network, no interpreter of the wanted version."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockyard_image import Lock, LockError, LockRequest, lock_requirements
from support.images import lock_offline, make_wheel, offline_indexes


@pytest.fixture
def links(tmp_path: Path) -> Path:
    folder = tmp_path / "links"
    make_wheel(folder, "alpha", "1.0", {"alpha.py": "", "requires": "beta>=2"})
    make_wheel(folder, "beta", "2.1", {"beta.py": ""})
    make_wheel(folder, "beta", "1.9", {"beta.py": ""})
    make_wheel(folder, "native", "1.0", {"n.py": "'311'"}, tag="cp311-cp311-manylinux_2_28_x86_64")
    make_wheel(folder, "native", "1.0", {"n.py": "'311a'"}, tag="cp311-cp311-manylinux_2_28_aarch64")
    make_wheel(folder, "native", "1.0", {"n.py": "'312'"}, tag="cp312-cp312-manylinux2014_x86_64")
    (folder / "source-1.0.tar.gz").write_bytes(b"")
    return folder


def versions(lock: Lock) -> Mapping[str, str]:
    return {wheel.name: wheel.version for wheel in lock.wheels}


def test_lock_holds_what_is_required_and_what_that_requires(links: Path, tmp_path: Path) -> None:
    assert versions(lock_offline(("alpha",), links, tmp_path)) == {"alpha": "1.0", "beta": "2.1"}


def test_constraints_bound_what_is_not_asked_for(links: Path, tmp_path: Path) -> None:
    request = LockRequest(requirements=("beta",), constraints=("beta<2",), cache=tmp_path, indexes=offline_indexes(links))
    assert versions(lock_requirements(request)) == {"beta": "1.9"}


@pytest.mark.parametrize(
    ("python", "platform", "tag"),
    [
        ("3.11", "linux/amd64", "cp311-cp311-manylinux_2_28_x86_64"),
        ("3.11", "linux/arm64", "cp311-cp311-manylinux_2_28_aarch64"),
        ("3.12", "linux/amd64", "cp312-cp312-manylinux2014_x86_64"),
    ],
)
def test_wheel_is_the_images_not_the_hosts(links: Path, tmp_path: Path, python: str, platform: str, tag: str) -> None:
    indexes = offline_indexes(links)
    request = LockRequest(requirements=("native",), python=python, platform=platform, cache=tmp_path, indexes=indexes)
    assert [wheel.filename for wheel in lock_requirements(request).wheels] == [f"native-1.0-{tag}.whl"]


@pytest.mark.parametrize(
    ("requirements", "code", "says"),
    [
        (("alpha", "beta<2"), "requirements-unsatisfiable", "beta"),
        (("alpha==7",), "requirements-unsatisfiable", "alpha==7"),
        (("nothing-of-that-name",), "requirements-unsatisfiable", "nothing-of-that-name"),
        (("!!",), "requirements-unsatisfiable", "!"),
        (("source",), "no-wheel", "source has no wheel"),
        (("thing @ git+https://example.com/thing",), "no-wheel", "thing has no wheel"),
    ],
)
def test_requirements_that_cannot_be_locked_say_why(
    links: Path, tmp_path: Path, requirements: tuple[str, ...], code: str, says: str
) -> None:
    with pytest.raises(LockError) as caught:
        lock_offline(requirements, links, tmp_path)
    assert caught.value.code == code
    assert says in caught.value.message


def test_wheel_for_another_python_only_is_no_wheel(links: Path, tmp_path: Path) -> None:
    request = LockRequest(requirements=("native",), python="3.13", cache=tmp_path, indexes=offline_indexes(links))
    with pytest.raises(LockError) as caught:
        lock_requirements(request)
    assert caught.value.code == "no-wheel"


def test_second_lock_is_answered_without_uv_or_index(links: Path, tmp_path: Path) -> None:
    first = lock_offline(("alpha",), links, tmp_path)
    shutil.rmtree(links)
    links.mkdir()
    assert lock_offline(("alpha",), links, tmp_path) == first


def test_refresh_asks_the_index_again(links: Path, tmp_path: Path) -> None:
    lock_offline(("beta",), links, tmp_path)
    make_wheel(links, "beta", "3.0", {"beta.py": ""})
    assert versions(lock_offline(("beta",), links, tmp_path)) == {"beta": "2.1"}
    request = LockRequest(requirements=("beta",), cache=tmp_path, indexes=offline_indexes(links), refresh=True)
    assert versions(lock_requirements(request)) == {"beta": "3.0"}
    assert versions(lock_offline(("beta",), links, tmp_path)) == {"beta": "3.0"}


def test_damaged_cache_entry_is_locked_anew(links: Path, tmp_path: Path) -> None:
    first = lock_offline(("beta",), links, tmp_path)
    (entry,) = (tmp_path / "locks").iterdir()
    entry.write_bytes(b"[{")
    assert lock_offline(("beta",), links, tmp_path) == first


def test_settings_of_the_folder_one_stands_in_do_not_count(
    links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv]\nconstraint-dependencies = ["beta<2"]\n[tool.uv.pip]\nresolution = "lowest"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert versions(lock_offline(("alpha",), links, tmp_path)) == {"alpha": "1.0", "beta": "2.1"}
