"""The READMEs of the Terraform modules tell of the inputs and outputs that there are."""

from __future__ import annotations

import shutil
from pathlib import Path

import terraform_readme


def test_tables_are_those_of_the_modules() -> None:
    assert terraform_readme.find_stale(terraform_readme.MODULES) == []


def test_a_change_in_a_module_is_seen_and_written(tmp_path: Path) -> None:
    module = shutil.copytree(terraform_readme.MODULES / "kms", tmp_path / "kms")
    file = module / "variables.tf"
    file.write_text(file.read_text("utf-8").replace("default     = 365", "default     = 180"), "utf-8")

    assert terraform_readme.find_stale(tmp_path) == [module]
    assert "`number` | `180` |" in terraform_readme.render_readme(module)
    by_hand = (module / "README.md").read_text("utf-8").partition(terraform_readme.START)[0]
    assert terraform_readme.render_readme(module).startswith(by_hand)
