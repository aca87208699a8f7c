"""`lab down` takes back all that `lab up` did to the machine, whatever happened in between.

A second lab goes up in namespaces of its own, beside the one that the other tests use.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support.machine_snapshot import compare_snapshots

ROOT = Path(__file__).parents[2]
SUPPORT = ROOT / "tests" / "support"

# A container that answers on a published port, in a network of its own.
USE_ENGINE = """
eval "$(lab/lab env)"
lab/images up busybox
docker network create apart >/dev/null
docker run -d --init --network apart -p 127.0.0.1:18080:8080 busybox sh -c 'echo here >/index.html; httpd -f -p 8080' >/dev/null
curl -fs --retry 20 --retry-delay 1 --retry-all-errors http://127.0.0.1:18080 >&2
"""
KILL_ENGINE = """
kill -9 $(cut -d' ' -f1 "$LAB_STATE/run/dockerd.pid" "$LAB_STATE/run/containerd.pid")
"""
USE_CLUSTER = """
eval "$(lab/lab env)"
lab/images up busybox
kubectl run here --image busybox --port 8080 --overrides '{"spec": {"containers": [{"name": "here", "image": "busybox",
  "command": ["httpd", "-f", "-p", "8080"], "ports": [{"containerPort": 8080, "hostPort": 30081}]}]}}' >&2
kubectl wait --for condition=Ready pod/here --timeout 60s >&2
lab/addons/up gateway prometheus gitops
"""


def run_second_lab(folder: Path, parts: str, use: str, cache: Path) -> list[str]:
    """Start the parts in a sealed machine, use them, stop them; what is different from before."""
    mine = folder / "cache"
    mine.mkdir()
    # What is slow to make is the first lab's; what daemons write is not.
    for pattern in ("images", "tools", "cluster", "addons", "engine-*", "golang-*"):
        for kept in cache.glob(pattern):
            (mine / kept.name).symlink_to(kept)
    take = f"{shlex.quote(sys.executable)} {shlex.quote(str(SUPPORT / 'machine_snapshot.py'))}"
    here = shlex.quote(str(folder))
    steps = [f"{take} >{here}/before", f"lab/lab up {parts}", use, "lab/lab down", f"{take} >{here}/after"]
    script = "\n".join(["set -euo pipefail", *steps])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "DOCKER_", "KUBE"))}
    environment |= {"LAB_STATE": str(folder / "state"), "LAB_CACHE": str(mine)}
    result = subprocess.run(
        [SUPPORT / "sealed_machine", "bash", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    before, after = (json.loads((folder / name).read_text()) for name in ("before", "after"))
    return compare_snapshots(before, after)


@pytest.mark.lab
@pytest.mark.alone
@pytest.mark.parametrize(
    ("parts", "use"),
    [
        pytest.param("registry engine", USE_ENGINE, id="engine-with-containers"),
        pytest.param("registry engine", USE_ENGINE + KILL_ENGINE, id="engine-that-was-killed"),
        pytest.param("registry cluster", USE_CLUSTER, id="cluster-and-what-stands-around-it"),
    ],
)
def test_lab_down_leaves_nothing_on_the_machine(parts: str, use: str, lab_cache: Path) -> None:
    # pytest's own folders are too deep for the sockets of daemons.
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        assert run_second_lab(Path(folder), parts, use, lab_cache) == []
