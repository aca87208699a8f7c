"""Claims about shell completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.cli.completion import complete_deployment, complete_environment
from support.fake_kit import CommandLine


def _complete(words: str, entry: str = "main", program: str = "DOCKYARD") -> list[str]:
    environ = {
        **os.environ,
        f"_{program}_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split())),
    }
    code = f"import sys; from dockyard.cli.main import {entry}; sys.argv = ['x']; sys.exit({entry}())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def _deploy(folder: Path, *keys: str) -> None:
    for key in keys:
        file = folder.parent / "home/.local/state/dockyard/local" / key / "deployment.json"
        file.parent.mkdir(parents=True)
        file.touch()


def test_the_shell_completes_commands_of_both_scripts() -> None:
    assert {"deploy", "status", "config"} <= set(_complete("dockyard "))
    assert "local" in _complete("deploy ", "main_deploy", "DEPLOY")


def test_the_shell_completes_deployments_and_environments(dockyard: CommandLine) -> None:
    _deploy(dockyard.folder, "local/wine", "prod/wine", "prod/knn")
    (dockyard.folder / "dockyard.yaml").write_text("environments: {prod: {}, staging: {}}")
    assert complete_deployment("") == ["wine", "prod/knn", "prod/wine"]
    assert complete_deployment("prod/w") == ["prod/wine"]
    assert complete_environment("") == ["local", "sagemaker", "k8s", "prod", "staging"]
    assert complete_environment("st") == ["staging"]
    assert _complete("dockyard logs ") == ["wine", "prod/knn", "prod/wine"]


def test_completion_is_silent_where_the_configuration_is_wrong(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text("imge: {}")
    assert complete_deployment("") == []
    assert complete_environment("") == []


@pytest.mark.parametrize("script", ["dockyard", "deploy"])
def test_show_completion_prints_a_script_for_the_shell(script: str, tmp_path: Path) -> None:
    entry = "main" if script == "dockyard" else "main_deploy"
    code = f"import sys; from dockyard.cli.main import {entry}; sys.exit({entry}(['--show-completion']))"
    shell = tmp_path / "bash"
    shell.symlink_to("/bin/bash")
    done = subprocess.run(
        [shell, "-c", f'"{sys.executable}" -c "$CODE"; exit $?'],
        capture_output=True,
        text=True,
        env={**os.environ, "CODE": code},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
