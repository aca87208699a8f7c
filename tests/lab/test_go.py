"""The lab builds with the Go that it pins, whatever Go the machine has."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("present", ["echo go version go1.19.8 linux/amd64", "exit 127"], ids=["too-old", "broken"])
def test_go_is_the_pinned_one_where_the_machine_has_none_that_could_be(
    present: str, lab_cache: Path, lab_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "go").write_text(f"#!/bin/sh\n{present}\n")
    (tmp_path / "go").chmod(0o755)
    environ = lab_environment | {"PATH": f"{tmp_path}:{SYSTEM}", "LAB_CACHE": str(lab_cache)}
    script = '. lab/lib.sh; need_go; [ "$(go version)" = "go version go$LAB_GO linux/$(dpkg --print-architecture)" ]'
    result = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
