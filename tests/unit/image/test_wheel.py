"""A wheel's files go where an installer would put them; a wheel that tries to go elsewhere is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from dockyard_image import WheelError
from dockyard_image.wheel import open_wheels
from support.images import make_wheel


def read_files(wheels: list[Path]) -> dict[str, bytes]:
    with open_wheels(wheels, "sp") as entries:
        found = {}
        for entry in entries:
            with entry.open() as file:
                found[entry.path] = file.read()
        return found


def test_data_folders_are_spread_and_scripts_are_left_out(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg-1.0.data/purelib/pure.py": "p",
        "pkg-1.0.data/platlib/plat.py": "l",
        "pkg-1.0.data/data/share/pkg/x.txt": "d",
        "pkg-1.0.data/scripts/run": "s",
        "pkg-1.0.data/headers/pkg.h": "h",
    }
    found = set(read_files([make_wheel(tmp_path, "pkg", "1.0", files)]))
    info = {f"sp/pkg-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")}
    assert found == {"sp/pkg/__init__.py", "sp/pure.py", "sp/plat.py", "sp/share/pkg/x.txt"} | info


def test_first_wheel_wins_where_two_ship_the_same_path(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path, name, "1.0", {"shared.py": name}) for name in ("first", "second")]
    assert read_files(wheels)["sp/shared.py"] == b"first"
    assert read_files(wheels[::-1])["sp/shared.py"] == b"second"


def test_execute_bit_is_taken_over(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", "1.0", {"a.so": b"x", "a.py": ""})
    with open_wheels([wheel], "sp") as entries:
        assert {entry.path: entry.executable for entry in entries if "dist-info" not in entry.path} == {
            "sp/a.so": True,
            "sp/a.py": False,
        }


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil", "a/../../evil", "a//b", "./a", "a\\..\\b", "x-1.data/purelib/../../e"]
)
def test_member_that_leads_out_of_the_wheel_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path, "pkg", "1.0", {name: "x"})
    with pytest.raises(WheelError, match=r"pkg-1\.0") as caught, open_wheels([wheel], "sp"):
        pytest.fail("it was opened")
    assert caught.value.code == "wheel-invalid"


def test_link_in_a_wheel_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", "1.0", {"a.py": ""})
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(WheelError, match="not a regular file"), open_wheels([wheel], "sp"):
        pytest.fail("it was opened")


def test_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pkg-1.0-py3-none-any.whl").write_bytes(b"PK no")
    with pytest.raises(WheelError, match="not a readable zip"), open_wheels([tmp_path / "pkg-1.0-py3-none-any.whl"], "sp"):
        pytest.fail("it was opened")
