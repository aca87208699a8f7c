"""Checkov, which looks for what is insecure, without a network: in a Python of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.lab import ROOT, Part
from support.own_pythons import provide_python

CHECKOV = Part(title="Python with Checkov", variable="", started_by="")
REQUIREMENTS = ROOT / "requirements" / "checkov.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found below a folder: file (below the folder) and check."""

    passed: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]


def scan(folder: Path, framework: str) -> Scan:
    """Check every file of a framework, as `terraform` or `kubernetes`."""
    checkov = provide_python(CHECKOV, REQUIREMENTS).with_name("checkov")
    command = [str(checkov), "--directory", str(folder), "--framework", framework, "--output", "json", "--skip-download"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert ended.returncode in {0, 1}, ended.stderr
    found = json.loads(ended.stdout)
    assert found["summary"]["parsing_errors"] == 0, found["results"]["parsing_errors"]
    return Scan(**{name: _list_checks(found["results"], name) for name in ("passed", "failed", "skipped")})


def _list_checks(results: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((one["file_path"].removeprefix("/"), one["check_id"]) for one in results[f"{name}_checks"])
