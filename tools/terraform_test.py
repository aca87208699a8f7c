"""Runs the tests of all Terraform modules and examples in one tool, Terraform or OpenTofu; the AWS provider is the stand-in.

Owns how they are run: one stand-in that serves them all (`-stay`), an own folder for what a tool keeps of a configuration, so
that nothing is written beside the sources. What the runs claim is theirs to say.

    make test-terraform [TOOL=tofu]
    python tools/terraform_test.py STAND_IN TOOL     exit code 1 where a run does not pass
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TERRAFORM = ROOT / "terraform"
CONFIGURATIONS = sorted(str(file.parent.relative_to(TERRAFORM)) for file in TERRAFORM.glob("*/*/versions.tf"))
"""Modules and examples."""
_SECONDS = 600


@contextmanager
def serve_stand_in(program: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Serve the provider; yields the environment variable that has Terraform and OpenTofu ask it."""
    told = folder / "reattach"
    with subprocess.Popen([program, "-stay", told], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            name, _, value = _await_text(told, process).strip().partition("=")
            yield {name: value.strip("'")}
        finally:
            process.send_signal(signal.SIGINT)


def _await_text(file: Path, process: subprocess.Popen[bytes]) -> str:
    """What a process writes into a file, as soon as the line is whole."""
    until = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < until:
        if file.exists() and (text := file.read_text("utf-8")).endswith("\n"):
            return text
        time.sleep(0.05)
    raise SystemExit("the stand-in for the AWS provider does not serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What became of a configuration's tests."""

    statuses: Mapping[str, str]
    """Of every run, by its file and name; what the tool said where there is none."""
    made: Sequence[Mapping[str, int]]
    """For each run that applies, the number of instances of every resource that it made; only Terraform tells."""


def run_tests(tool: str | Path, configuration: str, data: Path, environ: Mapping[str, str]) -> Tested:
    """Run them. Writes into `data` only."""
    folder, quiet = TERRAFORM / configuration, {"TF_DATA_DIR": str(data), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command, told = [tool, *arguments], {**environ, **quiet}
        return subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=_SECONDS)

    fetched, tested = run("get"), run("test", "-json", "-verbose")
    told = [json.loads(line) for line in tested.stdout.splitlines() if line.startswith("{")]
    runs = [one["test_run"] for one in told if one.get("type") == "test_run"]
    found = {
        f"{one['path']}: {one['run']}": str(one["status"]) for one in runs if one.get("progress", "complete") == "complete"
    }
    states = [one["test_state"].get("root_module", {}) for one in told if one.get("type") == "test_state"]
    return Tested(
        statuses=found or {"": fetched.stderr + tested.stdout + tested.stderr},
        made=[Counter(f"{one['type']}.{one['name']}" for one in state.get("resources", ())) for state in states],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the tests of every Terraform module and example.")
    parser.add_argument("stand_in", type=Path, help="the program that `go build` makes of terraform/testing/provider")
    parser.add_argument("tool", help="terraform or tofu")
    asked = parser.parse_args(arguments)
    begun, runs, bad = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as kept, serve_stand_in(asked.stand_in.resolve(), Path(kept)) as told:
        for configuration in CONFIGURATIONS:
            found = run_tests(asked.tool, configuration, Path(kept, configuration), {**os.environ, **told}).statuses
            failed = {name: status for name, status in found.items() if status != "pass"}
            runs, bad = runs + len(found), bad + len(failed)
            for name, status in failed.items():
                print(f"{configuration}: {name}: {status}", file=sys.stderr)
    print(f"{asked.tool}: {runs - bad} of {runs} runs passed, {len(CONFIGURATIONS)} modules and examples, "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
