"""A folder that files are rendered into: only its own files change, and a kill at any moment can be made good."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.adapters.rendered_folder import encode_lock
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.rendering import LOCK, GitPlace, RenderForm, RenderLock, RenderShape
from dockyard.ports_rendering import FolderChange
from dockyard.usecases.render import describe_lock
from support.k8s_values import make_blueprint

FIRST = {"a.yaml": b"1\n", "inner/b.yaml": b"2\n"}
SECOND = {"a.yaml": b"1\n", "c.yaml": b"3\n"}
RENDERER = FileRenderer()


def lock(files: Mapping[str, bytes], number: int = 1) -> RenderLock:
    shape = RenderShape(form=RenderForm.PLAIN, namespace="models", git=GitPlace())
    return describe_lock(make_blueprint(number, number), shape, files)


def write(folder: Path, files: Mapping[str, bytes], number: int = 1) -> FolderChange:
    return RENDERER.write_files(folder, lock(files, number), files)


def read(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_folder_holds_the_files_and_what_they_were_made_from(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert RENDERER.read_lock(folder) is None
    assert write(folder, FIRST) == FolderChange(written=("a.yaml", "inner/b.yaml", LOCK))
    assert (read(folder), RENDERER.read_lock(folder)) == (FIRST, lock(FIRST))
    found = RENDERER.read_lock(folder)
    assert found is not None
    assert found.files["a.yaml"] == "sha256:" + hashlib.sha256(b"1\n").hexdigest()


def test_second_render_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write(tmp_path, FIRST) == FolderChange()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_earlier_files_go_and_those_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"mine\n")
    write(tmp_path, FIRST)
    (tmp_path / "inner" / "b.yaml").exists()
    assert write(tmp_path, SECOND, 2) == FolderChange(written=("c.yaml", LOCK), removed=("inner/b.yaml",))
    assert read(tmp_path) == {**SECOND, "mine.yaml": b"mine\n"}
    assert not (tmp_path / "inner").exists()


@pytest.mark.parametrize("path", ["a.yaml", "inner/b.yaml", "c.yaml"])
def test_files_that_somebody_changed_or_made_are_neither_overwritten_nor_removed(tmp_path: Path, path: str) -> None:
    write(tmp_path, FIRST)
    (tmp_path / path).write_bytes(b"mine\n")
    before = read(tmp_path)
    with pytest.raises(ConflictError) as caught:
        write(tmp_path, {**SECOND, "a.yaml": b"4\n"}, 2)
    assert (caught.value.code, path in caught.value.message) == ("render-conflict", True)
    assert read(tmp_path) == before


def test_folder_of_another_deployment_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    text = (tmp_path / LOCK).read_text().replace('"k8s/wine"', '"k8s/other"')
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(ConflictError, match="k8s/other"):
        write(tmp_path, FIRST)


@pytest.mark.parametrize("done", [0, 1])
def test_render_that_was_killed_is_completed_whatever_comes_next(tmp_path: Path, done: int) -> None:
    write(tmp_path, FIRST)
    # As a kill leaves it: the lock to come is there, and some of its files.
    (tmp_path / f".{LOCK}.coming").write_bytes(encode_lock(lock(SECOND, 2)))
    if done:
        (tmp_path / "c.yaml").write_bytes(SECOND["c.yaml"])
    third = {"a.yaml": b"5\n"}
    write(tmp_path, third, 3)
    assert read(tmp_path) == third


def test_lock_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(encode_lock(lock({"../b.yaml": b""})))
    with pytest.raises(DockyardError, match="not in its folder"):
        RENDERER.read_lock(tmp_path)
