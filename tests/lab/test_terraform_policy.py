"""Checkov finds nothing insecure in modules and examples but what says why it is as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.checkov import scan
from terraform_test import TERRAFORM

pytestmark = pytest.mark.lab
RESOURCE = re.compile(r'^resource "', re.MULTILINE)
SKIP = re.compile(r"checkov:skip=(\w+):")


def test_checkov_finds_nothing() -> None:
    found = scan(TERRAFORM, "terraform")
    texts = {str(file.relative_to(TERRAFORM)): file.read_text("utf-8") for file in TERRAFORM.glob("modules/*/*.tf")}

    assert found.failed == ()
    assert set(found.skipped) == {(path, check) for path, text in texts.items() for check in SKIP.findall(text)}
    making = {Path(path).parent for path, text in texts.items() if RESOURCE.search(text)}
    assert making <= {Path(path).parent for path, _ in found.passed}
