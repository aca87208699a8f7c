"""Terraform and OpenTofu for tests, with the stand-in for the AWS provider and without a network. A pytest plugin.

Owns how they are called: the tools, the client configuration that names the stand-in, where they keep what they write. Must not
write into the repository.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLS = ("terraform", "tofu")
_CONFIGURATION = """
disable_checkpoint = true

provider_installation {
  dev_overrides {
    "hashicorp/aws" = "%s"
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended and what it wrote."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terraform:
    """The two tools, by name."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, tool: str, *arguments: str, folder: Path) -> Said:
        """Run it in a folder."""
        command = [str(self.folder / tool), *arguments]
        done = subprocess.run(command, cwd=folder, env=self.environ, capture_output=True, text=True, check=False, timeout=300)
        return Said(code=done.returncode, text=done.stdout + done.stderr)


@pytest.fixture(scope="session")
def terraform(
    lab_tools: Path, lab_environment: dict[str, str], provider_stand_in: Path, tmp_path_factory: pytest.TempPathFactory
) -> Terraform:
    """Both tools with the stand-in in the provider's place."""
    kept = tmp_path_factory.mktemp("terraform")
    (kept / "rc").write_text(_CONFIGURATION % provider_stand_in)
    environ = {**lab_environment, "TF_CLI_CONFIG_FILE": str(kept / "rc"), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    return Terraform(folder=lab_tools, environ=environ)
