"""The image's packages are pinned by hash, fit what they are made from, and come from no named index."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

FOLDER = Path(__file__).parents[3] / "dockerfiles/tracking-server"


def read_lines(name: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (FOLDER / name).read_text().splitlines())
    return [line for line in lines if line]


def read_locked() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (FOLDER / "requirements.txt").read_text(), re.MULTILINE))


def test_every_package_has_a_hash_and_no_line_names_an_index() -> None:
    entries = re.split(r"\n(?=\S)", (FOLDER / "requirements.txt").read_text().strip())
    assert len(entries) == len(read_locked())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in (FOLDER / "requirements.txt").read_text()


def test_lock_fits_what_it_is_made_from() -> None:
    locked = read_locked()
    for line in read_lines("requirements.in"):
        requirement = Requirement(line)
        assert requirement.specifier.contains(locked[requirement.name.lower()]), line


def test_what_is_left_out_is_not_locked() -> None:
    assert set(read_lines("left-out.txt")).isdisjoint(read_locked())


def test_dockerfile_takes_its_base_by_argument_and_runs_as_a_number_that_is_not_root() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["65532:65532"]
    assert "--require-hashes" in text
