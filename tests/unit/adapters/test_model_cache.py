"""The cache holds each model once, complete or not at all, whoever else works on it and whatever is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dockyard.adapters.model_cache import ModelCache
from dockyard.adapters.model_files import digest_folder, list_files
from dockyard.domain.errors import DockyardError, UnavailableError
from support.model_folder import write_model_folder

SOURCE = ("registry", "wine", "3")
WHAT = "`wine`"


def fetching(content: str = "weights") -> Callable[[Path], Path]:
    """A download of a model whose weights are `content`."""
    return lambda folder: write_model_folder(folder / "model", content=content)


def refuse(folder: Path) -> Path:
    """A download that must not happen."""
    raise AssertionError(f"downloaded again into {folder}")


def test_files_are_kept_read_only_under_their_digest(tmp_path: Path) -> None:
    cached = ModelCache(tmp_path).add_model(fetching(), WHAT)
    files = list_files(cached.folder, WHAT)
    assert cached.digest == digest_folder(cached.folder, files)
    assert cached.folder == tmp_path / cached.digest.removeprefix("sha256:") / "model"
    assert cached.size_bytes == sum((cached.folder / name).stat().st_size for name in files)
    assert {(cached.folder / name).stat().st_mode & 0o222 for name in files} == {0}


def test_equal_files_are_kept_once_whatever_their_source(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    assert cache.add_model(fetching(), WHAT, SOURCE) == cache.add_model(fetching(), WHAT, ("elsewhere",))
    assert len([path for path in tmp_path.iterdir() if (path / "files.json").exists()]) == 1
    assert list((tmp_path / "incoming").iterdir()) == []


def test_source_is_known_again(tmp_path: Path) -> None:
    added = ModelCache(tmp_path).add_model(fetching(), WHAT, SOURCE)
    assert ModelCache(tmp_path).find_model(SOURCE) == added
    assert ModelCache(tmp_path).find_model(("registry", "wine", "4")) is None
    assert ModelCache(tmp_path).find_digest(added.digest) == added


@pytest.mark.parametrize("damage", ["file", "listing", "index", "all"])
def test_damaged_cache_is_filled_again(tmp_path: Path, damage: str) -> None:
    cache = ModelCache(tmp_path)
    added = cache.add_model(fetching(), WHAT, SOURCE)
    if damage == "file":
        (added.folder / "model.skops").unlink()
    elif damage == "listing":
        (added.folder.parent / "files.json").chmod(0o644)
        (added.folder.parent / "files.json").write_text("{")
    elif damage == "index":
        next((tmp_path / "index").iterdir()).write_text("[]")
    else:
        shutil.rmtree(tmp_path)
    assert cache.find_model(SOURCE) is None
    assert cache.add_model(fetching(), WHAT, SOURCE) == added
    assert (cache.find_model(SOURCE), (added.folder / "model.skops").read_text()) == (added, "weights")


def test_failed_download_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> Path:
        write_model_folder(folder / "model")
        raise UnavailableError("tracking-unreachable", "gone")

    cache = ModelCache(tmp_path)
    with pytest.raises(UnavailableError):
        cache.add_model(fail, WHAT, SOURCE)
    assert cache.find_model(SOURCE) is None
    assert [path.name for path in tmp_path.rglob("*")] == ["incoming"]


@pytest.mark.parametrize("moment", ["fetching", "publishing"])
def test_killed_process_leaves_nothing_that_is_taken_for_a_model(tmp_path: Path, moment: str) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from support.model_folder import write_model_folder
from dockyard.adapters.model_cache import ModelCache
def fetch(folder):
    write_model_folder(folder / "model")
    if sys.argv[2] == "fetching":
        os.kill(os.getpid(), signal.SIGKILL)
    return folder / "model"
def die(event, arguments):
    # The kill comes with the staged folder complete, at the rename that makes it a model.
    if event == "os.rename" and str(arguments[0]).endswith("staged"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
ModelCache(Path(sys.argv[1])).add_model(fetch, "`wine`", ("registry", "wine", "3"))
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), moment],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    cache = ModelCache(tmp_path)
    assert cache.find_model(SOURCE) is None
    assert [path.name for path in tmp_path.iterdir()] == ["incoming"]
    assert (cache.add_model(fetching(), WHAT, SOURCE).folder / "model.skops").read_text() == "weights"


def test_what_a_kill_left_behind_is_removed_a_day_later(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    old, fresh = write_model_folder(tmp_path / "incoming" / "old"), write_model_folder(tmp_path / "incoming" / "fresh")
    (tmp_path / "incoming" / "old.json").write_text("")
    yesterday = time.time() - 25 * 3600
    for path in (old, tmp_path / "incoming" / "old.json"):
        os.utime(path, (yesterday, yesterday))
    cache.add_model(fetching(), WHAT)
    assert [path.name for path in (tmp_path / "incoming").iterdir()] == [fresh.name]


def test_many_at_once_get_the_same_whole_model(tmp_path: Path) -> None:
    def add(_: int) -> str:
        cached = ModelCache(tmp_path).add_model(fetching(), WHAT, SOURCE)
        return digest_folder(cached.folder, list_files(cached.folder, WHAT))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(add, range(24)))) == 1
    assert list((tmp_path / "incoming").iterdir()) == []


def test_known_source_is_not_fetched(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    added = cache.add_model(fetching(), WHAT, SOURCE)
    assert (cache.find_model(SOURCE) or cache.add_model(refuse, WHAT)) == added


def test_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(DockyardError) as caught:
        ModelCache(tmp_path / "models").add_model(fetching(), WHAT)
    assert caught.value.code == "cache-unusable"
