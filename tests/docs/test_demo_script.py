"""What the demo does where something is missing, with stand-ins for the commands that it calls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.console import ROOT

STAND_INS = {
    "mlflow": 'echo "trained in $TMPDIR"',
    "deploy": 'case "$FAILURE $*" in " "* | *" --runtime process") echo http://127.0.0.1:1 ;; *) exit 1 ;; esac',
    "dockyard": """case "$1 $FAILURE" in
        "history unknown") echo '{"result": null}'; exit 2 ;;
        history*) printf '{"result": {"attempts": [{"failure": {"code": "%s"}}]}}' "$FAILURE" ;;
        *) echo "told to $*" ;;
    esac""",
    "curl": "echo asked",
    "python": f'exec {sys.executable} "$@"',
}
USED = ("bash", "cat", "dirname", "env", "mkdir", "realpath")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """How the demo ended."""

    code: int
    out: str


def run_demo(folder: Path, *, failure: str = "", without: str = "") -> Demo:
    """Run it with stand-ins: `failure` is what deploying a container ends with, `without` a command that is missing."""
    tools = folder / "tools"
    tools.mkdir()
    for name, script in STAND_INS.items():
        if name != without:
            (tools / name).write_text(f"#!/bin/sh\n{script}\n")
            (tools / name).chmod(0o755)
    for name in USED:
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"there is no {name}"))
    ended = subprocess.run(
        ["bash", str(ROOT / "examples" / "demo")],
        env={"PATH": str(tools), "DEMO_TOOLS": str(tools), "DEMO_HOME": str(folder / "demo"), "FAILURE": failure},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Demo(code=ended.returncode, out=ended.stdout)


def test_what_a_training_leaves_in_its_temporary_folder_stays_in_the_demos_own(tmp_path: Path) -> None:
    assert f"trained in {tmp_path / 'demo' / 'tmp'}\n" in run_demo(tmp_path).out
    assert (tmp_path / "demo" / "tmp").is_dir()


def test_demo_deploys_once_where_that_succeeds(tmp_path: Path) -> None:
    demo = run_demo(tmp_path)

    assert demo.code == 0, demo.out
    assert demo.out.count("$ deploy local") == 1
    assert "\nasked\n" in demo.out
    assert (
        tmp_path / "demo" / "dockyard.yaml"
    ).read_text() == f"registry:\n  tracking_uri: sqlite:///{tmp_path}/demo/mlflow.db\n"


@pytest.mark.parametrize("failure", ["registry-unreachable", "registry-refused", "base-not-found", "credentials-refused"])
def test_demo_goes_on_without_a_container_where_there_is_no_way_to_the_base(tmp_path: Path, failure: str) -> None:
    demo = run_demo(tmp_path, failure=failure)

    assert demo.code == 0, demo.out
    assert "$ deploy local -m my_first_model --runtime process\n" in demo.out
    assert "The model stays up at http://127.0.0.1:1." in demo.out


@pytest.mark.parametrize("failure", ["smoke-test-failed", "unknown"])
def test_demo_fails_where_anything_else_fails(tmp_path: Path, failure: str) -> None:
    demo = run_demo(tmp_path, failure=failure)

    assert demo.code == 1
    assert "--runtime process" not in demo.out
    assert "stays up" not in demo.out
    assert "Traceback" not in demo.out


def test_demo_asks_by_dockyard_where_there_is_no_curl(tmp_path: Path) -> None:
    demo = run_demo(tmp_path, without="curl")

    assert demo.code == 0, demo.out
    assert "told to predict my_first_model -d @" in demo.out


def test_demo_says_how_to_install_where_nothing_is(tmp_path: Path) -> None:
    demo = run_demo(tmp_path, without="deploy")

    assert demo.code == 2
    assert "`make demo` installs it first" in demo.out
